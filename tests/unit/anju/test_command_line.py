"""The command line takes --data-dir anywhere, starts quickly, and refuses in one sentence."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from anju.cli import app
from anju.cli.words import data_dir_first
from anju.local.city import settle
from anju.local.programs import free_ports
from anju.topics import cluster


@pytest.fixture(autouse=True)
def without_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test of this process may have set up a service's logs, which a command of its own process has not."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["demo", "status", "--data-dir", "/d"], ["--data-dir", "/d", "demo", "status"]),
        (["demo", "--data-dir=/d", "status"], ["--data-dir=/d", "demo", "status"]),
        (["--data-dir", "/d", "demo", "up"], ["--data-dir", "/d", "demo", "up"]),
        (["demo", "status", "--data-dir"], ["--data-dir", "demo", "status"]),
        (["subscribe", "fire", "--", "cat", "--data-dir", "x"], ["subscribe", "fire", "--", "cat", "--data-dir", "x"]),
    ],
)
def test_data_dir_stands_anywhere(words: list[str], expected: list[str]) -> None:
    assert data_dir_first(words) == expected


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, anju.cli; print(*sorted({'sqlalchemy', 'fastapi', 'aiokafka', 'confluent_kafka', 'alembic',"
        " 'cryptography', 'asyncpg', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["demo", "status"], "anju: No city lives in {directory}.\n"),
        (["dev", "token", "--role", "clerk"], "anju: There is no city in {directory}: `anju demo up` makes one.\n"),
        (["migrate", "alerts"], "anju: There is no city in {directory}: `anju demo up` makes one.\n"),
        (["outbox", "status"], "anju: There is no city in {directory}: `anju demo up` makes one.\n"),
        (["consumers", "status"], "anju: There is no city in {directory}: `anju demo up` makes one.\n"),
        (["dead-letters", "list"], "anju: There is no city in {directory}: `anju demo up` makes one.\n"),
        (["topics", "apply"], "anju: There is no city in {directory}: `anju demo up` makes one.\n"),
        (["policy", "check", "{directory}/none"], "anju: none:0: no pack with id registration_deadlines"),
    ],
)
def test_refusals_are_sentences(words: list[str], sentence: str, tmp_path: Path) -> None:
    words = ["--data-dir", str(tmp_path), *(word.format(directory=tmp_path) for word in words)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert result.stderr.startswith(sentence.format(directory=tmp_path))


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANJU_KAFKA_BOOTSTRAP", raising=False)
    result = CliRunner().invoke(app, ["topics", "apply"])
    assert result.exit_code == 1
    assert result.stderr == "anju: ANJU_KAFKA_BOOTSTRAP is missing: set it, or name a demo city with --data-dir.\n"


def test_secrets_stay_when_ports_move(tmp_path: Path) -> None:
    first = settle(tmp_path, 21_000)
    first.save()
    second = settle(tmp_path, 22_000)
    assert first.secret == second.secret
    assert first.postgres_home == second.postgres_home
    assert second.environment("alerts-web")["ANJU_ALERTS_REGISTRATION_URL"] == "http://127.0.0.1:22001"
    assert len(set(first.secret.values())) == len(first.secret)


def test_the_matcher_does_not_get_the_signing_key(tmp_path: Path) -> None:
    city = settle(tmp_path, 21_000)
    assert "ANJU_ALERTS_NOTICE_SIGNING_KEY" in city.environment("alerts-web")
    assert city.secret["signing"] not in "".join(city.environment("alerts-worker").values())


STOPPED = [
    (["outbox", "status"], "the database of registration cannot be reached."),
    (["consumers", "status", "alerts"], "the database of alerts cannot be reached."),
    (["dead-letters", "list", "housing"], "the database of housing cannot be reached."),
    (["dead-letters", "discard", "housing", "1"], "the database of housing cannot be reached."),
    (["audit", "verify", "alerts"], "the database of alerts cannot be reached."),
    (["migrate", "reporting"], "the schema of reporting is as it was: its database cannot be reached."),
    (["notices", "recheck"], "the database of alerts cannot be reached."),
    (["reporting", "rebuild"], "Kafka does not answer; the read models are as they were."),
    (["topics", "apply", "--check"], "Kafka does not answer: "),
    (["demo", "status"], "No city lives in "),
]


@pytest.mark.parametrize(("words", "sentence"), STOPPED)
def test_a_city_that_does_not_run_is_one_line(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(tmp_path, free_ports(1)[0]).save()
    keep_environment(monkeypatch)
    monkeypatch.setattr(cluster, "REACH_SECONDS", 0.5)
    result = CliRunner().invoke(app, ["--data-dir", str(tmp_path), *words])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"anju: {sentence}")
    assert result.stderr.count("\n") == 1


def test_the_doctor_says_that_a_city_does_not_run(tmp_path: Path) -> None:
    settle(tmp_path, free_ports(1)[0]).save()
    result = CliRunner().invoke(app, ["--data-dir", str(tmp_path), "doctor", "--json"])
    assert (result.exit_code, result.stderr) == (1, "")
    (found,) = json.loads(result.stdout)["findings"]
    assert (found["code"], found["command"]) == ("city-stopped", f"anju demo up --data-dir {tmp_path}")


@pytest.mark.parametrize("words", [["doctor"], ["outbox", "status"], ["demo", "up"]])
@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"port_base": "x", "postgres_home": "/nowhere", "secret": {}}',
        '{"port_base": 9000, "postgres_home": "/nowhere", "secret": []}',
    ],
)
def test_a_damaged_city_is_one_line(words: list[str], content: str, tmp_path: Path) -> None:
    (tmp_path / "city.json").write_text(content)
    result = CliRunner().invoke(app, ["--data-dir", str(tmp_path), *words])
    assert result.exit_code == 1
    assert "is damaged: remove" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["doctor"], ["outbox", "status"], ["demo", "status"], ["demo", "up"]])
def test_a_file_is_no_data_directory(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["--data-dir", str(tmp_path / "file"), *words])
    assert result.exit_code == 1
    assert result.stderr.startswith("anju: ")
    assert result.stderr.count("\n") == 1


def keep_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands take a city's settings into the environment: let them end with the test."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
