"""The commands of repair as an administrator types them: what they print, what they refuse, what is so afterwards."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from confluent_kafka import TopicPartition
from typer.testing import Result

from anju.topics import declared
from chassis.data.db import Database
from chassis.data.tables import audit_entries
from chassis.events import histories, logs, reading, recovery, relay
from chassis.events.published import Published
from chassis.events.tables import consumer_positions, outbox
from services.registration import published
from tests.command_line import anju, document, refused
from tests.kafka.conftest import Service, Services, made_anew, running, with_events
from tests.parts import Kafka, Postgres
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.usefixtures("own_logging")]
EVENTS = 6
Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens within a minute happens within a second."""
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(relay, "MEASURE_SECONDS", 0.5)
    monkeypatch.setattr(relay, "REFUSAL_SECONDS", 0.2)
    monkeypatch.setattr(histories, "LOOK_BACK_SECONDS", 0.5)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(recovery, "LOCK_SECONDS", 2.0)
    monkeypatch.setattr(logs, "ANSWER_SECONDS", 2.0)


@pytest.fixture
async def service(new_service: Services, monkeypatch: pytest.MonkeyPatch) -> Service:
    """What stands for registration: it has published EVENTS events of one key and read none."""

    async def named(*, partitions: int = 3) -> Service:
        return replace(await new_service(partitions=partitions), name="registration")

    made = await with_events(named, EVENTS)
    monkeypatch.setattr(published, "PUBLISHED", Published(histories=(made.topic,)))
    its = declared.Topic(owner="registration", kind="history", key="id", partitions=1, retention_days=7, readers=())
    monkeypatch.setattr(declared, "read_topics", lambda: {made.topic: its})
    for name, value in (
        ("DATABASE_URL", made.db._url),
        ("KAFKA_BOOTSTRAP", made.kafka.bootstrap),
        ("KAFKA_USERNAME", made.kafka.username),
        ("KAFKA_PASSWORD", made.kafka.secret),
    ):
        monkeypatch.setenv(f"ANJU_REGISTRATION_{name}", value)
    return made


async def noted(service: Service) -> list[tuple[str, str]]:
    """Actions and subjects of the audit log."""
    async with service.db.read() as tx:
        rows = await tx.all(sa.select(audit_entries).order_by(audit_entries.c.id))
    return [(row.action, row.subject) for row in rows]


async def epoch_of(service: Service) -> int:
    async with service.db.read() as tx:
        epoch: int = await tx.scalar(sa.text("SELECT epoch FROM outbox_epoch"))
    return epoch


