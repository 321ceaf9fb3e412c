"""Puts registration's processes together: what the web process serves, and what the worker runs."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.run.settings import decode_keys
from policy import packs
from services.registration.domain.stays import CITY
from services.registration.domain.tokens import TokenKeys
from services.registration.domain.units import Unit, read_units
from services.registration.settings import Settings
from services.registration.vault import Vault

if TYPE_CHECKING:
    from chassis.run.service import WebParts, WorkerParts

# The file of units is read at the start; this catches what went wrong then.
UNITS_SECONDS = 3600.0
# How long figures may be behind: many arrivals within it are one new version of a day's counts.
STATISTICS_SECONDS = 2.0


def _database(settings: Settings) -> Database:
    return Database(settings.database_url, service="registration", pool_size=settings.database_pool)


def _vault(settings: Settings) -> Vault:
    return Vault(
        keyring=Keyring(decode_keys(settings.encryption_keys), settings.encryption_active),
        lookup=TokenKeys(decode_keys(settings.lookup_token_keys), settings.lookup_token_active),
        matching=TokenKeys(decode_keys(settings.matching_token_keys), settings.matching_token_active),
    )


def web(settings: Settings) -> "WebParts":
    """Return the web process: API and pages."""
    from chassis.web.app import create_app
    from chassis.web.health import HealthCheck
    from policy.purposes import allowed
    from services.registration.api.problems import PROBLEMS
    from services.registration.api.routes import routes
    from services.registration.storage import units
    from services.registration.web import desk, lists, stays

    db, vault, rules = _database(settings), _vault(settings), packs.load()

    async def unit_names() -> dict[str, dict[str, str]]:
        async with db.read() as tx:
            return {unit: {"zh": zh, "en": en} for unit, (zh, en) in (await units.names(tx)).items()}

    async def units_loaded() -> list[str]:
        async with db.read() as tx:
            return [] if await units.names(tx) else ["not loaded yet: nobody has an area"]

    return create_app(
        settings,
        db,
        title="Anju registration",
        routers=[
            *routes(db, vault, rules, settings.district),
            desk.pages(db, vault, rules),
            stays.pages(db, vault, rules),
            lists.pages(db, vault),
        ],
        problems=PROBLEMS,
        purposes=allowed,
        unit_names=unit_names,
        checks=[HealthCheck("units", units_loaded)],
    )


def worker(settings: Settings) -> "WorkerParts":
    """Return the worker process: relay, consumers, timers, and the unit tree brought to what its file says."""
    from chassis.events.consumers import Consumers
    from chassis.events.kafka import KafkaSettings
    from chassis.events.relay import Relay
    from chassis.run import forgetting
    from chassis.run.service import WorkerParts
    from chassis.run.timers import Timer, Timers
    from services.registration.consumers import subscriptions
    from services.registration.published import PUBLISHED
    from services.registration.use_cases import forget_expired
    from services.registration.use_cases.load_units import load_units
    from services.registration.use_cases.publish_statistics import publish_statistics

    db, rules = _database(settings), packs.load()
    removals = forget_expired.removals(_vault(settings).keyring)
    units = read_units_file(settings.units_file)
    kafka = KafkaSettings(
        bootstrap=settings.kafka_bootstrap,
        username=settings.kafka_username,
        password=settings.kafka_password,
        replica=settings.replica,
        client_id="registration-worker",
    )

    async def keep_units(_now: datetime) -> None:
        async with db.transaction() as tx:
            await load_units(tx, units)

    async def publish(now: datetime) -> None:
        async with db.transaction() as tx:
            await publish_statistics(tx, now)

    async def forget(now: datetime) -> None:
        terms = rules.on(now.astimezone(CITY).date(), settings.district).retention
        await forgetting.forget(db, removals, lambda class_: terms.after(class_).cut_off(now))

    return WorkerParts(
        db=db,
        relay=Relay(db, kafka, "registration", PUBLISHED),
        consumers=Consumers(db, kafka, "registration", subscriptions()),
        timers=Timers(
            db,
            [
                Timer("units", UNITS_SECONDS, keep_units),
                Timer("statistics", STATISTICS_SECONDS, publish),
                Timer("forget", forgetting.EVERY_SECONDS, forget),
            ],
        ),
    )


def read_units_file(file: Path) -> tuple[Unit, ...]:
    """Return the units of a file. Raises BadUnits, OSError."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read_units(content.get("units", []) if isinstance(content, dict) else [])
