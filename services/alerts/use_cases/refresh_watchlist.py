"""Brings the live notices in memory up to a version of the database, checking each signature."""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from chassis.data.db import Transaction
from chassis.run.metrics import NOTICE_WITHDRAWAL_SECONDS
from services.alerts.domain.matching import LiveNotice, live
from services.alerts.domain.signatures import BadSignature, Verifier
from services.alerts.storage import live_notices, notice_store
from services.alerts.storage.live_notices import ChangedNotice
from services.alerts.watchlist import Watchlist

log = structlog.get_logger()

# A signature takes about 0.1 ms to check: so many at once hold the event loop for some 20 ms.
PAGE = 200


class WatchlistKeeper:
    """Keeps a process's watchlist. One refresh runs at a time; the others wait and find their work done."""

    def __init__(self, watchlist: Watchlist, verifier: Verifier) -> None:
        self.watchlist = watchlist
        self._verifier = verifier
        self._lock = asyncio.Lock()

    async def look(self, tx: Transaction) -> None:
        """Catch up with what is committed now: only makes early what each batch does for itself."""
        version, at = await notice_store.look_at_version(tx)
        # What this transaction sees may be older than what a batch has loaded meanwhile; going back is a batch's to do.
        if version > self.watchlist.version:
            await self.refresh(tx, version, at, catch_up_only=True)

    async def share(self, tx: Transaction) -> datetime:
        """Begin a batch: hold off changes of notices until it commits, and catch up exactly to them.

        Returns the database's time, by which the whole batch is judged.
        """
        version, at = await notice_store.share_version(tx)
        if version != self.watchlist.version:
            await self.refresh(tx, version, at)
        return at

    async def refresh(self, tx: Transaction, version: int, at: datetime, *, catch_up_only: bool = False) -> None:
        """Load what changed up to `version`, which this transaction sees; `at` is the database's time."""
        async with self._lock:
            known = self.watchlist.version
            if version < known and catch_up_only:
                return
            if version < known:
                # The database was restored to an earlier state: what is in memory may never have been.
                self.watchlist.replace_all(())
                known = 0
            if version != known:
                await self._load(tx, known, at)
                self.watchlist.version = version

    async def _load(self, tx: Transaction, since: int, at: datetime) -> None:
        after: UUID | None = None
        while True:
            page = await live_notices.changed_since(tx, since, after=after, limit=PAGE)
            for changed in page:
                self._take(changed, at)
            if len(page) < PAGE:
                return
            after = page[-1].notice_id

    def _take(self, changed: ChangedNotice, at: datetime) -> None:
        notice = self._live(changed)
        if notice is not None:
            self.watchlist.put(notice)
        elif self.watchlist.remove(changed.notice_id):
            NOTICE_WITHDRAWAL_SECONDS.observe(max(0.0, (at - changed.changed_at).total_seconds()))

    def _live(self, changed: ChangedNotice) -> LiveNotice | None:
        try:
            if changed.notice is None:
                raise BadSignature("the content is not readable")
            return live(changed.notice, self._verifier)
        except BadSignature:
            # Somebody wrote into the database past the notice desk. It never matches; whoever reads the log acts.
            log.error("notice-signature-refused", notice_id=changed.notice_id)
            return None
