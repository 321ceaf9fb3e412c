"""Owns the container engine of a run: the one that answers here, or one of the run's own that leaves nothing behind."""

import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from anju.local.binaries import CHECKOUT

# Program → the Debian package that brings it. mmdebstrap makes the first image where no registry has one.
PACKAGES = {
    "dockerd": "docker.io",
    "docker-compose": "docker-compose",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
}
# A registry that does not answer is known to be away after a minute or two; another's installing is waited for.
PATIENCE = (
    *("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"),
    *("-o", "DPkg::Lock::Timeout=60"),
)
# Where this script says no, Debian's packages start no service while they are installed: the engine here is our own.
SERVICES_START = Path("/usr/sbin/policy-rc.d")
# Manuals of what is installed for a test are read by nobody, and an index of them takes as long as the packages.
INSTALL = ("install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--path-exclude=/usr/share/man/*")
# Images stay between runs; they go with the checkout.
DATA = CHECKOUT / ".build" / "docker"
# The images are 1 GB and need as much again while they are built; the city, with Keycloak, has taken 3 GB of memory.
DISK_BYTES = 4 * 1024**3
MEMORY_BYTES = 4 * 1024**3
MEMORY = Path("/proc/meminfo")
BOOT = Path("/proc/sys/kernel/random/boot_id")
# A program that needs no library, which docker.io brings along: all of the first image that an engine must run.
PROBE = Path("/usr/bin/tini-static")
START_SECONDS = 60.0
STOP_SECONDS = 60.0


class NoEngine(Exception):
    """There is no engine and this machine cannot be given one, or does not let it run; the message says why."""


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """Give the environment by which `docker` and compose reach an engine.

    Raises:
        NoEngine: none answers, and this machine cannot be given one or does not let it run.
    """
    if shutil.which("docker") and _answers({}):
        if compose({}) == ["docker-compose"]:
            install("docker-compose")
        yield {}
        return
    install("dockerd", "docker-compose", "iptables")
    if os.geteuid() != 0:
        raise NoEngine("no engine answers, and only root can start one")
    with _own() as environment:
        yield environment


def _answers(environment: dict[str, str]) -> bool:
    words, merged = ["docker", "version"], {**os.environ, **environment}
    try:
        return (
            subprocess.run(words, env=merged, capture_output=True, timeout=START_SECONDS, check=False).returncode == 0
        )
    except subprocess.TimeoutExpired:
        return False


def compose(environment: dict[str, str]) -> list[str]:
    """The words that start compose: v2, a plugin of docker, else v1."""
    plugin = subprocess.run(
        ["docker", "compose", "version"], env={**os.environ, **environment}, capture_output=True, check=False
    )
    return ["docker", "compose"] if plugin.returncode == 0 else ["docker-compose"]


def install(*programs: str) -> None:
    """Bring the programs that are missing.

    Raises:
        NoEngine: only root on a Debian can, or the registry of packages did not answer.
    """
    missing = [PACKAGES[program] for program in programs if not shutil.which(program)]
    if not missing:
        return
    names = ", ".join(missing)
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoEngine(f"no {names} here, and only root on Debian can be given it")
    with _no_service_started():
        # The lists of packages that are there do, unless one of those has been replaced since.
        said = _apt(*INSTALL, *missing) and (_apt("update") or _apt(*INSTALL, *missing))
    if said:
        raise NoEngine(f"apt-get cannot install {names}: {said}")


def _apt(*words: str) -> str:
    """Run apt-get; return the last line of what it said when it failed, else nothing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "--quiet=2", *PATIENCE, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return last_line(done.stdout + done.stderr) if done.returncode else ""


@contextmanager
def _no_service_started() -> Iterator[None]:
    if SERVICES_START.exists():
        yield
        return
    SERVICES_START.write_text("#!/bin/sh\nexit 101\n")
    try:
        SERVICES_START.chmod(0o755)
        yield
    finally:
        SERVICES_START.unlink()


@contextmanager
def _own() -> Iterator[dict[str, str]]:
    """Start an engine with its state apart, and afterwards put the machine's network back as it was."""
    with ExitStack() as undo:
        DATA.mkdir(parents=True, exist_ok=True)
        _room()
        lock = undo.enter_context((DATA.parent / "docker.lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Sockets' paths are short; a checkout's may not be.
        run = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="anju-docker-")))
        undo.enter_context(_network_kept())
        environment = {"DOCKER_HOST": f"unix://{run}/docker.sock"}
        # Whoever kills this process takes the engine with it.
        words = [
            "setpriv",
            "--pdeathsig=TERM",
            "dockerd",
            f"--data-root={DATA}",
            f"--exec-root={run}/exec",
            f"--pidfile={run}/pid",
        ]
        with (DATA.parent / "docker.log").open("w") as log:
            daemon = subprocess.Popen(
                [*words, f"--host={environment['DOCKER_HOST']}"], stdout=log, stderr=log, start_new_session=True
            )
        undo.callback(_unmount, run)
        undo.callback(_end, daemon)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(environment):
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise NoEngine(f"the engine does not start: {last_line(Path(log.name).read_text())}")
            time.sleep(0.2)
        _sweep(environment)
        _prove(environment)
        yield environment


