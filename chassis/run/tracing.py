"""The trace of one piece of work: from a request through outbox, relay and consumer, into logs and to a collector."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
# Until `configure` nothing is recorded and a trace that came with an event goes through unchanged.
_tracer = trace.NoOpTracer()
_provider: TracerProvider | None = None

Kind = Literal["internal", "server", "producer", "consumer"]


class _SpanLog(SpanProcessor):
    """Writes each finished span as a log line: a trace is read with the same tool as everything else."""

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None or span.start_time is None or span.end_time is None:
            return
        structlog.get_logger().info(
            "span",
            span=span.name.replace(" ", ":"),  # a value of a log line is one word
            trace_id=f"{context.trace_id:032x}",
            span_id=f"{context.span_id:016x}",
            parent_id=f"{span.parent.span_id:016x}" if span.parent else None,
            seconds=(span.end_time - span.start_time) / 1e9,
        )


def configure(service: str, ratio: float, endpoint: str = "") -> None:
    """Sample `ratio` of the traces that start here; a trace that comes with its decision keeps it.

    Attributes, events and exceptions are not recorded: they would carry what the logs must not. With `endpoint`, the
    base address of a collector (OTLP over HTTP), spans go there too.
    """
    global _tracer, _provider
    close(0.0)
    _provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource({"service.name": service}),
        shutdown_on_exit=False,
    )
    _provider.add_span_processor(_SpanLog())
    if endpoint:
        from chassis.run import collector  # 0.1 s of a start that most processes do not need

        _provider.add_span_processor(collector.processor(endpoint))
    _tracer = _provider.get_tracer("anju")  # type: ignore[assignment]


def close(seconds: float) -> None:
    """Send what is finished, for at most so long, and record nothing more."""
    global _tracer, _provider
    if _provider is not None:
        # Its own end waits for a collector as long as the collector likes.
        ending = threading.Thread(target=_provider.shutdown, name="end of tracing", daemon=True)
        ending.start()
        ending.join(seconds)
    _tracer, _provider = trace.NoOpTracer(), None


@contextmanager
def span(name: str, traceparent: str | None = None, kind: Kind = "internal") -> Iterator[None]:
    """Do a piece of work as a span: below `traceparent` (W3C Trace Context) where given, else below the current one.

    `name` is of the code (a route's template, a topic), never of the data. A malformed one starts a new trace.
    """
    if traceparent is None and _is_not_sampled(trace.get_current_span()):
        # Nothing below it would be sampled either: a span that nobody sees costs as much as a statement.
        yield
        return
    with (
        _begun(name, traceparent, kind) as begun,
        trace.use_span(begun, record_exception=False, set_status_on_exception=False),
    ):
        yield


@contextmanager
def aside(name: str, traceparent: str, kind: Kind) -> Iterator[str]:
    """Do a piece of work that belongs to many traces as a span of this one; give the span as a `traceparent`."""
    with _begun(name, traceparent, kind) as begun:
        yield _traceparent(begun) or traceparent


@contextmanager
def _begun(name: str, traceparent: str | None, kind: Kind) -> Iterator[Span]:
    parent = _propagator.extract({"traceparent": traceparent}, context=Context()) if traceparent else None
    begun = _tracer.start_span(
        name, parent, SpanKind[kind.upper()], record_exception=False, set_status_on_exception=False
    )
    try:
        yield begun
    finally:
        begun.end()


def _is_not_sampled(above: Span) -> bool:
    context = above.get_span_context()
    return context.is_valid and not context.trace_flags.sampled


def rename(name: str) -> None:
    """Give the current span the name that is known only now, such as the route that a request met."""
    trace.get_current_span().update_name(name)


def current_traceparent() -> str | None:
    """Return the current span as a `traceparent`, if it is sampled: what the outbox stores with an event."""
    return _traceparent(trace.get_current_span())


def _traceparent(of: Span) -> str | None:
    context = of.get_span_context()
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def current_trace_id() -> str | None:
    """Return the current trace's id, sampled or not, for a log line or a problem that a user reports."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None
