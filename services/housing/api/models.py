"""What housing takes as JSON: shapes and limits. What the values mean is the domain's matter."""

from typing import Annotated

from pydantic import AwareDatetime, StringConstraints

from chassis.web.models import StrictModel
from contracts.fields import field, tags
from policy.checklists import HazardSeverity
from services.housing.domain.inspections import EntryBasis, Finding, ItemResult, Outcome, Visit
from services.housing.domain.premises import Entry, Operator, OperatorKind, PremisesKind, Room, RoomType

PLACE = tags(purpose=("registration", "housing_safety"), basis="not_personal", class_="none", retention="premises")
FINDING = tags(purpose="housing_safety", basis="not_personal", class_="none", retention="premises")
HEADCOUNT = tags(purpose="housing_safety", basis="residence_registration", class_="personal", retention="premises")
OPERATOR = tags(purpose="housing_safety", basis="fire_safety", class_="personal", retention="premises")

# The largest dormitory blocks and hotels have some thousand rooms; as one event that is a quarter of what Kafka takes.
MOST_ROOMS = 3_000
# A hall of a hectare: larger is a slip of the decimal point.
LARGEST_ROOM_M2 = 10_000
# Far more than any checklist has.
MOST_ITEMS = 200
# A paragraph: what the place is like, never who lives there.
LONGEST_NOTE = 500

# GB/T 2260 county, then street and community: 6 to 12 digits.
DivisionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,12}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE)]
UnitId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


class RoomBody(StrictModel):
    """A room."""

    number: Annotated[str, field(PLACE, min_length=1, max_length=40)]
    type: Annotated[RoomType, field(PLACE)]
    area_m2: Annotated[float, field(PLACE, gt=0, le=LARGEST_ROOM_M2, description="square metres")]


class OperatorBody(StrictModel):
    """Who runs the premises."""

    kind: Annotated[OperatorKind, field(OPERATOR)]
    name: Annotated[str, field(OPERATOR, min_length=1, max_length=100)]
    phone: Annotated[str, field(OPERATOR, min_length=1, max_length=40)]


class PremisesBody(StrictModel):
    """Premises to register."""

    kind: Annotated[PremisesKind, field(PLACE)]
    name: Annotated[str, field(PLACE, min_length=1, max_length=100)]
    address: Annotated[str, field(PLACE, min_length=1, max_length=200)]
    division_code: Annotated[DivisionCode, field(PLACE)]
    latitude: Annotated[float, field(PLACE, ge=-90, le=90)]
    longitude: Annotated[float, field(PLACE, ge=-180, le=180)]
    one_household: Annotated[bool, field(PLACE)] = False
    operator_unit: Annotated[UnitId | None, field(PLACE)] = None
    rooms: Annotated[list[RoomBody], field(PLACE, max_length=MOST_ROOMS)]
    operator: Annotated[OperatorBody, field(OPERATOR)]

    def entry(self) -> Entry:
        """Return it as the domain takes it."""
        return Entry(
            kind=self.kind,
            name=self.name,
            address=self.address,
            division_code=self.division_code,
            latitude=self.latitude,
            longitude=self.longitude,
            rooms=tuple(Room(room.number, room.type, room.area_m2) for room in self.rooms),
            operator=Operator(self.operator.kind, self.operator.name, self.operator.phone),
            one_household=self.one_household,
            operator_unit=self.operator_unit,
        )


class ItemBody(StrictModel):
    """What was found at one item of the checklist."""

    item: Annotated[str, field(FINDING, min_length=1, max_length=40)]
    result: Annotated[ItemResult, field(FINDING)]
    severity: Annotated[HazardSeverity | None, field(FINDING, description="only to raise the rule's")] = None
    note: Annotated[str | None, field(FINDING, max_length=LONGEST_NOTE)] = None


class InspectionBody(StrictModel):
    """An inspection of premises; what was not looked at is left out."""

    checklist_version: Annotated[str, field(FINDING, min_length=1, max_length=20)]
    entry_basis: Annotated[EntryBasis, field(FINDING)]
    outcome: Annotated[Outcome, field(FINDING)]
    inspected_at: Annotated[AwareDatetime, field(FINDING)]
    items: Annotated[list[ItemBody], field(FINDING, max_length=MOST_ITEMS, default_factory=list)]

    def visit(self) -> Visit:
        """Return it as the domain takes it."""
        return Visit(
            checklist_version=self.checklist_version,
            entry_basis=self.entry_basis,
            outcome=self.outcome,
            inspected_at=self.inspected_at,
            items=tuple(Finding(each.item, each.result, each.severity, each.note) for each in self.items),
        )


class ClearanceBody(StrictModel):
    """That a hazard is no more, and how that was seen."""

    note: Annotated[Words, field(FINDING)]


class LetterBody(StrictModel):
    """Which letter was read and signed; left out, the one in force."""

    letter_version: Annotated[str | None, field(FINDING, min_length=1, max_length=20)] = None


class ClosureBody(StrictModel):
    """Why premises are closed, and how many people the closer knows to live there."""

    reason: Annotated[Words, field(FINDING)]
    confirm_headcount: Annotated[int, field(HEADCOUNT, ge=0)]


class ReopeningBody(StrictModel):
    """Why premises may be lived in again."""

    reason: Annotated[Words, field(FINDING)]
