"""Forwarding a department's events: repeated until the receiver has taken one, in order."""

import asyncio
import json
from pathlib import Path

import pytest

from anju.cli.subscribe import _forwarding
from anju.departments import BadPlace, Place


async def test_an_event_is_repeated_until_it_is_taken() -> None:
    """A receiver that answers 500 gets the same one again, and only then the next."""
    taken: list[str] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        taken.append(json.loads(await reader.readexactly(length))["ce_id"])
        status = "500 Down" if len(taken) == 1 else "204 Taken"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    async with server, asyncio.timeout(20):
        port = server.sockets[0].getsockname()[1]
        deliver = _forwarding(f"http://127.0.0.1:{port}/events")
        await deliver({"ce_id": "1", "data": {}})
        await deliver({"ce_id": "2", "data": {}})
    assert taken == ["1", "1", "2"]


def test_the_place_outlives_the_reader(tmp_path: Path) -> None:
    """Written as a whole; a file that is none is named, not guessed at."""
    path = tmp_path / "place"
    place = Place(path)
    assert place.of(0) is None
    place.move(0, 7)
    place.move(2, 9)
    again = Place(path)
    assert (again.of(0), again.of(1), again.of(2)) == (7, None, 9)
    path.write_text("{")
    with pytest.raises(BadPlace, match="place"):
        Place(path)
