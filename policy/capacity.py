"""How many people may live in a room and in premises, by the area rule of the city."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from policy.reading import Value

PREMISES_KINDS: Final = (
    "rental",
    "shared_rental",
    "hotel",
    "dormitory",
    "site_shed",
    "market",
    "entertainment_venue",
)
ROOM_TYPES: Final = (
    "bedroom",
    "living_room",
    "dormitory",
    "kitchen",
    "bathroom",
    "balcony",
    "storage",
    "garage",
    "corridor",
)


@dataclass(frozen=True, slots=True)
class AreaRule:
    """Of one kind of premises: rooms to live in, square metres for each person, the most people in one room."""

    room_types: tuple[str, ...]
    area_per_person_m2: float
    most_per_room: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """The area rules in force on a day. Where nobody may live (a market), there is no rule and the capacity is 0."""

    by_kind: Mapping[str, AreaRule]

    def rule(self, kind: str) -> AreaRule | None:
        """The rule of a kind of premises, None where nobody may live."""
        return self.by_kind.get(kind)

    def of_room(self, kind: str, room_type: str, area_m2: float | None, one_household: bool = False) -> int:
        """People who may live in a room: its area over the area per person, rounded down, at most the room's limit.

        A room without a known area, or of a type not to be lived in, takes nobody. The limit per room is a rule for
        rooms let to strangers: it does not bind a single household.
        """
        rule = self.by_kind.get(kind)
        if rule is None or area_m2 is None or area_m2 <= 0 or room_type not in rule.room_types:
            return 0
        # In decimals as written: 12.0 over 4.0 must not become 2 through binary fractions.
        people = int((Decimal(str(area_m2)) / Decimal(str(rule.area_per_person_m2))).to_integral_value(ROUND_FLOOR))
        if rule.most_per_room is None or one_household:
            return people
        return min(people, rule.most_per_room)

    def of_rooms(self, kind: str, rooms: Iterable[tuple[str, float | None]], one_household: bool = False) -> int:
        """People who may live in premises: the sum over rooms, each given as (type, area in m²)."""
        return sum(self.of_room(kind, room_type, area, one_household) for room_type, area in rooms)


def _area_rule(value: Value) -> AreaRule:
    record = value.record(("room_types", "area_per_person_m2", "source"), ("most_per_room",))
    return AreaRule(
        room_types=tuple(item.one_of(ROOM_TYPES) for item in record["room_types"].items()),
        area_per_person_m2=record["area_per_person_m2"].decimal(0, 50),
        most_per_room=record["most_per_room"].whole(1, 100) if "most_per_room" in record else None,
        source=record["source"].text(),
    )


def read(values: Value) -> Capacity:
    """The `values` of a pack `capacity`."""
    return Capacity(by_kind=values.table(_area_rule, PREMISES_KINDS))
