"""Which errors are a record's own fault: a dead letter for these, a held partition for all others."""

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError

from chassis.events.blame import bad_record
from chassis.events.records import BadRecord


class _Driver(Exception):
    """The driver's error as SQLAlchemy hands it on."""

    def __init__(self, sqlstate: str | None, cause: Exception | None = None) -> None:
        super().__init__()
        self.sqlstate = sqlstate
        self.__cause__ = cause


class _NoValue(asyncpg.InterfaceError, ValueError):
    """As the driver refuses a value before it sends it."""


def refused(sqlstate: str | None, cause: Exception | None = None) -> DBAPIError:
    return DBAPIError("INSERT", None, _Driver(sqlstate, cause))


def invalid() -> ValidationError:
    class Model(BaseModel):
        number: int

    with pytest.raises(ValidationError) as raised:
        Model.model_validate({"number": "x"})
    return raised.value


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BadRecord("unknown-type"), "unknown-type"),
        (invalid(), "invalid-value"),
        (OverflowError(), "not-storable"),
        (refused("22021"), "not-storable"),  # a text with NUL
        (refused("22003"), "not-storable"),  # out of range
        (refused("23514"), "not-storable"),  # a CHECK
        (refused(None, _NoValue("x")), "not-storable"),  # the driver refuses to send it
    ],
)
def test_the_record_is_to_blame(error: Exception, reason: str) -> None:
    found = bad_record(error)
    assert found is not None
    assert found.reason == reason


@pytest.mark.parametrize(
    "error",
    [
        refused("23505"),  # unique: somebody else was first
        refused("40001"),
        refused("57014"),
        refused("42703"),  # a fault of ours
        refused(None, asyncpg.InterfaceError("x")),
        KeyError("x"),
        ValueError("x"),
        TimeoutError(),
    ],
)
def test_the_moment_or_we_are_to_blame(error: Exception) -> None:
    assert bad_record(error) is None
