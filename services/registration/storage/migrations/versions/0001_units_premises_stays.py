"""Units, premises as housing publishes them, persons, stays with their corrections and alerts."""

from alembic import op
from alembic.operations import Operations

from chassis.data import tables as data_tables
from chassis.events import tables as event_tables

revision = "0001"
down_revision = None

STATEMENTS = """
CREATE TABLE units (
    unit_id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    kind text NOT NULL,
    parent text REFERENCES units DEFERRABLE INITIALLY DEFERRED,
    areas text[] NOT NULL,
    roles text[] NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT units_not_its_own_parent CHECK (parent <> unit_id)
);
CREATE TABLE premises (
    premises_id uuid PRIMARY KEY,
    kind text NOT NULL,
    status text NOT NULL,
    address text NOT NULL,
    division_code text NOT NULL,
    operator_unit text,
    rooms jsonb NOT NULL,
    version_epoch bigint NOT NULL,
    version_number bigint NOT NULL
);
CREATE INDEX premises_division ON premises (division_code text_pattern_ops);
CREATE INDEX premises_operator_unit ON premises (operator_unit);
CREATE TABLE occupancy (
    premises_id uuid PRIMARY KEY,
    headcount integer NOT NULL CONSTRAINT occupancy_not_negative CHECK (headcount >= 0),
    version bigint NOT NULL
);
CREATE TABLE persons (
    person_id uuid PRIMARY KEY,
    lookup_key_id text NOT NULL,
    lookup_token text NOT NULL,
    to_verify boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX persons_one_per_document ON persons (lookup_token) WHERE NOT to_verify;
CREATE INDEX persons_lookup_token ON persons (lookup_token);
CREATE SEQUENCE receipt_serial;
CREATE TABLE stays (
    stay_id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES persons,
    premises_id uuid NOT NULL,
    division_code text NOT NULL,
    room text NOT NULL,
    kind text NOT NULL,
    legal_basis text NOT NULL,
    arrived_at timestamptz NOT NULL,
    expected_until timestamptz,
    departed_at timestamptz,
    days_late integer NOT NULL CONSTRAINT stays_days_late CHECK (days_late >= 0),
    misread text,
    name bytea NOT NULL,
    document bytea NOT NULL,
    birth_date bytea,
    sex bytea,
    phone bytea,
    guardian bytea,
    matching_key_id text,
    matching_token text,
    expiry_token text,
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    registered_by text NOT NULL,
    registered_unit text NOT NULL,
    receipt_serial bigint NOT NULL DEFAULT nextval('receipt_serial') CONSTRAINT stays_receipt_serial UNIQUE,
    CONSTRAINT stays_end_after_begin CHECK (departed_at >= arrived_at),
    CONSTRAINT stays_expected_after_begin CHECK (expected_until > arrived_at),
    CONSTRAINT stays_token_names_its_key CHECK ((matching_key_id IS NULL) = (matching_token IS NULL)),
    CONSTRAINT stays_expiry_beside_token CHECK (expiry_token IS NULL OR matching_token IS NOT NULL),
    CONSTRAINT stays_token_while_open CHECK (departed_at IS NULL OR matching_token IS NULL),
    CONSTRAINT stays_token_only_verified CHECK (misread IS NULL OR matching_token IS NULL)
);
CREATE INDEX stays_open_rooms ON stays (premises_id, room) WHERE departed_at IS NULL;
CREATE INDEX stays_open_persons ON stays (person_id) WHERE departed_at IS NULL;
CREATE INDEX stays_matching_token ON stays (matching_token) WHERE matching_token IS NOT NULL;
CREATE INDEX stays_expiry_token ON stays (expiry_token) WHERE expiry_token IS NOT NULL;
CREATE INDEX stays_of_a_desk ON stays (registered_unit, registered_at);
CREATE TABLE corrections (
    correction_id uuid PRIMARY KEY,
    stay_id uuid NOT NULL REFERENCES stays,
    person_id uuid NOT NULL REFERENCES persons,
    field text NOT NULL,
    before bytea,
    after bytea,
    reason bytea NOT NULL,
    corrected_by text NOT NULL,
    corrected_unit text NOT NULL,
    corrected_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX corrections_of_a_stay ON corrections (stay_id, corrected_at);
CREATE TABLE stay_alerts (
    alert_id uuid PRIMARY KEY,
    stay_id uuid NOT NULL,
    state text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE token_requests (
    hour timestamptz,
    author text,
    given integer NOT NULL CONSTRAINT token_requests_given CHECK (given > 0),
    PRIMARY KEY (hour, author)
);
"""


def upgrade() -> None:
    """Create everything."""
    plumbing = Operations(op.get_context())
    data_tables.create(plumbing)
    event_tables.create(plumbing)
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
