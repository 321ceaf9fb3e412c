"""Where no engine can be had, tests in containers are left out with a line that says why; asked for, they fail."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.compose import engine

NO_ENGINE = "failed to start daemon: no cgroups here"
NO_PACKAGE = "E: Unable to locate package docker.io"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of root's whose programs are those of a folder alone."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(engine, "DATA", tmp_path / "docker")
    monkeypatch.setattr(engine, "_network_kept", nullcontext)
    return programs


def _program(folder: Path, name: str, said: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho first line\necho {said!r} >&2\nexit 1\n")
    program.chmod(0o755)


def test_an_engine_that_does_not_start_is_none(machine: Path) -> None:
    for name in ("docker", "docker-compose", "iptables"):
        _program(machine, name, "nobody answers")
    _program(machine, "dockerd", NO_ENGINE)
    with pytest.raises(engine.NoEngine, match=f"does not start: {NO_ENGINE}$"), engine.engine():
        pytest.fail("it started")


def test_packages_that_cannot_be_had_are_none(machine: Path) -> None:
    _program(machine, "apt-get", NO_PACKAGE)
    with pytest.raises(engine.NoEngine, match=f"docker.io, docker-compose, iptables: {NO_PACKAGE}$"), engine.engine():
        pytest.fail("it started")


def test_who_is_not_root_is_told_what_to_start(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(machine, "apt-get", NO_PACKAGE)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(engine.NoEngine, match="only root on Debian"), engine.engine():
        pytest.fail("it started")


def test_it_is_left_out_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("REQUIRE_DOCKER", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^the reason$"):
        engine.leave_out(engine.NoEngine("the reason"))
    assert capsys.readouterr().err == "No tests in containers: the reason\n"
    monkeypatch.setenv("REQUIRE_DOCKER", "1")
    with pytest.raises(pytest.fail.Exception, match=r"REQUIRE_DOCKER=1: the reason$"):
        engine.leave_out(engine.NoEngine("the reason"))
