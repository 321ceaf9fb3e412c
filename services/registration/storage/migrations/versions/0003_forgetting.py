"""What is past its term can be found and removed; the audit log can lose its oldest entries."""

from alembic import op
from alembic.operations import Operations

from chassis.data import tables as data_tables

revision = "0003"
down_revision = "0002"

STATEMENTS = """
CREATE INDEX stays_person ON stays (person_id);
DROP INDEX stays_open_persons;
CREATE INDEX stays_departed ON stays (departed_at) WHERE departed_at IS NOT NULL;
CREATE INDEX corrections_person ON corrections (person_id);
CREATE INDEX stay_alerts_stay ON stay_alerts (stay_id);
CREATE INDEX stay_alerts_settled ON stay_alerts (changed_at) WHERE state NOT IN ('new', 'acknowledged', 'verified');
"""


def upgrade() -> None:
    """Create them."""
    for statement in STATEMENTS.strip().split(";\n"):
        if statement:
            op.execute(statement.removesuffix(";"))
    data_tables.create_audit_cut(Operations(op.get_context()))
