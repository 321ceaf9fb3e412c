"""Where divisions lie, as far as the premises in them tell: an outline of each, out of their coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.alerts.storage.tables import dwellings, premises

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Division:
    """A division: the corners of the narrowest octagon around its premises, in degrees, and the address of one."""

    code: str
    address: str
    corners: Sequence[Point]


async def outlines(tx: Transaction) -> Sequence[Division]:
    """Return every division of which premises have coordinates. Reads all premises: keep the answer."""
    lat, lon = dwellings.c.latitude, dwellings.c.longitude
    bounds = [
        function(value).label(f"{name}_{side}")
        for side, function in (("least", sa.func.min), ("most", sa.func.max))
        for name, value in (("lat", lat), ("lon", lon), ("sum", lat + lon), ("gap", lat - lon))
    ]
    query = (
        sa.select(premises.c.division_code, sa.func.min(premises.c.address).label("address"), *bounds)
        .join(dwellings, dwellings.c.premises_id == premises.c.premises_id)
        .where(lat.is_not(None), lon.is_not(None))
        .group_by(premises.c.division_code)
        .order_by(premises.c.division_code)
    )
    return [Division(row.division_code, row.address, _corners(row)) for row in await tx.all(query)]


def _corners(row: sa.Row[tuple[float, ...]]) -> Sequence[Point]:
    """Cut the corners of the box around the premises off where the slanting bounds do: around it, from the north."""
    north, south, east, west = row.lat_most, row.lat_least, row.lon_most, row.lon_least
    return (
        (north, row.sum_most - north),
        (row.sum_most - east, east),
        (row.gap_least + east, east),
        (south, south - row.gap_least),
        (south, row.sum_least - south),
        (row.sum_least - west, west),
        (row.gap_most + west, west),
        (north, north - row.gap_most),
    )
