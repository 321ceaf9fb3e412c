"""The city that chaos breaks: a real launcher, its parts behind proxies and on small disks, and copies beside it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from anju.local import detached, state
from anju.local.city import SERVICES, City, found
from anju.local.postgres import server_user
from anju.local.programs import Program
from anju.local.reaper import Reaper
from anju.local.status import of_city
from tests.chaos import launcher
from tests.chaos.clocks import Clock, NoClock, build
from tests.chaos.disk import NoDisk, SmallDisk
from tests.chaos.proxy import Proxy

# A loaded machine of two cores has been seen to need 150 s.
UP_SECONDS = 300.0
# Copies that live at one moment.
MOST_COPIES = 6


@dataclass(slots=True)
class Copy:
    """A process of a service beside the launcher's own."""

    name: str
    process: "subprocess.Popen[bytes]"
    address: str


class ChaosCity:
    """A city in a directory of its own at ports of its own."""

    def __init__(self, directory: Path, port_base: int) -> None:
        self.directory, self.port_base = directory, port_base
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o711)  # the database's system user passes through
        self.reaper = Reaper()
        self.disks: dict[str, SmallDisk] = {}
        self.why_no_disks = ""
        self.copies: list[Copy] = []
        self._launcher: subprocess.Popen[bytes] | None = None
        self._ports = iter(range(port_base + launcher.FIRST_COPY_OFFSET, port_base + 4000))
        self.clock: Clock | None = None
        self.why_no_clock = ""
        try:
            self.clock = Clock(directory / "clock", build(directory))
        except NoClock as error:
            self.why_no_clock = str(error)
        self.proxies = {
            "kafka": Proxy("kafka", port_base + launcher.KAFKA_PROXY_OFFSET, port_base + 20),
            "postgres": Proxy("postgres", port_base + launcher.POSTGRES_PROXY_OFFSET, port_base + 30),
        }
        for place_, service in enumerate(SERVICES):
            port, target = port_base + launcher.WEB_PROXY_OFFSET + place_, port_base + 1 + place_
            self.proxies[f"{service}-web"] = Proxy(f"{service}-web", port, target)
        # Every address of a service's web side, through its proxy or of a copy: terminals choose one for each try.
        self.addresses = {service: [f"http://127.0.0.1:{self.proxies[f'{service}-web'].port}"] for service in SERVICES}

    async def start(self) -> None:
        """Bring it up, and return when all of it is ready."""
        self._mount()
        self.reaper.start()
        for proxy in self.proxies.values():
            await proxy.start()
        if self.clock is not None:
            self.clock.jump(0)
        log = self.directory / "up.log"
        command = [sys.executable, "-m", "tests.chaos.launcher", str(self.directory), str(self.port_base)]
        root = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), **(self.clock.environment if self.clock else {})}
        self._launcher = self.reaper.spawn(Program("city", command, log, environment, working_directory=root))
        deadline = time.monotonic() + UP_SECONDS
        while (living := state.read(self.directory)) is None or living.phase != "running":
            if self._launcher.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the city did not come up:\n{log.read_text()[-4000:]}")
            await asyncio.sleep(0.2)

    def _mount(self) -> None:
        user = server_user()
        owners = {"kafka": None, "postgres": (user.uid, user.gid) if user else None}
        try:
            for name, owner in owners.items():
                disk = SmallDisk(name, self.directory / name)
                disk.mount(owner)
                self.disks[name] = disk
        except (NoDisk, OSError) as error:
            self.why_no_disks = str(error)

    async def stop(self) -> None:
        """Bring it down, with everything of it; the databases and topics go with the disks."""
        for copy in self.copies:
            copy.process.kill()
        await asyncio.to_thread(detached.end, self.directory)
        self.reaper.close()
        for proxy in self.proxies.values():
            await proxy.stop()
        for disk in self.disks.values():
            disk.unmount()

    def remove(self) -> None:
        """Remove what is left of it on the disk."""
        city = found(self.directory)
        if city is not None:
            shutil.rmtree(city.postgres_home, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def city(self) -> City:
        """What the launcher knows of it."""
        city = found(self.directory)
        assert city is not None
        return city

    async def status(self) -> dict[str, Any]:
        """What `anju demo status --json` says."""
        return await of_city(self.directory) or {}

    async def ready(self, seconds: float) -> float:
        """Wait until all of it is ready, twice in a row; give how long that took. Raises TimeoutError."""
        began = time.monotonic()
        in_a_row = 0
        async with asyncio.timeout(seconds):
            while in_a_row < 2:
                in_a_row = in_a_row + 1 if (await self.status()).get("ready") else 0
                await asyncio.sleep(0.3)
        return time.monotonic() - began

    def processes(self) -> list[dict[str, Any]]:
        """Every process of the launcher's."""
        living = state.read(self.directory)
        return living.processes if living else []

    def pid(self, name: str) -> int | None:
        """The id of a process; None while it does not run."""
        return next((process["pid"] for process in self.processes() if process["name"] == name), None)

    def send(self, name: str, number: int, *, family: bool = False) -> list[int]:
        """Send a signal to a process, with `family` to its children first; give the ids it went to."""
        pid = self.pid(name)
        if pid is None:
            return []
        sent = []
        try:
            own = psutil.Process(pid)
            children = own.children(recursive=True) if family else []
            for process in (*children, own):
                process.send_signal(number)
                sent.append(process.pid)
        except psutil.NoSuchProcess:
            pass
        return sent

    def start_copy(self, service: str, side: str, clock_seconds: float = 0.0) -> Copy:
        """Start another copy of a service's process, by a clock of its own if it is to go wrong."""
        name = f"{service}-{side}-copy-{next(self._ports)}"
        port = int(name.rsplit("-", 1)[1])
        extra: Mapping[str, str] = {}
        if clock_seconds and self.clock is not None:
            own = Clock(self.directory / f"{name}.clock", self.clock.library)
            own.jump(clock_seconds)
            extra = own.environment
        words = ["serve", service, side, "--port", str(port)]
        environment = (
            os.environ | launcher.led(self.city.environment(f"{service}-{side}"), self.port_base) | dict(extra)
        )
        program = Program(
            name, [sys.executable, "-m", "anju", *words], self.directory / "logs" / f"{name}.log", environment
        )
        copy = Copy(name, self.reaper.spawn(program), f"http://127.0.0.1:{port}")
        self.copies.append(copy)
        return copy

    def end_copy(self, copy: Copy, number: int = signal.SIGKILL) -> None:
        """End a copy."""
        copy.process.send_signal(number)
        self.copies.remove(copy)