async def test_recover_after_a_restore(postgres: Postgres, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.db.dispose()
    backup = await postgres.copy_of(service.db._url)
    async with running(service.relay(), service.consumers()):
        for _ in range(2):
            await service.write(["a"])
        await until(service.all_arrived)
    monkeypatch.setenv("ANJU_REGISTRATION_DATABASE_URL", backup)
    restored = replace(service, db=Database(backup, service="test"), written=dict(service.written))
    before = await epoch_of(restored)
    sender = restored.relay()
    async with running(sender):
        await until(lambda: any("`anju recover registration`" in each for each in sender.health()))
        await restored.write(["a"])
        told = await anju("recover", "registration")
        assert (told.exit_code, told.stderr) == (0, "")
        await until(lambda: sender.health() == [])
        await until(lambda: _sent(restored))
    assert f"registration: epoch {await epoch_of(restored)} begins, after {before}\n" in told.stdout
    assert "1 unsent events get new numbers" in told.stdout
    (unknown,) = [line.split() for line in told.stdout.splitlines() if line.startswith(service.topic)]
    assert unknown == [service.topic, "0", "2", f"{before}.{EVENTS + 2}"]
    again = await document("recover", "registration")
    assert (again["service"], again["unknown"], again["again"], again["states"]) == ("registration", [], 0, [])
    assert again["epoch"] > again["epoch_before"] == await _epoch_before(told)
    assert await noted(restored) == [("events.recovered", "registration")] * 2
    await restored.db.dispose()


async def _sent(service: Service) -> bool:
    async with service.db.read() as tx:
        return bool(await tx.scalar(sa.text("SELECT sent > :events FROM relay_mark").bindparams(events=EVENTS)))


async def _epoch_before(told: Result) -> int:
    return int(told.stdout.split(" epoch ")[1].split()[0])


async def test_recover_beside_a_relay_that_sends(service: Service) -> None:
    before = await epoch_of(service)
    async with running(service.relay()):
        await service.write(["a"])
        await until(service.all_sent)
        refused(
            await anju("recover", "registration"),
            "the relay of registration sends, so Kafka is not ahead of its database;"
            " stop every worker of registration if you want to begin a new epoch all the same.",
        )
    assert await epoch_of(service) == before
    assert await noted(service) == []


async def test_recover_names_what_a_reader_lost(kafka: Kafka, service: Service) -> None:
    await _overtaken(kafka, service)
    told = await anju("recover", "registration")
    assert told.exit_code == 0
    (place,) = [line.split() for line in told.stdout.splitlines() if line.startswith(service.group)]
    assert place == [service.group, service.topic, "0", "2", "5", str(EVENTS), "behind-start"]
    assert f"lost, until `anju consumers accept-loss registration {service.topic} 0`" in told.stdout


async def _overtaken(kafka: Kafka, service: Service) -> None:
    """A reader stopped after two records; retention took everything before the sixth."""
    async with service.db.transaction() as tx:
        row = {"group": service.group, "topic": service.topic, "partition": 0, "next_offset": 2, "sequence": 2}
        row["epoch"] = await tx.scalar(sa.text("SELECT epoch FROM outbox_epoch"))
        await tx.execute(sa.insert(consumer_positions).values(row))
    place = TopicPartition(service.topic, 0, 5)
    await asyncio.to_thread(kafka.admin.delete_records([place])[place].result, 30)


SILENT = [
    (("recover", "registration"), "Kafka does not answer; run it again when it does."),
    (("consumers", "accept-loss", "registration", "{topic}", "0"), "Kafka does not answer."),
    (("consumers", "accept-loss", "registration", "{topic}", "0", "--dry-run"), "Kafka does not answer."),
    (("consumers", "status", "registration"), "Kafka does not answer."),
]


@pytest.mark.parametrize(("words", "sentence"), SILENT, ids=[" ".join(words) for words, _ in SILENT])
async def test_without_kafka_nothing_is_changed(
    kafka: Kafka, service: Service, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], sentence: str
) -> None:
    await _overtaken(kafka, service)
    monkeypatch.setenv("ANJU_REGISTRATION_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    before, places = await epoch_of(service), await service.positions()
    refused(await anju(*(word.format(topic=service.topic) for word in words)), sentence)
    assert (await epoch_of(service), await service.positions(), await noted(service)) == (before, places, [])


async def test_republish_mends_a_gap(service: Service) -> None:
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await until(service.all_arrived)
        async with service.db.transaction() as tx:
            # The reader believes that it has read on while it took nothing, and no look at the log's start helps it.
            await tx.execute(sa.text("UPDATE consumer_positions SET claim = claim + 1, sequence = 3"))
            await tx.execute(sa.text("DELETE FROM effects WHERE number > 3"))
        histories.LOOK_BACK_SECONDS = 1e9
        await service.write(["a"])
        await until(lambda: _gap(service))
        missing = f"{await epoch_of(service)}.4"
        words = ("outbox", "republish", "registration", service.topic, "--partition", "0", "--from", missing)
        told = await anju(*words)
        assert (told.exit_code, told.stderr) == (0, "")
        assert told.stdout.splitlines()[1].split() == ["0", missing, "4"]
        await until(service.all_arrived)
        await service.check()
        await until(lambda: consumers.health() == [])
        # What the reader has it drops, so whoever is not sure may ask for all of it.
        asked = await document("outbox", "republish", "registration", service.topic)
        assert asked == [{"partition": 0, "first": f"{await epoch_of(service)}.1", "count": EVENTS + 1}]
        await until(lambda: _no_wish(service))
        await service.check()
    assert await noted(service) == [("events.republished", service.topic)] * 2


async def _gap(service: Service) -> bool:
    return any(row.gap_since is not None for row in (await service.positions()).values())


async def _no_wish(service: Service) -> bool:
    async with service.db.read() as tx:
        return bool(await tx.scalar(sa.text("SELECT count(again_sequence) FROM relay_partitions")) == 0)


async def test_republish_refuses_what_it_cannot_do(service: Service) -> None:
    other = await anju("outbox", "republish", "registration", "registration.occupancy")
    refused(
        other,
        "registration.occupancy is no history of registration;"
        " states come right by themselves, at the worker's next start.",
    )
    for word in ("4", "0.0", "x.y"):
        wrong = await anju("outbox", "republish", "registration", service.topic, "--from", word)
        assert wrong.exit_code == 2
        assert "a number is epoch.sequence, such as 1764000000.42" in wrong.stderr
    epoch = await epoch_of(service)
    none = await anju("outbox", "republish", "registration", service.topic, "--from", f"{epoch}.{EVENTS + 1}")
    assert none.exit_code == 1
    assert f"the outbox of registration keeps nothing of {service.topic} from {epoch}.{EVENTS + 1} on" in none.stderr
    async with service.db.transaction() as tx:
        await tx.execute(sa.delete(outbox).where(outbox.c.sequence <= 2))
    late = await anju("outbox", "republish", "registration", service.topic, "--from", f"{epoch}.1", "--json")
    assert late.exit_code == 1
    assert json.loads(late.stdout) == [{"partition": 0, "first": f"{epoch}.3", "count": EVENTS - 2}]
    assert late.stderr == f"anju: kept only from {epoch}.3 on: what was before it is lost for its readers.\n"


async def test_a_publishers_loss_is_shown_until_it_is_accepted(kafka: Kafka, service: Service) -> None:
    async with service.db.transaction() as tx:
        await tx.execute(sa.delete(outbox).where(outbox.c.sequence <= 5))
    await made_anew(kafka, service.topic, partitions=1)
    sender = service.relay()
    async with running(sender):
        await until(lambda: any("`anju outbox accept-loss registration`" in each for each in sender.health()))
        shown = await anju("outbox", "status", "registration")
        row = shown.stdout.splitlines()[1].split()
        assert (row[0], row[-1]) == ("registration", "5")
        lost = {"topic": service.topic, "partition": 0, "lost": 5}
        assert (await document("outbox", "status", "registration"))["lost"] == [lost]
        accepted = await anju("outbox", "accept-loss", "registration")
        assert (accepted.exit_code, accepted.stdout.splitlines()[1].split()) == (0, [service.topic, "0", "5"])
        await until(lambda: sender.health() == [])
    assert await document("outbox", "accept-loss", "registration") == []
    assert (await document("outbox", "status", "registration"))["lost"] == []
    assert await noted(service) == [("events.loss-accepted", service.topic)]


async def test_a_readers_loss_is_looked_at_and_then_accepted(kafka: Kafka, service: Service) -> None:
    await _overtaken(kafka, service)
    (place,) = await document("consumers", "status", "registration")
    assert place["lost"] == "records 2 to 4 were removed before they were read", place
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await until(lambda: any("lost to retention" in each for each in consumers.health()))
        epoch = await epoch_of(service)
        lost = f"{service.topic}[0] read as {service.group}: 3 records are lost after {epoch}.2"
        goes_on = f"with {epoch}.6 at offset 5"
        places = await service.positions()
        looked = await anju("consumers", "accept-loss", "registration", service.topic, "0", "--dry-run")
        assert looked.stdout == f"{lost} (3 places of the log removed unread); it would go on {goes_on}\n"
        assert await service.positions() == places
        assert await noted(service) == []
        done = await anju("consumers", "accept-loss", "registration", service.topic, "0")
        assert (done.exit_code, done.stdout) == (0, looked.stdout.replace("would go on", "goes on"))
        await until(lambda: service.has(1))
        await until(lambda: consumers.health() == [])
        assert await service.effects() == [("a", EVENTS)]
        refused(
            await anju("consumers", "accept-loss", "registration", service.topic, "0"),
            f"{service.topic}[0] misses nothing: its reader goes on at offset {EVENTS}.",
        )
    refused(
        await anju("consumers", "accept-loss", "registration", "no.such-topic", "0"),
        "No reader of this service has a place in no.such-topic[0].",
    )
    assert await noted(service) == [("events.loss-accepted", service.topic)]


@pytest.mark.parametrize(
    "words", [("recover", "nobody"), ("outbox", "accept-loss", "nobody"), ("consumers", "status", "nobody")]
)
async def test_a_service_that_is_none(words: tuple[str, ...]) -> None:
    wrong = await anju(*words)
    assert wrong.exit_code == 2
    assert "one of registration, housing, alerts, reporting" in wrong.stderr.replace("│", "").replace("\n", "")
