"""Premises with their rooms, headcounts as registration publishes them, units."""

from alembic import op
from alembic.operations import Operations

from chassis.data import tables as data_tables
from chassis.events import tables as event_tables

revision = "0001"
down_revision = None

STATEMENTS = """
CREATE TABLE premises (
    premises_id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT premises_kind CHECK (kind IN (
        'rental', 'shared_rental', 'hotel', 'dormitory', 'site_shed', 'market', 'entertainment_venue')),
    status text NOT NULL CONSTRAINT premises_status CHECK (status IN ('open', 'closed', 'stub')),
    name text NOT NULL CONSTRAINT premises_name CHECK (name <> ''),
    address text NOT NULL CONSTRAINT premises_address CHECK (address <> ''),
    division_code text NOT NULL CONSTRAINT premises_division_code CHECK (division_code ~ '^[0-9]{6,12}$'),
    latitude double precision NOT NULL CONSTRAINT premises_latitude CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CONSTRAINT premises_longitude CHECK (longitude BETWEEN -180 AND 180),
    one_household boolean NOT NULL,
    operator_unit text,
    operator_kind text NOT NULL CONSTRAINT premises_operator_kind CHECK (operator_kind IN ('person', 'firm')),
    operator_name bytea NOT NULL,
    operator_phone bytea NOT NULL,
    capacity integer NOT NULL CONSTRAINT premises_capacity CHECK (capacity >= 0),
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL,
    registered_unit text NOT NULL,
    version bigint NOT NULL CONSTRAINT premises_version CHECK (version > 0)
);
-- A list is read within an area (a prefix of division codes) or of one operator, newest first.
CREATE INDEX premises_division ON premises (division_code text_pattern_ops, premises_id);
CREATE INDEX premises_operator_unit ON premises (operator_unit, premises_id);
CREATE TABLE rooms (
    premises_id uuid NOT NULL REFERENCES premises,
    number text NOT NULL CONSTRAINT rooms_number CHECK (number <> ''),
    position integer NOT NULL CONSTRAINT rooms_position_not_negative CHECK (position >= 0),
    type text NOT NULL CONSTRAINT rooms_type CHECK (type IN ('bedroom', 'living_room', 'dormitory', 'kitchen',
        'bathroom', 'balcony', 'storage', 'garage', 'corridor')),
    area_m2 double precision NOT NULL CONSTRAINT rooms_area CHECK (area_m2 > 0),
    capacity integer NOT NULL CONSTRAINT rooms_capacity CHECK (capacity >= 0),
    PRIMARY KEY (premises_id, number),
    CONSTRAINT rooms_position UNIQUE (premises_id, position)
);
CREATE TABLE headcounts (
    premises_id uuid PRIMARY KEY,
    headcount integer NOT NULL CONSTRAINT headcounts_not_negative CHECK (headcount >= 0),
    version_epoch bigint NOT NULL,
    version_number bigint NOT NULL
);
CREATE TABLE units (
    unit_id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    kind text NOT NULL,
    parent text,
    areas text[] NOT NULL,
    version_epoch bigint NOT NULL,
    version_number bigint NOT NULL
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
