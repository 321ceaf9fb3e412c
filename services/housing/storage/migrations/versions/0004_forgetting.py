"""What is past its term can be found and removed; the audit log can lose its oldest entries."""

from alembic import op
from alembic.operations import Operations

from chassis.data import tables as data_tables

revision = "0004"
down_revision = "0003"

# Who runs premises is forgotten as a whole. NOT VALID first, so that the long look at the rows takes no hard lock.
STATEMENTS = """
ALTER TABLE premises DROP CONSTRAINT premises_complete;
ALTER TABLE premises ADD CONSTRAINT premises_complete CHECK (status = 'stub'
    OR num_nulls(name, latitude, longitude, registered_unit) = 0
    AND num_nulls(operator_kind, operator_name, operator_phone, registered_by) IN (0, 4)) NOT VALID;
ALTER TABLE premises VALIDATE CONSTRAINT premises_complete;
CREATE INDEX premises_closed ON premises (premises_id) WHERE status = 'closed' AND operator_name IS NOT NULL;
CREATE INDEX inspections_oldest ON inspections (inspected_at);
CREATE INDEX hazards_found_by ON hazards (found_by_inspection);
CREATE INDEX hazards_cleared_by ON hazards (cleared_by_inspection) WHERE cleared_by_inspection IS NOT NULL;
CREATE INDEX closures_reopened ON closures (reopened_at) WHERE reopened_at IS NOT NULL;
"""


def upgrade() -> None:
    """Create them."""
    for statement in STATEMENTS.strip().split(";\n"):
        op.execute(statement.removesuffix(";"))
    data_tables.create_audit_cut(Operations(op.get_context()))
