"""What the databases hold before the fuzz begins, so that requests reach deep: premises, people, notices, alerts."""

from datetime import timedelta
from uuid import UUID, uuid4

from chassis.data.db import Database
from policy import packs
from services.alerts.storage import unit_store
from services.housing.domain.premises import stub
from services.housing.storage import units as housing_units
from services.housing.use_cases.keep_stub import keep_stub
from services.housing.use_cases.register_premises import register_premises
from services.registration.use_cases.follow_premises import follow_premises
from services.registration.use_cases.load_units import load_units
from services.registration.wiring import read_units_file
from services.reporting.consumers import subscription
from services.reporting.domain.read_models import Owner
from tests.fuzz.process import ROOT
from tests.people import People
from tests.service.alerts.conftest import KEYRING, Matcher, NoticeDesk, now, stay_event, token_of
from tests.service.alerts.dwellings import headcount, premises, tell_headcounts, tell_premises
from tests.service.housing.conftest import ENTRY, INSPECTOR, UNITS
from tests.service.registration.conftest import FLAT, HOTEL
from tests.service.reporting.conftest import record

# Each can be worked on to its end a few times before the fuzz has used it up.
NOTICES, ALERTS, PREMISES = 30, 120, 12
NUMBERS = People("soil")


async def sow(service: str, db: Database) -> dict[str, list[str]]:
    """Fill a service's database; return the ids that addresses and bodies may name, by the field that holds them."""
    sowing = {"registration": _registration, "housing": _housing, "alerts": _alerts, "reporting": _reporting}
    return await sowing[service](db)


async def _registration(db: Database) -> dict[str, list[str]]:
    async with db.transaction() as tx:
        await load_units(tx, read_units_file(ROOT / "deploy" / "units.yaml"))
    async with db.transaction() as tx:
        await follow_premises(tx, [(HOTEL, (1, 1)), (FLAT, (1, 1))])
    return {"premises_id": [str(HOTEL.premises_id), str(FLAT.premises_id)]}


async def _housing(db: Database) -> dict[str, list[str]]:
    made: list[str] = []
    async with db.transaction() as tx:
        await housing_units.put(tx, [(unit, (1, at + 1)) for at, unit in enumerate(UNITS)])
    for _ in range(PREMISES):
        async with db.transaction() as tx:
            entered = await register_premises(tx, ENTRY, INSPECTOR, packs=packs.load(), keyring=KEYRING, now=now())
            made.append(str(entered.premises_id))
        unknown = stub(uuid4(), "rental", "柳堤街道无名巷 3 号", "330199001", now())
        async with db.transaction() as tx:
            await keep_stub(tx, unknown)
        made.append(str(unknown.premises_id))
    return {"premises_id": made}


async def _alerts(db: Database) -> dict[str, list[str]]:
    async with db.transaction() as tx:
        for at, unit in enumerate(read_units_file(ROOT / "deploy" / "units.yaml")):
            kept = unit_store.Unit(unit.unit_id, unit.name_zh, unit.name_en, unit.kind, unit.areas)
            await unit_store.keep_newer(tx, kept, (1, at + 1))
    desk, matcher = NoticeDesk(db), Matcher(db)
    numbers = [str(NUMBERS.document()["number"]) for _ in range(NOTICES)]
    notices = [str((await desk.activate(number)).notice_id) for number in numbers]
    stays = [uuid4() for _ in range(ALERTS)]
    await matcher.read(*(stay_event(token_of(numbers[at % NOTICES]), stay) for at, stay in enumerate(stays)))
    for at in range(PREMISES):
        place = UUID(int=UUID("01936000-0000-7000-8000-000000000100").int + at)
        await tell_headcounts(db, headcount(1, 9, place))
        await tell_premises(db, premises(1, (("fire_exits", "imminent"),), place))
    return {"notice_id": notices, "stay_id": [str(each) for each in stays], "department": ["fire"]}


async def _reporting(db: Database) -> dict[str, list[str]]:
    async with db.transaction() as tx:
        for at in range(30):
            day = (now() - timedelta(days=at)).date().isoformat()
            timeliness = {"on_time": 20, "late": at}
            counted = {"registered": 40 + at, "arrivals": 20 + at, "departures": at, "timeliness": timeliness}
            arrived = record(Owner.REGISTRATION, day, "330199001", "tenant", "1.1", **counted)
            await subscription(Owner.REGISTRATION).apply(tx, [arrived])
    return {}
