"""Dead letters: a record that cannot be handled is put aside, the rest is not delayed, and a person mends it."""

from typing import Any

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer

from chassis.events.dead_letters import DeadLetterError, count_open, discard, list_, replay, show
from chassis.events.tables import dead_letters
from chassis.run import metrics
from tests.kafka.conftest import Service, Services, running
from tests.waiting import until


async def _with_a_broken_record(new_service: Services) -> Service:
    """A service that has read a, a broken record, and b."""
    service = await new_service(partitions=1)
    async with running(service.relay(), service.consumers()):
        await service.write(["a"])
        await service.write(["x"], broken=True)
        await service.write(["a", "b"])
        await until(lambda: _has(service, 3))
    await service.check(without=[("x", 1)])
    return service


async def _has(service: Service, effects: int) -> bool:
    return len(await service.effects()) == effects


async def test_a_broken_record_is_put_aside_and_the_rest_goes_on(new_service: Services) -> None:
    service = await _with_a_broken_record(new_service)
    (letter,) = await list_(service.db)
    assert (letter.topic, letter.partition, letter.offset, letter.reason) == (service.topic, 0, 1, "broken")
    assert letter.sequence is not None
    assert letter.sequence.endswith(".2")
    assert await count_open(service.db) == {service.topic: 1}
    place = (await service.positions())[0]
    assert (place.next_offset, place.sequence) == (4, 4)

    shown = await show(service.db, service.kafka, letter.id)
    assert (shown.found, shown.type, shown.letter) == (True, "anju.test.counted.v1", letter)


async def test_the_count_is_a_metric(new_service: Services) -> None:
    service = await _with_a_broken_record(new_service)
    gauge = metrics.DEAD_LETTERS.labels(service.topic)
    async with running(service.consumers()):
        await until(lambda: gauge._value.get() == 1)


async def test_replay_after_the_mend(new_service: Services) -> None:
    service = await _with_a_broken_record(new_service)
    (letter,) = await list_(service.db)
    how = service.consumers().replay_of
    with pytest.raises(DeadLetterError, match="fails again: broken"):
        await replay(service.db, service.kafka, letter.id, how)
    assert [each.state for each in await list_(service.db)] == ["open"]

    service.mended = True
    await replay(service.db, service.kafka, letter.id, how)
    assert await list_(service.db) == []
    (closed,) = await list_(service.db, state=None)
    assert (closed.state, closed.closed_at is not None) == ("replayed", True)
    with pytest.raises(DeadLetterError, match="is closed"):
        await replay(service.db, service.kafka, letter.id, how)
    await service.check()

    # The place did not move, and what follows is read as before.
    async with running(service.relay(), service.consumers()):
        await service.write(["x"])
        await until(service.all_arrived)
        await service.check()


async def test_discard(new_service: Services) -> None:
    service = await _with_a_broken_record(new_service)
    (letter,) = await list_(service.db)
    await discard(service.db, letter.id)
    assert [each.state for each in await list_(service.db, state=None)] == ["discarded"]
    with pytest.raises(DeadLetterError, match="is closed"):
        await discard(service.db, letter.id)
    await service.check(without=[("x", 1)])


async def test_another_record_than_the_pointer_means_is_refused(new_service: Services) -> None:
    service = await _with_a_broken_record(new_service)
    (letter,) = await list_(service.db)
    service.mended = True
    async with service.db.transaction() as tx:
        await tx.execute(sa.update(dead_letters).values(offset=0))
    with pytest.raises(DeadLetterError, match="Another record stands there"):
        await replay(service.db, service.kafka, letter.id, service.consumers().replay_of)
    async with service.db.transaction() as tx:
        await tx.execute(sa.update(dead_letters).values(offset=99))
    with pytest.raises(DeadLetterError, match="no longer in the log"):
        await replay(service.db, service.kafka, letter.id, service.consumers().replay_of)
    with pytest.raises(DeadLetterError, match="There is no dead letter"):
        await replay(service.db, service.kafka, letter.id + 1, service.consumers().replay_of)
    await service.check(without=[("x", 1)])


async def test_what_has_no_number_is_mended_by_publishing_it_again(new_service: Services) -> None:
    service = await new_service(partitions=1)
    producer = AIOKafkaProducer(**service.kafka.connection("stranger", 5000))
    await producer.start()
    await producer.send_and_wait(service.topic, b"\xff\x00", key=b"?")
    await producer.stop()
    async with running(service.relay(), service.consumers()):
        await service.write(["a"])
        await until(service.all_arrived)
    (letter,) = await list_(service.db)
    assert (letter.reason, letter.sequence) == ("unreadable-sequence", None)
    with pytest.raises(DeadLetterError, match="publish it again"):
        await replay(service.db, service.kafka, letter.id, service.consumers().replay_of)
    shown = await show(service.db, service.kafka, letter.id)
    assert (shown.found, shown.type, shown.size) == (True, None, 2)


async def test_a_bad_record_leaves_nothing_behind(new_service: Services) -> None:
    """What it wrote and emitted before its fault was seen is undone with it."""
    service = await new_service(partitions=1)
    handle = service.handle

    async def write_first(tx: Any, record: Any) -> Any:
        tx.emit(service.emission("echo", 1))
        await handle(tx, record)

    service.handle = write_first  # type: ignore[method-assign]
    async with running(service.consumers()):
        async with service.db.transaction() as tx:
            tx.emit(service.emission("x", 1, broken=True))
        async with running(service.relay()):
            await until(lambda: _closed_or_open(service))
            async with service.db.read() as tx:
                count = await tx.scalar(sa.text("SELECT count(*) FROM outbox"))
    assert count == 1


async def _closed_or_open(service: Service) -> bool:
    return bool(await list_(service.db, state=None))
