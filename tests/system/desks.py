"""What the desks of a city do over HTTP: register premises and arrivals, propose and approve notices, watch alerts."""

import asyncio
import json
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import until

# A terminal gives up on one try after this long and sends again with the same key.
TRY_SECONDS = 10.0
# How long a terminal keeps trying while its city is being killed around it.
GIVE_UP_SECONDS = 120.0
RETRY_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Desks:
    """Every desk of the city whose data lies in `data_dir`; `services` maps a service to its address."""

    data_dir: Path
    services: Mapping[str, str]

    def token(self, role: str, unit: str | None = None, name: str | None = None) -> str:
        """Return a bearer token of the development identity provider."""
        return _token(self.data_dir, role, unit, name)

    def headers(self, role: str, unit: str | None = None, name: str | None = None) -> dict[str, str]:
        """Return the headers of a signed-in person's POST, with a fresh idempotency key."""
        return {"Authorization": f"Bearer {self.token(role, unit, name)}", "Idempotency-Key": str(uuid.uuid4())}

    async def premises(self, http: httpx.AsyncClient, **changes: Any) -> str:
        """Register premises with eight rooms and wait until registration knows them; return their id."""
        body = {
            "kind": "hotel",
            "name": "柳堤旅馆",
            "address": "柳堤街道 8 号",
            "division_code": "330199001",
            "latitude": 30.25,
            "longitude": 120.17,
            "rooms": [{"number": f"{n:04d}", "type": "bedroom", "area_m2": 20.0} for n in range(801, 809)],
            "operator": {"kind": "firm", "name": "柳堤旅馆有限公司", "phone": "13800000000"},
            **changes,
        }
        made = await http.post(
            f"{self.services['housing']}/api/v1/premises", json=body, headers=self.headers("inspector", "station-01")
        )
        assert made.status_code == 201, made.text
        premises_id: str = made.json()["premises_id"]
        address = f"{self.services['registration']}/api/v1/premises/{premises_id}"
        reader = self.headers("clerk", "station-01")

        async def known() -> bool:
            return (await http.get(address, headers=reader)).status_code == 200

        await until(known)
        return premises_id

    async def propose(self, http: httpx.AsyncClient, document: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """Propose a notice on one document; return the answer with its id and content hash."""
        now = datetime.now(UTC)
        body = {
            "kind": "wanted",
            "instrument": {
                "kind": "wanted_order",
                "number": f"TEST-{uuid.uuid4().hex[:8]}",
                "authority": "测试县公安局",
            },
            "subject": {"document": {k: v for k, v in document.items() if k in ("kind", "number", "issuing_country")}},
            "starts_at": now.isoformat(),
            "ends_at": (now + timedelta(days=30)).isoformat(),
            "recipients": ["command-centre"],
            "instructions": "两名民警到场，先核对证件原件。",
            **changes,
        }
        made = await http.post(
            f"{self.services['alerts']}/api/v1/notices", json=body, headers=self.headers("notice_author")
        )
        assert made.status_code == 201, made.text
        answer: dict[str, Any] = made.json()
        return answer

    async def approve(self, http: httpx.AsyncClient, notice: Mapping[str, Any]) -> httpx.Response:
        """Approve a proposed notice at another unit's desk."""
        return await http.post(
            f"{self.services['alerts']}/api/v1/notices/{notice['notice_id']}/approval",
            json={"content_hash": notice["content_hash"]},
            headers=self.headers("notice_approver"),
        )

    async def notice(self, http: httpx.AsyncClient, document: Mapping[str, Any], **changes: Any) -> str:
        """Propose and approve; return the id of the notice, now active or scheduled."""
        proposed = await self.propose(http, document, **changes)
        approved = await self.approve(http, proposed)
        assert approved.status_code == 200, approved.text
        notice_id: str = proposed["notice_id"]
        return notice_id

    def arrival(self, person: Mapping[str, Any], premises_id: str, **changes: Any) -> dict[str, Any]:
        """Return the body of an arrival now."""
        return {
            "person": dict(person),
            "premises_id": premises_id,
            "room": "0801",
            "kind": "hotel_guest",
            "arrived_at": datetime.now(UTC).isoformat(),
            "legal_basis": "hotel_register",
            **changes,
        }

    async def arrive(self, http: httpx.AsyncClient, body: Mapping[str, Any]) -> dict[str, Any]:
        """Register an arrival as a patient terminal does: one key, sent again until a 2xx comes."""
        headers = self.headers("clerk", "station-01")
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                answer = await http.post(
                    f"{self.services['registration']}/api/v1/arrivals", json=body, headers=headers, timeout=TRY_SECONDS
                )
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code < 500:
                assert answer.status_code == 201, answer.text
                result: dict[str, Any] = answer.json()
                return result
            assert time.monotonic() < give_up, "no 2xx for an arrival in time"
            await asyncio.sleep(RETRY_PAUSE_SECONDS)

    async def alerts(self, http: httpx.AsyncClient) -> list[dict[str, Any]]:
        """Return every alert of the city, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        reader = self.headers("duty_officer")
        while True:
            query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            page = await http.get(f"{self.services['alerts']}/api/v1/alerts", params=query, headers=reader)
            assert page.status_code == 200, page.text
            found += page.json()["items"]
            cursor = page.json()["next"]
            if cursor is None:
                return found

    @asynccontextmanager
    async def stream(self, http: httpx.AsyncClient, after: int | str | None = None) -> AsyncIterator["AlertStream"]:
        """Watch the alert stream while the block runs; a cut connection is resumed from the last id."""
        watcher = AlertStream(f"{self.services['alerts']}/api/v1/alerts/stream", self.headers("duty_officer"), after)
        task = asyncio.create_task(watcher.run(http))
        try:
            async with asyncio.timeout(20):
                await watcher.open.wait()
            yield watcher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@dataclass
class AlertStream:
    """A reader of the alert stream that notes each event with the time it came."""

    url: str
    headers: Mapping[str, str]
    last_id: int | str | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)
    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    resumed: int = 0

    async def run(self, http: httpx.AsyncClient) -> None:
        """Read for ever; after a cut, resume with Last-Event-ID."""
        first = self.last_id
        while True:
            headers = dict(self.headers) | (
                {"Last-Event-ID": str(self.last_id)} if self.resumed and self.last_id else {}
            )
            query = {} if self.resumed or first is None else {"after": str(first)}
            try:
                async with http.stream("GET", self.url, headers=headers, params=query, timeout=30) as answer:
                    answer.raise_for_status()
                    self.open.set()
                    await self._read(answer)
            except httpx.HTTPError:
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
            self.resumed += 1

    async def _read(self, answer: httpx.Response) -> None:
        name, data, event_id = "message", "", None
        async for line in answer.aiter_lines():
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data += line[5:].strip()
            elif line.startswith("id:"):
                event_id = line[3:].strip()
            elif not line:
                if event_id:
                    self.last_id = event_id
                if data and name == "alert":
                    self.events.append((time.perf_counter(), event_id or "", json.loads(data)))
                name, data, event_id = "message", "", None

    def raised(self) -> dict[str, float]:
        """Return the time at which each alert was first told as raised."""
        first: dict[str, float] = {}
        for at, _, event in self.events:
            if event["change"] == "raised":
                first.setdefault(event["alert_id"], at)
        return first


@cache
def _token(data_dir: Path, role: str, unit: str | None, name: str | None) -> str:
    command = [sys.executable, "-m", "anju.cli", "dev", "token", "--data-dir", str(data_dir), "--role", role]
    command += ["--unit", unit] if unit else []
    command += ["--name", name] if name else []
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
