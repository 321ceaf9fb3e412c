"""Parts that somebody else runs, named by environment variables."""

import os

from tests.parts.kafka import Credentials, Kafka
from tests.parts.postgres import Postgres


def given_kafka() -> Kafka | None:
    """The broker that the environment names."""
    bootstrap = os.environ.get("TEST_KAFKA_BOOTSTRAP")
    if bootstrap is None:
        return None
    operator = Credentials(os.environ["TEST_KAFKA_USERNAME"], os.environ["TEST_KAFKA_PASSWORD"])
    return Kafka(bootstrap, operator, None)


def given_postgres() -> Postgres | None:
    """The server that the environment names."""
    dsn = os.environ.get("TEST_POSTGRES_DSN")
    return Postgres(dsn, None) if dsn else None
