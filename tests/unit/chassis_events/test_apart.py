"""A failed batch is taken apart by halves: the bad ones come out, the good are handled in order, in few calls."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from chassis.data.db import Transaction
from chassis.events.apart import by_halves
from chassis.events.records import BadRecord


class _Savepoints:
    """A transaction of which only savepoints are asked: what a failed one handled is undone."""

    def __init__(self) -> None:
        self.handled: list[int] = []
        self.calls = 0

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        length = len(self.handled)
        try:
            yield
        except BaseException:
            del self.handled[length:]
            raise


async def handle(tx: Any, records: Sequence[int]) -> list[tuple[int, str]]:
    """Handle in order; 0 modulo 700 is refused, 13 is told of as bad, 99 is a fault of ours."""
    tx.calls += 1
    for each in records:
        if each == 99:
            raise KeyError(each)
        if each % 700 == 0:
            raise BadRecord("refused")
        if each != 13:
            tx.handled.append(each)
    return [(each, "told") for each in records if each == 13]


async def test_the_bad_ones_come_out_and_the_rest_is_handled_in_order() -> None:
    tx = _Savepoints()
    records = [each for each in range(1, 2_001) if each != 99]
    bad = await by_halves(cast("Transaction", tx), records, handle)
    assert bad == [(13, "told"), (700, "refused"), (1_400, "refused")]
    assert tx.handled == [each for each in records if each not in (13, 700, 1_400)]
    assert tx.calls <= 2 * 2 * 11


async def test_a_fault_of_ours_goes_on_to_the_caller() -> None:
    with pytest.raises(KeyError):
        await by_halves(cast("Transaction", _Savepoints()), range(700), handle)


async def test_nothing_is_nothing() -> None:
    assert await by_halves(cast("Transaction", _Savepoints()), [], handle) == []
