"""Asks the parts of a city whether they are ready, without any client library: a launcher stays small."""

import asyncio

# An answer that takes longer is as good as none: status answers soon, also while parts hang.
PROBE_SECONDS = 2.0


async def answers_ok(url: str) -> bool:
    """Whether an HTTP GET of this address (http://host:port/path) answers 200."""
    place, _, path = url.removeprefix("http://").partition("/")
    host, _, port = place.partition(":")
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(f"GET /{path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode())
                status_line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status_line.split(b" ")[1:2] == [b"200"]


async def port_answers(port: int) -> bool:
    """Whether somebody takes connections at this port of this machine."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
