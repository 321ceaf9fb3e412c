"""Forward-only schema migrations of a service, run by a command or at start, never twice at once."""

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.data.db import Database

# A migration that cannot get its lock soon gives up instead of making every later statement queue behind it.
LOCK_TIMEOUT = "3s"
SERVICES = Path(__file__).resolve().parents[2] / "services"


def _script(service: str) -> tuple[Config, ScriptDirectory]:
    folder = SERVICES / service / "storage" / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    return config, ScriptDirectory.from_config(config)


def _upgrade(connection: sa.Connection, service: str) -> list[str]:
    config, script = _script(service)
    done: list[str] = []

    def steps(revision: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        found: list[RevisionStep] = script._upgrade_revs("head", revision)  # type: ignore[arg-type]
        done.extend(str(step) for step in found)
        return found

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        with environment.begin_transaction():
            environment.run_migrations()
    return done


async def migrate(url: str, service: str) -> list[str]:
    """Bring the database at `url` to the newest schema of `service`; return the steps done, none when it was there.

    All steps are one transaction: a failing one leaves the schema as it was. A second run waits for the first.
    """
    engine = create_async_engine(sa.make_url(url).set(drivername="postgresql+asyncpg"), hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('migrations', 0))"))
            await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            return await connection.run_sync(_upgrade, service)
    finally:
        await engine.dispose()


async def pending(db: Database, service: str) -> list[str]:
    """Return the revisions that this code has and the database does not."""
    _config, script = _script(service)
    async with db.read() as tx:
        there = await tx.connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_heads())
    if set(there) == set(script.get_heads()):
        return []
    known = {revision.revision for revision in script.iterate_revisions("heads", there or "base")}
    return sorted(known)
