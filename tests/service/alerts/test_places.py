"""Premises and units as their owners publish them: newer versions only, whatever comes twice or late."""

import json
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord

from chassis.data.db import Database
from chassis.events.records import BadRecord, StateRecord
from services.alerts.consumers import DwellingReader, apply_units
from services.alerts.use_cases import queries
from services.alerts.use_cases.queries import known_places, known_units
from tests.service.alerts.conftest import DISTRICT, PACKS, PREMISES

pytestmark = pytest.mark.postgres

READER = DwellingReader(PACKS, DISTRICT)


def state(key: str, value: dict[str, Any] | None) -> StateRecord:
    """A record of a state."""
    raw = json.dumps(value).encode() if value is not None else None
    return StateRecord(ConsumerRecord("states", 0, 0, 0, 0, key.encode(), raw, None, 0, 0, ()))


def hotel(version: str, address: str) -> StateRecord:
    """A hotel at an address."""
    value = {
        "premises_id": str(PREMISES),
        "kind": "hotel",
        "status": "open",
        "address": address,
        "division_code": "330199001",
        "capacity": 8,
        "version": version,
    }
    return state(str(PREMISES), value)


async def test_premises_keep_their_newest_version(db: Database) -> None:
    """Versions compare as epoch and number, not as text; a repeat and an older one change nothing."""
    seen = []
    for record in (
        hotel("9.2", "二"),
        hotel("9.1", "一"),
        hotel("9.10", "十"),
        hotel("10.1", "新"),
        hotel("9.99", "旧"),
    ):
        async with db.transaction() as tx:
            await READER.apply_premises(tx, [record])
            seen.append((await queries.places_by_id(tx, [PREMISES]))[PREMISES].address)
    assert seen == ["二", "二", "十", "新", "新"]


async def test_premises_and_units_that_ended_are_forgotten(db: Database) -> None:
    """Also one that was never here, and a key that is no id."""
    unit = {
        "unit_id": "station-01",
        "name": {"zh": "柳堤派出所", "en": "Liudi police station"},
        "kind": "station",
        "areas": ["330199001"],
        "roles": ["clerk"],
        "version": "1.1",
    }
    async with db.transaction() as tx:
        await READER.apply_premises(tx, [hotel("1.1", "一")])
        await apply_units(tx, [state("station-01", unit)])
        assert list(await known_places(tx)) == [str(PREMISES)]
        assert (await queries.all_units(tx))["station-01"].areas == ("330199001",)
    async with db.transaction() as tx:
        await READER.apply_premises(tx, [state(str(PREMISES), None), state(str(uuid4()), None), state("no id", None)])
        await apply_units(tx, [state("station-01", None)])
        assert list(await known_places(tx)) == []
        assert list(await known_units(tx)) == []


async def test_a_state_that_is_none_is_bad(db: Database) -> None:
    """It becomes a dead letter; its text is in no error."""
    broken = state(str(PREMISES), {"premises_id": str(PREMISES), "version": "1.1", "address": "不该出现"})
    with pytest.raises(BadRecord) as caught:
        async with db.transaction() as tx:
            await READER.apply_premises(tx, [broken])
    assert caught.value.reason == "invalid-value"
    assert caught.value.__cause__ is None
