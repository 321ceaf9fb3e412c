"""Brings a demo city up and down: checks the machine, starts parts and services in order of need, holds the lock."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from anju.local import state
from anju.local.binaries import MissingPart, java, kafka_class_path, postgres_install
from anju.local.city import CITY, SERVICES, City, CityFailed, explained, make_directory, settle
from anju.local.kafka import KafkaFailed
from anju.local.postgres import PostgresFailed, remove_orphans, server_user
from anju.local.probes import answers_ok, port_answers
from anju.local.programs import Program, port_is_free
from anju.local.reaper import Reaper, end_at_once
from anju.local.supervisor import Process, StartFailed, Supervisor

# Kafka's and PostgreSQL's files of an empty city take 150 MB; a day's demo as much again.
LEAST_FREE_BYTES = 500 * 1024 * 1024
# Far longer than a loaded machine of two cores was seen to need (25 s).
START_SECONDS = 120.0
# Together under the 15 s that `anju demo down` promises: services first, so that they can write their last.
SERVICE_PATIENCE_SECONDS = 9.0
PART_PATIENCE_SECONDS = 4.0
# How long a former launcher's reaper may take with the last of its processes.
LOCK_SECONDS = 20.0


async def run(
    directory: Path, port_base: int, *, simulation: Mapping[str, str] | None, say: Callable[[str], None]
) -> None:
    """Bring the city up, keep it running until SIGINT, SIGTERM or SIGHUP, and bring it down.

    `simulation` are settings of the simulated city beside the usual ones (ANJU_CITY_…); None: parts and services only.

    Raises:
        CityFailed: it could not start; nothing is left running.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # started by nohup
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def say_if_heard(text: str) -> None:
        with suppress(OSError):  # a closed terminal or pipe is no reason to end a city
            say(text)

    try:
        for part in (java, kafka_class_path, postgres_install, server_user):
            part()
        make_directory(directory)
        lock = await _take_lock(directory)
        try:
            city = settle(directory, port_base)
            _check_machine(city)
            city.save()
            await _Launcher(city, lock, simulation, say_if_heard).run(stop)
        finally:
            os.close(lock)
    except MissingPart as error:
        raise CityFailed(str(error)) from None
    except OSError as error:
        raise CityFailed(explained(error, directory)) from None


