"""The audit log can lose its oldest entries."""

from alembic import op
from alembic.operations import Operations

from chassis.data import tables as data_tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let it."""
    data_tables.create_audit_cut(Operations(op.get_context()))
