"""What Kafka has lost of a history, and what is to be sent again."""

from alembic import op
from alembic.operations import Operations

from chassis.events import tables

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; none of the rows has lost anything yet."""
    tables.add_what_is_lost(Operations(op.get_context()))
