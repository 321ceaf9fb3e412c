"""Packs are read with their sources, chosen by day and district, and refused with file, line and why."""

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from policy import packs
from policy.packs import BadPack, NoRule
from policy.purposes import BY_ROLE, allowed

DAY = date(2026, 11, 24)


def edited(tmp_path: Path, name: str, old: str, new: str, *, copy_as: str | None = None) -> Path:
    """A copy of the packs in which one text of one file is replaced (or the edited file is added beside it)."""
    folder = tmp_path / "packs"
    if not folder.exists():
        shutil.copytree(packs.PACKS, folder)
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {name}"
    (folder / (copy_as or name)).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def line_of(file: Path, text: str) -> int:
    return next(n for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if text in line)


def test_every_pack_names_a_dated_source() -> None:
    for pack in packs.load().all:
        assert re.search(r"\d{4}|默认", pack.source), pack.whole.file
        assert all(pack.title), pack.whole.file


def test_the_rules_of_a_day_say_which_packs_they_are() -> None:
    rules = packs.load().on(DAY, "330199001")
    assert dict(rules.versions) == {
        "registration_deadlines": "CN/1",
        "capacity": "CN/1",
        "notice_terms": "CN/1",
        "severities": "CN/1",
        "inspection_checklist": "CN/1",
        "condition_rules": "CN/1",
        "suppression": "CN/1",
        "retention": "CN/1",
    }


def test_the_same_question_is_answered_from_memory() -> None:
    loaded = packs.load()
    assert loaded.on(DAY, "330199001") is loaded.on(DAY, "330199001")


def test_a_city_replaces_the_countrys_pack_within_its_district_and_time(tmp_path: Path) -> None:
    folder = edited(tmp_path, "capacity.yaml", "district: CN", 'district: "3301"', copy_as="capacity_3301.yaml")
    edited(tmp_path, "capacity_3301.yaml", "effective_from: 2016-01-01", "effective_from: 2026-03-01")
    edited(tmp_path, "capacity_3301.yaml", "area_per_person_m2: 4", "area_per_person_m2: 5")
    loaded = packs.load(folder)

    def area(day: date, district: str) -> float:
        rule = loaded.on(day, district).capacity.rule("rental")
        assert rule is not None
        return rule.area_per_person_m2

    assert area(date(2026, 3, 1), "330199001") == 5
    assert area(date(2026, 2, 28), "330199001") == 4
    assert area(date(2026, 3, 1), "440300001") == 4


def test_a_new_version_takes_over_on_its_day(tmp_path: Path) -> None:
    folder = edited(tmp_path, "severities.yaml", "severity: critical", "severity: urgent", copy_as="severities_2.yaml")
    edited(tmp_path, "severities_2.yaml", "effective_from: 2016-01-01", "effective_from: 2027-01-01")
    edited(tmp_path, "severities.yaml", "effective_to:", "effective_to: 2026-12-31")
    loaded = packs.load(folder)
    assert loaded.on(date(2026, 12, 31), "330199").severities.of("wanted").severity == "critical"
    assert loaded.on(date(2027, 1, 1), "330199").severities.of("wanted").severity == "urgent"


def test_where_the_rules_begin(tmp_path: Path) -> None:
    """When the last part does, by the first pack of each; working days may go on to be told later."""
    assert packs.load().begins("330199") == date(2016, 1, 1)
    folder = edited(tmp_path, "capacity.yaml", "effective_from: 2016-01-01", "effective_from: 2020-02-02")
    later = packs.load(folder)
    assert later.begins("330199") == date(2020, 2, 2)
    assert later.on(date(2020, 2, 2), "330199").day == date(2020, 2, 2)
    with pytest.raises(NoRule):
        later.on(date(2020, 2, 1), "330199")


def test_no_rule_in_force_is_said_not_guessed() -> None:
    with pytest.raises(NoRule, match="registration_deadlines"):
        packs.load().on(date(2015, 12, 31), "330199")


