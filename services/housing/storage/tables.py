"""Housing's tables, each column with the tags of data protection. Migrations make them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from contracts.fields import TECHNICAL, tags

metadata = sa.MetaData()

PLACE = tags(purpose=("registration", "housing_safety"), basis="not_personal", class_="none", retention="premises")
PLACE_NOW = tags(purpose="housing_safety", basis="not_personal", class_="none", retention="current")
UNIT = tags(purpose="organisation", basis="not_personal", class_="none", retention="current")
FINDING = tags(purpose="housing_safety", basis="not_personal", class_="none", retention="premises")
OPERATOR = tags(purpose="housing_safety", basis="fire_safety", class_="personal", retention="premises")
HEADCOUNT = tags(purpose="housing_safety", basis="residence_registration", class_="personal", retention="current")
OFFICER = tags(purpose="oversight", basis="accountability", class_="pseudonym", retention="record")

COUNT = tags(purpose="statistics", basis="not_personal", class_="none", retention="statistics")
INSTANT = sa.DateTime(timezone=True)

# What an inspector enters is missing while it is a stub.
premises = sa.Table(
    "premises",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE),
    sa.Column("kind", sa.Text, nullable=False, info=PLACE),
    sa.Column("status", sa.Text, nullable=False, info=PLACE),
    sa.Column("name", sa.Text, nullable=True, info=PLACE),
    sa.Column("address", sa.Text, nullable=False, info=PLACE),
    sa.Column("division_code", sa.Text, nullable=False, info=PLACE),
    sa.Column("latitude", sa.Double, nullable=True, info=PLACE),
    sa.Column("longitude", sa.Double, nullable=True, info=PLACE),
    sa.Column("one_household", sa.Boolean, nullable=False, info=PLACE),
    sa.Column("operator_unit", sa.Text, nullable=True, info=PLACE),
    sa.Column("operator_kind", sa.Text, nullable=True, info=PLACE),
    # Sealed with the premises' own key: an operator may be a natural person.
    sa.Column("operator_name", sa.LargeBinary, nullable=True, info=OPERATOR),
    sa.Column("operator_phone", sa.LargeBinary, nullable=True, info=OPERATOR),
    sa.Column("capacity", sa.Integer, nullable=False, info=PLACE),
    sa.Column("registered_at", INSTANT, nullable=False, info=PLACE),
    sa.Column("registered_by", sa.Text, nullable=True, info=OFFICER),
    sa.Column("registered_unit", sa.Text, nullable=True, info=PLACE),
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
)

rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("premises_id", sa.Uuid, sa.ForeignKey("premises.premises_id"), primary_key=True, info=PLACE),
    sa.Column("number", sa.Text, primary_key=True, info=PLACE),
    sa.Column("position", sa.Integer, nullable=False, info=TECHNICAL),
    sa.Column("type", sa.Text, nullable=False, info=PLACE),
    sa.Column("area_m2", sa.Double, nullable=False, info=PLACE),
    sa.Column("capacity", sa.Integer, nullable=False, info=PLACE),
)

inspections = sa.Table(
    "inspections",
    metadata,
    sa.Column("inspection_id", sa.Uuid, primary_key=True, info=FINDING),
    sa.Column("premises_id", sa.Uuid, sa.ForeignKey("premises.premises_id"), nullable=False, info=PLACE),
    sa.Column("checklist_version", sa.Text, nullable=False, info=FINDING),
    sa.Column("entry_basis", sa.Text, nullable=False, info=FINDING),
    sa.Column("outcome", sa.Text, nullable=False, info=FINDING),
    sa.Column("inspected_at", INSTANT, nullable=False, info=FINDING),
    sa.Column("recorded_at", INSTANT, nullable=False, info=FINDING),
    sa.Column("inspected_by", sa.Text, nullable=False, info=OFFICER),
    sa.Column("inspected_unit", sa.Text, nullable=False, info=FINDING),
)

inspection_items = sa.Table(
    "inspection_items",
    metadata,
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspections.inspection_id"), primary_key=True, info=FINDING),
    sa.Column("item", sa.Text, primary_key=True, info=FINDING),
    sa.Column("result", sa.Text, nullable=False, info=FINDING),
    sa.Column("severity", sa.Text, nullable=True, info=FINDING),
    sa.Column("note", sa.Text, nullable=True, info=FINDING),
)

# One item of one premises has one open hazard at most.
hazards = sa.Table(
    "hazards",
    metadata,
    sa.Column("hazard_id", sa.Uuid, primary_key=True, info=FINDING),
    sa.Column("premises_id", sa.Uuid, sa.ForeignKey("premises.premises_id"), nullable=False, info=PLACE),
    sa.Column("item", sa.Text, nullable=False, info=FINDING),
    sa.Column("severity", sa.Text, nullable=False, info=FINDING),
    sa.Column("found_at", INSTANT, nullable=False, info=FINDING),
    sa.Column("found_by_inspection", sa.Uuid, nullable=False, info=FINDING),
    sa.Column("cleared_at", INSTANT, nullable=True, info=FINDING),
    # Of a hazard that a re-visit found gone; one cleared by itself has a note.
    sa.Column("cleared_by_inspection", sa.Uuid, nullable=True, info=FINDING),
    sa.Column("cleared_by", sa.Text, nullable=True, info=OFFICER),
    sa.Column("cleared_unit", sa.Text, nullable=True, info=FINDING),
    sa.Column("cleared_note", sa.Text, nullable=True, info=FINDING),
)

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("premises_id", sa.Uuid, sa.ForeignKey("premises.premises_id"), primary_key=True, info=PLACE),
    sa.Column("letter_version", sa.Text, primary_key=True, info=FINDING),
    sa.Column("text_sha256", sa.Text, nullable=False, info=FINDING),
    sa.Column("signed_at", INSTANT, nullable=False, info=FINDING),
    sa.Column("signed_by", sa.Text, nullable=False, info=OFFICER),
    sa.Column("signed_unit", sa.Text, nullable=False, info=FINDING),
)

# A closed premises has one row without an end.
closures = sa.Table(
    "closures",
    metadata,
    sa.Column("closure_id", sa.Uuid, primary_key=True, info=FINDING),
    sa.Column("premises_id", sa.Uuid, sa.ForeignKey("premises.premises_id"), nullable=False, info=PLACE),
    sa.Column("closed_at", INSTANT, nullable=False, info=FINDING),
    sa.Column("reason", sa.Text, nullable=False, info=FINDING),
    sa.Column("headcount", sa.Integer, nullable=False, info=FINDING),
    sa.Column("closed_by", sa.Text, nullable=False, info=OFFICER),
    sa.Column("closed_unit", sa.Text, nullable=False, info=FINDING),
    sa.Column("reopened_at", INSTANT, nullable=True, info=FINDING),
    sa.Column("reopened_reason", sa.Text, nullable=True, info=FINDING),
    sa.Column("reopened_by", sa.Text, nullable=True, info=OFFICER),
    sa.Column("reopened_unit", sa.Text, nullable=True, info=FINDING),
)

# How many people registration last said are registered at premises. The premises may not be known here (a stub), and
# topics have no order among them: no foreign key.
headcounts = sa.Table(
    "headcounts",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE_NOW),
    sa.Column("headcount", sa.Integer, nullable=False, info=HEADCOUNT),
    sa.Column("version_epoch", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.Column("version_number", sa.BigInteger, nullable=False, info=TECHNICAL),
)

units = sa.Table(
    "units",
    metadata,
    sa.Column("unit_id", sa.Text, primary_key=True, info=UNIT),
    sa.Column("name_zh", sa.Text, nullable=False, info=UNIT),
    sa.Column("name_en", sa.Text, nullable=False, info=UNIT),
    sa.Column("kind", sa.Text, nullable=False, info=UNIT),
    sa.Column("parent", sa.Text, nullable=True, info=UNIT),
    sa.Column("areas", ARRAY(sa.Text), nullable=False, info=UNIT),
    sa.Column("version_epoch", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.Column("version_number", sa.BigInteger, nullable=False, info=TECHNICAL),
)

# Counts of a day as they were last published, kept for good: they outlive the rows behind them.
statistics = sa.Table(
    "statistics",
    metadata,
    sa.Column("division_code", sa.Text, primary_key=True, info=COUNT),
    sa.Column("kind", sa.Text, primary_key=True, info=COUNT),
    sa.Column("day", sa.Date, primary_key=True, info=COUNT),
    sa.Column("counts", JSONB, nullable=False, info=COUNT),
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
)
