"""A demo city that tests use: the launcher with every service, without the simulated city unless a test asks for it."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anju.local import detached, state
from anju.local.city import City, found
from anju.local.probes import answers_ok
from anju.local.programs import Program, free_ports, port_is_free
from anju.local.reaper import Reaper
from anju.local.status import of_city
from tests.waiting import until

# A machine with sixty processes waiting for two cores has been seen to need three minutes.
UP_SECONDS = 300.0
# Ports of a city stand together; below 32768 the system gives none of them to a connection that goes out.
PORT_BASES = range(20_000, 32_000, 40)
PORTS_OF_A_CITY = 31


class DemoCity:
    """A city in a data directory of its own. Every method may be called whether it runs or not.

    `simulation` are settings of the simulated city (ANJU_CITY_…); without them it has none.
    """

    def __init__(
        self, reaper: Reaper, data_dir: Path | None = None, simulation: Mapping[str, str] | None = None
    ) -> None:
        self._simulation = simulation
        # A temporary folder is its owner's alone, so the database's data goes elsewhere when tests run as root.
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="anju-city-"))
        self.port_base = next(base for base in random.sample(PORT_BASES, len(PORT_BASES)) if _free(base))
        self._reaper = reaper
        self._launcher: subprocess.Popen[bytes] | None = None
        self._copies: list[ExtraWorker] = []

    @property
    def city(self) -> City:
        """What the launcher knows of it."""
        city = found(self.data_dir)
        assert city is not None
        return city

    def start(self) -> None:
        """Bring it up, and return when all of it is ready."""
        words = ["--data-dir", str(self.data_dir), "demo", "up", "--port-base", str(self.port_base)]
        words += ["--without-city"] * (self._simulation is None)
        log = self.data_dir / "up.log"
        program = Program(
            "city", [sys.executable, "-m", "anju", *words], log, {**os.environ, **(self._simulation or {})}
        )
        self._launcher = self._reaper.spawn(program)
        deadline = time.monotonic() + UP_SECONDS
        while (living := state.read(self.data_dir)) is None or living.phase != "running":
            if self._launcher.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the city did not come up:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Bring it down; its data stays."""
        for copy in self._copies:
            copy.kill()
        self._copies.clear()
        detached.end(self.data_dir)
        if self._launcher is not None:
            self._launcher.wait()
            self._launcher = None

    def remove(self) -> None:
        """Bring it down and remove its data."""
        self.stop()
        city = found(self.data_dir)
        if city is not None:
            shutil.rmtree(city.postgres_home, ignore_errors=True)
            city.postgres_home.with_suffix(".owner").unlink(missing_ok=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    async def up(self) -> None:
        """Bring it up without holding the test's loop."""
        await asyncio.to_thread(self.start)

    async def down(self) -> None:
        """Bring it down without holding the test's loop."""
        await asyncio.to_thread(self.stop)

    def status(self) -> dict[str, Any]:
        """What `anju demo status --json` says; empty when no city lives there."""
        with ThreadPoolExecutor(1) as thread:  # of its own: the test's loop runs in this one
            return thread.submit(asyncio.run, of_city(self.data_dir)).result() or {}

    def process(self, name: str) -> dict[str, Any]:
        """One process of it, as status shows it, without asking whether the city is ready."""
        living = state.read(self.data_dir)
        assert living is not None
        return next(process for process in living.processes if process["name"] == name)

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to one of its processes; gives the process's id."""
        pid = self.process(name)["pid"]
        assert isinstance(pid, int), f"{name} does not run"
        os.kill(pid, number)
        return pid

    async def ready(self, timeout: float = 60.0) -> None:
        """Wait until all of it is ready, twice in a row: what was killed just now may not have been missed yet."""
        for _ in range(2):
            await until(self._is_ready, timeout)
            await asyncio.sleep(0.2)

    async def _is_ready(self) -> bool:
        return bool((await of_city(self.data_dir) or {}).get("ready"))

    def environment(self, service: str, side: str = "worker") -> dict[str, str]:
        """The settings of a service's process, as `--data-dir` gives them to a command."""
        return self.city.environment(f"{service}-{side}")

    async def extra_worker(self, service: str) -> "ExtraWorker":
        """Start another copy of a service's worker beside the launcher's."""
        (port,) = free_ports(1)
        name = f"{service}-worker-{uuid.uuid4().hex[:8]}"
        words = ["serve", service, "worker", "--data-dir", str(self.data_dir), "--port", str(port)]
        command = [sys.executable, "-m", "anju", *words]
        program = Program(name, command, self.data_dir / f"{name}.log", dict(os.environ))
        copy = ExtraWorker(self._reaper.spawn(program), f"http://127.0.0.1:{port}")
        self._copies.append(copy)
        return copy


@dataclass(frozen=True, slots=True)
class ExtraWorker:
    """A copy of a worker that the launcher knows nothing of."""

    process: "subprocess.Popen[bytes]"
    url: str

    async def ready(self, timeout: float = 60.0) -> None:
        """Wait until it is ready."""
        await until(lambda: answers_ok(f"{self.url}/health/ready"), timeout)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


def _free(base: int) -> bool:
    return all(port_is_free(port) for port in range(base, base + PORTS_OF_A_CITY))
