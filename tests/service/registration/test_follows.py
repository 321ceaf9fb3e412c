"""What registration hears of others: premises, notices that become active, alerts; and its own unit tree."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from chassis.data.db import Database
from chassis.events.records import BadRecord, Record, StateRecord
from contracts import envelope, topics
from contracts.alerts import AlertAcknowledgedV1, AlertRaisedV1, AlertState, NoticeActivatedV1, NoticeEnd, NoticeEndedV1
from contracts.event import Event
from contracts.housing import PremisesKind, PremisesStatus, PremisesV1, RoomType, RoomV1
from contracts.registration import MatchingTokenV1
from services.registration.consumers import alert, notice, premises
from services.registration.domain.units import Unit
from services.registration.storage import tables
from services.registration.storage.premises import get
from services.registration.use_cases.load_units import load_units
from tests.service.registration.conftest import HOTEL, PEOPLE, Desk, emitted, now

STAYS = "registration.stays"


def record(topic: str, type_: str, model: Event | bytes) -> Record:
    """A record as the relay sends it."""
    value = model if isinstance(model, bytes) else model.model_dump_json(exclude_none=True).encode()
    return Record(
        topic=topic, partition=0, offset=0, key="k", type=type_, event_id=str(uuid4()), source="/anju/alerts",
        epoch=1, sequence=1, timestamp=datetime(2026, 11, 24, tzinfo=UTC), traceparent=None, value=value,
    )  # fmt: skip


async def activate(db: Database, token: MatchingTokenV1 | None, expiry: MatchingTokenV1 | None = None) -> None:
    """Let a notice become active."""
    event = NoticeActivatedV1(notice_id=uuid4(), token=token, expiry_token=expiry, activated_at=now())
    async with db.transaction() as tx:
        await notice(tx, record(topics.ALERTS_NOTICES, envelope.NOTICE_ACTIVATED, event))


async def test_an_active_notice_is_answered_with_open_stays_only(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    stays = [(await clerk.arrive(person=person))["stay_id"] for _ in range(2)]
    await clerk.arrive()
    await clerk.post(f"/stays/{stays[0]}/departure", {"departed_at": now().isoformat()})
    events = await emitted(db, STAYS)
    token = MatchingTokenV1(**events[0]["token"])
    before = now()
    await activate(db, token)
    (present,) = (await emitted(db, STAYS))[len(events) :]
    assert present["type"] == "anju.registration.person-present.v1"
    assert (present["stay_id"], present["token"]) == (stays[1], events[0]["token"])
    assert datetime.fromisoformat(present["recorded_at"]) >= before.replace(microsecond=0)
    assert present["occurred_at"] == events[1]["occurred_at"]


async def test_a_lost_document_is_met_by_number_and_date_together(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    for until in ("2027-05-01", "2037-05-01"):
        await clerk.arrive(person=person | {"document": person["document"] | {"valid_until": until}})
    lost, replacement = await emitted(db, STAYS)
    assert lost["token"] == replacement["token"]
    await activate(db, MatchingTokenV1(**lost["token"]), MatchingTokenV1(**lost["expiry_token"]))
    (present,) = (await emitted(db, STAYS))[2:]
    assert present["stay_id"] == lost["stay_id"]
    assert present["expiry_token"] == lost["expiry_token"]


async def test_notices_that_end_or_name_no_document_are_not_answered(clerk: Desk, db: Database) -> None:
    await clerk.arrive()
    await activate(db, None)
    ended = NoticeEndedV1(notice_id=uuid4(), ended_at=now(), reason=NoticeEnd.EXPIRED)
    async with db.transaction() as tx:
        await notice(tx, record(topics.ALERTS_NOTICES, envelope.NOTICE_ENDED, ended))
    assert len(await emitted(db, STAYS)) == 1


async def test_alerts_are_kept_with_their_present_state(db: Database) -> None:
    alert_id, stay_id = uuid4(), uuid4()
    steps = [
        (envelope.ALERT_RAISED, AlertRaisedV1, AlertState.NEW),
        (envelope.ALERT_ACKNOWLEDGED, AlertAcknowledgedV1, AlertState.ACKNOWLEDGED),
    ]
    for type_, model, state in steps:
        event = model(alert_id=alert_id, stay_id=stay_id, state=state, occurred_at=now())
        async with db.transaction() as tx:
            await alert(tx, record(topics.ALERTS_ALERTS, type_, event))
    async with db.read() as tx:
        row = await tx.one_or_none(sa.select(tables.stay_alerts))
    assert row is not None
    assert (row.alert_id, row.stay_id, row.state) == (alert_id, stay_id, "acknowledged")


async def test_a_broken_record_is_told_by_a_code(db: Database) -> None:
    for value in (b"", b"{}", b"not json", b'{"alert_id": 1}'):
        for handle, topic, type_ in (
            (alert, topics.ALERTS_ALERTS, envelope.ALERT_RAISED),
            (notice, topics.ALERTS_NOTICES, envelope.NOTICE_ACTIVATED),
        ):
            with pytest.raises(BadRecord, match="invalid-value"):
                async with db.transaction() as tx:
                    await handle(tx, record(topic, type_, value))


class FakeKafkaRecord:
    """What aiokafka hands over of a state's record."""

    def __init__(self, key: str, value: bytes | None) -> None:
        self.key, self.value, self.headers = key.encode(), value, ()
        self.partition = self.offset = 0


