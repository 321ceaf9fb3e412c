"""Fetches the jars that jgo.lock.toml names into .build/kafka, checks each hash, writes their class path.

`jgo sync` would resolve the tree again from jgo.toml (20 s) and check no hash; this takes jgo's lock as it stands.
Run inside the environment: `.venv/bin/python requirements/kafka_jars.py`.
"""

import hashlib
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from jgo.env import LockFile
from jgo.env._lockfile import LockedDependency
from jgo.maven import Artifact, MavenContext

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".build" / "kafka"
CLASS_PATH = ROOT / ".build" / "kafka.classpath"

FETCHED_AT_ONCE = 8  # most of a small jar's time is the handshake
TIMEOUT_SECONDS = 30
ATTEMPTS = 3


def fetch(locked: LockedDependency, context: MavenContext, folder: Path) -> str:
    """Puts one jar into the folder and returns its name; raises ValueError if it is not the locked one."""
    path = download(context.project(locked.groupId, locked.artifactId).at_version(locked.version).artifact())
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != locked.sha256:
        raise ValueError(f"hash mismatch: {path.name} has sha256 {found}, locked is {locked.sha256}")
    path.rename(folder / path.name)
    return path.name


def download(artifact: Artifact) -> Path:
    """The file in the cache; a connection that breaks is tried again from the start."""
    for _ in range(ATTEMPTS - 1):
        try:
            return artifact.resolve()
        except requests.RequestException as error:
            print(f"{artifact}: {error}; once more", flush=True)
            if artifact.cached_path is not None:
                artifact.cached_path.unlink(missing_ok=True)
    return artifact.resolve()


def main() -> None:
    """Fetches all jars beside the present ones and swaps the folders at the end."""
    lock = LockFile.load(ROOT / "jgo.lock.toml")
    coming, cache = FOLDER.with_suffix(".coming"), FOLDER.with_suffix(".cache")
    for left_over in (coming, cache):
        shutil.rmtree(left_over, ignore_errors=True)
    coming.mkdir(parents=True)
    context = MavenContext(repo_cache=cache, timeout=TIMEOUT_SECONDS)
    with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        names = list(pool.map(lambda locked: fetch(locked, context, coming), lock.dependencies))
    shutil.rmtree(FOLDER, ignore_errors=True)
    coming.rename(FOLDER)
    shutil.rmtree(cache)
    CLASS_PATH.write_text(os.pathsep.join(str(FOLDER / name) for name in names) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (requests.RequestException, ValueError) as error:
        sys.exit(f"Kafka's jars: {error}")
