"""Tells alerts of premises and headcounts as housing and registration publish them."""

import json
from typing import Any
from uuid import UUID, uuid5

from aiokafka import ConsumerRecord

from chassis.data.db import Database
from chassis.events.records import StateRecord
from services.alerts.consumers import DwellingReader
from tests.service.alerts.conftest import DISTRICT, PACKS, PREMISES, now

READER = DwellingReader(PACKS, DISTRICT)
ADDRESS = "柳堤街道湖滨路 1 号"


def state(key: str, value: dict[str, Any] | None) -> StateRecord:
    """A record of a state."""
    raw = json.dumps(value).encode() if value is not None else None
    return StateRecord(ConsumerRecord("states", 0, 0, 0, 0, key.encode(), raw, None, 0, 0, ()))


def premises(
    number: int, hazards: tuple[tuple[str, str], ...] = (), premises_id: UUID = PREMISES, **changes: Any
) -> StateRecord:
    """A version of a flat for four people; `hazards` are items with severities."""
    value = {
        "premises_id": str(premises_id),
        "kind": "rental",
        "status": "open",
        "address": ADDRESS,
        "division_code": "330199001",
        "latitude": 30.25,
        "longitude": 120.15,
        "capacity": 4,
        "open_hazards": [
            {
                "hazard_id": str(uuid5(premises_id, item)),
                "item": item,
                "severity": severity,
                "found_at": now().isoformat(),
            }
            for item, severity in hazards
        ],
        "version": f"1.{number}",
    }
    return state(str(premises_id), value | changes)


def headcount(number: int, people: int, premises_id: UUID = PREMISES) -> StateRecord:
    """A version of a headcount."""
    value = {"premises_id": str(premises_id), "headcount": people, "version": f"1.{number}"}
    return state(str(premises_id), value)


async def tell_premises(db: Database, *records: StateRecord) -> None:
    """Housing tells, in one batch."""
    async with db.transaction() as tx:
        await READER.apply_premises(tx, records)


async def tell_headcounts(db: Database, *records: StateRecord) -> None:
    """Registration tells, in one batch."""
    async with db.transaction() as tx:
        await READER.apply_occupancy(tx, records)
