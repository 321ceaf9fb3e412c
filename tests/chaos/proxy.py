"""A TCP proxy of the test's own between a client and a part, which can be slow, silent or cut."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

CHUNK_BYTES = 64 * 1024


@dataclass(slots=True)
class Proxy:
    """Leads connections from `port` to `target` on this machine.

    `delay_seconds` is added to each piece in each direction.
    """

    name: str
    port: int
    target: int
    delay_seconds: float = 0.0
    cut_connections: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _leads: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._open.set()
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)

    def fall_silent(self) -> None:
        """Hold every byte, as a cable does that was pulled."""
        self._open.clear()

    def speak(self) -> None:
        """Let bytes pass again, those that were held first."""
        self._open.set()

    def cut(self) -> int:
        """Reset every connection at once; give how many."""
        count = len(self._writers) // 2
        for writer in list(self._writers):
            reset(writer)
        self.cut_connections += count
        return count

    async def stop(self) -> None:
        """Listen no more, and cut what is open."""
        self.speak()
        if self._server is not None:
            self._server.close()
            self.cut()
            await self._server.wait_closed()
            await asyncio.gather(*self._leads)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._leads.add(task)
        task.add_done_callback(self._leads.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            reset(writer)
            return
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, far_writer))
                both.create_task(self._pass(far_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(CHUNK_BYTES):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                await self._open.wait()
                target.write(piece)
                await target.drain()
        with suppress(OSError, RuntimeError):
            if target.can_write_eof():
                target.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a machine does that lost its memory of it: by a reset, not by a goodbye."""
    end = writer.get_extra_info("socket")
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
