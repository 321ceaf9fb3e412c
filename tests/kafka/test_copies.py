"""Several copies of one worker, joining, killed and coming back, while events flow."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from anju.local.binaries import CHECKOUT
from tests.kafka.conftest import Service, Services, writing
from tests.waiting import until

# A Python process takes a second to start here, and many where other work fills the machine.
PATIENCE = 90.0


class Workers:
    """Worker processes of one service, by replica."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, service: Service, replica: str) -> None:
        """Start a copy."""
        settings = service.kafka
        given = {
            "dsn": service.db._url,
            "topic": service.topic,
            "group": service.group,
            "kafka": {
                "bootstrap": settings.bootstrap,
                "username": settings.username,
                "password": settings.secret,
                "replica": replica,
                "client_id": "test",
            },
        }
        self._running[replica] = subprocess.Popen(
            [sys.executable, "-m", "tests.kafka.worker", json.dumps(given)],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self, replica: str) -> None:
        """kill -9."""
        process = self._running.pop(replica)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def end(self) -> None:
        """Kill what still runs."""
        for replica in list(self._running):
            self.kill(replica)


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Worker processes that end with the test."""
    made = Workers()
    yield made
    made.end()


async def _owners(service: Service) -> int:
    """How many claims the partitions have seen."""
    return sum(row.claim for row in (await service.positions()).values())


async def test_one_joins_and_one_is_killed(new_service: Services, workers: Workers) -> None:
    service = await new_service(partitions=4)
    workers.start(service, "1")
    async with writing(service):
        await until(lambda: service.has(20), PATIENCE)
        for victim, stays in (("1", "2"), ("2", "1")):
            claims = await _owners(service)
            workers.start(service, stays)
            await until(lambda claims=claims: _grew(service, claims), PATIENCE)  # type: ignore[misc]
            workers.kill(victim)
            # The killed one comes back under its name and goes on with its partitions; then it is killed for good.
            claims = await _owners(service)
            workers.start(service, victim)
            await until(lambda claims=claims: _grew(service, claims), PATIENCE)  # type: ignore[misc]
            workers.kill(victim)
            before = await service.count()
            await until(lambda before=before: service.has(before + 50), PATIENCE)  # type: ignore[misc]
    await until(service.all_arrived)
    await service.check()
    await until(service.all_sent)


async def _grew(service: Service, claims: int) -> bool:
    return await _owners(service) > claims


async def test_a_frozen_copy_wakes_after_its_partitions_were_taken(new_service: Services, workers: Workers) -> None:
    """A zombie: stopped inside its work, replaced, then let go on with what it had fetched."""
    service = await new_service(partitions=2)
    workers.start(service, "1")
    async with writing(service):
        await until(lambda: service.has(20), PATIENCE)
        os.kill(workers._running["1"].pid, signal.SIGSTOP)
        workers.start(service, "2")
        before = await service.count()
        await until(lambda: service.has(before + 50), PATIENCE)
        os.kill(workers._running["1"].pid, signal.SIGCONT)
        before = await service.count()
        await until(lambda: service.has(before + 50), PATIENCE)
    await until(service.all_arrived)
    await service.check()
