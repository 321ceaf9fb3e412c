"""Owns the images of a run: those that deploy/airgap builds, made where they are missing, Anju's own always anew."""

import os
import subprocess
import sys
from collections.abc import Iterator

from anju.local.binaries import CHECKOUT
from tests.compose.engine import NoEngine, has_image, install, last_line, run

BUILD = CHECKOUT / "deploy" / "airgap" / "build.sh"
OTHERS = ("base", "java", "python", "kafka", "postgres", "nginx", "prometheus", "keycloak")
# The Debian of build.sh: its lists of packages, and nothing made of them.
LISTS = ("mmdebstrap", "--quiet", "--simulate", "--variant=minbase", "trixie", "/dev/null")
UPDATE = ("apt-get", "--quiet=2", "-o", "APT::Update::Error-Mode=any", "update")
INSTALLER = "python3 -m venv /tmp/t && /tmp/t/bin/pip download -q --require-hashes --no-deps -d /tmp -r /dev/stdin"
# What registries refuse once they often give a moment later; what is built by then is not built again.
ATTEMPTS = 2


def names() -> dict[str, str]:
    """The images by docker-compose.yml's variables."""
    return dict(line.split("=", 1) for line in run([str(BUILD), "--names"], {}).split())


def build(environment: dict[str, str]) -> None:
    """Bring every image into the engine.

    Raises:
        NoEngine: a registry of packages cannot be reached from here, or not from a container.
        RuntimeError: the images cannot be built, though the registries answer.
    """
    found = names()
    for attempt in range(1, ATTEMPTS + 1):
        missing = [each for each in OTHERS if not has_image(found[f"{each.upper()}_IMAGE"], environment)]
        if "base" in missing:
            install("mmdebstrap")
        try:
            run([str(BUILD), *missing, "anju"], environment, quiet=False)
            return
        except RuntimeError as error:
            for source, why in _away(found, environment):
                raise NoEngine(f"the images cannot be built: no {source}: {why}") from error
            if attempt == ATTEMPTS:
                raise


def _away(found: dict[str, str], environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each registry that does not answer, and what was said when it was asked."""
    if not has_image(found["BASE_IMAGE"], environment):
        yield from _asked("packages of Debian", LISTS, environment)
        return
    inside = ("docker", "run", "--rm", "--interactive", "--network=host")
    yield from _asked("packages of Debian in a container", (*inside, found["BASE_IMAGE"], *UPDATE), environment)
    if has_image(found["PYTHON_IMAGE"], environment):
        words = (*inside, found["PYTHON_IMAGE"], "sh", "-c", INSTALLER)
        yield from _asked("packages of Python in a container", words, environment)


def _asked(source: str, words: tuple[str, ...], environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    # The installer as it is locked: `make setup` has just had it from the same registry.
    with (CHECKOUT / ".build" / "uv.txt").open() as installer:
        done = subprocess.run(
            words, env={**os.environ, **environment}, stdin=installer, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        yield source, last_line(done.stdout + done.stderr)
