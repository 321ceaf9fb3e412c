"""The HTTP server of a process: one port, requests' heads of a sensible size, told to stop by the process."""

import os
import socket

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger()

# For requests that are being answered when the process stops; event streams end at once.
ANSWERS_SECONDS = 4.0
# Address and headers together; tokens and cookies take a few kilobytes. The parser alone would read without end.
LARGEST_HEAD = 64 * 1024
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _Protocol(HttpToolsProtocol):
    """Ends a connection whose request's head does not end."""

    _in_head = False
    _head_size = 0

    def data_received(self, data: bytes) -> None:
        """Take what came; count it while one head is being read."""
        was_in_head = self._in_head
        super().data_received(data)
        self._head_size = self._head_size + len(data) if was_in_head and self._in_head else 0
        if self._head_size > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request, whose head was read."""
        self._in_head = False
        super().on_headers_complete()


class Server(uvicorn.Server):
    """The HTTP server, told to stop by the process instead of by signals of its own."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=_Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # Who is asking comes from tokens, never from addresses; and public addresses come from the settings.
            proxy_headers=False,
            timeout_graceful_shutdown=int(ANSWERS_SECONDS),
        )
        super().__init__(config)
        self._socket: socket.socket | None = None

    def bind(self) -> bool:
        """Take the port, or say that it is taken."""
        family = socket.AF_INET6 if ":" in self.config.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.config.host, self.config.port))
            listener.listen(self.config.backlog)
        except OSError as error:
            listener.close()
            log.critical("port-not-free", host=self.config.host, port=self.config.port, exc_info=error)
            return False
        self._socket = listener
        log.info("listening", host=self.config.host, port=listener.getsockname()[1], pid=os.getpid())
        return True

    async def serve_until_told(self) -> None:
        """Serve until `should_exit`; signals are the process's matter."""
        assert self._socket is not None
        await self._serve(sockets=[self._socket])
