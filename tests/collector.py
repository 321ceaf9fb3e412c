"""An OpenTelemetry collector for tests: a real server that takes traces by OTLP over HTTP and keeps them."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True, slots=True)
class Seen:
    """One span as it came. `attributes` counts what it carries beside its name: attributes, events, a status's text."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: int


@dataclass
class Collector:
    """What was sent, and where to."""

    endpoint: str = ""
    spans: list[Seen] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    status: int = 200

    def named(self, name: str) -> Seen:
        """The only span of this name."""
        (found,) = [each for each in self.spans if each.name == name]
        return found

    def traces(self, name: str) -> list[str]:
        """Traces of the spans of this name."""
        return [each.trace_id for each in self.spans if each.name == name]

    def has(self, *names: str) -> bool:
        """Whether spans of these names came."""
        return set(names) <= {each.name for each in self.spans}

    def take(self, body: bytes) -> None:
        """Read one request."""
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert set(names) == {"service.name"}
            self.spans += [_seen(names["service.name"], span) for scope in resource.scope_spans for span in scope.spans]


def _seen(service: str, span: Span) -> Seen:
    more = len(span.attributes) + len(span.events) + len(span.links) + len(span.status.message)
    kind = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
    return Seen(service, span.name, kind, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), more)


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector; with another `status` it answers that and keeps nothing."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            assert self.headers["content-type"] == "application/x-protobuf"
            if collector.status == 200:
                collector.take(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def black_hole() -> Iterator[str]:
    """The address of a collector that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
