"""Records that are broken, and records that match nothing."""

import json

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from contracts import envelope
from services.alerts.domain.officers import Officer
from tests.service.alerts.conftest import (
    Matcher,
    NoticeDesk,
    alert_rows,
    raw_record,
    stay_event,
    token_of,
)

pytestmark = pytest.mark.postgres

OVERSEER = Officer("overseer", "周五", "oversight")
DUTY = Officer("duty", "张六", "command-centre")


@pytest.mark.parametrize(
    ("value", "type_", "reason"),
    [
        (b"not json", envelope.PERSON_ARRIVED, "invalid-value"),
        (b"[]", envelope.PERSON_ARRIVED, "invalid-value"),
        (b"7", envelope.PERSON_ARRIVED, "invalid-value"),
        (b'{"stay_id": "x"}', envelope.PERSON_ARRIVED, "invalid-value"),
        (b"", envelope.PERSON_DEPARTED, "invalid-value"),
        (b"{}", "anju.registration.person-arrived.v9", "unknown-type"),
        (b"{}", "", "unknown-type"),
    ],
)
async def test_a_broken_record_is_told_and_the_rest_goes_on(
    db: Database, desk: NoticeDesk, matcher: Matcher, value: bytes, type_: str, reason: str
) -> None:
    """A reason that says nothing of the record; what stands beside it is matched."""
    await desk.activate("1")
    broken = raw_record(value, type_=type_)
    assert await matcher.read(stay_event(token_of("1")), broken, stay_event(token_of("1"))) == [reason]
    assert len(await alert_rows(db)) == 2


@pytest.mark.parametrize(
    "field",
    [
        {"token": {"key_id": "m1"}},
        {"token": "token"},
        {"token": {"key_id": "m1", "value": ["x"]}},
        {"token": {"key_id": 1, "value": token_of("1").value}},
        {"recorded_at": "yesterday", "token": {"key_id": "m1", "value": token_of("1").value}},
        {"stay_id": 7, "token": {"key_id": "m1", "value": token_of("1").value}},
    ],
)
async def test_a_record_with_one_bad_field_is_broken(
    db: Database, desk: NoticeDesk, matcher: Matcher, field: dict[str, object]
) -> None:
    """Also deeper inside, when it would have matched."""
    await desk.activate("1")
    good = json.loads(stay_event(token_of("1")).value)
    assert await matcher.read(raw_record(json.dumps(good | field).encode())) == ["invalid-value"]
    assert await alert_rows(db) == []


async def test_what_matches_nothing_leaves_no_trace_in_the_database(
    db: Database, desk: NoticeDesk, matcher: Matcher, dsn: str
) -> None:
    """300 arrivals, departures and corrections of strangers: every table is byte for byte as it was."""
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    before = await _everything(db)
    strangers = [
        stay_event(token_of(f"stranger {n}"), type_=type_)
        for n in range(100)
        for type_ in (envelope.PERSON_ARRIVED, envelope.STAY_CORRECTED, envelope.PERSON_DEPARTED)
    ]
    assert await matcher.read(*strangers) == []
    assert await _everything(db) == before


async def _everything(db: Database) -> dict[str, str]:
    """A digest of each table's rows."""
    async with db.read() as tx:
        tables = [
            row.tablename
            for row in await tx.all(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        ]
        return {
            name: str(await tx.scalar(sa.text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t")))
            for name in tables
        }
