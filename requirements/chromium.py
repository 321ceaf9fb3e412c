"""Finds a Chromium for the browser tests, or brings one, and writes its path to .build/chromium.

In order: ANJU_CHROMIUM, one that is installed, Playwright's own; then Debian's by apt where this is root, else
Playwright's download into the user's folder. Run inside the environment by `make test`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

PLACE = Path(__file__).resolve().parent.parent / ".build" / "chromium"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# The pages speak Chinese first: without such a font Chromium draws boxes, and a screenshot proves nothing.
DEBIAN_PACKAGES = ("chromium", "fonts-wqy-microhei")
MISSING = (
    "The browser tests need Chromium, and none could be installed: install Chromium or Chrome (or name one in"
    " ANJU_CHROMIUM) and run it again; `make test BROWSER=no` runs the other tests."
)


def candidates() -> Iterator[str]:
    """Paths where a Chromium may be, best first."""
    yield os.environ.get("ANJU_CHROMIUM", "")
    yield from (shutil.which(command) or "" for command in COMMANDS)
    yield from MAC_APPLICATIONS
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    yield own


def works(path: str) -> bool:
    """Whether it is there and starts without a window."""
    if not path or not Path(path).exists():
        return False
    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(executable_path=path).close()
    except Exception as error:  # Playwright raises many kinds; each means: not this one
        print(f"{path} does not start: {str(error).splitlines()[0]}", file=sys.stderr)
        return False
    return True


def bring() -> None:
    """Installs one by the way this machine has; failures show in what is found afterwards."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *DEBIAN_PACKAGES]):
            subprocess.run(["apt-get", "--quiet=2", *command], env=environment, stdout=sys.stderr, check=False)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)


def main() -> None:
    """Looks, brings one if need be, looks again."""
    if PLACE.exists() and Path(PLACE.read_text().strip()).exists():
        return
    for attempt in ("looked", "brought"):
        found = next((path for path in candidates() if works(path)), None)
        if found:
            PLACE.write_text(found + "\n")
            return
        if attempt == "looked":
            print("Installing Chromium for the browser tests …", file=sys.stderr, flush=True)
            bring()
    sys.exit(f"anju: {MISSING}")


if __name__ == "__main__":
    main()
