"""Owns the container engine of a run: the one that answers here, or one of the run's own that leaves nothing behind."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from anju.local.binaries import CHECKOUT

# mmdebstrap makes the first image where no registry has one.
PACKAGES = ("docker.io", "docker-compose", "mmdebstrap", "iptables")
PROGRAMS = ("dockerd", "mmdebstrap", "iptables")
# Manuals of what is installed for a test are read by nobody, and an index of them takes as long as the packages.
INSTALL = ("install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--path-exclude=/usr/share/man/*")
# Images stay between runs; they go with the checkout.
DATA = CHECKOUT / ".build" / "docker"
START_SECONDS = 60.0
STOP_SECONDS = 60.0


class NoEngine(Exception):
    """There is no engine and this machine cannot be given one; the message says why."""


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """Give the environment by which `docker` and compose reach an engine.

    Raises:
        NoEngine: none answers, and only root on a Debian can start one.
    """
    if shutil.which("docker") and _answers({}):
        yield {}
        return
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise NoEngine("no engine answers, and only root on Linux can start one of its own: start Docker")
    _install()
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


def _install() -> None:
    if all(map(shutil.which, PROGRAMS)) and shutil.which("docker-compose"):
        return
    if not shutil.which("apt-get"):
        raise NoEngine(f"no engine answers and there is no apt-get to install one: install {', '.join(PACKAGES)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], [*INSTALL, *PACKAGES]):
        subprocess.run(["apt-get", "--quiet=2", *words], env=environment, stdout=sys.stderr, check=True)


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
        undo.callback(_end, daemon)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(environment):
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the engine did not start:\n{Path(log.name).read_text()[-2000:]}")
            time.sleep(0.2)
        yield environment


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    daemon.wait(STOP_SECONDS)


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
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


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
