"""The small map beside an alert: its premises in the middle, what lies around, and where else something is open."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.data.db import Transaction
from chassis.web.maps import METRES_LATITUDE, View
from services.alerts.domain.places import street_and_community
from services.alerts.use_cases.queries import AlertView, Box, Neighbour, neighbours_of

WIDTH, HEIGHT = 640.0, 400.0
# Some minutes on foot: who goes there sees the way's last piece.
METRES_ACROSS = 800.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Other premises on the map, in the drawing's units."""

    x: float
    y: float
    neighbour: Neighbour


@dataclass(frozen=True, slots=True)
class PlaceMap:
    """The drawing; `name` is how the premises in its middle are called, `open_alerts` how many are open around it."""

    view: View
    marks: Sequence[Mark]
    name: str

    @property
    def open_alerts(self) -> int:
        """How many alerts are open at the other premises."""
        return sum(mark.neighbour.alerts for mark in self.marks)


async def place_map(tx: Transaction, alert: AlertView) -> PlaceMap | None:
    """Draw the surroundings of an alert; None where its premises have no coordinates."""
    state = alert.premises
    if alert.place is None or state is None or state.latitude is None or state.longitude is None:
        return None
    view = View(WIDTH, HEIGHT, (state.latitude, state.longitude), WIDTH / METRES_ACROSS)
    around = await neighbours_of(tx, alert.alert.premises_id, _box(view))
    marks = [Mark(*view.at((each.latitude, each.longitude)), each) for each in around]
    # What is open lies on top of what is not, the worst above all.
    marks.reverse()
    begun = "".join(street_and_community(alert.place.address))
    return PlaceMap(view, marks, alert.place.address.removeprefix(begun).strip() or alert.place.address)


def _box(view: View) -> Box:
    latitude, longitude = view.middle
    high = view.height / 2 / view.scale / METRES_LATITUDE
    right, _y = view.at((latitude, longitude + 1))
    wide = view.width / 2 / (right - view.width / 2)
    return Box(latitude - high, latitude + high, longitude - wide, longitude + wide)
