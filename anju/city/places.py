"""Owns the buildings of the simulated city: for a seed, premises number n are always the same."""

import random
from dataclasses import dataclass
from typing import Any

from anju.city.people import People
from policy.capacity import Capacity

# Thirty premises as a street has them, all kinds among the first ten, so that a small city has them too.
STREET_KINDS = (
    "hotel", "rental", "shared_rental", "dormitory", "rental", "rental", "site_shed", "rental", "market", "rental",
    "shared_rental", "rental", "rental", "hotel", "rental", "shared_rental", "rental", "rental", "dormitory", "rental",
    "rental", "shared_rental", "rental", "hotel", "rental", "shared_rental", "rental", "rental", "shared_rental",
    "rental",
)  # fmt: skip
# Division code of a community: its name, streets, and where it lies (degrees; the streets and the city are invented).
COMMUNITIES = (
    ("330199001001", "柳堤街道湖滨社区", ("湖滨路", "柳堤路"), 30.2502, 120.1610),
    ("330199001002", "柳堤街道柳荫社区", ("柳荫巷", "听雨街"), 30.2561, 120.1702),
    ("330199001003", "柳堤街道桥西社区", ("桥西路", "石埠巷"), 30.2448, 120.1718),
    ("330199002001", "青湾街道青湾社区", ("青湾大道", "望海巷"), 30.2483, 120.1841),
    ("330199002002", "青湾街道松林社区", ("松林路", "南坡街"), 30.2567, 120.1873),
)
# A community is some six hundred metres across.
SPREAD_DEGREES = 0.0030
# The demo's own hotel, whose front desk is a person of the portal.
OWN_HOTEL, OWN_HOTEL_UNIT = 0, "hotel-01"
STATIONS = {"330199001": "station-01", "330199002": "station-02"}

HOTEL_WORDS = ("云停", "渡口", "听潮", "竹影", "晚舟", "青瓦", "半山", "远帆", "小满", "白鹭")
FIRM_WORDS = ("恒川", "启明", "瑞禾", "东篱", "宏图", "安信", "立本", "长丰")


@dataclass(frozen=True, slots=True)
class Room:
    """A room; `capacity` is how many may live in it by the city's rule."""

    number: str
    type: str
    area_m2: float
    capacity: int


@dataclass(frozen=True, slots=True)
class Place:
    """Premises of the plan, before and after housing knows them."""

    number: int
    kind: str
    name: str
    address: str
    division_code: str
    latitude: float
    longitude: float
    one_household: bool
    operator: dict[str, str]
    rooms: tuple[Room, ...]

    @property
    def capacity(self) -> int:
        """How many may live there."""
        return sum(room.capacity for room in self.rooms)

    @property
    def station(self) -> str:
        """The police station whose people register and inspect there."""
        return STATIONS[self.division_code[:9]]

    @property
    def operator_unit(self) -> str | None:
        """The unit that registers its own guests there."""
        return OWN_HOTEL_UNIT if self.number == OWN_HOTEL else None

    @property
    def beds(self) -> tuple[str, ...]:
        """A room number for each person who may live there."""
        return tuple(room.number for room in self.rooms for _ in range(room.capacity))

    def body(self) -> dict[str, Any]:
        """The premises as `POST /api/v1/premises` takes them."""
        body = {name: getattr(self, name) for name in ("kind", "name", "address", "division_code")}
        rooms = [{"number": room.number, "type": room.type, "area_m2": room.area_m2} for room in self.rooms]
        body |= {"latitude": self.latitude, "longitude": self.longitude, "one_household": self.one_household}
        body |= {"rooms": rooms, "operator": self.operator}
        return body | ({"operator_unit": self.operator_unit} if self.operator_unit else {})


def plan(seed: int, count: int, rule: Capacity) -> tuple[Place, ...]:
    """The city's premises; `rule` is the area rule in force."""
    return tuple(_place(seed, number, rule) for number in range(count))


