"""Health tells the truth: every reason by its check's name, a hanging or failing check is one, stopping is one."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from starlette.applications import Starlette

from chassis.web import health as module
from chassis.web.health import Health, HealthCheck


async def well() -> Sequence[str]:
    return []


async def two() -> Sequence[str]:
    return ["gap in registration.stays/3 for 41 s", "behind by 12"]


async def hangs() -> Sequence[str]:
    await asyncio.Event().wait()
    return []


async def fails() -> Sequence[str]:
    raise ValueError("hunter2")


async def ask(health: Health, path: str) -> httpx.Response:
    app = Starlette(routes=health.routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://demo.test") as client:
        return await client.get(path)


async def test_ready_when_every_check_is_well() -> None:
    answer = await ask(Health([HealthCheck("database", well)]), "/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_every_reason_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.01)
    checks = [HealthCheck("consumers", two), HealthCheck("provider", hangs), HealthCheck("packs", fails)]
    health = Health([HealthCheck("database", well), *checks])
    answer = await ask(health, "/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unready",
        "reasons": [
            "consumers: gap in registration.stays/3 for 41 s",
            "consumers: behind by 12",
            "provider: no answer within 0.01 s",
            "packs: the check itself failed, see the log",
        ],
    }
    assert "hunter2" not in answer.text + capsys.readouterr().out
    assert (await ask(health, "/health/live")).status_code == 200


async def test_a_change_is_seen_and_checks_are_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    reasons: list[str] = []

    async def count() -> Sequence[str]:
        runs.append(1)
        return list(reasons)

    health = Health([HealthCheck("database", count)])
    for _each in range(5):
        assert await health.reasons() == []
    assert len(runs) == 1
    reasons.append("not reachable")
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    assert await health.reasons() == ["database: not reachable"]


async def test_a_stopping_process_is_not_ready() -> None:
    health = Health([])
    health.stopping = True
    assert (await ask(health, "/health/ready")).json()["reasons"] == ["process: stopping"]
