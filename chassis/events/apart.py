"""Takes a failed batch apart by halves, until the records to blame stand alone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from chassis.data.db import Transaction
from chassis.events.blame import bad_record

R = TypeVar("R")
Handle = Callable[[Transaction, Sequence[R]], Awaitable[Sequence[tuple[R, str]] | None]]


async def by_halves(tx: Transaction, records: Sequence[R], handle: Handle[R]) -> list[tuple[R, str]]:
    """Handle records in their order, each part in a savepoint; return the bad ones with their reasons.

    One by one, a batch of 2,000 would outlast the transaction's 30 s on a busy machine, and be held for ever: by halves
    a bad record costs some 22 calls. What `handle` raises of anything but a record's own fault goes on to the caller.
    """
    if not records:
        return []
    try:
        async with tx.savepoint():
            return list(await handle(tx, records) or ())
    except Exception as error:
        if (bad := bad_record(error)) is None:
            raise
        if len(records) == 1:
            return [(records[0], bad.reason)]
    middle = len(records) // 2
    return [
        *await by_halves(tx, records[:middle], handle),
        *await by_halves(tx, records[middle:], handle),
    ]
