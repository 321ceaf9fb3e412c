"""The table of shift handovers, each column with what it is for."""

import sqlalchemy as sa

from contracts.fields import TECHNICAL
from services.alerts.storage.tables import STEP, UNIT, Instant, metadata

# Who handed their open alerts over to whom; which alerts those were stands in each one's history.
handovers = sa.Table(
    "handovers",
    metadata,
    sa.Column("handover_id", sa.Uuid, primary_key=True, info=TECHNICAL),
    sa.Column("giver", sa.Text, nullable=False, info=STEP),
    sa.Column("giver_name", sa.Text, nullable=False, info=STEP),
    sa.Column("giver_unit", sa.Text, nullable=False, info=UNIT),
    sa.Column("offered_at", Instant, nullable=False, info=STEP),
    # Sealed with the handover's own key: officers write names into notes.
    sa.Column("note", sa.LargeBinary, nullable=False, info=STEP),
    sa.Column("ended_at", Instant, nullable=True, info=STEP),
    sa.Column("taker", sa.Text, nullable=True, info=STEP),
    sa.Column("taker_name", sa.Text, nullable=True, info=STEP),
    sa.Column("taker_unit", sa.Text, nullable=True, info=UNIT),
    sa.Column("alerts", sa.Integer, nullable=False, server_default="0", info=TECHNICAL),
    sa.CheckConstraint("num_nonnulls(taker, taker_name, taker_unit) IN (0, 3)", name="handovers_taker_whole"),
    sa.CheckConstraint("taker IS NULL OR ended_at IS NOT NULL", name="handovers_taken_is_ended"),
    sa.CheckConstraint("taker <> giver", name="handovers_two_people"),
)
sa.Index("handovers_one_open", handovers.c.giver, unique=True, postgresql_where=handovers.c.ended_at.is_(None))
sa.Index("handovers_offered_at", handovers.c.offered_at)
