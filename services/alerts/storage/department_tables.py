"""The tables of what departments are told, each column with what it is for."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from contracts.fields import TECHNICAL, tags
from services.alerts.storage.tables import UNIT, Instant, metadata

# Told to a department: which place, which hazards, how many people; who they are it need not know.
CASE = tags(purpose="housing_safety", basis="fire_safety", class_="personal", retention="topic_30_days")

# One row for each department: its last event's position, locked last and held to the commit, as stream_head is.
department_heads = sa.Table(
    "department_heads",
    metadata,
    sa.Column("department", sa.Text, primary_key=True, info=UNIT),
    sa.Column("position", sa.BigInteger, nullable=False, info=TECHNICAL),
)

# A department's events once more, as its topic has them: for those who read them over HTTP.
department_events = sa.Table(
    "department_events",
    metadata,
    sa.Column("department", sa.Text, sa.ForeignKey("department_heads.department"), primary_key=True, info=UNIT),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, info=TECHNICAL),
    sa.Column("event_id", sa.Uuid, nullable=False, unique=True, info=TECHNICAL),
    sa.Column("type", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("case_id", sa.Uuid, sa.ForeignKey("alerts.alert_id", ondelete="CASCADE"), nullable=False, info=CASE),
    sa.Column("at", Instant, nullable=False, info=CASE),
    sa.Column("value", postgresql.JSONB, nullable=False, info=CASE),
)
sa.Index("department_events_at", department_events.c.at)
sa.Index("department_events_case", department_events.c.case_id, department_events.c.position)