def state(premises_id: UUID, version: str, **changes: object) -> StateRecord:
    """Premises as housing publishes them."""
    model = PremisesV1(
        premises_id=premises_id,
        kind=PremisesKind.RENTAL,
        status=PremisesStatus.OPEN,
        address="柳堤街道 1 号",
        division_code="330199001",
        rooms=(RoomV1(number="1", type=RoomType.BEDROOM, capacity=2),),
        capacity=2,
        version=version,
    ).model_copy(update=changes)
    return StateRecord(FakeKafkaRecord(str(premises_id), model.model_dump_json().encode()))  # type: ignore[arg-type]


async def test_only_a_newer_version_of_premises_counts(db: Database) -> None:
    place = uuid4()

    async def follow(*records: StateRecord) -> str | None:
        async with db.transaction() as tx:
            await premises(tx, records)
        async with db.read() as tx:
            found = await get(tx, place)
        return found.address if found else None

    assert await follow(state(place, "5.9", address="nine")) == "nine"
    assert await follow(state(place, "5.10", address="ten")) == "ten"
    assert await follow(state(place, "5.9", address="nine again")) == "ten"
    assert await follow(state(place, "6.1", address="new epoch")) == "new epoch"
    assert await follow(state(place, "6.2", address="a"), state(place, "6.3", address="b")) == "b"
    gone = StateRecord(FakeKafkaRecord(str(place), None))  # type: ignore[arg-type]
    assert await follow(gone) is None
    assert await follow(state(place, "6.4", address="back")) == "back"


async def test_the_headcount_survives_a_new_version_of_premises(clerk: Desk, db: Database) -> None:
    await clerk.arrive()
    async with db.transaction() as tx:
        await premises(tx, [state(HOTEL.premises_id, "9.9", division_code="330199001")])
    await clerk.arrive(room="1")
    assert [each["headcount"] for each in await emitted(db, "registration.occupancy")] == [1, 2]


async def test_units_are_published_when_they_differ(db: Database) -> None:
    city = Unit("city", "云汀市", "City", "city", None, ("330199",), ("manager",))
    station = Unit("station-09", "九所", "Nine", "police_station", "city", ("330199009",), ("clerk",))

    async def load(*units: Unit) -> list[tuple[str, str | None]]:
        seen = len(await emitted(db, "registration.units"))
        async with db.transaction() as tx:
            await load_units(tx, units)
        return [(each["key"], each.get("version")) for each in (await emitted(db, "registration.units"))[seen:]]

    changes = dict(await load(city, station))
    assert changes["city"] is not None
    assert changes["city"].endswith(".2")
    assert changes["station-09"] is not None
    assert changes["station-01"] is None
    assert await load(city, station) == []
    ((key, version),) = await load(city, replace(station, areas=("330199010",)))
    assert key == "station-09"
    assert version is not None
    assert version.endswith(".2")


async def test_migrations_and_tables_say_the_same(db: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        ours = set(tables.metadata.tables)
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, parents: kind != "table" or name in ours, "compare_type": True},
        )
        return list(compare_metadata(context, tables.metadata))

    async with db.read() as tx:
        assert await tx.connection.run_sync(differences) == []


BAD_STATES = [
    "UPDATE stays SET departed_at = '2000-01-01', matching_key_id = NULL, matching_token = NULL",
    "UPDATE stays SET expected_until = arrived_at",
    "UPDATE stays SET departed_at = arrived_at",
    "UPDATE stays SET misread = 'date'",
    "UPDATE stays SET matching_key_id = NULL",
    "UPDATE stays SET matching_key_id = NULL, matching_token = NULL, expiry_token = 'x'",
    "UPDATE stays SET days_late = -1",
    "UPDATE occupancy SET headcount = -1",
    "INSERT INTO persons SELECT gen_random_uuid(), lookup_key_id, lookup_token, false FROM persons",
    "UPDATE units SET parent = unit_id",
]


async def test_the_database_refuses_bad_states(clerk: Desk, db: Database, subtests: pytest.Subtests) -> None:
    await clerk.arrive()
    for statement in BAD_STATES:
        with subtests.test(statement=statement), pytest.raises(IntegrityError):
            async with db.transaction() as tx:
                await tx.execute(sa.text(statement))
