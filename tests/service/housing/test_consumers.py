"""What housing takes from registration: headcounts and units, newer versions only, bad records named."""

from uuid import UUID

import orjson
import pytest
from aiokafka import ConsumerRecord

from chassis.data.db import Database
from chassis.events.records import BadRecord, StateRecord
from contracts.registration import OccupancyV1, UnitNameV1, UnitV1
from services.housing.consumers import (
    apply_headcounts,
    apply_units,
    drop_headcounts,
    drop_units,
)
from services.housing.storage import headcounts
from services.housing.use_cases import queries

pytestmark = pytest.mark.postgres

HERE = UUID("0192d8a0-0000-7000-8000-000000000001")
THERE = UUID("0192d8a0-0000-7000-8000-000000000002")


def state(key: str, value: dict[str, object] | None) -> StateRecord:
    encoded = None if value is None else orjson.dumps(value)
    return StateRecord(ConsumerRecord("topic", 0, 0, 0, 0, key.encode(), encoded, None, 0, 0, ()))


def occupancy(premises_id: UUID, headcount: int, version: str) -> StateRecord:
    model = OccupancyV1(premises_id=premises_id, headcount=headcount, version=version)
    return state(str(premises_id), model.model_dump(mode="json"))


def unit(unit_id: str, name: str, areas: tuple[str, ...], version: str) -> StateRecord:
    model = UnitV1(
        unit_id=unit_id, name=UnitNameV1(zh=name, en=name), kind="police_station", areas=areas, version=version
    )
    return state(unit_id, model.model_dump(mode="json"))


async def test_headcounts_are_kept_replaced_and_dropped(db: Database) -> None:
    async with db.transaction() as tx:
        await apply_headcounts(tx, [occupancy(HERE, 3, "1.5"), occupancy(THERE, 1, "1.9")])
    async with db.transaction() as tx:
        await apply_headcounts(tx, [occupancy(HERE, 2, "1.4"), state(str(THERE), None)])
    async with db.read() as tx:
        assert (await headcounts.of(tx, HERE), await headcounts.of(tx, THERE)) == (3, 0)
        assert await queries.headcount_keys(tx) == [str(HERE)]
    async with db.transaction() as tx:
        await drop_headcounts(tx, [str(HERE)])
        assert await queries.headcount_keys(tx) == []


async def test_a_units_new_area_holds_at_once(db: Database) -> None:
    async with db.transaction() as tx:
        await apply_units(tx, [unit("station-01", "柳堤派出所", ("330199003",), "2.1")])
        assert (await queries.actor(tx, "s", "inspector", "station-01")).areas == ("330199003",)
        await apply_units(tx, [unit("station-01", "旧", ("330199001",), "1.99"), state("station-02", None)])
        assert (await queries.actor(tx, "s", "inspector", "station-01")).areas == ("330199003",)
        assert (await queries.actor(tx, "s", "inspector", "station-02")).areas == ()
        assert "station-02" not in await queries.unit_keys(tx)
        await drop_units(tx, ["hotel-01"])
        assert await queries.unit_keys(tx) == ["station-01"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (state(str(HERE), {"premises_id": str(HERE), "headcount": -1, "version": "1.1"}), "invalid-value"),
        (state(str(HERE), {"premises_id": "x", "headcount": 1, "version": "1.1"}), "invalid-value"),
        (state("not-an-id", None), "unreadable-key"),
    ],
)
async def test_a_bad_record_is_named_by_a_code(db: Database, record: StateRecord, reason: str) -> None:
    with pytest.raises(BadRecord) as bad:
        async with db.transaction() as tx:
            await apply_headcounts(tx, [record])
    assert bad.value.reason == reason
