"""Timers on a real database: one copy runs them, another takes over, a failing one does not stop the rest."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from chassis.data.db import Database
from chassis.run import timers as module
from chassis.run.timers import Timer, Timers
from tests.parts import Postgres
from tests.waiting import until

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies look often."""
    monkeypatch.setattr(module, "CONFIRM_SECONDS", 0.05)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)


async def cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_one_copy_works_and_another_takes_over(postgres: Postgres) -> None:
    dsn = await postgres.new_database()
    runs: list[str] = []

    def copy(name: str) -> "asyncio.Task[None]":
        async def note(now: datetime) -> None:
            assert abs((datetime.now(UTC) - now).total_seconds()) < 5
            runs.append(name)

        return asyncio.create_task(Timers(Database(dsn, service="demo"), [Timer("note", 0.02, note)]).run())

    first, second = copy("first"), copy("second")
    await until(lambda: len(runs) > 20)
    (owner,) = set(runs)
    await cancel(first if owner == "first" else second)
    seen = len(runs)
    await until(lambda: len(runs) > seen + 3)
    assert set(runs[seen + 1 :]) == {"first", "second"} - {owner}
    await cancel(first)
    await cancel(second)


async def test_work_stops_with_the_lock_and_goes_on_with_a_new_one(postgres: Postgres) -> None:
    dsn = await postgres.new_database()
    runs: list[int] = []

    async def note(now: datetime) -> None:
        runs.append(1)

    task = asyncio.create_task(Timers(Database(dsn, service="demo"), [Timer("note", 0.02, note)]).run())
    await until(lambda: len(runs) > 3)
    killer = await asyncpg.connect(dsn)
    ended = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )
    assert await killer.fetchval(ended) == 1
    await killer.close()
    seen = len(runs)
    await until(lambda: len(runs) > seen + 10)
    await cancel(task)


async def test_a_failing_timer_is_tried_again_and_stops_no_other(
    postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    from chassis.run import logs

    logs.configure("demo", "worker")
    dsn = await postgres.new_database()
    failed: list[int] = []
    done: list[int] = []

    async def fail(now: datetime) -> None:
        failed.append(1)
        raise ValueError("hunter2")

    async def work(now: datetime) -> None:
        done.append(1)

    both = [Timer("fail", 0.02, fail), Timer("work", 0.02, work)]
    task = asyncio.create_task(Timers(Database(dsn, service="demo"), both).run())
    await until(lambda: len(failed) > 2 and len(done) > 2)
    await cancel(task)
    out = capsys.readouterr().out
    assert '"timer":"fail"' in out
    assert "hunter2" not in out
