"""The launcher as people and programs use it: status, restarts, refusals, an end within seconds that leaves nothing."""

import asyncio
import json
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from anju.local import state
from anju.local.city import SERVICES
from anju.local.programs import port_is_free
from tests.parts import DemoCity, LocalParts
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

NAMES = {"kafka", "postgres", "portal", *(f"{service}-{side}" for service in SERVICES for side in ("web", "worker"))}


async def anju(*words: str) -> tuple[int, str, str]:
    """Run the command line; gives exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "anju", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def left_of(city: DemoCity) -> list[str]:
    """The processes that work in a city's folders or name them."""
    places = [str(city.data_dir), str(city.city.postgres_home)]
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        words = " ".join([process.info["cwd"] or "", *(process.info["cmdline"] or [])])
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(place in words for place in places):
            found.append(words)
    return found


async def test_status_names_everything(city: DemoCity) -> None:
    code, output, _ = await anju("demo", "status", "--json", "--data-dir", str(city.data_dir))
    status: dict[str, Any] = json.loads(output)
    assert code == 0
    assert status["ready"] is True
    assert {process["name"] for process in status["processes"]} == NAMES
    for process in status["processes"]:
        assert process.keys() == {"name", "pid", "state", "restarts", "log"}
        assert process["state"] == "running"
        assert psutil.pid_exists(process["pid"])
        assert Path(process["log"]).exists()
    assert status["services"].keys() == status["workers"].keys() == status["databases"].keys() == set(SERVICES)
    assert status["kafka"].keys() == {"bootstrap", "username", "password"}
    for file in ("city.json", "state.json"):
        assert stat.S_IMODE((city.data_dir / file).stat().st_mode) == 0o600


async def test_a_killed_process_is_back_soon_and_counted(city: DemoCity) -> None:
    before = city.process("housing-web")
    city.kill("housing-web")
    began = time.monotonic()
    await until(lambda: city.process("housing-web")["restarts"] == before["restarts"] + 1)
    await until(lambda: city.process("housing-web")["pid"] not in (None, before["pid"]))
    assert time.monotonic() - began < 2.0, "at most 1 s, and the time to see it"
    await city.ready()


async def test_status_answers_while_parts_are_down(city: DemoCity) -> None:
    for part in ("postgres", "kafka"):
        city.kill(part)
    await until(lambda: "running" not in {city.process(part)["state"] for part in ("postgres", "kafka")})
    began = time.monotonic()
    code, output, _ = await anju("--data-dir", str(city.data_dir), "demo", "status", "--json")
    assert (code, json.loads(output)["ready"]) == (0, False)
    assert time.monotonic() - began < 5.0
    await city.ready(90)


async def test_a_second_launcher_is_refused_in_one_sentence(city: DemoCity, tmp_path: Path) -> None:
    for way in ((), ("--detach",)):
        words = ("demo", "up", "--port-base", str(city.port_base + 31), *way)
        code, _, errors = await anju(*words, "--data-dir", str(city.data_dir))
        assert (code, errors.count("\n")) == (1, 1)
        assert errors.startswith("anju: A city runs in ")
    assert city.status()["ready"], "what the second one was told does not reach the first one's files"
    words = ("demo", "up", "--port-base", str(city.port_base))
    code, _, errors = await anju(*words, "--data-dir", str(tmp_path / "other"), "--detach")
    assert (code, errors.count("\n")) == (1, 1)
    assert f"{city.port_base} (portal)" in errors
    assert "--port-base" in errors


async def test_no_city_no_status(tmp_path: Path) -> None:
    code, output, errors = await anju("demo", "status", "--json", "--data-dir", str(tmp_path))
    assert (code, output) == (1, "")
    assert errors == f"anju: No city lives in {tmp_path}.\n"


@pytest.fixture
def second(local_parts: LocalParts) -> Iterator[DemoCity]:
    # A folder that only its owner may enter, as `mktemp -d` makes it: as root, the database's user cannot.
    city = DemoCity(local_parts.reaper, Path(tempfile.mkdtemp(prefix="anju-二 city-")))
    yield city
    city.remove()


@pytest.fixture
async def open_stream(second: DemoCity) -> "AsyncIterator[Any]":
    """Opens the second city's alert stream, and reads it until it ends."""
    reading: list[asyncio.Task[None]] = []

    async def start() -> "asyncio.Task[None]":
        opened = asyncio.Event()
        desks = Desks(second.data_dir, second.status()["services"])

        async def read() -> None:
            address = f"{desks.services['alerts']}/api/v1/alerts/stream"
            async with (
                httpx.AsyncClient(timeout=60) as http,
                http.stream("GET", address, headers=desks.headers("duty_officer")) as answer,
            ):
                assert answer.status_code == 200
                opened.set()
                async for _ in answer.aiter_bytes():
                    pass

        reading.append(asyncio.create_task(read()))
        await asyncio.wait_for(opened.wait(), 20)
        return reading[-1]

    yield start
    for task in reading:
        task.cancel()


async def test_two_cities_do_not_meet_and_end_without_a_trace(
    city: DemoCity, second: DemoCity, open_stream: Any
) -> None:
    mode = stat.S_IMODE(second.data_dir.stat().st_mode)
    words = ("demo", "up", "--without-city", "--detach", "--port-base", str(second.port_base))
    # The caller's streams are pipes here: this returns only when nobody holds them any more.
    code, output, errors = await anju(*words, "--data-dir", str(second.data_dir))
    assert (code, errors) == (0, "")
    assert second.city.url("portal") in output
    assert second.status()["ready"]
    pids = {process["pid"] for process in second.status()["processes"]}
    assert pids.isdisjoint(process["pid"] for process in city.status()["processes"])
    assert stat.S_IMODE(second.data_dir.stat().st_mode) == mode, "no rights of a folder that was there are changed"

    stream = await open_stream()
    began = time.monotonic()
    code, _, _ = await anju("demo", "down", "--data-dir", str(second.data_dir))
    assert code == 0
    assert time.monotonic() - began < 15.0
    assert left_of(second) == []
    assert all(port_is_free(port) for port in second.city.ports.values())
    await asyncio.wait([stream], timeout=5)
    assert stream.done()

    # On the same data, and now the launcher is killed.
    began = time.monotonic()
    await second.up()
    assert time.monotonic() - began < 60.0
    launcher = state.read(second.data_dir)
    assert launcher is not None
    psutil.Process(launcher.launcher).kill()
    await until(lambda: left_of(second) == [], 15)
    assert city.status()["ready"], "the other city never noticed"


async def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anju.local import launcher
    from anju.local.city import CityFailed

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5 << 20))
    with pytest.raises(CityFailed, match="has 5 MB free and a city needs 500"):
        await launcher.run(tmp_path / "city", 21_000, simulation=None, say=print)