# (file, text replaced, by what, the line's text in the edited file, what the refusal says)
BROKEN = [
    ("capacity.yaml", 'version: "1"\n', "", "id: capacity", "missing version"),
    ("capacity.yaml", "id: capacity", "id: capacities", "id: capacities", "'capacities' is none of"),
    ("capacity.yaml", "district: CN", "district: Hangzhou", "district: Hangzhou", "prefix of division codes"),
    ("capacity.yaml", "district: CN", "district: CN\ncolour: red", "colour: red", "unknown key"),
    ("capacity.yaml", "district: CN", "district: CN\ndistrict: CN", "district: CN", "stands here twice"),
    ("capacity.yaml", "effective_from: 2016-01-01", "effective_from: 2016-13-01", "2016-13-01", "a date"),
    ("capacity.yaml", "effective_to:", "effective_to: 2015-01-01", "effective_to", "before effective_from"),
    ("capacity.yaml", "area_per_person_m2: 2.5", "area_per_person_m2: 0", "area_per_person_m2: 0", "not above 0"),
    ("capacity.yaml", "area_per_person_m2: 2.5", "area_per_person_m2: nan", "m2: nan", "not above 0"),
    ("capacity.yaml", "most_per_room: 16", "most_per_room: many", "most_per_room: many", "whole number"),
    ("capacity.yaml", "most_per_room: 16", "most_per_rooms: 16", "most_per_rooms: 16", "unknown key"),
    ("capacity.yaml", "[bedroom, living_room]", "[bedroom, attic]", "attic", "'attic' is none of"),
    ("capacity.yaml", "  rental:", "  castle:", "  castle:", "castle: unknown key"),
    ("capacity.yaml", "  rental:", "  rental: [", "area_per_person_m2: 4", "is not YAML"),
    (
        "registration_deadlines.yaml",
        "days: 3",
        "days: 3\n      hours: 4",
        "    tenant:",
        "exactly one of hours, days, working_days",
    ),
    ("registration_deadlines.yaml", "    other:", "    others:", "    others:", "unknown key"),
    ("registration_deadlines.yaml", "days: 3", "days: -3", "days: -3", "-3 is not between"),
    ("notice_terms.yaml", "token_requests_per_hour: 3000", "token_requests_per_hour: 999", "999", "999 is not between"),
    ("notice_terms.yaml", "[loss_report]", "[rumour]", "rumour", "'rumour' is none of"),
    ("notice_terms.yaml", "max_months: 6", "max_weeks: 6", "max_weeks: 6", "unknown key"),
    ("severities.yaml", "severity: info", "severity: low", "severity: low", "'low' is none of"),
    ("severities.yaml", "acknowledge_seconds: 3600", "acknowledge_seconds: 1.5", "1.5", "whole number"),
    ("inspection_checklist.yaml", 'version: "1"', f'version: "{"1" * 21}"', "values:", "20 characters at most"),
    ("inspection_checklist.yaml", "severity: imminent", "severity: urgent", "severity: urgent", "'urgent' is none of"),
    ("inspection_checklist.yaml", "    wiring:", "    Wiring:", "    Wiring:", "a code of small letters"),
    ("inspection_checklist.yaml", "[hotel]", "[castle]", "[castle]", "'castle' is none of"),
    ("inspection_checklist.yaml", "[hotel]", "[hotel, hotel]", "[hotel, hotel]", "a kind stands"),
    ("condition_rules.yaml", "  overcrowded:", "  overcrowd:", "values:", "missing overcrowded"),
    (
        "condition_rules.yaml",
        "capacity_factor: 1.0",
        "capacity_factors: 1.0",
        "values:",
        "thresholds are capacity_factor",
    ),
    ("condition_rules.yaml", "capacity_factor: 1.0", "capacity_factor: 0", "capacity_factor: 0", "not above 0"),
    ("condition_rules.yaml", "verify_seconds: 3600", "verify_second: 3600", "verify_second:", "unknown key"),
    ("suppression.yaml", "least_cell: 10", "least_cell: 9", "least_cell: 9", "9 is not between"),
    ("retention.yaml", "  outbox:\n    days: 7", "  outbox:\n    days: 6", "  outbox:", "7 days are what"),
    (
        "retention.yaml",
        "  idempotency:\n    days: 30",
        "  idempotency:\n    months: 1",
        "  idempotency:",
        "30 days are what",
    ),
    (
        "retention.yaml",
        "  read_log:\n    months: 36",
        "  read_log:\n    months: 35",
        "  read_log:",
        "36 months are the least",
    ),
    ("retention.yaml", "  person:\n    months: 12", "  person:\n    months: 13", "  stay:", "have one term"),
    ("retention.yaml", "months: 12", "months: 12\n    days: 1", "  stay:", "exactly one of days, months"),
    ("retention.yaml", "  stay_alert:", "  stay_alerts:", "  stay_alerts:", "unknown key"),
    ("working_days_2026.yaml", "2026-02-28", "2026-02-27", "worked:", "not a Saturday or Sunday"),
    ("working_days_2026.yaml", "2026-02-28", "2026-02-21", "worked:", "outside the holidays"),
    ("working_days_2026.yaml", "to: 2026-10-07", "to: 2027-10-07", "to: 2027-10-07", "not a period within"),
    ("working_days_2026.yaml", "effective_to: 2026-12-31", "effective_to: 2027-12-31", "id: working_days", "one year"),
]


