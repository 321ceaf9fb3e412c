"""Opens a service's database and names its Kafka for commands that look into or mend them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import typer

from anju.cli.selection import known_service, refuse, selection, setting

if TYPE_CHECKING:
    from chassis.data.db import Database
    from chassis.events.kafka import KafkaSettings


@asynccontextmanager
async def database(context: typer.Context, service: str) -> "AsyncIterator[Database]":
    """The database of a service, with few connections."""
    from sqlalchemy.exc import ProgrammingError

    from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable

    selection(context).enter(f"{known_service(service)}-worker")
    db = Database(setting(f"ANJU_{service.upper()}_DATABASE_URL"), service=service, pool_size=2)
    try:
        yield db
    except (DatabaseUnavailable, DatabaseBusy):
        refuse(f"the database of {service} cannot be reached.")
    except ProgrammingError:
        refuse(f"the database of {service} is not at this version's schema: `anju migrate {service}`.")
    finally:
        await db.dispose()


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
