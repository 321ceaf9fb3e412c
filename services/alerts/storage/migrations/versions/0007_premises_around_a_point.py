"""The premises around a point are found without reading all of them."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the index: a map of a few hundred metres asks for a narrow strip of latitudes."""
    op.execute("CREATE INDEX dwellings_place ON dwellings (latitude, longitude)")
