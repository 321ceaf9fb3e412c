"""A bare HTTP/1.1 client: a request costs it a few dozen microseconds, so that it is not what is measured."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

# A list of 200 rows is a quarter of a megabyte.
LARGEST_LINE = 2**20


class StreamRefused(Exception):
    """The stream was answered with another status than 200."""


@dataclass(slots=True)
class Connection:
    """One kept-alive connection; one request at a time."""

    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to this machine."""
        return cls(port, *await asyncio.open_connection("127.0.0.1", port, limit=LARGEST_LINE))

    async def request(self, method: str, path: str, headers: bytes, body: bytes = b"") -> tuple[int, bytes]:
        """Send, and return status and body of an answer that says its length."""
        message = b"%s %s HTTP/1.1\r\nhost: bench\r\ncontent-length: %d\r\n%s\r\n%s"
        self.writer.write(message % (method.encode(), path.encode(), len(body), headers, body))
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            # It rested for longer than a server keeps a connection: no answer began, so it is asked again.
            again = await Connection.open(self.port)
            self.close()
            self.reader, self.writer = again.reader, again.writer
            self.writer.write(message % (method.encode(), path.encode(), len(body), headers, body))
            head = await self.reader.readuntil(b"\r\n\r\n")
        status, length = _head(head)
        return status, await self.reader.readexactly(length)

    async def events(self, path: str, headers: bytes) -> AsyncIterator[bytes]:
        """Open an event stream, and yield its blocks, fields as they came. Raises StreamRefused."""
        self.writer.write(b"GET %s HTTP/1.1\r\nhost: bench\r\n%s\r\n" % (path.encode(), headers))
        status, _length = _head(await self.reader.readuntil(b"\r\n\r\n"))
        if status != 200:
            raise StreamRefused(status)
        left = b""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            if not size:
                return
            *whole, left = (left + await self.reader.readexactly(size)).split(b"\n\n")
            await self.reader.readexactly(2)
            for block in whole:
                yield block

    def close(self) -> None:
        """Drop the connection."""
        self.writer.close()


def lines(headers: Mapping[str, str]) -> bytes:
    """Return headers as they are sent."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


def _head(head: bytes) -> tuple[int, int]:
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    length = int(lowered[at + 15 : lowered.index(b"\r\n", at)]) if at >= 0 else 0
    return int(head[9:12]), length
