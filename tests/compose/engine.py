"""Owns the container engine of a run: the one that answers here, or one of the run's own that leaves nothing behind."""

import fcntl
import io
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
from typing import NoReturn

import pytest

from anju.local.binaries import CHECKOUT

# Program → the Debian package that brings it. mmdebstrap makes the first image where no registry has one.
PACKAGES = {
    "dockerd": "docker.io",
    "docker-compose": "docker-compose",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
}
# Manuals of what is installed for a test are read by nobody, and an index of them takes as long as the packages.
INSTALL = ("install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--path-exclude=/usr/share/man/*")
# Images stay between runs; they go with the checkout.
DATA = CHECKOUT / ".build" / "docker"
# A program that needs no library, which docker.io brings along: all of the first image that an engine must run.
PROBE = Path("/usr/bin/tini-static")
START_SECONDS = 60.0
STOP_SECONDS = 60.0


class NoEngine(Exception):
    """There is no engine and this machine cannot be given one, or does not let it run; the message says why."""


def leave_out(error: NoEngine) -> NoReturn:
    """Skip the tests and say why, once for all of them; where containers are asked for, fail."""
    if os.environ.get("REQUIRE_DOCKER") == "1":
        pytest.fail(f"REQUIRE_DOCKER=1: {error}")
    sys.stderr.write(f"No tests in containers: {error}\n")
    pytest.skip(str(error))


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """Give the environment by which `docker` and compose reach an engine.

    Raises:
        NoEngine: none answers, and this machine cannot be given one or does not let it run.
    """
    if shutil.which("docker") and _answers({}):
        yield {}
        return
    install("dockerd", "docker-compose", "iptables")
    if _answers({}):  # where services start as they are installed
        yield {}
        return
    with _own() as environment:
        yield environment


def _answers(environment: dict[str, str]) -> bool:
    asked = subprocess.run(
        ["docker", "version"],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=START_SECONDS,
    )
    return asked.returncode == 0


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
        raise NoEngine(f"no engine answers, and only root on Debian can be given one: start Docker (here: no {names})")
    # The lists of packages that are there do, unless one of those has been replaced since.
    said = _apt(*INSTALL, *missing) and (_apt("update") or _apt(*INSTALL, *missing))
    if said:
        raise NoEngine(f"apt-get cannot install {names}: {said}")


def _apt(*words: str) -> str:
    """Run apt-get; return the last line of what it said when it failed, else nothing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "--quiet=2", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return _last_line(done.stdout + done.stderr) if done.returncode else ""


@contextmanager
def _own() -> Iterator[dict[str, str]]:
    """Start an engine with its state apart, and afterwards put the machine's network back as it was."""
    with ExitStack() as undo:
        DATA.mkdir(parents=True, exist_ok=True)
        lock = undo.enter_context((DATA.parent / "docker.lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Sockets' paths are short; a checkout's may not be.
        run = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="anju-docker-")))
        undo.enter_context(_network_kept())
        environment = {"DOCKER_HOST": f"unix://{run}/docker.sock"}
        words = ["dockerd", f"--data-root={DATA}", f"--exec-root={run}/exec", f"--pidfile={run}/pid"]
        with (DATA.parent / "docker.log").open("w") as log:
            daemon = subprocess.Popen(
                [*words, f"--host={environment['DOCKER_HOST']}"], stdout=log, stderr=log, start_new_session=True
            )
        undo.callback(_unmount, run)
        undo.callback(_end, daemon)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(environment):
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise NoEngine(f"the engine does not start: {_last_line(Path(log.name).read_text())}")
            time.sleep(0.2)
        _prove(environment)
        yield environment


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
            raise NoEngine(f"the engine runs no container: {_last_line((done.stdout + done.stderr).decode())}")


def _last_line(said: str) -> str:
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
    former, rules = forward.read_text(), _output("iptables-save")
    bridges = _bridges()
    try:
        yield
    finally:
        for table in ("filter", "nat"):
            for words in (["-F"], ["-X"]):
                subprocess.run(["iptables", "-t", table, *words], check=True)
        subprocess.run(["iptables", "-P", "FORWARD", "ACCEPT"], check=True)
        subprocess.run(["iptables-restore"], input=rules, text=True, check=True)
        for name in _bridges() - bridges:
            subprocess.run(["ip", "link", "delete", name], check=True)
        forward.write_text(former)


def _bridges() -> set[str]:
    return {path.parent.name for path in Path("/sys/class/net").glob("*/bridge")}


def _output(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoEngine(f"the engine has no network here: {words[0]}: {_last_line(done.stdout + done.stderr)}")
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
