"""Reporting's tables: when its books were opened, when counts came last, and the days' counts as published."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from contracts.fields import TECHNICAL, tags

metadata = sa.MetaData()

COUNT = tags(purpose="statistics", basis="not_personal", class_="none", retention="statistics")

# The moment from which figures can stand here; an empty page says so instead of saying nothing.
opening = sa.Table(
    "opening",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, info=TECHNICAL),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, info=TECHNICAL),
)
# When counts of an owner came last: the time of the data that a page shows.
arrivals_of_counts = sa.Table(
    "arrivals_of_counts",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True, info=TECHNICAL),
    sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False, info=TECHNICAL),
)


def _days(name: str, *counts: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("division_code", sa.Text, primary_key=True, info=COUNT),
        sa.Column("kind", sa.Text, primary_key=True, info=COUNT),
        sa.Column("day", sa.Date, primary_key=True, info=COUNT),
        *counts,
        sa.Column("version_epoch", sa.BigInteger, nullable=False, info=TECHNICAL),
        sa.Column("version_number", sa.BigInteger, nullable=False, info=TECHNICAL),
        sa.Index(f"{name}_day", "day"),
    )


# `registered` is at the day's end; a day without a row is like the day before it.
registration_days = _days(
    "registration_days",
    *(
        sa.Column(name, sa.Integer, nullable=False, info=COUNT)
        for name in ("registered", "arrivals", "departures", "on_time", "late")
    ),
)
# Of these two, `counts` are the owner's own measures by name, whole numbers.
housing_days = _days("housing_days", sa.Column("counts", JSONB, nullable=False, info=COUNT))
alert_days = _days("alert_days", sa.Column("counts", JSONB, nullable=False, info=COUNT))
