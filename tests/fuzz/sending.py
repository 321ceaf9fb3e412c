"""One fuzzed request, how it is sent, and what came back."""

import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

SECONDS = 30.0


@dataclass
class Request:
    """A request as bytes; `typed` is what a person or program would have put in by hand, for the search for echoes."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    typed: list[Any] = field(default_factory=list)

    def copy(self) -> "Request":
        """The same, to be changed."""
        return Request(self.method, self.target, list(self.headers), self.body, self.typed)

    def replace(self, name: bytes, value: bytes) -> None:
        """Set a header in place of all of its name."""
        self.headers = [(each, its) for each, its in self.headers if each != name] + [(name, value)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status 0 where the connection was closed without an answer."""

    status: int
    media_type: str
    text: str
    raw: httpx.Response | None = None


class Sender:
    """Sends requests to one service, over one connection while that is possible."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._http = httpx.Client(timeout=SECONDS, trust_env=False, limits=httpx.Limits(max_keepalive_connections=1))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, request: Request) -> Answer:
        """Send it; of an endless stream only the head is read."""
        try:
            with self._http.stream(
                request.method, f"{self._address}{request.target}", headers=request.headers, content=request.body
            ) as response:
                media_type = response.headers.get("content-type", "").partition(";")[0]
                endless = media_type == "text/event-stream"
                text = "" if endless else response.read().decode(errors="replace")
                return Answer(response.status_code, media_type, text, response)
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeEncodeError):
            return self._raw(request)  # what a well-behaved client refuses to write
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            return Answer(0, "", type(error).__name__)

    def _raw(self, request: Request) -> Answer:
        where = urlsplit(self._address)
        head = [f"{request.method} {request.target} HTTP/1.1".encode("ascii", "replace")]
        names = {name for name, _value in request.headers}
        if b"host" not in names:
            head.append(b"host: " + where.netloc.encode())
        if b"content-length" not in names:
            head.append(b"content-length: %d" % len(request.body))
        head += [name + b": " + value for name, value in request.headers]
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=SECONDS) as connection:
            received = b""
            try:
                connection.sendall(b"\r\n".join([*head, b"connection: close", b"", b""]) + request.body)
                connection.shutdown(socket.SHUT_WR)
                while more := connection.recv(65536):
                    received += more
            except (ConnectionError, TimeoutError) as error:
                if not received:
                    return Answer(0, "", type(error).__name__)
        lines, _end, content = received.partition(b"\r\n\r\n")
        status = int(lines.split(b" ", 2)[1]) if lines.startswith(b"HTTP/") else 0
        types = [line for line in lines.lower().split(b"\r\n") if line.startswith(b"content-type:")]
        media_type = types[0].partition(b":")[2].partition(b";")[0].strip().decode() if types else ""
        return Answer(status, media_type, content.decode(errors="replace"))