@pytest.mark.parametrize(("name", "old", "new", "line", "why"), BROKEN)
def test_a_bad_pack_is_refused_with_file_line_and_why(
    name: str, old: str, new: str, line: str, why: str, tmp_path: Path
) -> None:
    folder = edited(tmp_path, name, old, new)
    with pytest.raises(BadPack) as caught:
        packs.load(folder)
    assert caught.value.file == folder / name
    assert why in caught.value.why
    assert str(caught.value) == f"{name}:{caught.value.line}: {caught.value.why}"
    expected = line_of(folder / name, line)
    # A key that stands twice is reported where it stands the second time.
    assert caught.value.line == expected + (1 if "twice" in why else 0)


@pytest.mark.parametrize("source", ["source: 本规则包所定 (默认值)", "    source: 本规则包所定\n"])
def test_a_number_without_source_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(BadPack, match="missing source"):
        packs.load(edited(tmp_path, "severities.yaml", source, ""))


def test_overlapping_periods_are_refused(tmp_path: Path) -> None:
    folder = edited(tmp_path, "capacity.yaml", "2016-01-01", "2020-01-01", copy_as="capacity_2.yaml")
    with pytest.raises(BadPack, match=r"capacity_2\.yaml:1: overlaps in time with capacity\.yaml"):
        packs.load(folder)


def test_a_long_pack_overlaps_more_than_its_neighbour(tmp_path: Path) -> None:
    folder = edited(tmp_path, "capacity.yaml", "2016-01-01", "2020-01-01", copy_as="capacity_2.yaml")
    edited(tmp_path, "capacity_2.yaml", "effective_to:", "effective_to: 2020-12-31")
    edited(tmp_path, "capacity.yaml", "effective_to:", "effective_to: 2019-12-31")
    edited(tmp_path, "capacity.yaml", "effective_to: 2019-12-31", "effective_to: 2019-12-31", copy_as="capacity_3.yaml")
    edited(tmp_path, "capacity_3.yaml", "2016-01-01", "2021-01-01")
    edited(tmp_path, "capacity_3.yaml", "effective_to: 2019-12-31", "effective_to:")
    packs.load(folder)
    edited(tmp_path, "capacity.yaml", "effective_to: 2019-12-31", "effective_to: 2021-06-30")
    with pytest.raises(BadPack, match="overlaps"):
        packs.load(folder)


def test_a_checklists_version_names_one_text_whatever_the_district(tmp_path: Path) -> None:
    name, copy = "inspection_checklist.yaml", "inspection_checklist_3301.yaml"
    folder = edited(tmp_path, name, "district: CN", 'district: "3301"', copy_as=copy)
    with pytest.raises(BadPack, match=r"yaml:1: .* is a checklist of version 1 too"):
        packs.load(folder)
    edited(tmp_path, copy, 'version: "1"', 'version: "3301-1"')
    assert packs.load(folder).on(DAY, "330199").checklist.version == "3301-1"


@pytest.mark.parametrize("missing", ["capacity", "suppression", "registration_deadlines", "working_days_*"])
def test_a_missing_pack_is_refused(missing: str, tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    shutil.copytree(packs.PACKS, folder)
    for file in folder.glob(f"{missing}.yaml"):
        file.unlink()
    with pytest.raises(BadPack, match=f"no pack with id {missing.removesuffix('_*')}"):
        packs.load(folder)


@pytest.mark.parametrize(
    ("text", "why"), [("", "is empty"), ("- a\n- b\n", "keys and values"), ("a: b: c\n", "not YAML")]
)
def test_a_file_that_is_no_pack_is_refused(text: str, why: str, tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    shutil.copytree(packs.PACKS, folder)
    (folder / "aaa.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadPack, match=f"aaa.yaml:1: .*{why}"):
        packs.load(folder)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    shutil.copytree(packs.PACKS, folder)
    (folder / "aaa.yaml").write_bytes(b"id: \xff\xfe")
    with pytest.raises(BadPack, match="not UTF-8"):
        packs.load(folder)


def test_the_calendar_covers_this_year_and_the_next() -> None:
    calendar = packs.load().on(DAY, "330199").calendar
    assert calendar.covers(2025)
    assert calendar.covers(DAY.year)
    assert calendar.covers((DAY + timedelta(days=300)).year)
    assert not calendar.covers(2031)


def test_roles_read_for_their_own_purposes_alone() -> None:
    assert allowed("clerk") == {"registration_service", "safety_inspection"}
    assert allowed("duty_officer") == {"notice_verification"}
    assert allowed("administrator") == frozenset()
    assert allowed("manager") == frozenset()
    assert allowed("no such role") == frozenset()
    assert "oversight" not in frozenset().union(*(BY_ROLE[role] for role in BY_ROLE if role != "overseer"))
