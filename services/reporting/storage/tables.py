"""Reporting's tables: so far only when its books were opened. Migrations make them."""

import sqlalchemy as sa

from contracts.fields import TECHNICAL

metadata = sa.MetaData()

# The moment from which figures can stand here; an empty page says so instead of saying nothing.
opening = sa.Table(
    "opening",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, info=TECHNICAL),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, info=TECHNICAL),
)
