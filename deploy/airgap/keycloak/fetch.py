"""Fetches Keycloak's distribution by its Maven coordinates into .build/keycloak, and checks its hash.

Only for the image (160 MB): `make setup` and the demo do without. Run inside the environment:
`.venv/bin/python deploy/airgap/keycloak/fetch.py`.
"""

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

import requests
from jgo.maven import MavenContext

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".build" / "keycloak"
VERSION = "26.4.7"
SHA256 = "dd9834c023460be856f731423d86228c23b5d002194a2064642bec0cc6573eaa"
TIMEOUT_SECONDS = 60


def main() -> None:
    """Unpack the distribution, world-readable; what stands there already is that of the version."""
    stamp = FOLDER / "version.txt"
    if stamp.exists() and f" {VERSION}\n" in stamp.read_text():
        return
    cache = FOLDER.with_suffix(".cache")
    context = MavenContext(repo_cache=cache, timeout=TIMEOUT_SECONDS)
    component = context.project("org.keycloak", "keycloak-quarkus-dist").at_version(VERSION)
    archive = component.artifact(packaging="zip").resolve()
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise ValueError(f"hash mismatch: {archive.name} has sha256 {found}, expected {SHA256}")
    coming = FOLDER.with_suffix(".coming")
    shutil.rmtree(coming, ignore_errors=True)
    with zipfile.ZipFile(archive) as content:
        content.extractall(coming)
    for script in coming.glob("*/bin/*.sh"):
        script.chmod(0o755)
    shutil.rmtree(FOLDER, ignore_errors=True)
    next(coming.iterdir()).rename(FOLDER)
    shutil.rmtree(coming)
    shutil.rmtree(cache)


if __name__ == "__main__":
    try:
        main()
    except (requests.RequestException, ValueError) as error:
        sys.exit(f"Keycloak's distribution: {error}")
