"""Sets a bare clone up: environment, packages, Kafka's jars, page assets; work that is done is not done again.

Run by the system's Python with the standard library alone (`make setup`). Every step has a stamp: a hash of what it was
made from. A step whose stamp is right and whose result is there is skipped. What goes wrong ends in one sentence that
says what to do; the whole output of a step stays in .build/log/.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LOCKED = ROOT / "requirements" / "development.txt"

OLDEST, NEWEST = (3, 11), (3, 14)  # what the locked wheels exist for
DISK_NEEDED = 3 * 1024**3  # bytes: environment 0.8 GB, downloads 0.5 GB, jars and assets 0.2 GB, a demo city's start

CAUSES = (  # (what a tool prints, what to do about it); the first that fits is told
    (
        ("No space left on device", "ENOSPC", "Disk quota exceeded"),
        "The disk is full: free at least 3 GB and run it again.",
    ),
    (
        ("Permission denied", "EACCES", "Read-only file system"),
        "A file may not be written: give this user the folder (was it set up by root before?) and run it again.",
    ),
    (
        ("DO NOT MATCH THE HASHES", "hash mismatch", "Hash mismatch", "EINTEGRITY"),
        "A package is not the one that was locked: do not use it; try another network, then report it.",
    ),
    (
        (
            "error sending request",
            "dns error",
            "Failed to establish a new connection",
            "Name or service not known",
            "Temporary failure in name resolution",
            "nodename nor servname",
            "ENOTFOUND",
            "EAI_AGAIN",
            "ECONNREFUSED",
            "ECONNRESET",
            "ENETUNREACH",
            "ETIMEDOUT",
            "Connection refused",
            "timed out",
            "Could not fetch",
            "Max retries exceeded",
        ),
        "No network: the first set-up downloads about 400 MB; connect (or set the proxy variables) and run it again.",
    ),
    (
        ("ensurepip is not available", "No module named venv", "No module named ensurepip"),
        "This Python has no venv module: install it (Debian and Ubuntu: apt install python3-venv) and run it again.",
    ),
)


class SetupError(Exception):
    """What is missing or refused, as one sentence that says what to do."""


@dataclass(frozen=True)
class Step:
    """One piece of the set-up: `made_from` is hashed into its stamp, `result` must exist for it to count as done."""

    name: str
    title: str
    made_from: tuple[Path, ...]
    result: tuple[Path, ...]
    run: Callable[[Callable[..., None]], None]

    @property
    def stamp(self) -> Path:
        return BUILD / "stamps" / self.name

    def key(self) -> str:
        """A hash of the inputs, of the Python and of this folder's place (environments hold absolute paths)."""
        digest = hashlib.sha256(f"{ROOT}\n{sys.version_info[:2]}\n".encode())
        for path in sorted(files_of(self.made_from)):
            digest.update(f"{path.relative_to(ROOT)}\n".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def done(self) -> bool:
        return (
            all(path.exists() for path in self.result) and self.stamp.exists() and self.stamp.read_text() == self.key()
        )


def files_of(paths: Iterable[Path]) -> Iterable[Path]:
    """The files named, and those under the folders named."""
    for path in paths:
        if path.is_dir():
            yield from (each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
        else:
            yield path


def make_environment(call: Callable[..., None]) -> None:
    """An environment with the installer in it; one that works already stays, since others may be running in it."""
    wanted = locked_block("uv")
    if not PYTHON.exists() or not same_python():
        call(sys.executable, "-m", "venv", "--clear", VENV)
    only_uv = BUILD / "uv.txt"
    only_uv.write_text(wanted)
    call(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", only_uv)


def install_packages(call: Callable[..., None]) -> None:
    """What the lock names, no more and no less, and the project itself as a link to this folder."""
    call(UV, "pip", "sync", "--python", PYTHON, "--require-hashes", "--compile-bytecode", LOCKED)
    call(UV, "pip", "install", "--python", PYTHON, "--offline", "--no-deps", "--no-build-isolation", "--editable", ROOT)


def fetch_jars(call: Callable[..., None]) -> None:
    """Apache Kafka's jars, each with the locked hash."""
    call(PYTHON, ROOT / "requirements" / "kafka_jars.py")


def build_assets(call: Callable[..., None]) -> None:
    """Styles, scripts and icons of the pages."""
    call(PYTHON, ROOT / "assets" / "build.py")


ENVIRONMENT = Step("environment", "Python environment", (), (PYTHON, UV), make_environment)
PACKAGES = Step(
    "packages",
    "Python packages, Java, PostgreSQL, Node",
    (LOCKED, ROOT / "pyproject.toml"),
    (VENV / "bin" / "anju",),
    install_packages,
)
JARS = Step(
    "kafka",
    "Apache Kafka",
    (ROOT / "jgo.lock.toml", ROOT / "requirements" / "kafka_jars.py"),
    (BUILD / "kafka.classpath", BUILD / "kafka"),
    fetch_jars,
)
ASSETS = Step("assets", "page assets", (ROOT / "assets",), (BUILD / "assets" / "manifest.json",), build_assets)
STEPS = ((ENVIRONMENT,), (PACKAGES,), (JARS, ASSETS))  # a row runs at once, the rows in turn


def same_python() -> bool:
    """Whether the environment was made by a Python of this version."""
    config = VENV / "pyvenv.cfg"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}."
    return config.exists() and any(
        line.startswith("version") and line.split("=")[1].strip().startswith(version)
        for line in config.read_text().splitlines()
    )


def locked_block(package: str) -> str:
    """The lines of the lock that pin one package with its hashes."""
    lines = LOCKED.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next(number for number in range(start, len(lines)) if not lines[number].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def perform(step: Step) -> None:
    """Runs one step, its output into a log, and tells its seconds; the stamp is written last."""
    began = time.monotonic()
    log = BUILD / "log" / f"{step.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    key = step.key()
    with log.open("wb") as output:

        def call(*command: str | Path) -> None:
            subprocess.run(
                [str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                check=True,
            )  # fmt: skip

        try:
            step.run(call)
        except (subprocess.CalledProcessError, OSError) as error:
            said = log.read_text(errors="replace") + str(error)
            raise SetupError(f"{step.title}: {sentence_for(said, log)}") from error
    step.stamp.parent.mkdir(parents=True, exist_ok=True)
    step.stamp.write_text(key)
    print(f"  {step.title}: {time.monotonic() - began:.1f} s", flush=True)


def sentence_for(said: str, log: Path) -> str:
    """What to do about a failure, from what a tool printed."""
    for signs, sentence in CAUSES:
        if any(sign in said for sign in signs):
            return sentence
    return f"this step failed; what it printed is in {log.relative_to(ROOT)}."


def check_machine() -> None:
    """Raises SetupError where this machine cannot be set up."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        here = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(f"Python 3.11 to 3.14 is needed and this is {here}: install one, or name it: make PYTHON=…")
    if shutil.disk_usage(ROOT).free < DISK_NEEDED:
        raise SetupError("Less than 3 GB of disk are free here: free some and run it again.")


def set_up() -> None:
    """All steps that are not done; two of these at once wait for each other."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if all(step.done() for row in STEPS for step in row):
            return
        check_machine()
        began = time.monotonic()
        print("Setting up (the first time downloads about 400 MB):", flush=True)
        for row in STEPS:
            open_steps = [step for step in row if not step.done()]
            with ThreadPoolExecutor(max_workers=len(row)) as pool:
                for running in [pool.submit(perform, step) for step in open_steps]:
                    running.result()
        print(f"Set up in {time.monotonic() - began:.0f} s.", flush=True)


if __name__ == "__main__":
    try:
        set_up()
    except SetupError as error:
        sys.exit(f"anju: {error}")
    except OSError as error:
        sys.exit(f"anju: {sentence_for(f'{error} {error.strerror}', BUILD / 'log')}")
    except KeyboardInterrupt:
        sys.exit("anju: stopped; run it again and it goes on where it was.")
