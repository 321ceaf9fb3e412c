"""Sends finished spans to an OpenTelemetry collector, in a thread of its own: one that is away costs nobody a wait."""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

log = structlog.get_logger()
# It tells of every try; what matters is said once, below.
logging.getLogger(OTLPSpanExporter.__module__).disabled = True

# What waits for a collector that is away; the oldest go first. A span takes about a kilobyte.
QUEUE = 2048
BATCH = 512
# A trace is on the screen of whoever looks for it within seconds.
EVERY_SECONDS = 1.0
# Tries and pauses of one batch together; the queue takes what is finished meanwhile.
TRY_SECONDS = 5.0


class _Told(SpanExporter):
    """Says once when a collector is lost and once when it is back, instead of at every batch."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; what a collector does not take is dropped."""
        result = self._exporter.export(spans)
        lost = result is not SpanExportResult.SUCCESS
        if lost != self._lost:
            self._lost = lost
            if lost:
                log.warning("traces-not-exported", count=len(spans))
            else:
                log.info("traces-exported-again", count=len(spans))
        return result

    def shutdown(self) -> None:
        """Give up what is under way."""
        self._exporter.shutdown()


def processor(endpoint: str) -> BatchSpanProcessor:
    """Return what takes finished spans to the collector at `endpoint`, the base address of OTLP over HTTP."""
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=TRY_SECONDS)
    return BatchSpanProcessor(
        _Told(exporter),
        max_queue_size=QUEUE,
        max_export_batch_size=BATCH,
        schedule_delay_millis=EVERY_SECONDS * 1000,
    )
