"""The plumbing tables of this package: outbox and its relay's place, consumers' places, dead letters."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations  # only migrations need it: 0.1 s of every start

metadata = sa.MetaData()

# Which life of the database its sequence numbers belong to: a restored database would give numbers away again, so
# it gets a new epoch. Seconds since 1970 of the moment it began, so that a newer one is always greater.
outbox_epoch = sa.Table(
    "outbox_epoch",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.CheckConstraint("one_row", name="outbox_epoch_one_row"),
    sa.CheckConstraint("epoch > 0", name="outbox_epoch_positive"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.LargeBinary, nullable=True),
    sa.Column("traceparent", sa.Text, nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    # Given by the relay, all at once, in the order in which it sends.
    sa.Column("relay_number", sa.BigInteger, nullable=True),
    sa.Column("partition", sa.Integer, nullable=True),
    sa.Column("epoch", sa.BigInteger, nullable=True),
    sa.Column("sequence", sa.BigInteger, nullable=True),
    sa.CheckConstraint("kind IN ('history', 'state')", name="outbox_kind"),
    sa.CheckConstraint("value IS NOT NULL OR kind = 'state'", name="outbox_only_states_end"),
    sa.CheckConstraint(
        "num_nonnulls(relay_number, partition, epoch, sequence) IN (0, 4)", name="outbox_numbered_or_not"
    ),
    # Each row is written once, numbered once and deleted: dead entries must not pile up at the head of the indexes.
    postgresql_with={"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_vacuum_cost_delay": "0"},
)
sa.Index("outbox_unnumbered", outbox.c.id, postgresql_where=outbox.c.relay_number.is_(None))
sa.Index("outbox_relay_number", outbox.c.relay_number, unique=True, postgresql_where=outbox.c.relay_number.is_not(None))
sa.Index(
    "outbox_sequence",
    outbox.c.topic,
    outbox.c.partition,
    outbox.c.epoch,
    outbox.c.sequence,
    unique=True,
    postgresql_where=outbox.c.relay_number.is_not(None),
)

# How far the relay is. `claim` grows with every relay that takes over, and fences the one before it.
relay_mark = sa.Table(
    "relay_mark",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("claim", sa.BigInteger, nullable=False),
    sa.Column("numbered", sa.BigInteger, nullable=False),
    sa.Column("sent", sa.BigInteger, nullable=False),
    sa.CheckConstraint("one_row", name="relay_mark_one_row"),
    sa.CheckConstraint("0 <= sent AND sent <= numbered", name="relay_mark_sent_was_numbered"),
)

relay_partitions = sa.Table(
    "relay_partitions",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("numbered", sa.BigInteger, nullable=False),
    # The last record that Kafka acknowledged, and where it stands.
    sa.Column("acknowledged_epoch", sa.BigInteger, nullable=True),
    sa.Column("acknowledged_sequence", sa.BigInteger, nullable=True),
    sa.Column("acknowledged_offset", sa.BigInteger, nullable=True),
    # How many records Kafka had and has no more, that are not kept here either; 0 again once a person accepted it.
    sa.Column("lost", sa.BigInteger, nullable=False, server_default="0"),
    # A person's wish: what is kept after this number is sent again. The relay clears it.
    sa.Column("again_epoch", sa.BigInteger, nullable=True),
    sa.Column("again_sequence", sa.BigInteger, nullable=True),
    sa.CheckConstraint("numbered > 0", name="relay_partitions_numbered"),
    sa.CheckConstraint(
        "num_nonnulls(acknowledged_epoch, acknowledged_sequence, acknowledged_offset) IN (0, 3)",
        name="relay_partitions_acknowledged_or_not",
    ),
)

# A consumer's place in one partition, moved in the transaction of its effects. `claim` grows with every assignment and
# fences the reader before it. `sequence` is null where retention had cut the log at first contact: anything may follow.
consumer_positions = sa.Table(
    "consumer_positions",
    metadata,
    sa.Column("group", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("claim", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("sequence", sa.BigInteger, nullable=True, server_default="0"),
    # While records are missing: the highest number of this epoch that was seen, the highest of all, and since when.
    sa.Column("missing_to", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seen_epoch", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seen_sequence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("gap_since", sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("next_offset >= 0 AND epoch >= 0 AND sequence >= 0", name="consumer_positions_not_negative"),
)

# Pointers to records that could not be handled, never copies of them: a record may tell of a person.
dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=True),
    sa.Column("sequence", sa.BigInteger, nullable=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
    sa.UniqueConstraint("group", "topic", "partition", "offset", name="dead_letters_one_per_record"),
    sa.CheckConstraint("state IN ('open', 'replayed', 'discarded')", name="dead_letters_state"),
    sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="dead_letters_closed_at"),
    # A reason is a code: free text could carry what the record tells.
    sa.CheckConstraint("reason ~ '^[a-z0-9-]{1,64}$'", name="dead_letters_reason_is_a_code"),
)
# Open ones are counted every few seconds, closed ones forgotten in the order of their closing: both few among many.
sa.Index("dead_letters_open", dead_letters.c.topic, postgresql_where=dead_letters.c.state == "open")
sa.Index("dead_letters_closed_at", dead_letters.c.closed_at, postgresql_where=dead_letters.c.closed_at.is_not(None))


# Of a version that had no such columns yet: `add_what_is_lost` runs in a later migration than `create` did.
_WHAT_IS_LOST = """
    ALTER TABLE relay_partitions
        ADD COLUMN IF NOT EXISTS lost bigint NOT NULL DEFAULT 0,
        ADD COLUMN IF NOT EXISTS again_epoch bigint,
        ADD COLUMN IF NOT EXISTS again_sequence bigint
"""


def add_what_is_lost(op: "Operations") -> None:
    """Add what `relay_partitions` needs to keep losses and wishes; does nothing where it is there."""
    op.execute(_WHAT_IS_LOST)


def index_dead_letters(op: "Operations") -> None:
    """Add the indexes of dead letters; does nothing where they are there.

    Not CONCURRENTLY: a service's migrations are one transaction, and a record that is put aside waits for the moment.
    """
    op.execute("CREATE INDEX IF NOT EXISTS dead_letters_open ON dead_letters (topic) WHERE state = 'open'")
    op.execute(
        "CREATE INDEX IF NOT EXISTS dead_letters_closed_at ON dead_letters (closed_at) WHERE closed_at IS NOT NULL"
    )


def create(op: "Operations") -> None:
    """Create the tables of this package; a service's first migration calls it."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.execute("INSERT INTO outbox_epoch (epoch) SELECT extract(epoch FROM clock_timestamp())::bigint")
    op.execute("INSERT INTO relay_mark (claim, numbered, sent) VALUES (0, 0, 0)")
