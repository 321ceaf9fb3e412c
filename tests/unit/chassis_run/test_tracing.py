"""The trace of a request reaches the outbox, its logs and a collector, when it is sampled; and costs nobody a wait."""

import threading
import time
from collections.abc import Iterator

import pytest
from opentelemetry import trace

from chassis.run import collector, logs, tracing
from tests.collector import black_hole, collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED, UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-01", f"00-{TRACE}-b7ad6b7169203331-00"


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """A process that samples nothing of its own."""
    before = set(threading.enumerate())
    tracing.configure("demo", 0.0)
    yield
    tracing.close(0.0)
    # A thread that still retries draws from `random`, under the hands of the next test's hypothesis.
    for each in set(threading.enumerate()) - before:
        each.join(4 * collector.TRY_SECONDS)
        assert not each.is_alive(), each.name


def test_a_sampled_trace_goes_on_under_its_id() -> None:
    with tracing.span("request", SAMPLED):
        assert tracing.current_trace_id() == TRACE
        outer = tracing.current_traceparent()
        assert outer is not None
        assert outer.startswith(f"00-{TRACE}-")
        assert outer != SAMPLED
        with tracing.span("inner"):
            assert tracing.current_traceparent() not in (outer, None)
    assert tracing.current_traceparent() is None


def test_an_unsampled_trace_is_not_stored() -> None:
    with tracing.span("request", UNSAMPLED):
        assert tracing.current_trace_id() == TRACE
        assert tracing.current_traceparent() is None


def test_below_an_unsampled_span_no_other_is_made() -> None:
    with tracing.span("request", UNSAMPLED):
        above = trace.get_current_span()
        with tracing.span("inner"):
            assert trace.get_current_span() is above


@pytest.mark.parametrize(
    "malformed", ["", "nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01", "00-" + "z" * 50, "é" * 60]
)
def test_a_malformed_one_starts_a_new_trace(malformed: str) -> None:
    with tracing.span("request", malformed):
        assert tracing.current_trace_id() not in (TRACE, None)


def test_the_log_line_of_a_span_has_its_name_and_no_message_of_an_exception(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("demo", "web")
    with pytest.raises(ValueError, match="hunter2"), tracing.span("request", SAMPLED):
        tracing.rename("POST /api/v1/stays/{stay_id}")
        raise ValueError("hunter2")
    out = capsys.readouterr().out
    assert TRACE in out
    assert '"span":"POST:/api/v1/stays/{stay_id}"' in out
    assert "hunter2" not in out


def test_a_process_that_traces_nothing_passes_a_trace_on() -> None:
    tracing.close(0.0)
    with tracing.aside("send", SAMPLED, "producer") as told:
        assert told == SAMPLED


def test_without_the_setting_nothing_leaves_the_process() -> None:
    with collecting() as there:
        with tracing.span("request", SAMPLED):
            pass
        tracing.close(5.0)
    assert there.bodies == []


def test_with_the_setting_spans_come_whole_and_say_nothing_but_their_name() -> None:
    with collecting() as there:
        tracing.configure("demo", 0.0, f"{there.endpoint}/")
        with pytest.raises(ValueError, match="hunter2"), tracing.span("request", SAMPLED, "server"):
            tracing.rename("POST /arrivals")
            with tracing.aside("send topic", str(tracing.current_traceparent()), "producer"):
                raise ValueError("hunter2")
        with tracing.span("request", UNSAMPLED, "server"):
            pass
        tracing.close(10.0)
    outer, inner = there.named("POST /arrivals"), there.named("send topic")
    assert len(there.spans) == 2
    assert (outer.service, outer.kind, outer.trace_id, outer.parent_id) == ("demo", "server", TRACE, SAMPLED[36:52])
    assert (inner.kind, inner.trace_id, inner.parent_id) == ("producer", TRACE, outer.span_id)
    assert [each.attributes for each in there.spans] == [0, 0]
    assert b"hunter2" not in b"".join(there.bodies)


def test_a_collector_that_never_answers_holds_nobody_up_and_is_given_up_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More spans than the queue takes: each is done at once, the oldest are dropped, and so is the wait at the end."""
    monkeypatch.setattr(collector, "TRY_SECONDS", 2.0)
    with black_hole() as endpoint:
        tracing.configure("demo", 0.0, endpoint)
        for _ in range(collector.QUEUE + 2 * collector.BATCH):
            before = time.monotonic()
            with tracing.span("request", SAMPLED, "server"):
                pass
            assert time.monotonic() - before < collector.TRY_SECONDS, "no span waited for one try of the collector"
        before = time.monotonic()
        tracing.close(0.2)
        assert time.monotonic() - before < collector.TRY_SECONDS
    with tracing.span("request", SAMPLED):
        assert tracing.current_traceparent() == SAMPLED


def test_a_lost_collector_is_said_once_and_its_return_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "TRY_SECONDS", 0.2)
    logs.configure("demo", "web")
    with collecting() as there:
        there.status = 503
        sending = collector.processor(there.endpoint)
        tracing.configure("demo", 0.0)
        assert tracing._provider is not None
        tracing._provider.add_span_processor(sending)
        for status in (503, 503, 200, 200):
            there.status = status
            with tracing.span("request", SAMPLED):
                pass
            sending.force_flush()
    told = [line for line in capsys.readouterr().out.splitlines() if "traces-" in line]
    assert [("not-exported" in line, "exported-again" in line) for line in told] == [(True, False), (False, True)]
    assert len(there.spans) == 2
