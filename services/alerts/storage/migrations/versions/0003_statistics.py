"""Counts of a day, as they are published."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table, empty: the first count fills it."""
    op.execute(
        "CREATE TABLE statistics (division_code text, kind text, day date, counts jsonb NOT NULL,"
        " version bigint NOT NULL, PRIMARY KEY (division_code, kind, day))"
    )
    op.execute("CREATE INDEX statistics_day ON statistics (day)")
