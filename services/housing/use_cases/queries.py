"""What housing is asked: one premises in detail, the premises that somebody is responsible for, units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from policy.checklists import HAZARD_SEVERITIES, HazardSeverity, worst
from services.housing.domain.closures import Closure
from services.housing.domain.hazards import Hazard
from services.housing.domain.inspections import Inspection
from services.housing.domain.premises import Premises, visible
from services.housing.domain.texts import half_width, single_spaced
from services.housing.domain.units import OPERATOR, Actor, Unit
from services.housing.storage import closures, hazards, headcounts, inspections, units
from services.housing.storage import premises as premises_store
from services.housing.storage.tables import hazards as hazards_table
from services.housing.storage.tables import headcounts as headcounts_table
from services.housing.storage.tables import premises as premises_table

# Units that run premises: an operator's people are told from the administration's by the unit's kind.
OPERATOR_UNITS = "operator"
# What a page shows of the past: some years of visits.
PAST = 20


@dataclass(frozen=True, slots=True)
class Details:
    """Premises with what is known beside them, the latest first. `firm` is None where a natural person runs them."""

    premises: Premises
    headcount: int
    firm: str | None
    operator_unit: Unit | None
    visits: Sequence[Inspection]
    closures: Sequence[Closure]
    cleared: Sequence[Hazard]


@dataclass(frozen=True, slots=True)
class Line:
    """Premises as a list shows them."""

    premises_id: UUID
    kind: str
    status: str
    title: str
    address: str
    division_code: str
    capacity: int
    one_household: bool
    headcount: int
    hazards: int
    worst: HazardSeverity | None
    latitude: float | None
    longitude: float | None

    @property
    def over(self) -> int:
        """Return how many people are registered beyond the capacity; one household is exempt (product.md 4).

        A place without rooms to live in (a stub, a market) has no capacity rule.
        """
        return 0 if self.one_household or not self.capacity else max(0, self.headcount - self.capacity)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list of `total` premises, newest first; `next` is where the following part begins, None at the end."""

    lines: Sequence[Line]
    next: UUID | None
    total: int


async def actor(tx: Transaction, subject: str, role: str, unit: str) -> Actor:
    """Return who acts, with the areas that the unit has now; a unit not known (yet) has none."""
    found = await units.find(tx, unit)
    return Actor(subject, role, unit, found.areas if found else ())


async def premises_details(tx: Transaction, who: Actor, premises_id: UUID, keyring: Keyring) -> Details:
    """Return premises in detail. Raises UnknownPremises and OutsideArea."""
    premises = visible(who, await premises_store.find(tx, premises_id))
    return Details(
        premises=premises,
        headcount=await headcounts.of(tx, premises_id),
        firm=await premises_store.firm_name(tx, keyring, premises_id),
        operator_unit=await units.find(tx, premises.operator_unit) if premises.operator_unit else None,
        visits=await inspections.latest(tx, premises_id, PAST),
        closures=await closures.latest(tx, premises_id, PAST),
        cleared=await hazards.cleared_of(tx, premises_id, PAST),
    )


async def premises_list(tx: Transaction, who: Actor, *, search: str, before: UUID | None, limit: int) -> Page:
    """Return the premises that the actor may see whose name or address holds `search`, newest first."""
    meant = _visible(who)
    if wanted := single_spaced(half_width(search)):
        columns = (premises_table.c.name, premises_table.c.address)
        meant = sa.and_(meant, sa.or_(*(column.icontains(wanted, autoescape=True) for column in columns)))
    total: int = await tx.scalar(sa.select(sa.func.count()).select_from(premises_table).where(meant))
    query = _lines().where(meant).order_by(premises_table.c.premises_id.desc()).limit(limit + 1)  # ids are UUIDv7
    if before is not None:
        query = query.where(premises_table.c.premises_id < before)
    rows = await tx.all(query)
    lines = [_line(row) for row in rows[:limit]]
    return Page(lines, lines[-1].premises_id if len(rows) > limit else None, total)


async def premises_map(tx: Transaction, who: Actor, *, at: UUID | None, limit: int) -> Page:
    """Return the premises that the actor may see: the one looked for, those with the gravest hazards, the newest."""
    meant = _visible(who)
    total: int = await tx.scalar(sa.select(sa.func.count()).select_from(premises_table).where(meant))
    rows = await tx.all(
        _lines()
        .where(meant)
        .order_by(
            (premises_table.c.premises_id == at).desc().nulls_last(),
            sa.column("rank").desc().nulls_last(),
            premises_table.c.premises_id.desc(),
        )
        .limit(limit)
    )
    return Page([_line(row) for row in rows], None, total)


async def operator_units(tx: Transaction) -> list[Unit]:
    """Return the units that run premises, by id."""
    return [unit for unit in await units.all_of(tx) if unit.kind == OPERATOR_UNITS]


async def unit_names(tx: Transaction) -> dict[str, dict[str, str]]:
    """Return every unit's name: `{unit: {"zh", "en"}}`."""
    return {unit.unit_id: {"zh": unit.name_zh, "en": unit.name_en} for unit in await units.all_of(tx)}


async def unit_keys(tx: Transaction) -> list[str]:
    """Return the ids of the units kept, as the topic's keys."""
    return await units.keys(tx)


async def headcount_keys(tx: Transaction) -> list[str]:
    """Return the ids of the premises of which a headcount is kept, as the topic's keys."""
    return await headcounts.keys(tx)


def _visible(who: Actor) -> sa.ColumnElement[bool]:
    """Return `may_see` as a condition."""
    if who.role == OPERATOR:
        return premises_table.c.operator_unit == who.unit
    return premises_store.within(who.areas)


_RANK = sa.case({severity: at for at, severity in enumerate(HAZARD_SEVERITIES)}, value=hazards_table.c.severity)


def _lines() -> sa.Select[Any]:
    open_ones = (
        sa.select(
            hazards_table.c.premises_id,
            sa.func.count().label("hazards"),
            sa.func.array_agg(hazards_table.c.severity).label("severities"),
            sa.func.max(_RANK).label("rank"),
        )
        .where(hazards_table.c.cleared_at.is_(None))
        .group_by(hazards_table.c.premises_id)
        .subquery()
    )
    return sa.select(
        premises_table,
        sa.func.coalesce(headcounts_table.c.headcount, 0).label("headcount"),
        sa.func.coalesce(open_ones.c.hazards, 0).label("hazards"),
        open_ones.c.severities,
        open_ones.c.rank,
    ).select_from(
        premises_table.outerjoin(
            headcounts_table, premises_table.c.premises_id == headcounts_table.c.premises_id
        ).outerjoin(open_ones, premises_table.c.premises_id == open_ones.c.premises_id)
    )


def _line(row: sa.Row[Any]) -> Line:
    return Line(
        premises_id=row.premises_id,
        kind=row.kind,
        status=row.status,
        title=row.name or row.address,
        address=row.address,
        division_code=row.division_code,
        capacity=row.capacity,
        one_household=row.one_household,
        headcount=row.headcount,
        hazards=row.hazards,
        worst=worst(row.severities or ()),
        latitude=row.latitude,
        longitude=row.longitude,
    )
