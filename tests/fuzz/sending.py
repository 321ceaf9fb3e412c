"""One fuzzed request, how it is sent, and what came back."""

import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

SECONDS = 30.0
# Shorter than the server keeps an idle connection (5 s): of both at once, the client's next request could meet a
# connection that the server has just closed, which says nothing of the server.
KEPT_SECONDS = 2.0
# Where a body ends is the client's own matter: a request that says so itself may say it wrongly.
OF_LENGTH = {b"content-length", b"transfer-encoding"}


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
    """What came back: status 0 where no answer came, and then `text` says how it ended."""

    status: int
    media_type: str
    text: str
    raw: httpx.Response | None = None


class Sender:
    """Sends requests to one service, over one connection while that is possible."""

    def __init__(self, address: str) -> None:
        self._address = address
        kept = httpx.Limits(max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS)
        self._http = httpx.Client(timeout=SECONDS, trust_env=False, limits=kept)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, request: Request) -> Answer:
        """Send it; of an endless stream only the head is read."""
        if any(name in OF_LENGTH for name, _value in request.headers):
            return self._raw(request)  # a well-behaved client would begin to send it, and stop halfway
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
        except (httpx.RemoteProtocolError, httpx.NetworkError, httpx.TimeoutException) as error:
            return Answer(0, "", f"{type(error).__name__}: {error}")

    def _raw(self, request: Request) -> Answer:
        where = urlsplit(self._address)
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=SECONDS) as connection:
            received, ended = b"", "closed"
            try:
                connection.sendall(_written(request, where.netloc))
                # Not shut down meanwhile: whoever hangs up has left, and is answered no more.
                while not _is_endless(received) and (more := connection.recv(65536)):
                    received += more
            except (ConnectionError, TimeoutError) as error:
                ended = f"{type(error).__name__}: {error}"
        return _read(received) if received else Answer(0, "", ended)


def _written(request: Request, host: str) -> bytes:
    head = [f"{request.method} {request.target} HTTP/1.1".encode("ascii", "replace")]
    names = {name for name, _value in request.headers}
    if b"host" not in names:
        head.append(b"host: " + host.encode())
    if b"content-length" not in names:
        head.append(b"content-length: %d" % len(request.body))
    head += [name + b": " + value for name, value in request.headers]
    return b"\r\n".join([*head, b"connection: close", b"", b""]) + request.body


def _is_endless(received: bytes) -> bool:
    head, ended, _content = received.partition(b"\r\n\r\n")
    return bool(ended) and _media_type(head) == "text/event-stream"


def _read(received: bytes) -> Answer:
    head, _ended, content = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/") else 0
    return Answer(status, _media_type(head), content.decode(errors="replace"))


def _media_type(head: bytes) -> str:
    types = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-type:")]
    return types[0].partition(b":")[2].partition(b";")[0].strip().decode() if types else ""
