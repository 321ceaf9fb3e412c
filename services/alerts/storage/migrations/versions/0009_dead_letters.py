"""Open dead letters are found, and closed ones forgotten, without reading all of them."""

from alembic import op
from alembic.operations import Operations

from chassis.events import tables

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the indexes."""
    tables.index_dead_letters(Operations(op.get_context()))
