"""Notices with their terms, alerts with their changes, and what alerts knows of premises and units."""

from alembic import op
from alembic.operations import Operations

import chassis.data.tables
import chassis.events.tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE notice_version (
    one_row BOOLEAN DEFAULT true NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (one_row),
    CONSTRAINT notice_version_one_row CHECK (one_row)
);

CREATE TABLE notices (
    notice_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    why TEXT,
    author_unit TEXT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    running_term INTEGER,
    pending_term INTEGER,
    lifted_at TIMESTAMP WITH TIME ZONE,
    subject BYTEA NOT NULL,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (notice_id),
    CONSTRAINT notices_state CHECK (state IN ('proposed', 'scheduled', 'active', 'suspended', 'ended')),
    CONSTRAINT notices_why CHECK (why IN ('expired', 'withdrawn', 'carried_out', 'replaced')),
    CONSTRAINT notices_ended_has_why CHECK ((state = 'ended') = (why IS NOT NULL)),
    CONSTRAINT notices_proposed CHECK (state <> 'proposed' OR (running_term IS NULL AND pending_term IS NOT NULL)),
    CONSTRAINT notices_approved_runs
        CHECK (state NOT IN ('scheduled', 'active', 'suspended') OR running_term IS NOT NULL),
    CONSTRAINT notices_has_term CHECK (num_nonnulls(running_term, pending_term) > 0),
    CONSTRAINT notices_ends_after_start CHECK (ends_at > starts_at)
);

CREATE INDEX notices_version ON notices (version);

CREATE INDEX notices_starts_at ON notices (starts_at) WHERE state = 'scheduled';

CREATE INDEX notices_proposed_at ON notices (proposed_at, notice_id);

CREATE INDEX notices_ends_at ON notices (ends_at) WHERE state != 'ended';

CREATE TABLE alert_numbers (
    day DATE NOT NULL,
    last_serial INTEGER NOT NULL,
    PRIMARY KEY (day)
);

CREATE TABLE stream_head (
    one_row BOOLEAN DEFAULT true NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (one_row),
    CONSTRAINT stream_head_one_row CHECK (one_row)
);

CREATE TABLE premises (
    premises_id UUID NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    division_code TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (premises_id)
);

CREATE TABLE units (
    unit_id TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    kind TEXT NOT NULL,
    areas TEXT[] NOT NULL,
    epoch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (unit_id)
);

CREATE TABLE notice_terms (
    notice_id UUID NOT NULL,
    term INTEGER NOT NULL,
    content TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    proposer TEXT NOT NULL,
    proposer_name TEXT NOT NULL,
    proposer_unit TEXT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approver TEXT,
    approver_name TEXT,
    approver_unit TEXT,
    approved_at TIMESTAMP WITH TIME ZONE,
    active_since TIMESTAMP WITH TIME ZONE,
    signing_key TEXT,
    signature BYTEA,
    PRIMARY KEY (notice_id, term),
    CONSTRAINT notice_terms_hash CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT notice_terms_approved_or_not CHECK (
        num_nonnulls(approver, approver_name, approver_unit, approved_at, active_since, signing_key, signature)
        IN (0, 7)),
    CONSTRAINT notice_terms_two_people CHECK (approver <> proposer),
    CONSTRAINT notice_terms_two_units CHECK (approver_unit <> proposer_unit),
    FOREIGN KEY(notice_id) REFERENCES notices (notice_id)
);

CREATE TABLE notice_changes (
    version BIGINT NOT NULL,
    notice_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    change TEXT NOT NULL,
    by TEXT NOT NULL,
    by_name TEXT NOT NULL,
    by_unit TEXT NOT NULL,
    reason BYTEA,
    PRIMARY KEY (version),
    CONSTRAINT notice_changes_change CHECK (
        change IN ('proposed', 'approved', 'started', 'suspended', 'lifted', 'renewal_proposed', 'ended')),
    FOREIGN KEY(notice_id) REFERENCES notices (notice_id)
);

CREATE INDEX notice_changes_notice ON notice_changes (notice_id, version);

