"""The tables of alerts, each column with what it is for. The database refuses what the rules forbid."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from contracts.fields import TECHNICAL, tags

metadata = sa.MetaData()
Instant = sa.DateTime(timezone=True)

NOTICE = tags(purpose="notice_matching", basis="notice_instrument", class_="pseudonym", retention="notice")
SUBJECT = tags(purpose="notice_matching", basis="notice_instrument", class_="sensitive", retention="notice")
ALERT = tags(purpose="alert_handling", basis="notice_instrument", class_="pseudonym", retention="alert")
# Who took a step and what they wrote: the duty to account for decisions.
STEP = tags(purpose=("alert_handling", "oversight"), basis="accountability", class_="personal", retention="alert")
DECISION = tags(purpose=("notice_matching", "oversight"), basis="accountability", class_="personal", retention="notice")
COUNT = tags(purpose="statistics", basis="not_personal", class_="none", retention="statistics")
PLACE = tags(purpose="alert_handling", basis="not_personal", class_="none", retention="current")
# How many people are registered at premises: of a flat with one tenant it says something about a person.
HEADCOUNT = tags(purpose="housing_safety", basis="residence_registration", class_="personal", retention="current")
UNIT = tags(purpose="organisation", basis="not_personal", class_="none", retention="current")

# One row: how often a notice changed. Each change moves it under a lock that the matcher's batches share.
notice_version = sa.Table(
    "notice_version",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, server_default=sa.true(), info=TECHNICAL),
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.CheckConstraint("one_row", name="notice_version_one_row"),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("notice_id", sa.Uuid, primary_key=True, info=NOTICE),
    sa.Column("kind", sa.Text, nullable=False, info=NOTICE),
    sa.Column("state", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("why", sa.Text, nullable=True, info=TECHNICAL),
    sa.Column("author_unit", sa.Text, nullable=False, info=UNIT),
    sa.Column("proposed_at", Instant, nullable=False, info=TECHNICAL),
    # For the timers alone: the matcher takes start and end out of the signed content.
    sa.Column("starts_at", Instant, nullable=False, info=TECHNICAL),
    sa.Column("ends_at", Instant, nullable=False, info=TECHNICAL),
    sa.Column("running_term", sa.Integer, nullable=True, info=TECHNICAL),
    sa.Column("pending_term", sa.Integer, nullable=True, info=TECHNICAL),
    sa.Column("lifted_at", Instant, nullable=True, info=TECHNICAL),
    # The person: document, name, birth date and the commitment's salt, sealed with the notice's own key.
    sa.Column("subject", sa.LargeBinary, nullable=False, info=SUBJECT),
    # notice_version and the database's time at the last change: how the matcher finds what it has not read yet.
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.Column("changed_at", Instant, nullable=False, info=TECHNICAL),
    sa.Column("has_token", sa.Boolean, nullable=False, server_default=sa.true(), info=TECHNICAL),
    sa.CheckConstraint("has_token OR state = 'ended'", name="notices_live_has_token"),
    sa.CheckConstraint("state IN ('proposed', 'scheduled', 'active', 'suspended', 'ended')", name="notices_state"),
    sa.CheckConstraint("why IN ('expired', 'withdrawn', 'carried_out', 'replaced')", name="notices_why"),
    sa.CheckConstraint("(state = 'ended') = (why IS NOT NULL)", name="notices_ended_has_why"),
    sa.CheckConstraint(
        "state <> 'proposed' OR (running_term IS NULL AND pending_term IS NOT NULL)", name="notices_proposed"
    ),
    sa.CheckConstraint(
        "state NOT IN ('scheduled', 'active', 'suspended') OR running_term IS NOT NULL", name="notices_approved_runs"
    ),
    sa.CheckConstraint("num_nonnulls(running_term, pending_term) > 0", name="notices_has_term"),
    sa.CheckConstraint("ends_at > starts_at", name="notices_ends_after_start"),
    sa.ForeignKeyConstraint(
        ["notice_id", "running_term"],
        ["notice_terms.notice_id", "notice_terms.term"],
        name="notices_running_term",
        deferrable=True,
        initially="DEFERRED",
        use_alter=True,
    ),
    sa.ForeignKeyConstraint(
        ["notice_id", "pending_term"],
        ["notice_terms.notice_id", "notice_terms.term"],
        name="notices_pending_term",
        deferrable=True,
        initially="DEFERRED",
        use_alter=True,
    ),
)
sa.Index("notices_version", notices.c.version)
sa.Index("notices_proposed_at", notices.c.proposed_at, notices.c.notice_id)
sa.Index("notices_starts_at", notices.c.starts_at, postgresql_where=notices.c.state == "scheduled")
sa.Index("notices_ended", notices.c.changed_at, postgresql_where=notices.c.state == "ended")
sa.Index("notices_ends_at", notices.c.ends_at, postgresql_where=notices.c.state != "ended")

notice_terms = sa.Table(
    "notice_terms",
    metadata,
    sa.Column("notice_id", sa.Uuid, sa.ForeignKey("notices.notice_id"), primary_key=True, info=NOTICE),
    sa.Column("term", sa.Integer, primary_key=True, info=TECHNICAL),
    # The canonical form, byte for byte as it was hashed and signed.
    sa.Column("content", sa.Text, nullable=False, info=NOTICE),
    sa.Column("content_hash", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("proposer", sa.Text, nullable=False, info=DECISION),
    sa.Column("proposer_name", sa.Text, nullable=False, info=DECISION),
    sa.Column("proposer_unit", sa.Text, nullable=False, info=UNIT),
    sa.Column("proposed_at", Instant, nullable=False, info=DECISION),
    sa.Column("approver", sa.Text, nullable=True, info=DECISION),
    sa.Column("approver_name", sa.Text, nullable=True, info=DECISION),
    sa.Column("approver_unit", sa.Text, nullable=True, info=UNIT),
    sa.Column("approved_at", Instant, nullable=True, info=DECISION),
    sa.Column("active_since", Instant, nullable=True, info=TECHNICAL),
    sa.Column("signing_key", sa.Text, nullable=True, info=TECHNICAL),
    sa.Column("signature", sa.LargeBinary, nullable=True, info=TECHNICAL),
    sa.CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name="notice_terms_hash"),
    sa.CheckConstraint(
        "num_nonnulls(approver, approver_name, approver_unit, approved_at, active_since, signing_key, signature)"
        " IN (0, 7)",
        name="notice_terms_approved_or_not",
    ),
    sa.CheckConstraint("approver <> proposer", name="notice_terms_two_people"),
    sa.CheckConstraint("approver_unit <> proposer_unit", name="notice_terms_two_units"),
)

# A notice's history: one row per change, under the version that the change gave.
notice_changes = sa.Table(
    "notice_changes",
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False, info=TECHNICAL),
    sa.Column("notice_id", sa.Uuid, sa.ForeignKey("notices.notice_id"), nullable=False, info=NOTICE),
    sa.Column("at", Instant, nullable=False, info=DECISION),
    sa.Column("change", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("by", sa.Text, nullable=False, info=DECISION),
    sa.Column("by_name", sa.Text, nullable=False, info=DECISION),
    sa.Column("by_unit", sa.Text, nullable=False, info=UNIT),
    # Sealed with the notice's key: people write names into reasons.
    sa.Column("reason", sa.LargeBinary, nullable=True, info=DECISION),
    sa.CheckConstraint(
        "change IN ('proposed', 'approved', 'started', 'suspended', 'lifted', 'renewal_proposed', 'ended')",
        name="notice_changes_change",
    ),
)
sa.Index("notice_changes_notice", notice_changes.c.notice_id, notice_changes.c.version)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", sa.Uuid, primary_key=True, info=ALERT),
    sa.Column("day", sa.Date, nullable=False, info=ALERT),
    sa.Column("serial", sa.Integer, nullable=False, info=TECHNICAL),
    sa.Column("source", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("notice_id", sa.Uuid, sa.ForeignKey("notices.notice_id"), nullable=True, info=ALERT),
    sa.Column("rule", sa.Text, nullable=True, info=TECHNICAL),
    sa.Column("kind", sa.Text, nullable=False, info=ALERT),
    sa.Column("severity", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("state", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("due_at", Instant, nullable=True, info=TECHNICAL),
    sa.Column("premises_id", sa.Uuid, nullable=False, info=ALERT),
    sa.Column("stay_id", sa.Uuid, nullable=True, info=ALERT),
    sa.Column("room", sa.Text, nullable=True, info=ALERT),
    sa.Column("division_code", sa.Text, nullable=False, info=ALERT),
    sa.Column("occurred_at", Instant, nullable=False, info=ALERT),
    sa.Column("raised_at", Instant, nullable=False, info=ALERT),
    sa.Column("facts", postgresql.JSONB, nullable=False, info=ALERT),
    # The clocks by the pack in force when it was raised, in seconds.
    sa.Column("acknowledge_seconds", sa.Integer, nullable=False, info=TECHNICAL),
    sa.Column("verify_seconds", sa.Integer, nullable=False, info=TECHNICAL),
    sa.Column("close_seconds", sa.Integer, nullable=False, info=TECHNICAL),
    sa.Column("owner", sa.Text, nullable=True, info=STEP),
    sa.Column("owner_name", sa.Text, nullable=True, info=STEP),
    sa.Column("owner_unit", sa.Text, nullable=True, info=UNIT),
    sa.Column("escalation_level", sa.SmallInteger, nullable=False, server_default="0", info=TECHNICAL),
    sa.Column("settled_by", sa.Text, nullable=True, info=STEP),
    sa.Column("finding", sa.Text, nullable=True, info=ALERT),
    sa.Column("outcome", sa.Text, nullable=True, info=ALERT),
    sa.Column("holds", sa.Boolean, nullable=False, server_default=sa.true(), info=TECHNICAL),
    sa.Column("event_recorded_at", Instant, nullable=True, info=TECHNICAL),
    sa.UniqueConstraint("notice_id", "stay_id", name="alerts_one_per_notice_and_stay"),
    sa.UniqueConstraint("day", "serial", name="alerts_number"),
    sa.CheckConstraint(
        "state IN ('new', 'acknowledged', 'verified', 'closed', 'cleared', 'retracted')", name="alerts_state"
    ),
    sa.CheckConstraint("severity IN ('critical', 'urgent', 'normal', 'info')", name="alerts_severity"),
    sa.CheckConstraint(
        "CASE source WHEN 'notice' THEN notice_id IS NOT NULL AND stay_id IS NOT NULL AND rule IS NULL"
        " AND event_recorded_at IS NOT NULL"
        " WHEN 'rule' THEN notice_id IS NULL AND stay_id IS NULL AND rule IS NOT NULL ELSE false END",
        name="alerts_source",
    ),
    sa.CheckConstraint("num_nonnulls(owner, owner_name, owner_unit) IN (0, 3)", name="alerts_owner_whole"),
    sa.CheckConstraint("state <> 'new' OR owner IS NULL", name="alerts_new_has_no_owner"),
    sa.CheckConstraint("state NOT IN ('acknowledged', 'verified') OR owner IS NOT NULL", name="alerts_owned"),
    sa.CheckConstraint(
        "(state IN ('new', 'acknowledged', 'verified')) = (due_at IS NOT NULL)", name="alerts_open_has_clock"
    ),
    sa.CheckConstraint("(state = 'verified') <= (finding IS NOT NULL)", name="alerts_verified_has_finding"),
    sa.CheckConstraint("(state = 'closed') <= (outcome IS NOT NULL)", name="alerts_closed_has_outcome"),
    sa.CheckConstraint("rule IS NULL OR holds OR state IN ('closed', 'cleared')", name="alerts_open_rule_holds"),
    sa.CheckConstraint("rule IS NULL OR state <> 'retracted'", name="alerts_rule_is_not_retracted"),
)
sa.Index("alerts_newest", alerts.c.raised_at.desc(), alerts.c.alert_id.desc())
sa.Index("alerts_open", alerts.c.state, postgresql_where=alerts.c.state.in_(["new", "acknowledged", "verified"]))
sa.Index("alerts_stay", alerts.c.stay_id)
# With alerts_open_rule_holds: one open alert per rule and premises, and none beside a closed one whose facts go on.
GOES_ON = sa.text("holds AND rule IS NOT NULL")
sa.Index("alerts_one_per_rule_and_premises", alerts.c.premises_id, alerts.c.rule, unique=True, postgresql_where=GOES_ON)

alert_numbers = sa.Table(
    "alert_numbers",
    metadata,
    sa.Column("day", sa.Date, primary_key=True, info=TECHNICAL),
    sa.Column("last_serial", sa.Integer, nullable=False, info=TECHNICAL),
)

# One row, locked last and held to the commit: so positions become visible in their order, without gaps.
stream_head = sa.Table(
    "stream_head",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, server_default=sa.true(), info=TECHNICAL),
    sa.Column("position", sa.BigInteger, nullable=False, info=TECHNICAL),
    # Up to here changes may be missing: they went with their alerts.
    sa.Column("forgotten", sa.BigInteger, nullable=False, server_default="0", info=TECHNICAL),
    sa.CheckConstraint("one_row", name="stream_head_one_row"),
)

# Every change of every alert, once: an alert's history by alert, the live stream by position.
alert_changes = sa.Table(
    "alert_changes",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, info=TECHNICAL),
    sa.Column("alert_id", sa.Uuid, sa.ForeignKey("alerts.alert_id"), nullable=False, info=ALERT),
    sa.Column("at", Instant, nullable=False, info=STEP),
    sa.Column("change", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("by", sa.Text, nullable=False, info=STEP),
    sa.Column("by_name", sa.Text, nullable=False, info=STEP),
    sa.Column("by_unit", sa.Text, nullable=False, info=UNIT),
    sa.Column("detail", sa.Text, nullable=True, info=STEP),
    # Sealed with the alert's own key: officers write names into reasons and notes.
    sa.Column("reason", sa.LargeBinary, nullable=True, info=STEP),
    sa.Column("severity", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("state", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("numbered_at", Instant, nullable=False, server_default=sa.func.clock_timestamp(), info=TECHNICAL),
)
sa.Index("alert_changes_alert", alert_changes.c.alert_id, alert_changes.c.position)
# How soon alerts of today came to their steps, without reading a year of changes.
PACED = alert_changes.c.change.in_(["acknowledged", "closed"])
sa.Index("alert_changes_paced", alert_changes.c.at, postgresql_where=PACED)

premises = sa.Table(
    "premises",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE),
    sa.Column("kind", sa.Text, nullable=False, info=PLACE),
    sa.Column("address", sa.Text, nullable=False, info=PLACE),
    sa.Column("division_code", sa.Text, nullable=False, info=PLACE),
    sa.Column("epoch", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.Column("number", sa.BigInteger, nullable=False, info=TECHNICAL),
)

units = sa.Table(
    "units",
    metadata,
    sa.Column("unit_id", sa.Text, primary_key=True, info=UNIT),
    sa.Column("name_zh", sa.Text, nullable=False, info=UNIT),
    sa.Column("name_en", sa.Text, nullable=False, info=UNIT),
    sa.Column("kind", sa.Text, nullable=False, info=UNIT),
    sa.Column("areas", postgresql.ARRAY(sa.Text), nullable=False, info=UNIT),
    sa.Column("epoch", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.Column("number", sa.BigInteger, nullable=False, info=TECHNICAL),
)

# What the rules look at: housing's side and registration's in one row, so that whichever changes locks out the other.
dwellings = sa.Table(
    "dwellings",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE),
    sa.Column("status", sa.Text, nullable=True, info=PLACE),
    sa.Column("capacity", sa.Integer, nullable=True, info=PLACE),
    sa.Column("one_household", sa.Boolean, nullable=True, info=PLACE),
    sa.Column("hazards", postgresql.JSONB, nullable=True, info=PLACE),
    sa.Column("latitude", sa.Double, nullable=True, info=PLACE),
    sa.Column("longitude", sa.Double, nullable=True, info=PLACE),
    sa.Column("premises_epoch", sa.BigInteger, nullable=False, server_default="0", info=TECHNICAL),
    sa.Column("premises_number", sa.BigInteger, nullable=False, server_default="0", info=TECHNICAL),
    sa.Column("headcount", sa.Integer, nullable=True, info=HEADCOUNT),
    sa.Column("headcount_epoch", sa.BigInteger, nullable=False, server_default="0", info=TECHNICAL),
    sa.Column("headcount_number", sa.BigInteger, nullable=False, server_default="0", info=TECHNICAL),
    sa.CheckConstraint("status IN ('open', 'closed', 'stub')", name="dwellings_status"),
    sa.CheckConstraint("num_nonnulls(status, capacity, one_household, hazards) IN (0, 4)", name="dwellings_whole"),
    sa.CheckConstraint("capacity >= 0", name="dwellings_capacity"),
    sa.CheckConstraint("headcount >= 0", name="dwellings_headcount"),
)
sa.Index("dwellings_place", dwellings.c.latitude, dwellings.c.longitude)

# Counts of a day as they were last published, kept for good: they outlive the rows behind them.
statistics = sa.Table(
    "statistics",
    metadata,
    sa.Column("division_code", sa.Text, primary_key=True, info=COUNT),
    sa.Column("kind", sa.Text, primary_key=True, info=COUNT),
    sa.Column("day", sa.Date, primary_key=True, info=COUNT),
    sa.Column("counts", postgresql.JSONB, nullable=False, info=COUNT),
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
)
sa.Index("statistics_day", statistics.c.day)
