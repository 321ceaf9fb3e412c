"""One trace from a request through outbox, relay and Kafka to the consumer, as a real collector receives it."""

from collections.abc import Iterator

import pytest

from chassis.run import tracing
from tests.collector import Collector, Seen, black_hole, collecting
from tests.kafka.conftest import Services, running
from tests.kafka.registry import Registry
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LATER = CALLER.replace("0af7", "1af7")
KEY = "a-key-that-nobody-may-read"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector to which this process sends the spans of traces that callers sample."""
    with collecting() as there:
        tracing.configure("test", 0.0, there.endpoint)
        yield there
        tracing.close(10.0)


def chain(collector: Collector, *names: str) -> list[Seen]:
    """Spans of these names, each the child of the one before it; they say nothing beside their names."""
    spans = [collector.named(name) for name in names]
    assert [each.parent_id for each in spans] == [CALLER[36:52], *(each.span_id for each in spans[:-1])]
    assert {each.trace_id for each in spans} == {CALLER[3:35]}
    assert {each.attributes for each in collector.spans} == {0}
    assert KEY.encode() not in b"".join(collector.bodies)
    return spans


async def test_a_history_from_request_to_consumer(collector: Collector, new_service: Services) -> None:
    service = await new_service(partitions=1)
    async with running(service.relay(), service.consumers()):
        with tracing.span("POST /things", CALLER, "server"):
            await service.write([KEY])
        await until(service.all_arrived)
        receive = f"receive {service.topic}"
        await until(lambda: collector.has(receive, "outbox"))
        spans = chain(collector, "POST /things", "outbox", f"send {service.topic}", receive)
        assert [each.kind for each in spans] == ["server", "internal", "producer", "consumer"]


async def test_a_state_from_request_to_consumer(collector: Collector, registry: Registry) -> None:
    """A reader that begins anew meets old records again: their traces are over, and get no new spans."""
    async with running(registry.relay()):
        async with running(registry.consumers()):
            await registry.change(KEY, "first")
            await until(lambda: _kept(registry, {KEY: "first"}))
            with tracing.span("POST /things", CALLER, "server"):
                await registry.change(KEY, "second")
            await until(lambda: _kept(registry, {KEY: "second"}))
            receive = f"receive {registry.topic}"
            await until(lambda: collector.has(receive, "outbox"))
            chain(collector, "POST /things", "outbox", f"send {registry.topic}", receive)
        async with running(registry.consumers()):
            with tracing.span("POST /things", LATER, "server"):
                await registry.change("other", "first")
            await until(lambda: _kept(registry, {KEY: "second", "other": "first"}))
            # The new record's span is the last to come: one of the old record would have come before it.
            await until(lambda: collector.traces(receive) == [CALLER[3:35], LATER[3:35]])


async def _kept(registry: Registry, names: dict[str, str]) -> bool:
    return await registry.kept() == names


async def test_events_flow_while_the_collector_is_away(new_service: Services) -> None:
    service = await new_service(partitions=1)
    with black_hole() as endpoint:
        tracing.configure("test", 1.0, endpoint)
        try:
            async with running(service.relay(), service.consumers()):
                for _ in range(50):
                    with tracing.span("POST /things", CALLER, "server"):
                        await service.write([KEY])
                await until(service.all_arrived)
                await service.check()
        finally:
            tracing.close(0.0)
