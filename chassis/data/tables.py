"""The plumbing tables of this package: kept answers, the audit chain, subjects' data keys."""

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    # Only migrations need Alembic: a tenth of a second that every process would pay at its start.
    from alembic.operations import Operations

metadata = sa.MetaData()

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("request_mac", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=True),
    sa.Column("headers", postgresql.JSONB, nullable=True),
    sa.Column("body", sa.LargeBinary, nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    # Only an answer that took effect is kept; the row exists without one only inside its own transaction.
    sa.CheckConstraint("status IS NULL OR status BETWEEN 200 AND 299", name="idempotency_keys_only_success"),
)
sa.Index("idempotency_keys_created_at", idempotency_keys.c.created_at)

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("actor_unit", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=True),
    sa.Column("case", sa.Text, nullable=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", postgresql.JSONB, nullable=False),
    sa.Column("previous_hash", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
sa.Index("audit_entries_subject", audit_entries.c.subject, audit_entries.c.id)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("one_row", name="audit_head_one_row"),
)

# Where the chain begins: the last entry that was removed because its term was over. `proof` is made with a key that the
# database does not know, so that nobody begins the chain later by hand.
audit_cut = sa.Table(
    "audit_cut",
    metadata,
    sa.Column("one_row", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("wrapping_key", sa.Text, nullable=False),
    sa.Column("proof", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("one_row", name="audit_cut_one_row"),
)

subject_keys = sa.Table(
    "subject_keys",
    metadata,
    sa.Column("subject_id", sa.Uuid, primary_key=True),
    sa.Column("wrapping_key", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

APPEND_ONLY = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit_entries is append-only'; END $$
"""


LOSES_ITS_OLDEST = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.id <= (SELECT last_id FROM audit_cut) THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION 'audit_entries is append-only';
END $$
"""


def create(op: "Operations") -> None:
    """Create the tables of this package but `audit_cut`; a service's first migration calls it."""
    first = [table for table in metadata.sorted_tables if table is not audit_cut]
    metadata.create_all(op.get_bind(), tables=first, checkfirst=False)
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
    op.execute("INSERT INTO audit_head (last_id, hash) VALUES (0, '\\x')")


def create_audit_cut(op: "Operations") -> None:
    """Let the audit log lose its oldest entries; a later migration of each service calls it."""
    audit_cut.create(op.get_bind(), checkfirst=False)
    op.execute("INSERT INTO audit_cut (last_id, hash, wrapping_key, proof) VALUES (0, '\\x', '', '\\x')")
    op.execute(LOSES_ITS_OLDEST)
