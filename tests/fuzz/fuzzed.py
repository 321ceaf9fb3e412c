"""The four services' web processes as the fuzz meets them: real processes before a real PostgreSQL, and their logs."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chassis.data.db import Database
from chassis.data.migrations import migrate
from policy import purposes
from tests.fuzz.process import ROOT
from tests.fuzz.soil import sow
from tests.parts import Postgres
from tests.provider import TokenProvider

SERVICES = ("registration", "housing", "alerts", "reporting")
# Every role of interfaces.md, in a unit that may do most.
ACTORS = (
    ("clerk", "station-01"),
    ("inspector", "station-01"),
    ("premises_operator", "hotel-01"),
    ("duty_officer", "command-centre"),
    ("notice_author", "notice-desk-01"),
    ("notice_approver", "notice-desk-02"),
    ("overseer", "oversight"),
    ("manager", "city"),
    ("department_officer", "fire"),
    ("service", ""),
    ("resident", "committee-01"),
    ("administrator", "city"),
)
# Newest first in use: what was made a moment ago is most likely still open.
REMEMBERED = 200


@dataclass
class Ids:
    """Ids that the service knows, by field name; what an answer names is remembered as the newest."""

    of: dict[str, list[str]]
    hashes: dict[str, str] = field(default_factory=dict)

    def learn(self, found: Any) -> None:
        """Remember the ids in a service's answer."""
        if isinstance(found, list):
            for each in found:
                self.learn(each)
        elif isinstance(found, dict):
            if isinstance(found.get("content_hash"), str) and "notice_id" in found:
                self.hashes[found["notice_id"]] = found["content_hash"]
            for name, value in found.items():
                if name.endswith("_id") and isinstance(value, str):
                    known = self.of.setdefault(name, [])
                    if value in known:
                        known.remove(value)
                    known.append(value)
                    del known[:-REMEMBERED]
                self.learn(value)


@dataclass
class Fuzzed:
    """One service under the fuzz."""

    name: str
    address: str
    log: Path
    ids: Ids = field(repr=False)
    provider: TokenProvider = field(repr=False)
    process: "subprocess.Popen[bytes]"
    document: dict[str, Any] = field(default_factory=dict, repr=False)
    _signed: dict[tuple[str, str], tuple[float, dict[str, str]]] = field(default_factory=dict, repr=False)

    def headers(self, role: str, unit: str, name: str = "") -> dict[str, str]:
        """The headers of an actor's request, with a purpose and a case where the role reads personal data."""
        at, made = self._signed.get((role, name), (0.0, {}))
        if time.monotonic() - at > 300:
            known = sorted(purposes.allowed(role))
            made = self.provider.headers(role, unit, name, purpose=known[0] if known else "", case="A-1")
            self._signed[(role, name)] = time.monotonic(), made
        return dict(made)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged; a line that is not JSON fails here."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def metrics(self) -> str:
        """What it exports."""
        return httpx.get(f"{self.address}/metrics", timeout=30, trust_env=False).text


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


async def start(postgres: Postgres, folder: Path) -> dict[str, Fuzzed]:
    """Start the four services with something in their databases; `stop` ends them."""
    provider = TokenProvider()
    ports = _free_ports(len(SERVICES))
    addresses = {service: f"http://127.0.0.1:{port}" for service, port in zip(SERVICES, ports, strict=True)}
    started: dict[str, Fuzzed] = {}
    for service, port in zip(SERVICES, ports, strict=True):
        dsn = await postgres.new_database()
        await migrate(dsn, service)
        db = Database(dsn, service=service)
        known = await sow(service, db)
        await db.dispose()
        key = provider.key.as_dict(private=True)
        given = {"service": service, "port": port, "dsn": dsn, "addresses": addresses, "key": key}
        log = folder / f"{service}.log"
        process = _process(given, log)
        started[service] = Fuzzed(service, addresses[service], log, Ids(known), provider, process)
    return started


def _process(given: dict[str, Any], log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.fuzz.process", json.dumps(given)]
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)


def wait_ready(fuzzed: Fuzzed, seconds: float = 60.0) -> None:
    """Return once it answers and its OpenAPI document was read."""
    ends = time.monotonic() + seconds
    while True:
        assert fuzzed.process.poll() is None, fuzzed.log.read_text()
        try:
            fuzzed.document = httpx.get(f"{fuzzed.address}/openapi.json", timeout=10, trust_env=False).json()
            return
        except httpx.TransportError:
            assert time.monotonic() < ends, fuzzed.log.read_text()
            time.sleep(0.1)


def stop(started: Mapping[str, Fuzzed]) -> None:
    """End the processes."""
    for each in started.values():
        each.process.terminate()
    for each in started.values():
        try:
            each.process.wait(20)
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, address and description of every call."""
    for path, described in document["paths"].items():
        for method, operation in described.items():
            yield method.upper(), path, operation
