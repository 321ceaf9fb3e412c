"""Puts reporting's parts together: the web process and the worker."""

from datetime import datetime

from chassis.data.db import Database
from chassis.run.service import WebParts, WorkerParts
from services.reporting.settings import Settings

# Kept answers are forgotten after 30 days; an hour more does not matter.
FORGET_EVERY_SECONDS = 3600.0


def _database(settings: Settings) -> Database:
    return Database(settings.database_url, service="reporting", pool_size=settings.database_pool)


def web(settings: Settings) -> WebParts:
    """Return the web process: the manager's page."""
    from chassis.web.app import create_app
    from policy.purposes import allowed
    from services.reporting.web.pages import pages

    db = _database(settings)
    return create_app(settings, db, title="Reporting", routers=[pages(db)], purposes=allowed)


def worker(settings: Settings) -> WorkerParts:
    """Return the worker. It publishes nothing and listens to nothing yet: no relay, no consumers."""
    from chassis.data.idempotency import forget_old
    from chassis.run.timers import Timer, Timers

    db = _database(settings)

    async def forget(now: datetime) -> None:
        async with db.transaction() as tx:
            await forget_old(tx, now)

    return WorkerParts(db=db, timers=Timers(db, [Timer("forget-kept-answers", FORGET_EVERY_SECONDS, forget)]))
