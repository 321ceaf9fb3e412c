"""What housing publishes: from a domain object to an event."""

from chassis.events.outbox import Emission
from contracts import topics
from contracts.envelope import PREMISES
from contracts.housing import PremisesKind, PremisesStatus, PremisesV1, RoomType, RoomV1
from services.housing.domain.premises import Premises


def premises_changed(premises: Premises) -> Emission:
    """Return the whole present state of premises: no name and no phone, since an operator may be a natural person."""
    return Emission(
        topic=topics.HOUSING_PREMISES,
        key=str(premises.premises_id),
        type=PREMISES,
        kind="state",
        version=premises.version,
        model=PremisesV1(
            premises_id=premises.premises_id,
            kind=PremisesKind(premises.kind),
            status=PremisesStatus(premises.status),
            address=premises.address,
            division_code=premises.division_code,
            latitude=premises.latitude,
            longitude=premises.longitude,
            rooms=tuple(
                RoomV1(number=room.number, type=RoomType(room.type), area_m2=room.area_m2, capacity=room.capacity)
                for room in premises.rooms
            ),
            capacity=premises.capacity,
            one_household=premises.one_household,
            operator_unit=premises.operator_unit,
        ),
    )
