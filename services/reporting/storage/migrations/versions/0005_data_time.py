"""When counts came last, by who published them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table; it fills as counts come."""
    op.create_table(
        "arrivals_of_counts",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
    )
