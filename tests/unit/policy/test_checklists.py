"""Checklists: what is looked at in which premises, how grave it is, and what is refused."""

import re
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.capacity import PREMISES_KINDS
from policy.checklists import HAZARD_SEVERITIES, HazardSeverity, SeverityLowered, UnknownItem, UnknownVersion, worst

PACKS = packs.load()
CHECKLIST = PACKS.on(date(2026, 11, 24), "330199").checklist
KINDS = st.sampled_from(PREMISES_KINDS)
CODES = st.sampled_from([*CHECKLIST.by_code, "mood_of_the_landlord", ""])
SEVERITIES = st.sampled_from(HAZARD_SEVERITIES)


def test_version_1_has_at_least_twenty_items_each_with_texts_and_its_own_source() -> None:
    assert CHECKLIST.version == "1"
    assert len(CHECKLIST.by_code) >= 20
    for code, item in CHECKLIST.by_code.items():
        assert item.code == code
        assert re.search(r"[\u4e00-\u9fff]", item.zh), code
        assert re.search(r"[A-Za-z]", item.en), code
        assert not re.search(r"[\u4e00-\u9fff]", item.en), code
        # An article of a law, or a numbered standard.
        assert re.search(r"第[一二三四五六七八九十]+条|(GB|JGJ|GA)[ /]", item.source), code


@pytest.mark.parametrize("kind", ["rental", "hotel", "dormitory", "site_shed"])
def test_the_items_others_name_are_looked_at_wherever_people_live(kind: str) -> None:
    codes = {item.code for item in CHECKLIST.items(kind)}
    named = {"fire_exits", "extinguishers", "smoke_alarms", "wiring", "gas", "e_bikes", "partitions", "register_kept"}
    assert named <= codes
    assert len(codes) >= 15


def test_a_shed_is_asked_what_a_hotel_is_not() -> None:
    assert CHECKLIST.item("shed_material", "site_shed").severity == "serious"
    for code in ("shed_material", "unfinished_building", "shed_storeys"):
        with pytest.raises(UnknownItem, match="hotel"):
            CHECKLIST.item(code, "hotel")


def test_a_blocked_exit_is_imminent_and_nothing_lowers_it() -> None:
    assert CHECKLIST.severity("fire_exits", "rental") == "imminent"
    with pytest.raises(SeverityLowered) as caught:
        CHECKLIST.severity("fire_exits", "rental", "serious")
    assert caught.value.least == "imminent"


def test_an_inspector_may_raise() -> None:
    assert CHECKLIST.severity("extinguishers", "hotel") == "minor"
    assert CHECKLIST.severity("extinguishers", "hotel", "imminent") == "imminent"


@given(KINDS, CODES, SEVERITIES | st.none())
def test_a_finding_is_refused_or_at_least_as_grave_as_the_pack_says(
    kind: str, code: str, raised_to: HazardSeverity | None
) -> None:
    item = CHECKLIST.by_code.get(code)
    if item is None or kind not in item.premises_kinds:
        with pytest.raises(UnknownItem):
            CHECKLIST.severity(code, kind, raised_to)
        return
    order = list(HAZARD_SEVERITIES)
    if raised_to is not None and order.index(raised_to) < order.index(item.severity):
        with pytest.raises(SeverityLowered):
            CHECKLIST.severity(code, kind, raised_to)
        return
    assert CHECKLIST.severity(code, kind, raised_to) == (raised_to or item.severity)


@given(KINDS)
def test_every_item_of_a_kind_is_found_by_its_code(kind: str) -> None:
    items = CHECKLIST.items(kind)
    assert [CHECKLIST.item(item.code, kind) for item in items] == list(items)
    assert {item.code for item in items} == {c for c, item in CHECKLIST.by_code.items() if kind in item.premises_kinds}


def test_no_such_kind_of_premises_is_an_error() -> None:
    with pytest.raises(KeyError):
        CHECKLIST.items("castle")


@given(st.lists(SEVERITIES))
def test_the_worst_is_the_gravest_there_is(severities: Sequence[HazardSeverity]) -> None:
    expected = next((one for one in ("imminent", "serious", "minor") if one in severities), None)
    assert worst(severities) == expected


def test_severities_stand_once() -> None:
    assert get_args(HazardSeverity) == HAZARD_SEVERITIES


def test_an_older_version_is_still_shown_and_an_unknown_one_refused(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    shutil.copytree(packs.PACKS, folder)
    first = folder / "inspection_checklist.yaml"
    text = first.read_text(encoding="utf-8")
    second = text.replace('version: "1"', 'version: "2"').replace("2016-01-01", "2027-01-01", 1)
    (folder / "inspection_checklist_2.yaml").write_text(second.replace("    wiring:", "    cables:"), encoding="utf-8")
    first.write_text(text.replace("effective_to:", "effective_to: 2026-12-31"), encoding="utf-8")
    loaded = packs.load(folder)
    assert loaded.on(date(2026, 12, 31), "330199").checklist.version == "1"
    assert loaded.on(date(2027, 1, 1), "330199").checklist.version == "2"
    assert "wiring" in loaded.checklist("1").by_code
    assert "cables" in loaded.checklist("2").by_code
    with pytest.raises(UnknownVersion):
        loaded.checklist("3")


def test_a_checklist_that_forgets_a_kind_of_premises_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    shutil.copytree(packs.PACKS, folder)
    file = folder / "inspection_checklist.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(", entertainment_venue]", "]"), encoding="utf-8")
    with pytest.raises(packs.BadPack, match="nothing is to be looked at in entertainment_venue"):
        packs.load(folder)
