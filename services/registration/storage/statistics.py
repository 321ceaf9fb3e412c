"""Counts of a day: changes are noted with the stay that causes them, and added up before they are published."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared
from services.registration.domain.statistics import Change, DayCounts
from services.registration.domain.stays import StayKind
from services.registration.storage.tables import statistics, statistics_changes

COUNTS = ("arrivals", "departures", "late")
KEY = (statistics.c.day, statistics.c.division_code, statistics.c.kind)
_NOTED = ("day", "division_code", "kind", *COUNTS)
_NOTE = Prepared(sa.insert(statistics_changes).inline(), _NOTED)

Key = tuple[date, str, str]


async def note(tx: Transaction, changed: Sequence[Change]) -> None:
    """Note changes beside the stay's own row. A row of its own each: no two desks wait for one another here."""
    # An arrival has one: to the driver many at once cost more than one.
    for each in changed:
        await tx.run(_NOTE, {name: getattr(each, name) for name in _NOTED})


async def lock(tx: Transaction) -> None:
    """Let no other copy add up at the same time."""
    await tx.execute(sa.text("LOCK TABLE statistics IN SHARE ROW EXCLUSIVE MODE"))


async def add_up(tx: Transaction) -> None:
    """Take the noted changes into the counts of their days, and into `registered` of every later day."""
    taken = sa.delete(statistics_changes).returning(statistics_changes).cte("taken")
    sums = [sa.func.sum(taken.c[name]).label(name) for name in COUNTS]
    key = (taken.c.day, taken.c.division_code, taken.c.kind)
    changed = await tx.all(sa.select(*key, *sums).group_by(*key).order_by(*key))
    rows = [row._asdict() for row in changed if any(getattr(row, name) for name in COUNTS)]
    if not rows:
        return
    keys = [{name: row[name] for name in ("day", "division_code", "kind")} for row in rows]
    nothing = dict.fromkeys(("registered", *COUNTS, "version"), 0)
    await tx.execute(
        insert(statistics).on_conflict_do_nothing(), [{**key, **nothing, "published": False} for key in keys]
    )
    added: dict[str, Any] = {
        name: statistics.c[name] + sa.bindparam(f"more_{name}", type_=sa.Integer) for name in COUNTS
    }
    await tx.execute(
        sa.update(statistics)
        .where(
            statistics.c.day == sa.bindparam("its_day"),
            statistics.c.division_code == sa.bindparam("its_division"),
            statistics.c.kind == sa.bindparam("its_kind"),
        )
        .values(**added, published=False),
        [
            {"its_day": row["day"], "its_division": row["division_code"], "its_kind": row["kind"]}
            | {f"more_{name}": row[name] for name in COUNTS}
            for row in rows
        ],
    )
    await _carry_forward(tx, rows)


async def _carry_forward(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Set `registered` from the first changed day of each kind and division on."""
    first: dict[tuple[str, str], date] = {}
    for row in rows:
        pair = (row["division_code"], row["kind"])
        first[pair] = min(first.get(pair, row["day"]), row["day"])
    begin = sa.values(
        sa.column("division_code", sa.Text), sa.column("kind", sa.Text), sa.column("day", sa.Date), name="begin"
    ).data([(*pair, day) for pair, day in first.items()])
    earlier = statistics.alias("earlier")
    carried = (
        sa.select(earlier.c.registered)
        .where(
            earlier.c.division_code == begin.c.division_code,
            earlier.c.kind == begin.c.kind,
            earlier.c.day < begin.c.day,
        )
        .order_by(earlier.c.day.desc())
        .limit(1)
        .scalar_subquery()
    )
    each = statistics.alias("each")
    running = (
        sa.select(
            each.c.division_code,
            each.c.kind,
            each.c.day,
            (
                sa.func.coalesce(carried, 0)
                + sa.func.sum(each.c.arrivals - each.c.departures).over(
                    partition_by=(each.c.division_code, each.c.kind), order_by=each.c.day
                )
            ).label("registered"),
        )
        .join(begin, sa.and_(begin.c.division_code == each.c.division_code, begin.c.kind == each.c.kind))
        .where(each.c.day >= begin.c.day)
        .subquery("running")
    )
    await tx.execute(
        sa.update(statistics)
        .where(
            statistics.c.division_code == running.c.division_code,
            statistics.c.kind == running.c.kind,
            statistics.c.day == running.c.day,
            statistics.c.registered != running.c.registered,
        )
        .values(registered=running.c.registered, published=False)
    )


async def open_day(tx: Transaction, today: date) -> None:
    """Begin today's counts where somebody is registered: as many as on the last day with a record."""
    last = (
        sa.select(statistics)
        .where(statistics.c.day <= today)
        .ext(distinct_on(statistics.c.division_code, statistics.c.kind))
        .order_by(statistics.c.division_code, statistics.c.kind, statistics.c.day.desc())
        .subquery("last")
    )
    begun = sa.select(
        sa.literal(today, sa.Date),
        last.c.division_code,
        last.c.kind,
        last.c.registered,
        *(sa.literal(0) for _ in COUNTS),
        sa.literal(0),
        sa.false(),
    ).where(last.c.day < today, last.c.registered > 0)
    columns = ["day", "division_code", "kind", "registered", *COUNTS, "version", "published"]
    await tx.execute(insert(statistics).from_select(columns, begun).on_conflict_do_nothing())


async def take_unpublished(tx: Transaction) -> list[DayCounts]:
    """Return the counts that changed since they were published, under their next version."""
    rows = (
        await tx.execute(
            sa.update(statistics)
            .where(~statistics.c.published)
            .values(published=True, version=statistics.c.version + 1)
            .returning(statistics)
        )
    ).all()
    return [_counts(row) for row in sorted(rows, key=lambda row: (row.day, row.division_code, row.kind))]


async def published(tx: Transaction) -> list[Key]:
    """Return what counts were ever published."""
    rows = await tx.all(sa.select(*KEY).where(statistics.c.version > 0))
    return [(row.day, row.division_code, row.kind) for row in rows]


async def several(tx: Transaction, keys: Collection[Key]) -> list[DayCounts]:
    """Return counts that were published."""
    rows = await tx.all(sa.select(statistics).where(sa.tuple_(*KEY).in_(keys), statistics.c.version > 0))
    return [_counts(row) for row in rows]


def _counts(row: sa.Row[Any]) -> DayCounts:
    return DayCounts(
        day=row.day,
        division_code=row.division_code,
        kind=StayKind(row.kind),
        registered=row.registered,
        arrivals=row.arrivals,
        departures=row.departures,
        late=row.late,
        version=row.version,
    )