class _Launcher:
    """One run of a city."""

    def __init__(self, city: City, lock: int, simulation: Mapping[str, str] | None, say: Callable[[str], None]) -> None:
        self._city, self._simulation, self._say = city, simulation, say
        self._reaper = Reaper(keep_open=[lock], postgres_directory=city.postgres.data)
        self._supervisor = Supervisor(self._reaper, self._write_state)
        self._phase: state.Phase = "starting"
        self._began = time.monotonic()
        self._services: list[Process] = []
        self._parts: list[Process] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, wait for `stop`, end everything."""
        self._reaper.start()
        self._write_state()
        reaper_watch = asyncio.create_task(self._supervisor.watch_reaper())
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                _unwrapped(starting)
                self._phase = "running"
                self._write_state()
                self._say_ready()
                await stopping
        except (StartFailed, KafkaFailed, PostgresFailed, MissingPart) as error:
            raise CityFailed(str(error)) from None
        finally:
            starting.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await starting
            self._phase = "stopping"
            self._write_state()
            began = time.monotonic()
            await self._supervisor.stop(self._services)
            await self._supervisor.stop(self._parts)
            reaper_watch.cancel()
            self._reaper.close()
            state.remove(self._city.directory)
            self._say(f"stopped in {time.monotonic() - began:.1f} s; the data stays in {self._city.directory}")

    async def _start(self) -> None:
        self._say(f"Anju's demo city in {self._city.directory}")
        async with asyncio.TaskGroup() as tasks:
            kafka = tasks.create_task(self._start_kafka())
            database = tasks.create_task(self._start_postgres())
            tasks.create_task(self._start_service("portal"))
            await database
            migrated = tasks.create_task(self._step("migrations", "migrate", "all"))
            await kafka
            topics = tasks.create_task(self._step("topics", "topics", "apply"))
            await asyncio.gather(migrated, topics)
            for service in SERVICES:
                tasks.create_task(self._start_service(f"{service}-web"))
                tasks.create_task(self._start_service(f"{service}-worker"))
        if self._simulation is not None:
            await self._start_simulation(self._simulation)

    async def _start_kafka(self) -> None:
        node = self._city.kafka
        await asyncio.to_thread(node.prepare)

        async def is_ready(_: int) -> bool:
            return await port_answers(node.port)

        await self._start_process(
            Process(node.program(self._city.logs / "kafka.log"), is_ready, PART_PATIENCE_SECONDS), self._parts
        )

    async def _start_postgres(self) -> None:
        server = self._city.postgres
        remove_orphans()
        await asyncio.to_thread(server.prepare)

        async def is_ready(pid: int) -> bool:
            return server.is_ready(pid)

        async def clear_traces() -> None:
            # A killed server leaves processes that hold its memory, and then no other may start.
            end_at_once([], server.data)
            server.prepare()

        program = server.program(self._city.logs / "postgres.log")
        await self._start_process(Process(program, is_ready, PART_PATIENCE_SECONDS, clear_traces), self._parts)
        await server.ensure_databases({name: self._city.secret[f"database.{name}"] for name in SERVICES})

    async def _start_service(self, name: str) -> None:
        words = ["portal"] if name == "portal" else name.rsplit("-", 1)
        port = self._city.ports[name]
        variable = "WORKER_PORT" if name.endswith("-worker") else "PORT"
        own = {f"ANJU_{words[0].upper()}_{variable}": str(port), f"ANJU_{words[0].upper()}_REPLICA": "1"}
        program = self._python(name, ["-m", "anju", "serve", *words], self._city.environment(name) | own)

        async def is_ready(_: int) -> bool:
            return await answers_ok(f"{self._city.url(name)}/health/ready")

        await self._start_process(Process(program, is_ready, SERVICE_PATIENCE_SECONDS), self._services)

    async def _start_simulation(self, own: Mapping[str, str]) -> None:
        note = self._city.directory / CITY / "running"
        program = self._python(CITY, ["-m", "anju.city"], self._city.environment(CITY) | dict(own))

        async def is_ready(pid: int) -> bool:
            return note.is_file() and note.read_text() == str(pid)

        await self._start_process(Process(program, is_ready, SERVICE_PATIENCE_SECONDS), self._services)

    async def _start_process(self, process: Process, kind: list[Process]) -> None:
        began = time.monotonic()
        kind.append(process)
        self._supervisor.start(process)
        await self._supervisor.ready(process, START_SECONDS)
        self._say_step(process.name, began)

    async def _step(self, name: str, *words: str) -> None:
        """A part of the start that runs to its end: a command of our own."""
        began = time.monotonic()
        environment = self._city.administration_environment()
        for service in SERVICES:
            environment |= self._city.environment(f"{service}-worker")
        program = self._python(name, ["-m", "anju", *words], environment)
        if await self._supervisor.run_once(program) != 0:
            raise StartFailed(f"{name}: {_last_line(program.log)} (all of it is in {program.log})")
        self._say_step(name, began)

    def _python(self, name: str, words: list[str], environment: dict[str, str]) -> Program:
        return Program(
            name=name,
            command=[sys.executable, *words],
            log=self._city.logs / f"{name}.log",
            # What the caller's environment sets beside stays, such as ANJU_ALERTS_LOG_LEVEL.
            environment={**os.environ, **environment},
            working_directory=self._city.directory,
        )

    def _say_step(self, name: str, began: float) -> None:
        now = time.monotonic()
        self._say(f"  {name:<20} {now - began:5.1f} s   at {now - self._began:5.1f} s")

    def _say_ready(self) -> None:
        self._say(f"ready in {time.monotonic() - self._began:.1f} s")
        self._say(f"\n  Open {self._city.url('portal')} and choose who you are: one click logs you in.")
        self._say(f"  Logs: {self._city.logs}. Ctrl-C (or `anju demo down`) ends all of it; the data stays.\n")

    def _write_state(self) -> None:
        with suppress(OSError):  # on a full disk status shows the last that could be written
            state.write(self._city.directory, self._phase, self._supervisor.processes)


async def _take_lock(directory: Path) -> int:
    """Hold the data directory, so that no second launcher takes it; waits for the rest of a killed one."""
    lock = state.open_lock(directory)
    deadline = time.monotonic() + LOCK_SECONDS
    while not state.take_lock(lock):
        living = state.read(directory)
        if living is not None or time.monotonic() > deadline:
            os.close(lock)
            who = f" (process {living.launcher})" if living else ""
            raise CityFailed(
                f"A city runs in {directory} already{who}: end it with `anju demo down`,"
                " or name another place with --data-dir."
            )
        await asyncio.sleep(0.1)
    return lock


def _check_machine(city: City) -> None:
    taken = [f"{port} ({name})" for name, port in city.ports.items() if not port_is_free(port)]
    if taken:
        ports = f"Port {taken[0]} is" if len(taken) == 1 else f"Ports {', '.join(taken)} are"
        raise CityFailed(f"{ports} taken: end what listens there, or move the city's ports with --port-base.")
    free = shutil.disk_usage(city.directory).free
    if free < LEAST_FREE_BYTES:
        raise CityFailed(
            f"The disk that holds {city.directory} has {free >> 20} MB free and a city needs"
            f" {LEAST_FREE_BYTES >> 20}: free some space or name another place with --data-dir."
        )


def _unwrapped(task: "asyncio.Task[None]") -> None:
    """Raise what failed first, out of the group it failed in."""
    try:
        task.result()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"
