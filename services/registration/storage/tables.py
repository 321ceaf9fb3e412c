"""Registration's tables, each column with the tags of data protection. Migrations make them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from contracts.fields import TECHNICAL, tags

metadata = sa.MetaData()

PLACE = tags(purpose="registration", basis="not_personal", class_="none", retention="current")
UNIT = tags(purpose="organisation", basis="not_personal", class_="none", retention="current")
PSEUDONYM = tags(purpose="registration", basis="residence_registration", class_="pseudonym", retention="stay")
STAY = tags(purpose="registration", basis="residence_registration", class_="personal", retention="stay")
IDENTITY = tags(purpose="registration", basis="residence_registration", class_="sensitive", retention="stay")
MINOR = tags(purpose="registration", basis="minor_protection", class_="sensitive", retention="stay")
MATCHING = tags(purpose="notice_matching", basis="notice_instrument", class_="pseudonym", retention="current")
HEADCOUNT = tags(purpose="housing_safety", basis="residence_registration", class_="personal", retention="current")
ALERT = tags(purpose="alert_handling", basis="notice_instrument", class_="pseudonym", retention="alert")
OFFICER = tags(purpose="oversight", basis="accountability", class_="pseudonym", retention="record")

COUNT = tags(purpose="statistics", basis="not_personal", class_="none", retention="statistics")

INSTANT = sa.DateTime(timezone=True)

units = sa.Table(
    "units",
    metadata,
    sa.Column("unit_id", sa.Text, primary_key=True, info=UNIT),
    sa.Column("name_zh", sa.Text, nullable=False, info=UNIT),
    sa.Column("name_en", sa.Text, nullable=False, info=UNIT),
    sa.Column("kind", sa.Text, nullable=False, info=UNIT),
    sa.Column("parent", sa.Text, sa.ForeignKey("units.unit_id", deferrable=True, initially="DEFERRED"), info=UNIT),
    sa.Column("areas", ARRAY(sa.Text), nullable=False, info=UNIT),
    sa.Column("roles", ARRAY(sa.Text), nullable=False, info=UNIT),
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.CheckConstraint("parent <> unit_id", name="units_not_its_own_parent"),
)

# The last version of each premises that housing published, and nothing that housing did not publish.
premises = sa.Table(
    "premises",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE),
    sa.Column("kind", sa.Text, nullable=False, info=PLACE),
    sa.Column("status", sa.Text, nullable=False, info=PLACE),
    sa.Column("address", sa.Text, nullable=False, info=PLACE),
    sa.Column("division_code", sa.Text, nullable=False, info=PLACE),
    sa.Column("operator_unit", sa.Text, nullable=True, info=PLACE),
    sa.Column("rooms", JSONB, nullable=False, info=PLACE),
    sa.Column("version_epoch", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.Column("version_number", sa.BigInteger, nullable=False, info=TECHNICAL),
)
# A clerk's search by address looks at the own area only.
sa.Index(
    "premises_division",
    premises.c.division_code,
    postgresql_ops={"division_code": "text_pattern_ops"},
)
sa.Index("premises_operator_unit", premises.c.operator_unit)

# How many people are registered at premises now. Its row is the lock under which arrivals and departures take turns.
occupancy = sa.Table(
    "occupancy",
    metadata,
    sa.Column("premises_id", sa.Uuid, primary_key=True, info=PLACE),
    sa.Column("headcount", sa.Integer, nullable=False, info=HEADCOUNT),
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.CheckConstraint("headcount >= 0", name="occupancy_not_negative"),
)

# Whom a document stands for. Name and number are not here: they belong to a stay, as they were registered there.
persons = sa.Table(
    "persons",
    metadata,
    sa.Column("person_id", sa.Uuid, primary_key=True, info=PSEUDONYM),
    sa.Column("lookup_key_id", sa.Text, nullable=False, info=TECHNICAL),
    sa.Column("lookup_token", sa.Text, nullable=False, info=PSEUDONYM),
    sa.Column("to_verify", sa.Boolean, nullable=False, info=PSEUDONYM),
    sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.clock_timestamp(), info=TECHNICAL),
)
# One document, one person. A number that fails its check names nobody: two of the same are not made one person.
sa.Index("persons_one_per_document", persons.c.lookup_token, unique=True, postgresql_where=~persons.c.to_verify)
sa.Index("persons_lookup_token", persons.c.lookup_token)

receipt_serial = sa.Sequence("receipt_serial", metadata=metadata)

stays = sa.Table(
    "stays",
    metadata,
    sa.Column("stay_id", sa.Uuid, primary_key=True, info=PSEUDONYM),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("persons.person_id"), nullable=False, info=PSEUDONYM),
    sa.Column("premises_id", sa.Uuid, nullable=False, info=STAY),
    sa.Column("division_code", sa.Text, nullable=False, info=STAY),
    sa.Column("room", sa.Text, nullable=False, info=STAY),
    sa.Column("kind", sa.Text, nullable=False, info=STAY),
    sa.Column("legal_basis", sa.Text, nullable=False, info=STAY),
    sa.Column("arrived_at", INSTANT, nullable=False, info=STAY),
    sa.Column("expected_until", INSTANT, nullable=True, info=STAY),
    sa.Column("departed_at", INSTANT, nullable=True, info=STAY),
    sa.Column("days_late", sa.Integer, nullable=False, info=STAY),
    sa.Column("misread", sa.Text, nullable=True, info=STAY),
    # Sealed with the person's own key: deleting that key erases them.
    sa.Column("name", sa.LargeBinary, nullable=False, info=IDENTITY),
    sa.Column("document", sa.LargeBinary, nullable=False, info=IDENTITY),
    sa.Column("birth_date", sa.LargeBinary, nullable=True, info=IDENTITY),
    sa.Column("sex", sa.LargeBinary, nullable=True, info=IDENTITY),
    sa.Column("phone", sa.LargeBinary, nullable=True, info=IDENTITY),
    sa.Column("guardian", sa.LargeBinary, nullable=True, info=MINOR),
    # What notices are compared by, while the stay is open and no longer.
    sa.Column("matching_key_id", sa.Text, nullable=True, info=MATCHING),
    sa.Column("matching_token", sa.Text, nullable=True, info=MATCHING),
    sa.Column("expiry_token", sa.Text, nullable=True, info=MATCHING),
    sa.Column("registered_at", INSTANT, nullable=False, server_default=sa.func.clock_timestamp(), info=STAY),
    sa.Column("registered_by", sa.Text, nullable=False, info=OFFICER),
    sa.Column("registered_unit", sa.Text, nullable=False, info=STAY),
    sa.Column(
        "receipt_serial", sa.BigInteger, nullable=False, server_default=receipt_serial.next_value(), info=PSEUDONYM
    ),
    sa.UniqueConstraint("receipt_serial", name="stays_receipt_serial"),
    sa.CheckConstraint("departed_at >= arrived_at", name="stays_end_after_begin"),
    sa.CheckConstraint("expected_until > arrived_at", name="stays_expected_after_begin"),
    sa.CheckConstraint("days_late >= 0", name="stays_days_late"),
    sa.CheckConstraint("(matching_key_id IS NULL) = (matching_token IS NULL)", name="stays_token_names_its_key"),
    sa.CheckConstraint("expiry_token IS NULL OR matching_token IS NOT NULL", name="stays_expiry_beside_token"),
    sa.CheckConstraint("departed_at IS NULL OR matching_token IS NULL", name="stays_token_while_open"),
    sa.CheckConstraint("misread IS NULL OR matching_token IS NULL", name="stays_token_only_verified"),
)
OPEN = stays.c.departed_at.is_(None)
sa.Index("stays_open_rooms", stays.c.premises_id, stays.c.room, postgresql_where=OPEN)
sa.Index("stays_person", stays.c.person_id)
sa.Index("stays_departed", stays.c.departed_at, postgresql_where=stays.c.departed_at.is_not(None))
sa.Index("stays_matching_token", stays.c.matching_token, postgresql_where=stays.c.matching_token.is_not(None))
sa.Index("stays_expiry_token", stays.c.expiry_token, postgresql_where=stays.c.expiry_token.is_not(None))
sa.Index("stays_of_a_desk", stays.c.registered_unit, stays.c.registered_at)

# What a stay said before a correction and after it, sealed with the key of the person it named afterwards.
corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("correction_id", sa.Uuid, primary_key=True, info=TECHNICAL),
    sa.Column("stay_id", sa.Uuid, sa.ForeignKey("stays.stay_id"), nullable=False, info=PSEUDONYM),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("persons.person_id"), nullable=False, info=PSEUDONYM),
    sa.Column("field", sa.Text, nullable=False, info=STAY),
    sa.Column("before", sa.LargeBinary, nullable=True, info=IDENTITY),
    sa.Column("after", sa.LargeBinary, nullable=True, info=IDENTITY),
    sa.Column("reason", sa.LargeBinary, nullable=False, info=IDENTITY),
    sa.Column("corrected_by", sa.Text, nullable=False, info=OFFICER),
    sa.Column("corrected_unit", sa.Text, nullable=False, info=OFFICER),
    sa.Column("corrected_at", INSTANT, nullable=False, server_default=sa.func.clock_timestamp(), info=STAY),
)
sa.Index("corrections_of_a_stay", corrections.c.stay_id, corrections.c.corrected_at)
sa.Index("corrections_person", corrections.c.person_id)

# Which alerts a stay has, so that the officer who handles one may read that stay. What for is not known here.
stay_alerts = sa.Table(
    "stay_alerts",
    metadata,
    sa.Column("alert_id", sa.Uuid, primary_key=True, info=ALERT),
    sa.Column("stay_id", sa.Uuid, nullable=False, info=ALERT),
    sa.Column("state", sa.Text, nullable=False, info=ALERT),
    sa.Column("changed_at", INSTANT, nullable=False, info=ALERT),
)
OPEN_ALERTS = ("new", "acknowledged", "verified")
sa.Index("stay_alerts_stay", stay_alerts.c.stay_id)
sa.Index("stay_alerts_settled", stay_alerts.c.changed_at, postgresql_where=stay_alerts.c.state.not_in(OPEN_ALERTS))

# How many matching tokens a notice's author was given within an hour.
token_requests = sa.Table(
    "token_requests",
    metadata,
    sa.Column("hour", INSTANT, primary_key=True, info=OFFICER),
    sa.Column("author", sa.Text, primary_key=True, info=OFFICER),
    sa.Column("given", sa.Integer, nullable=False, info=OFFICER),
    sa.CheckConstraint("given > 0", name="token_requests_given"),
)

# Counts of a day, kept for good: they outlive the stays behind them. `registered` is at the day's end.
statistics = sa.Table(
    "statistics",
    metadata,
    sa.Column("division_code", sa.Text, primary_key=True, info=COUNT),
    sa.Column("kind", sa.Text, primary_key=True, info=COUNT),
    sa.Column("day", sa.Date, primary_key=True, info=COUNT),
    sa.Column("registered", sa.Integer, nullable=False, info=COUNT),
    sa.Column("arrivals", sa.Integer, nullable=False, info=COUNT),
    sa.Column("departures", sa.Integer, nullable=False, info=COUNT),
    sa.Column("late", sa.Integer, nullable=False, info=COUNT),
    sa.Column("version", sa.BigInteger, nullable=False, info=TECHNICAL),
    sa.Column("published", sa.Boolean, nullable=False, info=TECHNICAL),
    sa.CheckConstraint("registered >= 0 AND arrivals >= 0 AND departures >= 0", name="statistics_not_negative"),
    sa.CheckConstraint("late BETWEEN 0 AND arrivals", name="statistics_late_arrivals"),
)
sa.Index("statistics_unpublished", statistics.c.day, postgresql_where=~statistics.c.published)

# What stays have changed in the counts since they were last added up, a second or so ago: no lock on the way in.
statistics_changes = sa.Table(
    "statistics_changes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True, info=TECHNICAL),
    sa.Column("day", sa.Date, nullable=False, info=COUNT),
    sa.Column("division_code", sa.Text, nullable=False, info=COUNT),
    sa.Column("kind", sa.Text, nullable=False, info=COUNT),
    sa.Column("arrivals", sa.Integer, nullable=False, info=COUNT),
    sa.Column("departures", sa.Integer, nullable=False, info=COUNT),
    sa.Column("late", sa.Integer, nullable=False, info=COUNT),
)
