"""The trace of one piece of work: taken from a request or an event, carried into logs and the outbox."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()


class _SpanLog(SpanProcessor):
    """Writes each finished span as a log line: a trace is read with the same tool as everything else."""

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None or span.start_time is None or span.end_time is None:
            return
        structlog.get_logger().info(
            "span",
            span=span.name,
            trace_id=f"{context.trace_id:032x}",
            span_id=f"{context.span_id:016x}",
            parent_id=f"{span.parent.span_id:016x}" if span.parent else None,
            seconds=(span.end_time - span.start_time) / 1e9,
        )


def configure(service: str, ratio: float) -> None:
    """Sample `ratio` of the traces that start here; a trace that comes with its decision keeps it.

    Attributes, events and exceptions are not recorded: they would carry what the logs must not.
    """
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource({"service.name": service}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(_SpanLog())
    trace.set_tracer_provider(provider)


@contextmanager
def span(name: str, traceparent: str | None = None) -> Iterator[None]:
    """Do a piece of work as a span: below `traceparent` (W3C Trace Context) where given, else below the current one.

    `name` is of the code (a route's template, a topic), never of the data. A malformed one starts a new trace.
    """
    parent = _propagator.extract({"traceparent": traceparent}, context=Context()) if traceparent else None
    tracer = trace.get_tracer("anju")
    with tracer.start_as_current_span(name, context=parent, record_exception=False, set_status_on_exception=False):
        yield


def rename(name: str) -> None:
    """Give the current span the name that is known only now, such as the route that a request met."""
    trace.get_current_span().update_name(name)


def current_traceparent() -> str | None:
    """Return the current span as a `traceparent`, if it is sampled: what the outbox stores with an event."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def current_trace_id() -> str | None:
    """Return the current trace's id, sampled or not, for a log line or a problem that a user reports."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None
