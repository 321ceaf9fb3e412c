"""Registering premises: the rows, the event, the sealed operator, and what the database itself refuses."""

from dataclasses import replace

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.events.tables import outbox
from contracts.housing import PremisesV1
from services.housing.domain.faults import Fault, Refused
from services.housing.domain.premises import Operator
from services.housing.domain.units import OutsideArea
from services.housing.storage import premises as premises_store
from services.housing.storage.tables import premises, rooms
from tests.service.housing.conftest import ENTRY, INSPECTOR, Register

pytestmark = pytest.mark.postgres


async def test_what_was_registered_is_read_back(db: Database, register: Register) -> None:
    made = await register()
    assert made.capacity == 8  # 20 m² and 12 m² at 4 m² a person (JGJ 62-2014 4.2)
    async with db.read() as tx:
        assert await premises_store.find(tx, made.premises_id) == made


async def test_the_state_is_published_without_the_operator(db: Database, register: Register) -> None:
    made = await register()
    async with db.read() as tx:
        row = (await tx.all(sa.select(outbox)))[0]
    assert (row.topic, row.key, row.type) == ("housing.premises", str(made.premises_id), "anju.housing.premises.v1")
    state = PremisesV1.model_validate_json(row.value)
    assert (state.capacity, len(state.rooms), state.operator_unit) == (8, 3, "hotel-01")
    assert orjson.loads(row.value)["version"].endswith(".1")
    assert ENTRY.operator.name not in row.value.decode()
    assert ENTRY.operator.phone not in row.value.decode()
    assert ENTRY.name not in row.value.decode()


async def test_the_operator_is_sealed_and_a_natural_person_is_not_shown(
    db: Database, register: Register, keyring: Keyring
) -> None:
    firm = await register()
    person = await register(replace(ENTRY, operator=Operator("person", "陈晓敏", "13800000000")))
    async with db.read() as tx:
        stored = await tx.all(sa.select(premises.c.operator_name, premises.c.operator_phone))
        assert not any("陈晓敏".encode() in row.operator_name or b"1380" in row.operator_phone for row in stored)
        assert await premises_store.firm_name(tx, keyring, firm.premises_id) == "湖滨旅馆有限公司"
        assert await premises_store.firm_name(tx, keyring, person.premises_id) is None


async def test_another_stations_division_is_refused_and_leaves_nothing(db: Database, register: Register) -> None:
    with pytest.raises(OutsideArea):
        await register(replace(ENTRY, division_code="330199002"))
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(premises)) == 0
        assert await tx.scalar(sa.select(sa.func.count()).select_from(outbox)) == 0


async def test_an_operator_registers_no_premises(register: Register) -> None:
    with pytest.raises(OutsideArea):
        await register(actor=replace(INSPECTOR, role="premises_operator", unit="hotel-01"))


async def test_an_unknown_operator_unit_is_refused(register: Register) -> None:
    with pytest.raises(Refused) as refused:
        await register(replace(ENTRY, operator_unit="hotel-99"))
    assert refused.value.faults == (Fault("/operator_unit", "unknown-unit"),)


BAD_PREMISES: list[dict[str, object]] = [
    {"kind": "castle"},
    {"status": "haunted"},
    {"division_code": "33019"},
    {"latitude": 90.1},
    {"longitude": -180.1},
    {"capacity": -1},
    {"name": ""},
    {"version": 0},
]
BAD_ROOM: list[dict[str, object]] = [
    {"number": "0802"},
    {"number": ""},
    {"area_m2": 0},
    {"type": "attic"},
    {"position": 1},
    {"capacity": -1},
]


async def test_the_database_refuses_bad_states(db: Database, register: Register) -> None:
    made = await register()
    for table, where, changes in (
        (premises, premises.c.premises_id == made.premises_id, BAD_PREMISES),
        (rooms, rooms.c.number == "0801", BAD_ROOM),
    ):
        for change in changes:
            with pytest.raises(IntegrityError):
                async with db.transaction() as tx:
                    await tx.execute(sa.update(table).where(where).values(change))
