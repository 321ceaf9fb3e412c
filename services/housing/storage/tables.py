"""Housing's tables, each column with the tags of data protection. Migrations make them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from contracts.fields import TECHNICAL, tags

metadata = sa.MetaData()

PLACE = tags(purpose=("registration", "housing_safety"), basis="not_personal", class_="none", retention="premises")
UNIT = tags(purpose="organisation", basis="not_personal", class_="none", retention="current")
OPERATOR = tags(purpose="housing_safety", basis="fire_safety", class_="personal", retention="premises")
HEADCOUNT = tags(purpose="housing_safety", basis="residence_registration", class_="personal", retention="current")
OFFICER = tags(purpose="oversight", basis="accountability", class_="pseudonym", retention="audit")

INSTANT = sa.DateTime(timezone=True)

premises = sa.Table(
    "premises",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE),
    sa.Column("kind", sa.Text, nullable=False, info=PLACE),
    sa.Column("status", sa.Text, nullable=False, info=PLACE),
    sa.Column("name", sa.Text, nullable=False, info=PLACE),
    sa.Column("address", sa.Text, nullable=False, info=PLACE),
    sa.Column("division_code", sa.Text, nullable=False, info=PLACE),
    sa.Column("latitude", sa.Double, nullable=False, info=PLACE),
    sa.Column("longitude", sa.Double, nullable=False, info=PLACE),
    sa.Column("one_household", sa.Boolean, nullable=False, info=PLACE),
    sa.Column("operator_unit", sa.Text, nullable=True, info=PLACE),
    sa.Column("operator_kind", sa.Text, nullable=False, info=PLACE),
    # Sealed with the premises' own key: an operator may be a natural person.
    sa.Column("operator_name", sa.LargeBinary, nullable=False, info=OPERATOR),
    sa.Column("operator_phone", sa.LargeBinary, nullable=False, info=OPERATOR),
    sa.Column("capacity", sa.Integer, nullable=False, info=PLACE),
    sa.Column("registered_at", INSTANT, nullable=False, info=PLACE),
    sa.Column("registered_by", sa.Text, nullable=False, info=OFFICER),
    sa.Column("registered_unit", sa.Text, nullable=False, info=PLACE),
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

# How many people registration last said are registered at premises. The premises may not be known here (a stub), and
# topics have no order among them: no foreign key.
headcounts = sa.Table(
    "headcounts",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE),
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
