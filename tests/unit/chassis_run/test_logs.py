"""Logs cannot print a secret or a personal field: planted ones, by every way into a line, never come out."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import structlog

from chassis.run import logs

log = structlog.get_logger()

PLANTED = [
    "330199199001011234",
    "330199 1990 0101 1234",
    "13812345678",
    "138-1234-5678",
    "1990-01-01",
    "E12345678",
    "王小明",
    "Wang Xiaoming",
    "hunter2 is the password",
    "３３０１９９１９９００１０１１２３４",
]


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """Logs as a process sets them up; everything as it was afterwards."""
    root, hooks = logging.getLogger(), (sys.excepthook, sys.unraisablehook)
    handlers, level = root.handlers[:], root.level
    logs.configure("registration", "web", "debug")
    yield
    root.handlers[:], (sys.excepthook, sys.unraisablehook) = handlers, hooks
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.err == ""
    return [json.loads(line) for line in captured.out.splitlines()]


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_values_never_come_out(planted: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.info(f"arrived {planted}", name=planted, person={"name": planted}, reason=planted, route=planted, topic=planted)
    log.info(
        planted, **{planted: planted}, reasons=[planted], count=planted, trace_id=planted, host=planted, code=planted
    )
    try:
        try:
            raise ValueError(planted)
        except ValueError as error:
            raise RuntimeError(f"with {planted}") from error
    except RuntimeError as error:
        log.error("failed", exc_info=error)
        log.exception("failed")
        logging.getLogger("aiokafka.cluster").error("cannot send %s", planted, exc_info=error)
    logging.getLogger("some.library").warning(f"cannot send {planted}")
    logging.getLogger("some.library").warning("cannot send " + planted)
    logging.getLogger("some.library").warning("cannot send %(value)s", {"value": planted})
    logging.getLogger("some.library").error(ValueError(planted))
    out = capsys.readouterr()
    assert planted not in out.out + out.err
    assert planted.encode("unicode-escape").decode() not in out.out + out.err
    assert len(out.out.splitlines()) == 9


@pytest.mark.parametrize("number", [13812345678, 330199199001011234, -330199199001011234])
def test_long_integers_never_come_out(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("counted", count=number, offset=number, seconds=float(number))
    assert str(abs(number)) not in capsys.readouterr().out


def test_a_statement_with_parameters_never_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    engine = sa.create_engine("sqlite://", hide_parameters=True)
    with engine.connect() as connection:
        try:
            connection.execute(sa.text("SELECT :name FROM nowhere"), {"name": "王小明"})
        except sa.exc.OperationalError as error:
            log.error("database-refused", exc_info=error)
    out = capsys.readouterr().out
    assert "王小明" not in out
    assert "SELECT" not in out
    assert "sqlalchemy.exc.OperationalError" in out


def test_what_helps_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    log.info(
        "batch-done", topic="registration.stays", partition=3, offset=123456, seconds=0.25, route="/api/v1/stays/{id}"
    )
    log.warning(
        "gap-open", alert_id="01935a3b-0000-7000-8000-000000000001", reasons=["registration.stays/3"], host="127.0.0.1"
    )
    first, second = lines(capsys)
    assert first["service"] == "registration"
    assert first["component"] == "web"
    assert (first["event"], first["topic"], first["offset"]) == ("batch-done", "registration.stays", 123456)
    assert first["route"] == "/api/v1/stays/{id}"
    assert second["alert_id"] == "01935a3b-0000-7000-8000-000000000001"
    assert second["host"] == "127.0.0.1"


def test_an_exception_tells_its_kind_its_causes_and_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    def inner() -> None:
        raise KeyError("x")

    try:
        try:
            inner()
        except KeyError as error:
            raise LookupError("y") from error
    except LookupError as error:
        log.error("failed", exc_info=error)
    (line,) = lines(capsys)
    assert line["error"] == "builtins.LookupError"
    assert line["causes"] == ["builtins.KeyError"]
    assert "tests/unit/chassis_run/test_logs.py" in str(line["frames"])


def test_dropped_keys_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("arrived", person="x", document="y", count=1)
    (line,) = lines(capsys)
    assert line["dropped"] == 2


def test_a_library_is_heard_where_its_text_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("aiokafka.client").warning("Unable to connect to %s", "broker")
    logging.getLogger("uvicorn.access").warning("GET /330199199001011234")
    logging.getLogger("aiokafka.client").info("not asked for")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("library", "aiokafka.client")
    assert line["text"] == "Unable to connect to %s"
    assert "chassis_run/test_logs.py" in str(line["origin"])


def test_uncaught_exceptions_go_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("王小明")
    sys.excepthook(ValueError, error, None)
    (line,) = lines(capsys)
    assert (line["event"], line["error"]) == ("uncaught", "builtins.ValueError")


async def test_a_task_that_nobody_awaited_goes_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": "王小明", "exception": ValueError("王小明")})
    assert "王小明" not in capsys.readouterr().out