def _place(seed: int, number: int, rule: Capacity) -> Place:
    dice = random.Random(f"{seed}/place/{number}")
    kind = STREET_KINDS[number % len(STREET_KINDS)]
    if kind == "market" and number // len(STREET_KINDS) % 2:
        kind = "entertainment_venue"
    # The demo's hotel lies in the area of the station that the portal's clerk works for.
    division, community, streets, latitude, longitude = (
        COMMUNITIES[0] if number == OWN_HOTEL else dice.choice(COMMUNITIES)
    )
    one_household = kind == "rental" and dice.random() < 0.3
    name, operator = _names(kind, number, People(f"{seed}/operator/{number}"), dice)
    address = f"{community}{dice.choice(streets)} {1 + number // len(COMMUNITIES)} 号"
    if kind in ("rental", "shared_rental"):
        address += f" {dice.randrange(1, 9)} 幢 {dice.randrange(1, 18)}{dice.randrange(1, 5):02d} 室"
    rooms = tuple(
        Room(number_, type_, area, rule.of_room(kind, type_, area, one_household))
        for number_, type_, area in _rooms(kind, dice)
    )
    return Place(
        number=number,
        kind=kind,
        name=name,
        address=address,
        division_code=division,
        latitude=round(latitude + dice.uniform(-SPREAD_DEGREES, SPREAD_DEGREES), 6),
        longitude=round(longitude + dice.uniform(-SPREAD_DEGREES, SPREAD_DEGREES), 6),
        one_household=one_household,
        operator=operator,
        rooms=rooms,
    )


def _names(kind: str, number: int, people: People, dice: random.Random) -> tuple[str, dict[str, str]]:
    """A name on the door, and who runs the place. The phone's prefix belongs to no network."""
    phone = f"100{dice.randrange(10**8):08d}"
    if kind in ("rental", "shared_rental"):
        landlord = people.name(rare=0.0)
        title = "合租房" if kind == "shared_rental" else "出租房"
        return f"{landlord[0]}家{title}", {"kind": "person", "name": landlord, "phone": phone}
    firm = f"云汀{dice.choice(FIRM_WORDS)}"
    if number == OWN_HOTEL:
        return "湖滨旅馆", {"kind": "firm", "name": "湖滨旅馆有限公司", "phone": phone}
    title = {
        "hotel": f"{dice.choice(HOTEL_WORDS)}旅馆",
        "dormitory": f"{firm}员工宿舍",
        "site_shed": f"{firm}工地板房",
        "market": f"{firm}农贸市场",
        "entertainment_venue": f"{dice.choice(HOTEL_WORDS)}歌厅",
    }[kind]
    return title, {"kind": "firm", "name": f"{firm}有限公司", "phone": phone}


def _rooms(kind: str, dice: random.Random) -> list[tuple[str, str, float]]:
    """Rooms as (number, type, square metres)."""

    def area(least: float, most: float) -> float:
        return round(dice.uniform(least, most), 1)

    if kind == "hotel":
        floors, doors = dice.randrange(2, 5), dice.randrange(4, 8)
        return [(f"{f}{d:02d}", "bedroom", area(8, 13)) for f in range(2, 2 + floors) for d in range(1, 1 + doors)]
    if kind == "dormitory":
        return [(f"{f}{d:02d}", "dormitory", area(16, 33)) for f in range(1, 4) for d in range(1, dice.randrange(4, 8))]
    if kind == "site_shed":
        return [(f"板房 {d}", "dormitory", area(18, 40)) for d in range(1, dice.randrange(4, 9))]
    if kind in ("market", "entertainment_venue"):
        return [(f"{d}", "storage", area(20, 60)) for d in range(1, 4)]
    sizes = (3, 6) if kind == "shared_rental" else (1, 4)
    bedrooms = [(f"卧室 {d}", "bedroom", area(8, 13)) for d in range(1, 1 + dice.randrange(*sizes))]
    return [*bedrooms, ("厨房", "kitchen", area(4, 7)), ("卫生间", "bathroom", area(3, 5))]
