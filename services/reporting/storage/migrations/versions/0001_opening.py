"""The plumbing, and the moment at which reporting's books were opened."""

from alembic import op
from alembic.operations import Operations

from chassis.data import tables as data_tables
from chassis.events import tables as event_tables

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE opening (
        one_row boolean PRIMARY KEY CONSTRAINT opening_one_row CHECK (one_row),
        opened_at timestamptz NOT NULL
    )
    """,
    "INSERT INTO opening (one_row, opened_at) VALUES (true, clock_timestamp())",
)


def upgrade() -> None:
    """Create everything."""
    plumbing = Operations(op.get_context())
    data_tables.create(plumbing)
    event_tables.create(plumbing)
    for statement in STATEMENTS:
        op.execute(statement)
