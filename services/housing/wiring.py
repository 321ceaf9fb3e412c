"""Puts housing's parts together: the web process and the worker."""

from collections.abc import Sequence
from datetime import datetime

from chassis.data.db import Database
from chassis.run.service import WebParts, WorkerParts
from chassis.run.settings import decode_keys
from services.housing.settings import Settings

# How far the published figures may be behind.
STATISTICS_SECONDS = 10.0


def _database(settings: Settings) -> Database:
    return Database(settings.database_url, service="housing", pool_size=settings.database_pool)


def web(settings: Settings) -> WebParts:
    """Return the web process: API and pages."""
    from chassis.data.encryption import Keyring
    from chassis.web.app import create_app
    from chassis.web.health import HealthCheck
    from policy.packs import load
    from policy.purposes import allowed
    from services.housing.api.problems import PROBLEMS
    from services.housing.api.routes import routes
    from services.housing.api.visits import state_routes, visit_routes
    from services.housing.use_cases import queries
    from services.housing.web.pages import pages
    from services.housing.web.steps import step_pages
    from services.housing.web.visit import visit_pages

    db = _database(settings)
    keyring = Keyring(decode_keys(settings.encryption_keys), settings.encryption_active)
    packs = load()

    async def unit_names() -> dict[str, dict[str, str]]:
        async with db.read() as tx:
            return await queries.unit_names(tx)

    async def units_known() -> Sequence[str]:
        # Without units nobody has an area, and everything would be refused.
        return [] if await unit_names() else ["none yet; registration publishes them"]

    return create_app(
        settings,
        db,
        title="Housing",
        routers=[
            routes(db, keyring, packs),
            visit_routes(packs),
            state_routes(keyring, packs),
            pages(db, keyring, packs),
            visit_pages(db, keyring, packs),
            step_pages(db, keyring, packs),
        ],
        problems=PROBLEMS,
        purposes=allowed,
        unit_names=unit_names,
        checks=[HealthCheck("units", units_known)],
    )


def worker(settings: Settings) -> WorkerParts:
    """Return the worker: relay, consumers, timers."""
    from chassis.data.encryption import Keyring
    from chassis.events.consumers import Consumers
    from chassis.events.kafka import KafkaSettings
    from chassis.events.relay import Relay
    from chassis.run import forgetting
    from chassis.run.timers import Timer, Timers
    from policy.packs import load
    from services.housing.consumers import SUBSCRIPTIONS
    from services.housing.domain.statistics import city_day
    from services.housing.published import PUBLISHED
    from services.housing.use_cases import forget_expired
    from services.housing.use_cases.publish_statistics import publish_statistics

    db = _database(settings)
    kafka = KafkaSettings(
        bootstrap=settings.kafka_bootstrap,
        username=settings.kafka_username,
        password=settings.kafka_password,
        replica=settings.replica,
        client_id="housing",
    )

    keyring = Keyring(decode_keys(settings.encryption_keys), settings.encryption_active)
    rules, removals = load(), forget_expired.removals(keyring)

    async def forget(now: datetime) -> None:
        terms = rules.on(city_day(now), settings.district).retention
        await forgetting.forget(db, removals, lambda class_: terms.after(class_).cut_off(now))

    async def publish(now: datetime) -> None:
        async with db.transaction() as tx:
            await publish_statistics(tx, now)

    return WorkerParts(
        db=db,
        relay=Relay(db, kafka, "housing", PUBLISHED),
        consumers=Consumers(db, kafka, "housing", SUBSCRIPTIONS),
        timers=Timers(
            db,
            [
                Timer("statistics", STATISTICS_SECONDS, publish),
                Timer("forget", forgetting.EVERY_SECONDS, forget),
            ],
        ),
    )
