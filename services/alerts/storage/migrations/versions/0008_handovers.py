"""A shift's handovers: who offered what they answer for, and who took it."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE handovers (
            handover_id uuid PRIMARY KEY,
            giver text NOT NULL,
            giver_name text NOT NULL,
            giver_unit text NOT NULL,
            offered_at timestamptz NOT NULL,
            note bytea NOT NULL,
            ended_at timestamptz,
            taker text,
            taker_name text,
            taker_unit text,
            alerts integer DEFAULT 0 NOT NULL,
            CONSTRAINT handovers_taker_whole CHECK (num_nonnulls(taker, taker_name, taker_unit) IN (0, 3)),
            CONSTRAINT handovers_taken_is_ended CHECK (taker IS NULL OR ended_at IS NOT NULL),
            CONSTRAINT handovers_two_people CHECK (taker <> giver)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX handovers_one_open ON handovers (giver) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX handovers_offered_at ON handovers (offered_at)")
