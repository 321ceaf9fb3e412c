"""What housing answers: details and lists within the reader's area, headcounts, units."""

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from services.housing.domain.headcounts import Headcount
from services.housing.domain.premises import UnknownPremises
from services.housing.domain.units import Actor, OutsideArea
from services.housing.storage import headcounts
from services.housing.use_cases import queries
from tests.service.housing.conftest import ENTRY, INSPECTOR, UNITS, Register

pytestmark = pytest.mark.postgres

OTHER = Actor("inspector-2", "inspector", "station-02", ("330199002",))
HOTEL = Actor("operator-1", "premises_operator", "hotel-01")


async def names(db: Database, who: Actor, search: str = "") -> list[str]:
    async with db.read() as tx:
        page = await queries.premises_list(tx, who, search=search, before=None, limit=50)
    return [line.title for line in page.lines]


async def test_a_list_shows_the_own_area_newest_first(db: Database, register: Register) -> None:
    await register()
    await register(replace(ENTRY, name="青年公寓", operator_unit=None))
    await register(replace(ENTRY, name="别处", division_code="330199002"), OTHER)
    assert await names(db, INSPECTOR) == ["青年公寓", "湖滨旅馆"]
    assert await names(db, OTHER) == ["别处"]
    assert await names(db, HOTEL) == ["别处", "湖滨旅馆"]
    assert await names(db, Actor("x", "inspector", "unknown")) == []


async def test_search_takes_what_was_typed_literally(db: Database, register: Register) -> None:
    await register()
    await register(replace(ENTRY, name="100%_公寓", address="东湖街道 1 号"))
    assert await names(db, INSPECTOR, "湖滨路") == ["湖滨旅馆"]
    assert await names(db, INSPECTOR, "%") == ["100%_公寓"]
    assert await names(db, INSPECTOR, "　１００ ") == ["100%_公寓"]
    assert await names(db, INSPECTOR, "没有") == []


async def test_pages_follow_one_another_without_gap_or_repeat(db: Database, register: Register) -> None:
    made = [(await register(replace(ENTRY, name=f"旅馆 {n}"))).premises_id for n in range(5)]
    seen: list[UUID] = []
    before = None
    async with db.read() as tx:
        while True:
            page = await queries.premises_list(tx, INSPECTOR, search="", before=before, limit=2)
            seen += [line.premises_id for line in page.lines]
            before = page.next
            if before is None:
                break
    assert seen == made[::-1]


async def test_details_come_with_headcount_firm_and_unit(db: Database, register: Register, keyring: Keyring) -> None:
    made = await register()
    async with db.transaction() as tx:
        await headcounts.put(tx, [Headcount(made.premises_id, 9, (1, 1))])
    async with db.read() as tx:
        details = await queries.premises_details(tx, INSPECTOR, made.premises_id, keyring)
        page = await queries.premises_list(tx, INSPECTOR, search="", before=None, limit=10)
    assert (details.headcount, details.firm, details.operator_unit) == (9, "湖滨旅馆有限公司", UNITS[2])
    assert (page.lines[0].headcount, page.lines[0].over) == (9, 1)


async def test_one_household_is_never_over_capacity(db: Database, register: Register) -> None:
    made = await register(replace(ENTRY, kind="rental", one_household=True))
    async with db.transaction() as tx:
        await headcounts.put(tx, [Headcount(made.premises_id, 99, (1, 1))])
    async with db.read() as tx:
        page = await queries.premises_list(tx, INSPECTOR, search="", before=None, limit=10)
    assert page.lines[0].over == 0


async def test_details_are_for_who_is_responsible(
    db: Database, register: Register, keyring: Keyring, unknown: UUID
) -> None:
    made = await register()
    async with db.read() as tx:
        await queries.premises_details(tx, HOTEL, made.premises_id, keyring)
        with pytest.raises(OutsideArea):
            await queries.premises_details(tx, OTHER, made.premises_id, keyring)
        with pytest.raises(UnknownPremises):
            await queries.premises_details(tx, INSPECTOR, unknown, keyring)


async def test_an_actor_has_the_areas_that_the_unit_has_now(db: Database) -> None:
    async with db.read() as tx:
        assert (await queries.actor(tx, "s", "inspector", "station-01")).areas == ("330199001",)
        assert (await queries.actor(tx, "s", "inspector", "nowhere")).areas == ()
        assert (await queries.unit_names(tx))["station-01"] == {"zh": "柳堤派出所", "en": "Liudi police station"}
        assert [unit.unit_id for unit in await queries.operator_units(tx)] == ["hotel-01"]


async def test_only_newer_headcounts_are_kept(db: Database, unknown: UUID) -> None:
    arriving = [(5, (1, 2), 5), (4, (1, 1), 5), (7, (1, 2), 5), (6, (2, 1), 6), (9, (1, 99), 6)]
    for count, version, kept in arriving:
        async with db.transaction() as tx:
            await headcounts.put(tx, [Headcount(unknown, count, version)])
            assert await headcounts.of(tx, unknown) == kept
