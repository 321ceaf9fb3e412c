"""Housing forgets in time: each class just after its term, never before, and nothing that is still needed."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database
from chassis.data.encryption import Keyring
from policy.packs import Packs
from services.housing.domain.inspections import Finding, ItemResult, Visit
from services.housing.storage import hazards as hazards_store
from services.housing.storage import premises as premises_store
from services.housing.storage.tables import inspections, statistics
from services.housing.use_cases import forget_expired
from services.housing.use_cases.clear_hazard import clear_hazard
from services.housing.use_cases.close_premises import close_premises
from services.housing.use_cases.publish_statistics import publish_statistics
from services.housing.use_cases.record_inspection import record_inspection
from services.housing.use_cases.reopen_premises import reopen_premises
from services.housing.use_cases.sign_letter import sign_letter
from tests.service.housing.conftest import INSPECTOR, NOW, Register
from tests.service.travel import RETENTION, Traveller, database_clock

pytestmark = pytest.mark.postgres
DAY = timedelta(days=1)


@pytest.fixture
def traveller(db: Database, keyring: Keyring) -> Traveller:
    return Traveller(db, forget_expired.removals(keyring))


async def visit(db: Database, packs: Packs, premises_id: UUID, day: int, **results: ItemResult) -> None:
    """An inspection on a day after NOW, with a result for each item."""
    at = NOW + day * DAY
    items = tuple(
        Finding(item, result, note="张三说的" if result == "fail" else None) for item, result in results.items()
    )
    with database_clock(at):
        async with db.transaction() as tx:
            await record_inspection(tx, premises_id, Visit("1", "consent", "done", at, items), INSPECTOR, packs=packs)


async def count_days(db: Database, day: int) -> list[tuple[object, ...]]:
    """Count the days up to a day after NOW, and return all figures."""
    async with db.transaction() as tx:
        await publish_statistics(tx, NOW + day * DAY)
    async with db.read() as tx:
        key = (statistics.c.division_code, statistics.c.kind, statistics.c.day)
        return [tuple(row) for row in await tx.all(sa.select(*key, statistics.c.counts).order_by(*key))]


async def test_premises_lose_their_past_step_by_step(
    db: Database, keyring: Keyring, packs: Packs, register: Register, traveller: Traveller
) -> None:
    hotel = (await register()).premises_id
    async with db.transaction() as tx:
        await sign_letter(tx, hotel, None, INSPECTOR, now=NOW)
    await visit(db, packs, hotel, 1, fire_exits="fail", flammables="fail")
    await visit(db, packs, hotel, 10, fire_exits="pass")
    async with db.transaction() as tx:
        await close_premises(tx, hotel, "拆改", 0, INSPECTOR, now=NOW + 20 * DAY)
    async with db.transaction() as tx:
        await reopen_premises(tx, hotel, "已复原", INSPECTOR, now=NOW + 30 * DAY)
    async with db.transaction() as tx:
        await close_premises(tx, hotel, "拆改", 0, INSPECTOR, now=NOW + 40 * DAY)
    figures = await count_days(db, 45)

    # Who ran it: a year after the closing that holds.
    await traveller.before("operator", NOW + 40 * DAY)
    assert await traveller.holding(hotel) >= {"premises", "letters", "subject_keys"}
    async with db.read() as tx:
        assert await premises_store.firm_name(tx, keyring, hotel) == "湖滨旅馆有限公司"
    await traveller.after("operator", NOW + 40 * DAY)
    assert await traveller.holding(hotel) & {"letters", "subject_keys"} == set()
    async with db.read() as tx:
        assert await premises_store.firm_name(tx, keyring, hotel) is None
        row = (await tx.all(sa.text("SELECT operator_kind, operator_name, operator_phone FROM premises")))[0]
    assert tuple(row) == (None, None, None)
    # Opened again it has no operator and no letter, and can be closed.
    async with db.transaction() as tx:
        opened = await reopen_premises(tx, hotel, "另租", INSPECTOR, now=NOW + 450 * DAY)
    assert (opened.status, opened.letter) == ("open", None)
    async with db.transaction() as tx:
        await close_premises(tx, hotel, "又关", 0, INSPECTOR, now=NOW + 460 * DAY)

    # A visit stays while one of its hazards does, and so does the visit that cleared the other one.
    await traveller.after("inspection", NOW + 10 * DAY)
    assert (await traveller.count("inspections"), await traveller.count("hazards")) == (2, 2)
    async with db.read() as tx:
        (open_one,) = await hazards_store.open_of(tx, hotel)
    cleared_at = NOW + 1200 * DAY
    with database_clock(cleared_at):
        async with db.transaction() as tx:
            await clear_hazard(tx, open_one.hazard_id, "已清空", INSPECTOR)
    await traveller.before("inspection", cleared_at)
    assert (await traveller.count("inspections"), await traveller.count("hazards")) == (2, 2)
    at_the_end = await count_days(db, 2300)
    await traveller.after("inspection", cleared_at)
    assert [await traveller.count(table) for table in ("inspections", "inspection_items", "hazards")] == [0, 0, 0]
    assert await count_days(db, 2300) == at_the_end
    # The closings that ended are gone; the one that holds says why the place is shut.
    assert await traveller.count("closures") == 1

    # Every day that was published is as it was published.
    assert [each for each in at_the_end if each in figures] == figures
    assert await traveller.holding(hotel) <= {"premises", "rooms", "closures", "outbox"}
    await traveller.send_outbox()
    await traveller.after("read_log", cleared_at + 1000 * DAY)
    assert await traveller.holding(hotel) == {"premises", "rooms", "closures"}
    assert await traveller.holding(INSPECTOR.subject) == {"closures"}
    assert await traveller.holding("张三说的") == set()
    assert (await audit.verify(db, keyring)).first_bad is None


async def test_a_closing_is_forgotten_after_its_end(db: Database, register: Register, traveller: Traveller) -> None:
    """Its term begins when the premises open again; of what holds still, never."""
    hotel, opened_at = (await register()).premises_id, NOW + 30 * DAY
    async with db.transaction() as tx:
        await close_premises(tx, hotel, "拆改", 0, INSPECTOR, now=NOW)
    async with db.transaction() as tx:
        await reopen_premises(tx, hotel, "已复原", INSPECTOR, now=opened_at)
    async with db.transaction() as tx:
        await close_premises(tx, hotel, "拆改", 0, INSPECTOR, now=NOW + 40 * DAY)
    await traveller.before("inspection", opened_at)
    assert await traveller.count("closures") == 2
    await traveller.after("inspection", opened_at)
    assert await traveller.count("closures") == 1
    await traveller.forget(NOW + 4000 * DAY)
    async with db.read() as tx:
        (held,) = await tx.all(sa.text("SELECT closed_at, reopened_at FROM closures"))
    assert tuple(held) == (NOW + 40 * DAY, None)


async def test_premises_in_use_keep_their_operator(
    db: Database, keyring: Keyring, register: Register, traveller: Traveller
) -> None:
    hotel = (await register()).premises_id
    async with db.transaction() as tx:
        await close_premises(tx, hotel, "拆改", 0, INSPECTOR, now=NOW)
    async with db.transaction() as tx:
        await reopen_premises(tx, hotel, "已复原", INSPECTOR, now=NOW + DAY)
    await traveller.forget(NOW + 4000 * DAY)
    async with db.read() as tx:
        assert await premises_store.firm_name(tx, keyring, hotel) == "湖滨旅馆有限公司"


async def test_a_long_past_goes_in_batches(
    db: Database, packs: Packs, register: Register, traveller: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than one batch has, and the last batch finds nothing more."""
    monkeypatch.setattr("chassis.run.forgetting.BATCH", 3)
    hotel = (await register()).premises_id
    for day in range(7):
        await visit(db, packs, hotel, day, fire_exits="fail" if day % 2 else "pass")
    await traveller.forget(RETENTION.after("inspection").ends(NOW + 5 * DAY))
    async with db.read() as tx:
        left = await tx.all(sa.select(inspections.c.inspected_at).order_by(inspections.c.inspected_at))
    # What the last but one found was cleared by the last one.
    assert [row.inspected_at for row in left] == [NOW + 5 * DAY, NOW + 6 * DAY]
