"""What condition rules look at, one alert per rule and premises, and the events of departments."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE dwellings (
    premises_id UUID NOT NULL,
    status TEXT,
    capacity INTEGER,
    one_household BOOLEAN,
    hazards JSONB,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    premises_epoch BIGINT DEFAULT 0 NOT NULL,
    premises_number BIGINT DEFAULT 0 NOT NULL,
    headcount INTEGER,
    headcount_epoch BIGINT DEFAULT 0 NOT NULL,
    headcount_number BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (premises_id),
    CONSTRAINT dwellings_status CHECK (status IN ('open', 'closed', 'stub')),
    CONSTRAINT dwellings_whole CHECK (num_nonnulls(status, capacity, one_household, hazards) IN (0, 4)),
    CONSTRAINT dwellings_capacity CHECK (capacity >= 0),
    CONSTRAINT dwellings_headcount CHECK (headcount >= 0)
);

ALTER TABLE alerts ADD CONSTRAINT alerts_open_rule_holds
    CHECK (rule IS NULL OR holds OR state IN ('closed', 'cleared')) NOT VALID;

ALTER TABLE alerts ADD CONSTRAINT alerts_rule_is_not_retracted
    CHECK (rule IS NULL OR state <> 'retracted') NOT VALID;

ALTER TABLE alerts VALIDATE CONSTRAINT alerts_open_rule_holds;

ALTER TABLE alerts VALIDATE CONSTRAINT alerts_rule_is_not_retracted;

CREATE UNIQUE INDEX alerts_one_per_rule_and_premises ON alerts (premises_id, rule) WHERE holds AND rule IS NOT NULL;

CREATE TABLE department_heads (
    department TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (department)
);

INSERT INTO department_heads (department, position) VALUES ('fire', 0);

CREATE TABLE department_events (
    department TEXT NOT NULL,
    position BIGINT NOT NULL,
    event_id UUID NOT NULL,
    type TEXT NOT NULL,
    case_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    value JSONB NOT NULL,
    PRIMARY KEY (department, position),
    UNIQUE (event_id),
    FOREIGN KEY (department) REFERENCES department_heads (department),
    FOREIGN KEY (case_id) REFERENCES alerts (alert_id) ON DELETE CASCADE
);

CREATE INDEX department_events_case ON department_events (case_id, position);
"""


def upgrade() -> None:
    """Create everything."""
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)
