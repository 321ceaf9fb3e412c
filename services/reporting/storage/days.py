"""The read models: the newest version of each day's counts, and what is read of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.data.db import Transaction
from services.reporting.domain.read_models import Counted, Owner
from services.reporting.storage.tables import alert_days, housing_days, registration_days

TABLES: Mapping[Owner, sa.Table] = {
    Owner.REGISTRATION: registration_days,
    Owner.HOUSING: housing_days,
    Owner.ALERTS: alert_days,
}
KEY = ("division_code", "kind", "day")
# A statement takes at most 32,767 values; a row has at most ten.
ROWS_AT_ONCE = 1_000


def _row(table: sa.Table, one: Counted) -> dict[str, Any]:
    counts = {"counts": dict(one.counts)} if "counts" in table.c else dict(one.counts)
    key = {"day": one.day, "division_code": one.division_code, "kind": one.kind}
    return {**key, **counts, "version_epoch": one.version[0], "version_number": one.version[1]}


async def apply(tx: Transaction, owner: Owner, counted: Sequence[Counted]) -> None:
    """Keep counts whose version is newer than what is here; each key at most once."""
    table = TABLES[owner]
    for begin in range(0, len(counted), ROWS_AT_ONCE):
        new = insert(table).values([_row(table, one) for one in counted[begin : begin + ROWS_AT_ONCE]])
        here = sa.tuple_(table.c.version_epoch, table.c.version_number)
        await tx.execute(
            new.on_conflict_do_update(
                index_elements=KEY,
                set_={column.name: new.excluded[column.name] for column in table.c if column.name not in KEY},
                where=here < sa.tuple_(new.excluded.version_epoch, new.excluded.version_number),
            )
        )


async def keys(tx: Transaction, owner: Owner) -> set[tuple[date, str, str]]:
    """Return day, division and kind of every row."""
    table = TABLES[owner]
    return {
        (row.day, row.division_code, row.kind)
        for row in await tx.all(sa.select(table.c.day, table.c.division_code, table.c.kind))
    }


async def drop(tx: Transaction, owner: Owner, gone: Collection[tuple[date, str, str]]) -> None:
    """Delete rows."""
    table = TABLES[owner]
    if gone:
        await tx.execute(
            sa.delete(table).where(
                table.c.day == sa.bindparam("its_day"),
                table.c.division_code == sa.bindparam("its_division"),
                table.c.kind == sa.bindparam("its_kind"),
            ),
            [{"its_day": day, "its_division": division, "its_kind": kind} for day, division, kind in gone],
        )


async def lock(tx: Transaction) -> None:
    """Hold whoever writes the read models; readers see them as they were."""
    names = ", ".join(table.name for table in TABLES.values())
    await tx.execute(sa.text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


async def empty(tx: Transaction, owner: Owner) -> None:
    """Delete every row of a read model."""
    await tx.execute(sa.delete(TABLES[owner]))


async def registered(tx: Transaction, on: date) -> dict[tuple[str, str], int]:
    """Return how many were registered at a day's end, by division code and kind."""
    table = registration_days
    rows = await tx.all(
        sa.select(table.c.division_code, table.c.kind, table.c.registered)
        .ext(distinct_on(table.c.division_code, table.c.kind))
        .where(table.c.day <= on)
        .order_by(table.c.division_code, table.c.kind, table.c.day.desc())
    )
    return {(row.division_code, row.kind): row.registered for row in rows}


async def flows(tx: Transaction, on: date) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """Return arrivals, departures, on time and late of a day, by division code and kind."""
    table = registration_days
    rows = await tx.all(sa.select(table).where(table.c.day == on))
    return {(row.division_code, row.kind): (row.arrivals, row.departures, row.on_time, row.late) for row in rows}


async def counts(tx: Transaction, owner: Owner, first: date, last: date) -> list[Counted]:
    """Return the counts of another owner's days, oldest first."""
    table = TABLES[owner]
    rows = await tx.all(
        sa.select(table).where(table.c.day.between(first, last)).order_by(table.c.day, table.c.division_code)
    )
    return [_counted(row) for row in rows]


async def newest_counts(tx: Transaction, owner: Owner, on: date) -> list[Counted]:
    """Return the last counts until a day, of another owner, of each division code and kind."""
    table = TABLES[owner]
    rows = await tx.all(
        sa.select(table)
        .ext(distinct_on(table.c.division_code, table.c.kind))
        .where(table.c.day <= on)
        .order_by(table.c.division_code, table.c.kind, table.c.day.desc())
    )
    return [_counted(row) for row in rows]


def _counted(row: sa.Row[Any]) -> Counted:
    return Counted(row.day, row.division_code, row.kind, row.counts, (row.version_epoch, row.version_number))
