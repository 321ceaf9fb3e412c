"""Where no container can be had, no test in containers runs: one line says why; an error where they are asked for."""

import os
import signal
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.compose import __main__ as compose_test
from tests.compose import engine, images

NO_ENGINE = "failed to start daemon: no cgroups here"
NO_PACKAGE = "E: Unable to locate package docker.io"
NO_MIRROR = "E: mirror cannot be reached"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of root's whose programs are those of a folder alone; a run of tests there is a fault."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("REQUIRE_DOCKER", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(signal, "signal", lambda *words: None)
    monkeypatch.setattr(pytest, "main", lambda words: pytest.fail("tests ran"))
    monkeypatch.setattr(engine, "DATA", tmp_path / "docker")
    monkeypatch.setattr(engine, "SERVICES_START", tmp_path / "policy")
    monkeypatch.setattr(engine, "_network_kept", nullcontext)
    monkeypatch.setattr(engine, "DISK_BYTES", 0)
    monkeypatch.setattr(engine, "MEMORY", tmp_path / "meminfo")
    _memory(tmp_path, 8)
    return programs


def _memory(folder: Path, gigabytes: int) -> None:
    (folder / "meminfo").write_text(f"MemTotal: 9999999 kB\nMemAvailable: {gigabytes * 1024**2} kB\n")


def _program(folder: Path, name: str, said: str = "", *, body: str = "exit 1") -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho first line\necho {said!r} >&2\n{body}\n")
    program.chmod(0o755)


def _left_out(capsys: pytest.CaptureFixture[str], why: str) -> None:
    """The run ends well and says why in its last line; where containers are asked for it does not end well."""
    assert compose_test.main([]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == f"No tests in containers: {why}"
    os.environ["REQUIRE_DOCKER"] = "1"
    assert compose_test.main([]) == 1


def test_an_engine_that_does_not_start(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("docker", "docker-compose", "iptables"):
        _program(machine, name, "nobody answers")
    _program(machine, "setpriv", NO_ENGINE)
    _program(machine, "dockerd")
    _left_out(capsys, f"the engine does not start: {NO_ENGINE}")


def test_too_little_memory(machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("docker", "docker-compose", "iptables", "dockerd"):
        _program(machine, name)
    _memory(tmp_path, 2)
    _left_out(capsys, "the city needs 4 GB of memory, and 2.0 are free")


def test_packages_that_cannot_be_had(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _program(machine, "apt-get", NO_PACKAGE)
    _left_out(capsys, f"apt-get cannot install docker.io, docker-compose, iptables: {NO_PACKAGE}")
    assert not engine.SERVICES_START.exists()


def test_who_is_not_root(machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _program(machine, "apt-get", NO_PACKAGE)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    why = "no docker.io, docker-compose, iptables here, and only root on Debian can be given it"
    _left_out(capsys, why)


def test_who_is_not_root_beside_an_engine_that_is_stopped(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("docker", "docker-compose", "iptables", "dockerd"):
        _program(machine, name)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    _left_out(capsys, "no engine answers, and only root can start one")


@pytest.fixture
def builder(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an engine that has no image, and a build of images that fails."""
    script = tmp_path / "build.sh"
    names = "\\n".join(f"{name.upper()}_IMAGE=anju/{name}" for name in images.OTHERS)
    script.write_text(f"#!/bin/sh\n[ $1 != --names ] || {{ printf '{names}'; exit; }}\necho 'ours is broken'\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(images, "BUILD", script)
    _program(machine, "docker", body='case "$1" in version | compose) exit 0 ;; *) exit 1 ;; esac')
    return machine


def test_a_base_that_cannot_be_fetched(builder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _program(builder, "mmdebstrap", NO_MIRROR)
    _left_out(capsys, f"the images cannot be built: no packages of Debian: {NO_MIRROR}")


def test_a_container_without_a_network(builder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _program(builder, "docker", "no route", body='case "$1" in run) exit 1 ;; *) exit 0 ;; esac')
    _left_out(capsys, "the images cannot be built: no packages of Debian in a container: no route")


def test_images_that_cannot_be_built_are_an_error(builder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _program(builder, "mmdebstrap", body="exit 0")
    with pytest.raises(RuntimeError, match="ours is broken"):
        compose_test.main([])
    assert capsys.readouterr().err.count("ours is broken") == images.ATTEMPTS


@pytest.mark.parametrize("status", [0, 1])
def test_the_tests_decide_where_all_is_there(machine: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    asked: list[Any] = []

    @contextmanager
    def answers() -> Any:
        yield {"DOCKER_HOST": "unix:///somewhere"}
        asked.append("undone")

    monkeypatch.setattr(compose_test, "engine", answers)
    monkeypatch.setattr(images, "build", asked.append)

    def main(words: list[str]) -> int:
        asked.append(words[-2:])
        return status

    monkeypatch.setattr(pytest, "main", main)
    assert compose_test.main(["-k", "sign_in"]) == status
    assert asked == [{"DOCKER_HOST": "unix:///somewhere"}, ["-k", "sign_in"], "undone"]
    assert os.environ["DOCKER_HOST"] == "unix:///somewhere"


def test_packages_start_no_service_while_they_are_installed(machine: Path, tmp_path: Path) -> None:
    _program(machine, "apt-get", body=f"{tmp_path}/policy; echo $? > {tmp_path}/asked")
    engine.install("dockerd")
    assert (tmp_path / "asked").read_text() == "101\n"
    assert not (tmp_path / "policy").exists()
