"""Counts of days as their owners published them."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
CREATE TABLE registration_days (
    day date,
    division_code text,
    kind text,
    registered integer NOT NULL CHECK (registered >= 0),
    arrivals integer NOT NULL CHECK (arrivals >= 0),
    departures integer NOT NULL CHECK (departures >= 0),
    on_time integer NOT NULL CHECK (on_time >= 0),
    late integer NOT NULL CHECK (late >= 0),
    version_epoch bigint NOT NULL,
    version_number bigint NOT NULL,
    PRIMARY KEY (division_code, kind, day)
);
CREATE INDEX registration_days_day ON registration_days (day);
CREATE TABLE housing_days (
    day date,
    division_code text,
    kind text,
    counts jsonb NOT NULL,
    version_epoch bigint NOT NULL,
    version_number bigint NOT NULL,
    PRIMARY KEY (division_code, kind, day)
);
CREATE INDEX housing_days_day ON housing_days (day);
CREATE TABLE alert_days (
    day date,
    division_code text,
    kind text,
    counts jsonb NOT NULL,
    version_epoch bigint NOT NULL,
    version_number bigint NOT NULL,
    PRIMARY KEY (division_code, kind, day)
);
CREATE INDEX alert_days_day ON alert_days (day);
"""


def upgrade() -> None:
    """Create them, empty: the worker fills them from Kafka."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
