"""Counts of a day, for stays that stand here already too."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
CREATE TABLE statistics (
    division_code text,
    kind text,
    day date,
    registered integer NOT NULL,
    arrivals integer NOT NULL,
    departures integer NOT NULL,
    late integer NOT NULL,
    version bigint NOT NULL,
    published boolean NOT NULL,
    PRIMARY KEY (division_code, kind, day),
    CONSTRAINT statistics_not_negative CHECK (registered >= 0 AND arrivals >= 0 AND departures >= 0),
    CONSTRAINT statistics_late_arrivals CHECK (late BETWEEN 0 AND arrivals)
);
CREATE INDEX statistics_unpublished ON statistics (day) WHERE NOT published;
CREATE TABLE statistics_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day date NOT NULL,
    division_code text NOT NULL,
    kind text NOT NULL,
    arrivals integer NOT NULL,
    departures integer NOT NULL,
    late integer NOT NULL
);
INSERT INTO statistics_changes (day, division_code, kind, arrivals, departures, late)
SELECT (arrived_at AT TIME ZONE 'Asia/Shanghai')::date, division_code, kind, count(*), 0,
       count(*) FILTER (WHERE days_late > 0)
FROM stays GROUP BY 1, 2, 3;
INSERT INTO statistics_changes (day, division_code, kind, arrivals, departures, late)
SELECT (departed_at AT TIME ZONE 'Asia/Shanghai')::date, division_code, kind, 0, count(*), 0
FROM stays WHERE departed_at IS NOT NULL GROUP BY 1, 2, 3;
"""


def upgrade() -> None:
    """Create both tables; what was registered before is added up like what comes after."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
