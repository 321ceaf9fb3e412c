"""Opens a service's database and names its Kafka for commands that look into or mend them."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import typer

from anju.cli.selection import known_service, refuse, selection, setting

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

    from chassis.data.db import Database
    from chassis.events.kafka import KafkaSettings


@asynccontextmanager
async def database(context: typer.Context, service: str) -> "AsyncIterator[Database]":
    """The database of a service, with few connections; what it refuses ends the command with a sentence."""
    import structlog
    from asyncpg import PostgresError
    from sqlalchemy.exc import SQLAlchemyError

    from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable

    # What the work logs is for a person; the standard output may be one JSON document.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    selection(context).enter(f"{known_service(service)}-worker")
    url = setting(f"ANJU_{service.upper()}_DATABASE_URL")
    try:
        db = Database(url, service=service, pool_size=2)
    except SQLAlchemyError:
        refuse(f"ANJU_{service.upper()}_DATABASE_URL is not an address of a database.")
    try:
        yield db
    except (DatabaseUnavailable, DatabaseBusy, SQLAlchemyError, PostgresError, OSError) as error:
        refuse(f"the database of {service} {why_not(error, service)}.")
    finally:
        await db.dispose()


def why_not(error: BaseException, service: str) -> str:
    """What is wrong with a service's database, by what it answered: nothing of what a row or a statement holds."""
    from asyncpg import InvalidAuthorizationSpecificationError, InvalidCatalogNameError, PostgresError
    from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

    from chassis.data.db import DatabaseBusy

    if isinstance(error, InvalidAuthorizationSpecificationError):
        return "refuses this user or password"
    if isinstance(error, InvalidCatalogNameError):
        return "does not exist on that server"
    if isinstance(error, ProgrammingError):
        return f"is not at this version's schema: `anju migrate {service}`"
    if isinstance(error, DatabaseBusy):
        return "is too busy to answer"
    if isinstance(error, SQLAlchemyError | PostgresError):
        return f"refuses ({type(getattr(error, 'orig', error)).__name__})"
    return "cannot be reached"


def kafka(context: typer.Context, service: str) -> "KafkaSettings":
    """Kafka as the service's own user."""
    from chassis.events.kafka import KafkaSettings

    selection(context).enter(f"{known_service(service)}-worker")
    bootstrap, username, password = (
        setting(f"ANJU_{service.upper()}_KAFKA_{name}") for name in ("BOOTSTRAP", "USERNAME", "PASSWORD")
    )
    return KafkaSettings(
        bootstrap=bootstrap, username=username, password=password, replica="cli", client_id=f"{service}-cli"
    )


def administration(context: typer.Context) -> "tuple[AdminClient, dict[str, str]]":
    """Kafka as a user that may make topics and grant rights; and the users that must be there, passwords by name."""
    selection(context).enter_administration()
    connection = [setting(f"ANJU_KAFKA_{name}") for name in ("BOOTSTRAP", "USERNAME", "PASSWORD")]
    try:
        users = dict(json.loads(os.environ.get("ANJU_KAFKA_USERS", "{}")))
    except (ValueError, TypeError):
        refuse("ANJU_KAFKA_USERS is not JSON of the form {name: password}.")

    from anju.topics.cluster import SCRAM, administrator

    # The operator of a new cluster is known to a listener of its own, by password, before there are SCRAM users.
    connection.append(os.environ.get("ANJU_KAFKA_MECHANISM", SCRAM))
    return administrator(*connection), users