CREATE TABLE alerts (
    alert_id UUID NOT NULL,
    day DATE NOT NULL,
    serial INTEGER NOT NULL,
    source TEXT NOT NULL,
    notice_id UUID,
    rule TEXT,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    premises_id UUID NOT NULL,
    stay_id UUID,
    room TEXT,
    division_code TEXT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    facts JSONB NOT NULL,
    acknowledge_seconds INTEGER NOT NULL,
    verify_seconds INTEGER NOT NULL,
    close_seconds INTEGER NOT NULL,
    owner TEXT,
    owner_name TEXT,
    owner_unit TEXT,
    escalation_level SMALLINT DEFAULT '0' NOT NULL,
    settled_by TEXT,
    finding TEXT,
    outcome TEXT,
    holds BOOLEAN DEFAULT true NOT NULL,
    event_recorded_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (alert_id),
    CONSTRAINT alerts_one_per_notice_and_stay UNIQUE (notice_id, stay_id),
    CONSTRAINT alerts_number UNIQUE (day, serial),
    CONSTRAINT alerts_state CHECK (state IN ('new', 'acknowledged', 'verified', 'closed', 'cleared', 'retracted')),
    CONSTRAINT alerts_severity CHECK (severity IN ('critical', 'urgent', 'normal', 'info')),
    CONSTRAINT alerts_source CHECK (
        CASE source WHEN 'notice' THEN notice_id IS NOT NULL AND stay_id IS NOT NULL AND rule IS NULL
        AND event_recorded_at IS NOT NULL
        WHEN 'rule' THEN notice_id IS NULL AND stay_id IS NULL AND rule IS NOT NULL ELSE false END),
    CONSTRAINT alerts_owner_whole CHECK (num_nonnulls(owner, owner_name, owner_unit) IN (0, 3)),
    CONSTRAINT alerts_new_has_no_owner CHECK (state <> 'new' OR owner IS NULL),
    CONSTRAINT alerts_owned CHECK (state NOT IN ('acknowledged', 'verified') OR owner IS NOT NULL),
    CONSTRAINT alerts_open_has_clock CHECK ((state IN ('new', 'acknowledged', 'verified')) = (due_at IS NOT NULL)),
    CONSTRAINT alerts_verified_has_finding CHECK ((state = 'verified') <= (finding IS NOT NULL)),
    CONSTRAINT alerts_closed_has_outcome CHECK ((state = 'closed') <= (outcome IS NOT NULL)),
    FOREIGN KEY(notice_id) REFERENCES notices (notice_id)
);

CREATE INDEX alerts_newest ON alerts (raised_at DESC, alert_id DESC);

CREATE INDEX alerts_open ON alerts (state) WHERE state IN ('new', 'acknowledged', 'verified');

CREATE INDEX alerts_stay ON alerts (stay_id);

CREATE TABLE alert_changes (
    position BIGINT NOT NULL,
    alert_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    change TEXT NOT NULL,
    by TEXT NOT NULL,
    by_name TEXT NOT NULL,
    by_unit TEXT NOT NULL,
    detail TEXT,
    reason BYTEA,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    numbered_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (position),
    FOREIGN KEY(alert_id) REFERENCES alerts (alert_id)
);

CREATE INDEX alert_changes_alert ON alert_changes (alert_id, position);

ALTER TABLE notices ADD CONSTRAINT notices_running_term FOREIGN KEY(notice_id, running_term)
    REFERENCES notice_terms (notice_id, term) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE notices ADD CONSTRAINT notices_pending_term FOREIGN KEY(notice_id, pending_term)
    REFERENCES notice_terms (notice_id, term) DEFERRABLE INITIALLY DEFERRED;
"""

ROWS = """
INSERT INTO notice_version (version) VALUES (0);
INSERT INTO stream_head (position) VALUES (0);
"""


def upgrade() -> None:
    """Create everything."""
    plumbing = Operations(op.get_context())
    chassis.data.tables.create(plumbing)
    chassis.events.tables.create(plumbing)
    for statement in (TABLES + ROWS).split(";"):
        if statement.strip():
            op.execute(statement)