def _room() -> None:
    available = next(line.split()[1] for line in MEMORY.read_text().splitlines() if line.startswith("MemAvailable:"))
    for what, free, needed in (
        ("disk", shutil.disk_usage(DATA).free, DISK_BYTES),
        ("memory", int(available) * 1024, MEMORY_BYTES),
    ):
        if free < needed:
            raise NoEngine(f"the city needs {needed / 1024**3:.0f} GB of {what}, and {free / 1024**3:.1f} are free")


def _sweep(environment: dict[str, str]) -> None:
    """Remove what a run that was killed left in this engine, which is nobody else's; images that have a name stay."""
    for kind, *force in (("container", "--force"), ("volume",)):
        everything = ("--all",) if kind == "container" else ()
        if left := run(["docker", kind, "ls", "--quiet", *everything], environment).split():
            run(["docker", kind, "rm", *force, *left], environment)
    for kind in ("network", "image"):
        run(["docker", kind, "prune", "--force"], environment)


def _prove(environment: dict[str, str]) -> None:
    """Run a container: an engine that started may lack the rights for it, in a container of its own for instance."""
    if not PROBE.exists():  # an engine from elsewhere than Debian
        return
    name, archive = "anju/probe", io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as image:
        image.add(PROBE, PROBE.name)
    for step in (["import", "-", name], ["run", "--rm", name, f"/{PROBE.name}", "--version"], ["rmi", name]):
        done = subprocess.run(
            ["docker", *step],
            env={**os.environ, **environment},
            input=archive.getvalue(),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise NoEngine(f"the engine runs no container: {last_line((done.stdout + done.stderr).decode())}")


def last_line(said: str) -> str:
    """The last line of what a program said, which tells why it failed."""
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    daemon.wait(STOP_SECONDS)


def _unmount(folder: Path) -> None:
    """Let go of what an engine that ended still holds: the network of a container that had the machine's own."""
    places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed(places):
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", place], check=True)


@contextmanager
def _network_kept() -> Iterator[None]:
    forward = Path("/proc/sys/net/ipv4/ip_forward")
    # What stands here since this boot is of a run that was killed: it found the network as the machine's own.
    found = DATA.parent / f"docker.network.{BOOT.read_text().strip()}"
    if not found.exists():
        found.write_text(json.dumps([forward.read_text(), _output("iptables-save"), sorted(_bridges())]))
    former, rules, bridges = json.loads(found.read_text())
    try:
        yield
    finally:
        for table in ("filter", "nat"):
            for words in (["-F"], ["-X"]):
                subprocess.run(["iptables", "-t", table, *words], check=True)
        subprocess.run(["iptables", "-P", "FORWARD", "ACCEPT"], check=True)
        subprocess.run(["iptables-restore"], input=rules, text=True, check=True)
        for name in _bridges() - set(bridges):
            subprocess.run(["ip", "link", "delete", name], check=True)
        forward.write_text(former)
        found.unlink()


def _bridges() -> set[str]:
    return {path.parent.name for path in Path("/sys/class/net").glob("*/bridge")}


def _output(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoEngine(f"the engine has no network here: {words[0]}: {last_line(done.stdout + done.stderr)}")
    return done.stdout


def has_image(name: str, environment: dict[str, str]) -> bool:
    """Whether the engine has an image of this name."""
    found = subprocess.run(
        ["docker", "image", "inspect", name], env={**os.environ, **environment}, capture_output=True, check=False
    )
    return found.returncode == 0


def run(words: Sequence[str], environment: dict[str, str], *, given: str | None = None, quiet: bool = True) -> str:
    """Run a command of the engine and return what it printed; an error says the end of what it said."""
    done = subprocess.run(
        words, cwd=CHECKOUT, env={**os.environ, **environment}, input=given, capture_output=True, text=True, check=False
    )
    if not quiet:
        sys.stderr.write(done.stdout + done.stderr)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} exited with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout
