"""Every service's migrations are one line: two that were written side by side under one number stop every start."""

from itertools import pairwise
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]

SERVICES = ("registration", "housing", "alerts", "reporting")


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_follow_one_another(service: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "services" / service / "storage" / "migrations"))
    script = ScriptDirectory.from_config(config)
    files = sorted(
        each.name for each in (ROOT / "services" / service / "storage/migrations/versions").glob("[0-9]*.py")
    )
    steps = list(reversed(list(script.walk_revisions())))
    assert [step.revision for step in steps] == [name[:4] for name in files]
    assert [later.down_revision for _, later in pairwise(steps)] == [earlier.revision for earlier, _ in pairwise(steps)]
