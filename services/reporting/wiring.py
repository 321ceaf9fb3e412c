"""Puts reporting's parts together: the web process and the worker."""

from datetime import datetime

from chassis.data.db import Database
from chassis.run.service import WebParts, WorkerParts
from services.reporting.settings import Settings


def _database(settings: Settings) -> Database:
    return Database(settings.database_url, service="reporting", pool_size=settings.database_pool)


def web(settings: Settings) -> WebParts:
    """Return the web process: the manager's pages and the figures for machines."""
    from chassis.web.app import create_app
    from policy import packs
    from policy.purposes import allowed
    from services.reporting.api.problems import PROBLEMS
    from services.reporting.api.routes import routes
    from services.reporting.web import periods
    from services.reporting.web.pages import pages

    db, rules = _database(settings), packs.load()
    return create_app(
        settings,
        db,
        title="Reporting",
        routers=[make(db, rules, settings.district) for make in (routes, pages, periods.pages)],
        problems=PROBLEMS,
        purposes=allowed,
    )


def worker(settings: Settings) -> WorkerParts:
    """Return the worker: it keeps what the other services count. It publishes nothing: no relay."""
    from chassis.data.encryption import Keyring
    from chassis.events.consumers import Consumers
    from chassis.events.kafka import KafkaSettings
    from chassis.run import forgetting
    from chassis.run.settings import decode_keys
    from chassis.run.timers import Timer, Timers
    from policy import packs
    from services.reporting.consumers import subscriptions
    from services.reporting.domain.asked import today
    from services.reporting.use_cases import forget_expired

    db = _database(settings)
    kafka = KafkaSettings(
        bootstrap=settings.kafka_bootstrap,
        username=settings.kafka_username,
        password=settings.kafka_password,
        replica=settings.replica,
        client_id="reporting-worker",
    )

    keyring = Keyring(decode_keys(settings.encryption_keys), settings.encryption_active)
    rules, removals = packs.load(), forget_expired.removals(keyring)

    async def forget(now: datetime) -> None:
        terms = rules.on(today(now), settings.district).retention
        await forgetting.forget(db, removals, lambda class_: terms.after(class_).cut_off(now))

    return WorkerParts(
        db=db,
        consumers=Consumers(db, kafka, "reporting", subscriptions()),
        timers=Timers(db, [Timer("forget", forgetting.EVERY_SECONDS, forget)]),
    )
