"""One web process of a service, as the launcher runs it, on a database of its own; its users' tokens are made here."""

import asyncio
import base64
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from anju.local.probes import answers_ok
from anju.local.programs import Program, free_ports
from anju.local.reaper import Reaper
from benchmarks.wanted import PRIVATE, PUBLIC
from tests.provider import TokenProvider
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
KEY = "k1"
# A run of half an hour, and what comes before it.
TOKEN_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class Web:
    """A process that answers on `port`."""

    port: int
    process: psutil.Process
    provider: TokenProvider = field(repr=False)

    @property
    def megabytes(self) -> float:
        """What it holds of memory now."""
        return float(self.process.memory_info().rss / 2**20)

    @property
    def cpu_seconds(self) -> float:
        """What it has worked so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def web(service: str, dsn: str, folder: Path) -> AsyncIterator[Web]:
    """Run `anju serve <service> web` while the block runs; its log is kept in `folder`."""
    (port,) = free_ports(1)
    reaper = Reaper()
    reaper.start()
    try:
        async with _provider() as provider:
            named = settings(service, dsn, provider.issuer) | {"port": str(port)}
            program = Program(
                name=service,
                command=[sys.executable, "-m", "anju", "serve", service, "web"],
                log=folder / f"{service}-{port}.log",
                environment={**os.environ, **{f"ANJU_{service}_{name}".upper(): text for name, text in named.items()}},
                working_directory=ROOT,
            )
            started = reaper.spawn(program)
            await until(lambda: answers_ok(f"http://127.0.0.1:{port}/health/ready"), seconds=60)
            yield Web(port, psutil.Process(started.pid), provider)
    finally:
        await asyncio.to_thread(reaper.close)


def settings(service: str, dsn: str, issuer: str) -> dict[str, str]:
    """Complete settings of one service, by their names without the service's prefix; each call makes new secrets."""
    return {
        "environment": "test",
        "database_url": dsn,
        "kafka_bootstrap": "127.0.0.1:1",
        "kafka_username": service,
        "kafka_password": "not-used",
        "oidc_issuer": issuer,
        "oidc_client_id": service,
        "oidc_client_secret": "not-used",
        "session_secret": _secret(),
        "idempotency_secret": _secret(),
        "encryption_keys": json.dumps({KEY: _secret()}),
        "encryption_active": KEY,
        "lookup_token_keys": json.dumps({KEY: _secret()}),
        "lookup_token_active": KEY,
        "matching_token_keys": json.dumps({KEY: _secret()}),
        "matching_token_active": KEY,
        "units_file": str(ROOT / "deploy" / "units.yaml"),
        "notice_signing_key": base64.b64encode(PRIVATE.private_bytes_raw()).decode(),
        "notice_verify_keys": json.dumps({name: base64.b64encode(key).decode() for name, key in PUBLIC.items()}),
    }


def _secret() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@asynccontextmanager
async def _provider() -> AsyncIterator[TokenProvider]:
    """Answer discovery and keys over HTTP, one request a connection."""
    provider = TokenProvider(lasts_seconds=TOKEN_SECONDS)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        body = json.dumps(provider.pages().get(path)).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    provider.issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield provider
