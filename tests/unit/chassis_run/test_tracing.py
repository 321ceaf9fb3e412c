"""The trace of a request reaches the outbox, and its logs, when it is sampled."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from chassis.run import tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED, UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-01", f"00-{TRACE}-b7ad6b7169203331-00"


@pytest.fixture(autouse=True, scope="module")
def configured() -> None:
    """A process that samples nothing of its own."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        tracing.configure("demo", 0.0)


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


@pytest.mark.parametrize(
    "malformed", ["", "nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01", "00-" + "z" * 50, "é" * 60]
)
def test_a_malformed_one_starts_a_new_trace(malformed: str) -> None:
    with tracing.span("request", malformed):
        assert tracing.current_trace_id() not in (TRACE, None)


def test_the_log_line_of_a_span_has_no_message_of_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    from chassis.run import logs

    logs.configure("demo", "web")
    with pytest.raises(ValueError, match="hunter2"), tracing.span("request", SAMPLED):
        raise ValueError("hunter2")
    out = capsys.readouterr().out
    assert TRACE in out
    assert '"span":"request"' in out
    assert "hunter2" not in out
