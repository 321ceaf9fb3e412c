"""Inspections and what they found, hazards, letters, closures; premises may be a stub, of which less is known."""

from alembic import op

revision = "0002"
down_revision = "0001"

# Only a stub lacks what an inspector enters; NOT VALID first, so that the long look at the rows takes no hard lock.
STATEMENTS = """
ALTER TABLE premises
    ALTER COLUMN name DROP NOT NULL,
    ALTER COLUMN latitude DROP NOT NULL,
    ALTER COLUMN longitude DROP NOT NULL,
    ALTER COLUMN operator_kind DROP NOT NULL,
    ALTER COLUMN operator_name DROP NOT NULL,
    ALTER COLUMN operator_phone DROP NOT NULL,
    ALTER COLUMN registered_by DROP NOT NULL,
    ALTER COLUMN registered_unit DROP NOT NULL;
ALTER TABLE premises ADD CONSTRAINT premises_complete CHECK (status = 'stub' OR num_nulls(name, latitude, longitude,
    operator_kind, operator_name, operator_phone, registered_by, registered_unit) = 0) NOT VALID;
ALTER TABLE premises VALIDATE CONSTRAINT premises_complete;
CREATE TABLE inspections (
    inspection_id uuid PRIMARY KEY,
    premises_id uuid NOT NULL REFERENCES premises,
    checklist_version text NOT NULL CONSTRAINT inspections_checklist_version CHECK (checklist_version <> ''),
    entry_basis text NOT NULL CONSTRAINT inspections_entry_basis CHECK (entry_basis IN (
        'consent', 'certificate', 'emergency')),
    outcome text NOT NULL CONSTRAINT inspections_outcome CHECK (outcome IN ('done', 'nobody_home', 'refused')),
    inspected_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    inspected_by text NOT NULL,
    inspected_unit text NOT NULL
);
CREATE INDEX inspections_of_premises ON inspections (premises_id, inspected_at DESC);
CREATE TABLE inspection_items (
    inspection_id uuid NOT NULL REFERENCES inspections,
    item text NOT NULL,
    result text NOT NULL CONSTRAINT inspection_items_result CHECK (result IN ('pass', 'fail', 'not_applicable')),
    severity text CONSTRAINT inspection_items_severity CHECK (severity IN ('minor', 'serious', 'imminent')),
    note text CONSTRAINT inspection_items_note CHECK (note <> ''),
    PRIMARY KEY (inspection_id, item),
    CONSTRAINT inspection_items_severity_of_failures CHECK ((result = 'fail') = (severity IS NOT NULL))
);
CREATE TABLE hazards (
    hazard_id uuid PRIMARY KEY,
    premises_id uuid NOT NULL REFERENCES premises,
    item text NOT NULL,
    severity text NOT NULL CONSTRAINT hazards_severity CHECK (severity IN ('minor', 'serious', 'imminent')),
    found_at timestamptz NOT NULL,
    found_by_inspection uuid NOT NULL REFERENCES inspections,
    cleared_at timestamptz,
    cleared_by_inspection uuid REFERENCES inspections,
    cleared_by text,
    cleared_unit text,
    cleared_note text,
    CONSTRAINT hazards_cleared_after_found CHECK (cleared_at >= found_at),
    CONSTRAINT hazards_cleared_by_somebody CHECK ((cleared_at IS NULL) = (cleared_by IS NULL)
        AND (cleared_at IS NULL) = (cleared_unit IS NULL)
        AND (cleared_at IS NULL) = (cleared_by_inspection IS NULL AND cleared_note IS NULL))
);
CREATE UNIQUE INDEX hazards_one_open ON hazards (premises_id, item) WHERE cleared_at IS NULL;
CREATE INDEX hazards_of_premises ON hazards (premises_id, found_at DESC);
CREATE TABLE letters (
    premises_id uuid NOT NULL REFERENCES premises,
    letter_version text NOT NULL CONSTRAINT letters_version CHECK (letter_version <> ''),
    text_sha256 text NOT NULL CONSTRAINT letters_text_sha256 CHECK (text_sha256 ~ '^[0-9a-f]{64}$'),
    signed_at timestamptz NOT NULL,
    signed_by text NOT NULL,
    signed_unit text NOT NULL,
    PRIMARY KEY (premises_id, letter_version)
);
CREATE TABLE closures (
    closure_id uuid PRIMARY KEY,
    premises_id uuid NOT NULL REFERENCES premises,
    closed_at timestamptz NOT NULL,
    reason text NOT NULL CONSTRAINT closures_reason CHECK (reason <> ''),
    headcount integer NOT NULL CONSTRAINT closures_headcount CHECK (headcount >= 0),
    closed_by text NOT NULL,
    closed_unit text NOT NULL,
    reopened_at timestamptz,
    reopened_reason text CONSTRAINT closures_reopened_reason CHECK (reopened_reason <> ''),
    reopened_by text,
    reopened_unit text,
    CONSTRAINT closures_reopened_after CHECK (reopened_at >= closed_at),
    CONSTRAINT closures_reopened_whole CHECK (
        num_nulls(reopened_at, reopened_reason, reopened_by, reopened_unit) IN (0, 4))
);
CREATE UNIQUE INDEX closures_one_at_a_time ON closures (premises_id) WHERE reopened_at IS NULL;
"""


def upgrade() -> None:
    """Change and create everything."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
