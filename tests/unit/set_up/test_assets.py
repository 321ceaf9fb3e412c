"""The pages' assets as built: hashed names, nothing that points elsewhere, icons ready for a page."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from assets import build

MANIFEST: dict[str, str] = json.loads((build.RESULT / "manifest.json").read_text())


@pytest.mark.parametrize("name", ["tabler.min.css", "htmx.min.js", "hx-sse.min.js", "tokens.css"])
def test_what_pages_link_is_there(name: str) -> None:
    assert (build.RESULT / MANIFEST[name]).exists()


@pytest.mark.parametrize("hashed", MANIFEST.values())
def test_a_name_carries_the_hash_of_its_content(hashed: str) -> None:
    digest = hashlib.sha256((build.RESULT / hashed).read_bytes()).hexdigest()
    assert f".{digest[: build.HASH_DIGITS]}." in hashed


@pytest.mark.parametrize("hashed", [each for each in MANIFEST.values() if each.endswith(".css")])
def test_styles_load_nothing_from_elsewhere(hashed: str) -> None:
    loaded = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]{0,30})", (build.RESULT / hashed).read_text())
    assert [each for each in loaded if not each.startswith(("data:", "#"))] == []


def test_icons_take_their_size_and_colour_from_the_page() -> None:
    icons = list((build.RESULT / "icons").iterdir())
    assert len(icons) > 50
    for icon in icons:
        text = icon.read_text()
        assert text.startswith('<svg class="ico" aria-hidden="true" viewBox="0 0 24 24" fill="'), icon.name
        assert "currentColor" in text
        assert "width=" not in text.replace("stroke-width=", "")


def test_an_unknown_icon_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "icons.txt").write_text("bell\nno-such-icon\n")
    monkeypatch.setattr(build, "ASSETS", tmp_path)
    with pytest.raises(build.BuildError, match="no-such-icon"):
        build.icons()


def test_a_build_keeps_the_files_of_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs on links what it read when it started: a page must not lose its style by a set-up."""
    source = tmp_path / "src"
    source.mkdir()
    monkeypatch.setattr(build, "RESULT", tmp_path / "assets")
    monkeypatch.setattr(build, "install_modules", lambda: None)
    monkeypatch.setattr(build, "icons", dict)
    monkeypatch.setattr(build, "served_files", lambda: {"page.css": (source / "page.css").read_bytes()})

    def built(text: str) -> str:
        (source / "page.css").write_text(text)
        build.build()
        name: str = json.loads((build.RESULT / "manifest.json").read_text())["page.css"]
        return name

    first, second = built("a{}"), built("b{}")
    assert (build.RESULT / first).read_text() == "a{}"
    assert (build.RESULT / second).read_text() == "b{}"
    built("c{}")
    assert not (build.RESULT / first).exists()
    assert (build.RESULT / second).exists()
