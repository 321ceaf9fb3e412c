"""The content of a notice: one canonical form, one hash, and the rules of a proposal."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.contents import Asked, Content, Instrument, Limits, NoticeKind, Token, check, parse_content
from services.alerts.domain.subjects import Document, Subject, commitment
from tests.unit.alerts.makers import NOW, content

# Kinds of the demo's units.
UNITS = {
    unit["id"]: unit["kind"]
    for unit in yaml.safe_load((Path(__file__).parents[3] / "deploy/units.yaml").read_text(encoding="utf-8"))["units"]
}
text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
times = st.integers(0, 10**15).map(lambda after: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=after))
contents = st.builds(
    Content,
    notice_id=st.uuids(),
    term=st.integers(1, 99),
    kind=st.sampled_from(NoticeKind),
    instrument=st.builds(Instrument, text, text, text),
    document_kind=text,
    issuing_country=text,
    token=st.builds(Token, text, text),
    subject_commitment=text,
    starts_at=times,
    ends_at=times,
    recipients=st.lists(text, max_size=3).map(tuple),
    instructions=text,
    author=text,
    author_unit=text,
)
LIMITS = Limits(
    instruments=frozenset({"arrest_approval"}),
    earliest_start=NOW - timedelta(days=1),
    latest_start=NOW + timedelta(days=90),
    latest_end=NOW + timedelta(days=180),
)


@given(contents)
def test_canonical_form_reads_back_to_the_same_content_and_hash(made: Content) -> None:
    """Property: parse_content undoes canonical, and the hash is of the bytes alone."""
    read = parse_content(made.canonical())
    assert read == made
    assert read.hash() == made.hash()


def test_hash_covers_every_field() -> None:
    """Changing any one field changes the hash."""
    made = content()
    others = {
        "notice_id": uuid4(),
        "term": 2,
        "kind": NoticeKind.MISSING_PERSON,
        "instrument": replace(made.instrument, number="another"),
        "document_kind": "passport",
        "issuing_country": "FRA",
        "token": replace(made.token, value="another"),
        "subject_commitment": "1" * 64,
        "starts_at": NOW + timedelta(microseconds=1),
        "ends_at": NOW + timedelta(days=91),
        "recipients": (),
        "instructions": "别的",
        "author": "another",
        "author_unit": "another",
    }
    assert set(others) == {field.name for field in fields(Content)}
    hashes = {replace(made, **{name: value}).hash() for name, value in others.items()}  # type: ignore[arg-type]
    assert len(hashes) == len(others)
    assert made.hash() not in hashes


def test_the_same_moment_in_another_zone_is_the_same_content() -> None:
    """Times are written in UTC, so a zone changes no hash."""
    made = content()
    shanghai = timezone(timedelta(hours=8))
    assert replace(made, starts_at=made.starts_at.astimezone(shanghai)).hash() == made.hash()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value | {"extra": 1},
        lambda value: value | {"term": 1.0},
        lambda value: value | {"starts_at": "2026-11-24T02:00:00+00:00"},
        lambda value: {name: item for name, item in value.items() if name != "kind"},
    ],
)
def test_other_bytes_are_no_content(spoil: Any) -> None:
    """A field more, less, or in another spelling is refused: what is read back is exactly what was signed."""
    value = spoil(json.loads(content().canonical()))
    with pytest.raises(ValueError, match=r"content|canonical"):
        parse_content(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def asked(made: Content) -> Asked:
    """What the rules look at of a content."""
    return Asked(made.kind, made.instrument.kind, made.starts_at, made.ends_at, made.recipients)


def test_a_notice_goes_to_whom_can_act_on_it() -> None:
    """Command centre, police and departments; before the tree is there nothing can be said against a unit."""
    able = ("command-centre", "station-01", "station-02", "fire", "child-protection")
    assert check(asked(content(recipients=able)), LIMITS, UNITS, NOW) == []
    assert check(asked(content(recipients=("hotel-01",))), LIMITS, {}, NOW) == []


def test_a_sound_proposal_has_no_faults() -> None:
    """The limits themselves are allowed."""
    edge = content(starts_at=LIMITS.earliest_start, ends_at=LIMITS.latest_end)
    assert list(check(asked(edge), LIMITS, UNITS, NOW)) == []


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"kind": NoticeKind.LOST_DOCUMENT}, "/kind", "kind-not-available"),
        ({"kind": NoticeKind.PROTECTION_ORDER}, "/kind", "kind-not-available"),
        ({"kind": NoticeKind.FAMILY_TRACING}, "/kind", "kind-not-available"),
        ({"instrument": Instrument("loss_report", "1", "2")}, "/instrument/kind", "instrument-not-for-kind"),
        ({"starts_at": NOW - timedelta(days=1, seconds=1)}, "/starts_at", "starts-too-early"),
        (
            {"starts_at": NOW + timedelta(days=90, seconds=1), "ends_at": NOW + timedelta(days=99)},
            "/starts_at",
            "starts-too-late",
        ),
        ({"ends_at": NOW}, "/ends_at", "ends-before-start"),
        ({"starts_at": NOW - timedelta(hours=2), "ends_at": NOW}, "/ends_at", "ends-in-the-past"),
        ({"ends_at": NOW + timedelta(days=180, seconds=1)}, "/ends_at", "term-too-long"),
        ({"recipients": ("nowhere",)}, "/recipients/0", "unknown-unit"),
        *[
            ({"recipients": ("command-centre", unit)}, "/recipients/1", "not-a-recipient")
            for unit in ("city", "committee-01", "hotel-01", "notice-desk-01", "oversight")
        ],
    ],
)
def test_each_rule_of_a_proposal_names_its_field(changes: dict[str, object], pointer: str, code: str) -> None:
    """One broken rule gives exactly one fault."""
    faults = check(asked(content(**changes)), LIMITS, UNITS, NOW)
    assert [(fault.pointer, fault.code) for fault in faults] == [(pointer, code)]


def test_commitment_binds_every_part_of_the_subject_and_needs_the_salt() -> None:
    """Number, name, birth date and salt each change it."""
    subject = Subject(Document("resident_id", "330199199001010011", "CHN"), "陈某", date(1990, 1, 1))
    salt = b"s" * 32
    others = [
        commitment(replace(subject, document=replace(subject.document, number="330199199001010038")), salt),
        commitment(replace(subject, name="陈某某"), salt),
        commitment(replace(subject, birth_date=None), salt),
        commitment(subject, b"t" * 32),
    ]
    assert len({commitment(subject, salt), *others}) == 5
    assert Subject.from_json(subject.to_json()) == subject
