"""The check of the catalogues finds a text that is missing, guessed, of no use any more, or leaves other holes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.web import catalogues
from chassis.web.i18n import LANGUAGES, ROOT, catalogue_file, gettext, load, ngettext, reading


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """A package with complete catalogues."""
    (tmp_path / "code.py").write_text('TITLE = N_("Too late by {days} days.")\nngettext("{n} room", "{n} rooms", 2)\n')
    (tmp_path / "web" / "templates").mkdir(parents=True)
    template = '<p>{{ _("Hello %(name)s", name=x) }}</p>{% trans %}Plain{% endtrans %}'
    (tmp_path / "web" / "templates" / "page.html").write_text(template)
    catalogues.update(tmp_path)
    fill(tmp_path, "Too late by {days} days.", "迟 {days} 天。")
    fill(tmp_path, "Hello %(name)s", "%(name)s，你好")
    fill(tmp_path, "Plain", "平")
    file = catalogue_file(tmp_path, "zh-CN")
    file.write_text(file.read_text().replace('msgstr[0] ""', 'msgstr[0] "{n} 间房"'))
    yield tmp_path
    load([ROOT / "chassis"])


def fill(package: Path, text: str, translation: str) -> None:
    file = catalogue_file(package, "zh-CN")
    before = file.read_text()
    after = before.replace(f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{translation}"')
    assert after != before
    file.write_text(after)


def test_complete_catalogues_pass_and_work(package: Path) -> None:
    assert list(catalogues.check(package)) == []
    load([package])
    with reading("zh-CN"):
        assert gettext("Plain") == "平"
        assert ngettext("{n} room", "{n} rooms", 2) == "{n} 间房"
        assert gettext("nowhere") == "nowhere"
    with reading("en"):
        assert gettext("Plain") == "Plain"
        assert ngettext("{n} room", "{n} rooms", 1) == "{n} room"
        assert ngettext("{n} room", "{n} rooms", 2) == "{n} rooms"


def test_update_keeps_translations_and_changes_nothing_twice(package: Path) -> None:
    before = {tag: catalogue_file(package, tag).read_text() for tag in LANGUAGES}
    catalogues.update(package)
    assert {tag: catalogue_file(package, tag).read_text() for tag in LANGUAGES} == before


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('msgstr "平"', 'msgstr ""', "zh-CN: not translated: Plain"),
        ("迟 {days} 天", "迟 {day} 天", "leaves other places open"),
        ("迟 {days} 天", "迟", "leaves other places open"),
        ("%(name)s，你好", "你好", "leaves other places open"),
        ('msgid "Plain"', '#, fuzzy\nmsgid "Plain"', "only guessed"),
        ('msgid "Plain"', 'msgid "Gone"', "not in the catalogue: Plain"),
        ('msgid "Plain"', 'msgid "Gone"', "shown nowhere any more: Gone"),
    ],
)
def test_what_the_check_finds(package: Path, old: str, new: str, fault: str) -> None:
    file = catalogue_file(package, "zh-CN")
    file.write_text(file.read_text().replace(old, new))
    assert any(fault in found for found in catalogues.check(package))


def test_a_new_text_is_found_and_filled_in_for_english(package: Path) -> None:
    (package / "more.py").write_text('_("Something new.")\n')
    assert len(list(catalogues.check(package))) == 2
    catalogues.update(package)
    assert [found for found in catalogues.check(package) if "Something new." in found] == [
        f"{package.name} zh-CN: not translated: Something new."
    ]
