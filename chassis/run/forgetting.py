"""Removes what is past its term, kind by kind: in small batches, each a transaction of its own."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from chassis.data import audit, idempotency
from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable, Transaction
from chassis.data.encryption import Keyring

# Few enough that a batch's locks are held for milliseconds; a day's worth of a big city takes a minute.
BATCH = 500
# Whoever is an hour past its term may stay so long; a run that finds nothing costs a look at an index.
EVERY_SECONDS = 3600.0


class Remove(Protocol):
    """Removes at most `limit` of what began its term at `cut_off` or before; returns how many went, 0 when done."""

    def __call__(self, tx: Transaction, cut_off: datetime, limit: int, /) -> Awaitable[int]:
        """Rows that somebody else holds may be skipped: the next run finds them."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes together: `classes` of data, all of one term, and the `tables` that lose rows or values by it."""

    classes: tuple[str, ...]
    tables: tuple[str, ...]
    remove: Remove


def plumbing(keyring: Keyring) -> tuple[Removal, ...]:
    """Return the removals that every service has."""
    # Only a worker forgets: no other process pays for what dead letters and relay import.
    from chassis.events import dead_letters, relay_rows

    return (
        Removal(("outbox",), ("outbox",), relay_rows.forget),
        Removal(("idempotency",), ("idempotency_keys",), idempotency.forget),
        Removal(("dead_letter",), ("dead_letters",), dead_letters.forget),
        Removal(("read_log",), ("audit_entries",), partial(audit.forget, keyring=keyring)),
    )


async def forget(db: Database, removals: Sequence[Removal], cut_off: Callable[[str], datetime]) -> None:
    """Run every removal until it finds nothing more; `cut_off` gives the moment for a class.

    Raises an ExceptionGroup of what failed when all the others are done; at once when the database does not answer.
    """
    failed: list[Exception] = []
    for removal in removals:
        before = cut_off(removal.classes[0])
        try:
            while await _batch(db, removal, before):
                pass
        except (DatabaseUnavailable, DatabaseBusy):
            raise
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup("not forgotten", failed)


async def _batch(db: Database, removal: Removal, before: datetime) -> int:
    async with db.transaction() as tx:
        return await removal.remove(tx, before, BATCH)
