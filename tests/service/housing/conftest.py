"""A migrated database of housing for each test, with the units of the demo's organisation."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.data.migrations import migrate
from policy.packs import Packs, load
from services.housing.domain.premises import Entry, Operator, Premises, Room
from services.housing.domain.units import Actor, Unit
from services.housing.storage import units
from services.housing.use_cases.register_premises import register_premises
from tests.parts import Postgres

NOW = datetime(2026, 11, 24, 2, 44, tzinfo=UTC)
UNITS = (
    Unit("station-01", "柳堤派出所", "Liudi police station", "police_station", "city", ("330199001",)),
    Unit("station-02", "青湾派出所", "Qingwan police station", "police_station", "city", ("330199002",)),
    Unit("hotel-01", "湖滨旅馆", "Hubin hotel", "operator", "station-01", ()),
)
ENTRY = Entry(
    kind="hotel",
    name="湖滨旅馆",
    address="柳堤街道湖滨路 8 号",
    division_code="330199001",
    latitude=30.25,
    longitude=120.17,
    rooms=(Room("0801", "bedroom", 20.0), Room("0802", "bedroom", 12.0), Room("0001", "kitchen", 30.0)),
    operator=Operator("firm", "湖滨旅馆有限公司", "13800000000"),
    operator_unit="hotel-01",
)
INSPECTOR = Actor("inspector-1", "inspector", "station-01", ("330199001",))

Register = Callable[..., Awaitable[Premises]]


@pytest.fixture(scope="session")
async def migrated(postgres: Postgres) -> str:
    """The address of a database with housing's schema, to copy from."""
    dsn = await postgres.new_database()
    await migrate(dsn, "housing")
    return dsn


@pytest.fixture
async def db(postgres: Postgres, migrated: str) -> AsyncIterator[Database]:
    """A database of the test's own, in which the units are known."""
    database = Database(await postgres.copy_of(migrated), service="housing")
    async with database.transaction() as tx:
        await units.put(tx, [(unit, (1, at + 1)) for at, unit in enumerate(UNITS)])
    yield database
    await database.dispose()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({"k1": b"s" * 32}, "k1")


@pytest.fixture(scope="session")
def packs() -> Packs:
    return load()


@pytest.fixture
def register(db: Database, keyring: Keyring, packs: Packs) -> Register:
    """Registers premises as the station's inspector, in a transaction of its own."""

    async def run(entry: Entry = ENTRY, actor: Actor = INSPECTOR) -> Premises:
        async with db.transaction() as tx:
            return await register_premises(tx, entry, actor, packs=packs, keyring=keyring, now=NOW)

    return run


@pytest.fixture
def unknown() -> UUID:
    return UUID("0192d8a0-0000-7000-8000-00000000ffff")
