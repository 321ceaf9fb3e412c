"""How soon a day's alerts were taken on and closed is found without reading every change."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the index."""
    op.execute("CREATE INDEX alert_changes_paced ON alert_changes (at) WHERE change IN ('acknowledged', 'closed')")
