"""Puts the parts of alerts together: one process for the web, one for the worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from chassis.data.db import Database
from chassis.run.settings import BadSettings, decode_keys, decode_secret
from services.alerts.settings import Settings

if TYPE_CHECKING:
    from chassis.run.service import WebParts, WorkerParts
    from services.alerts.domain.signatures import Signer
    from services.alerts.registration_client import RegistrationClient

# The promise is one second from a start or an end to its effect on everything but matching, which needs no timer.
ADVANCE_SECONDS = 0.25
# How far the published figures may be behind.
STATISTICS_SECONDS = 10.0
# NOTIFY tells the worker of changed notices at once; this finds what a lost connection missed.
WATCH_POLL_SECONDS = 1.0


def web(settings: Settings, registration: "RegistrationClient | None" = None) -> "WebParts":
    """The web process: API, pages, alert stream. It alone holds the key that signs approvals.

    `registration` is another client than the one the settings name, for tests.
    """
    from chassis.data.encryption import Keyring
    from chassis.web.app import create_app
    from chassis.web.oidc import Provider
    from policy import packs, purposes
    from services.alerts import stream
    from services.alerts.api import alerts, departments, notices
    from services.alerts.api.parts import Parts
    from services.alerts.api.problems import PROBLEMS
    from services.alerts.registration_client import RegistrationClient
    from services.alerts.use_cases import queries
    from services.alerts.web import board, desk, handover, proposals, wall

    db = Database(settings.database_url, service="alerts", pool_size=settings.database_pool)
    feed = stream.AlertFeed(db)
    department_feed = stream.DepartmentFeed(db)
    parts = Parts(
        db=db,
        keyring=Keyring(decode_keys(settings.encryption_keys), settings.encryption_active),
        packs=packs.load(),
        district=settings.district,
        signer=_signer(settings),
        registration=registration or RegistrationClient(settings.registration_url, Provider(settings).service_token),
    )

    async def unit_names() -> Mapping[str, Mapping[str, str]]:
        async with db.read() as tx:
            units = await queries.all_units(tx)
        return {unit_id: {"zh": unit.name_zh, "en": unit.name_en} for unit_id, unit in units.items()}

    return create_app(
        settings,
        db,
        title="Anju alerts",
        routers=[
            stream.routes(feed),
            alerts.routes(parts),
            notices.routes(parts),
            departments.routes(department_feed),
            board.pages(parts),
            wall.pages(parts),
            handover.pages(parts),
            proposals.pages(parts),
            desk.pages(parts),
        ],
        problems=PROBLEMS,
        purposes=purposes.allowed,
        unit_names=unit_names,
        background=[feed.run, department_feed.run],
    )


def worker(settings: Settings) -> "WorkerParts":
    """The worker process: matcher, premises and units, relay, timers."""
    import gc

    from chassis.data.db import DatabaseBusy, DatabaseUnavailable
    from chassis.data.encryption import Keyring
    from chassis.events.consumers import Consumers
    from chassis.events.kafka import KafkaSettings
    from chassis.events.relay import Relay
    from chassis.run import forgetting
    from chassis.run.service import WorkerParts
    from chassis.run.timers import Timer, Timers
    from policy import packs
    from services.alerts.consumers import UNITS, DwellingReader, StayReader
    from services.alerts.domain.signatures import verifier_from
    from services.alerts.domain.statistics import city_day
    from services.alerts.published import PUBLISHED
    from services.alerts.storage import notice_store
    from services.alerts.use_cases import forget_expired, queries
    from services.alerts.use_cases.advance_notice import advance_notice
    from services.alerts.use_cases.publish_statistics import publish_statistics
    from services.alerts.use_cases.refresh_watchlist import WatchlistKeeper
    from services.alerts.watchlist import Watchlist

    db = Database(settings.database_url, service="alerts", pool_size=settings.database_pool)
    kafka = KafkaSettings(
        bootstrap=settings.kafka_bootstrap,
        username=settings.kafka_username,
        password=settings.kafka_password,
        replica=settings.replica,
        client_id="alerts-worker",
    )
    keeper = WatchlistKeeper(Watchlist(), verifier_from(decode_keys(settings.notice_verify_keys)))
    keyring = Keyring(decode_keys(settings.encryption_keys), settings.encryption_active)
    rule_packs = packs.load()
    stays = StayReader(keeper, rule_packs, settings.district)
    dwellings = DwellingReader(rule_packs, settings.district)

    async def watch_notices() -> None:
        frozen = False
        async for _woken in db.listen(notice_store.CHANNEL, poll_seconds=WATCH_POLL_SECONDS):
            try:
                async with db.read() as tx:
                    await keeper.look(tx)
            except (DatabaseUnavailable, DatabaseBusy):
                continue
            if not frozen:
                # A million live notices are a million objects that no collection needs to walk through.
                gc.collect()
                gc.freeze()
                frozen = True

    async def advance(_now: datetime) -> None:
        async with db.read() as tx:
            due = await queries.due_notices(tx)
        for notice_id in due:
            async with db.transaction() as tx:
                await advance_notice(tx, notice_id, keyring=keyring)

    async def publish(now: datetime) -> None:
        async with db.transaction() as tx:
            await publish_statistics(tx, now)

    removals = forget_expired.removals(keyring)

    async def forget(now: datetime) -> None:
        terms = rule_packs.on(city_day(now), settings.district).retention
        await forgetting.forget(db, removals, lambda class_: terms.after(class_).cut_off(now))

    return WorkerParts(
        db=db,
        relay=Relay(db, kafka, "alerts", PUBLISHED),
        consumers=Consumers(db, kafka, "alerts", [stays.subscription(), *dwellings.subscriptions(), UNITS]),
        timers=Timers(
            db,
            [
                Timer("advance-notices", ADVANCE_SECONDS, advance),
                Timer("statistics", STATISTICS_SECONDS, publish),
                Timer("forget", forgetting.EVERY_SECONDS, forget),
            ],
        ),
        background=[watch_notices],
    )


def _signer(settings: Settings) -> "Signer":
    """The key of the notice desk. Raises BadSettings without one that the matcher would accept."""
    from services.alerts.domain.signatures import signing_key_from

    if settings.notice_signing_key is None:
        raise BadSettings("ANJU_ALERTS_NOTICE_SIGNING_KEY: is missing")
    try:
        return signing_key_from(decode_secret(settings.notice_signing_key), decode_keys(settings.notice_verify_keys))
    except ValueError as error:
        raise BadSettings(f"ANJU_ALERTS_NOTICE_SIGNING_KEY: {error}") from None
