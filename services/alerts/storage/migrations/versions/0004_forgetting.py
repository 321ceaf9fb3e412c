"""What is past its term can be found and removed; the audit log can lose its oldest entries."""

from alembic import op
from alembic.operations import Operations

from chassis.data import tables as data_tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE notices ADD COLUMN has_token BOOLEAN DEFAULT true NOT NULL;

ALTER TABLE notices ADD CONSTRAINT notices_live_has_token CHECK (has_token OR state = 'ended') NOT VALID;

ALTER TABLE notices VALIDATE CONSTRAINT notices_live_has_token;

CREATE INDEX notices_ended ON notices (changed_at) WHERE state = 'ended';

ALTER TABLE stream_head ADD COLUMN forgotten BIGINT DEFAULT 0 NOT NULL;

CREATE INDEX department_events_at ON department_events (at);
"""


def upgrade() -> None:
    """Create them."""
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)
    data_tables.create_audit_cut(Operations(op.get_context()))
