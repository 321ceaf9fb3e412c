"""The envelope: CloudEvents 1.0 in Kafka's binary mode, and which type names which model."""

from typing import Final

from contracts import alerts, housing, registration, topics
from contracts.event import Event

SPEC_VERSION: Final = "1.0"

HEADER_SPEC_VERSION: Final = "ce_specversion"
HEADER_ID: Final = "ce_id"
HEADER_TYPE: Final = "ce_type"
HEADER_SOURCE: Final = "ce_source"
HEADER_SEQUENCE: Final = "ce_sequence"  # "epoch.number", on histories only
HEADER_TRACEPARENT: Final = "ce_traceparent"  # only when the trace is sampled


def source(service: str) -> str:
    """What a service writes as `ce_source`."""
    return f"/anju/{service}"


PERSON_ARRIVED: Final = "anju.registration.person-arrived.v1"
PERSON_DEPARTED: Final = "anju.registration.person-departed.v1"
STAY_CORRECTED: Final = "anju.registration.stay-corrected.v1"
PERSON_PRESENT: Final = "anju.registration.person-present.v1"
OCCUPANCY: Final = "anju.registration.occupancy.v1"
UNIT: Final = "anju.registration.unit.v1"
PREMISES_STUBBED: Final = "anju.registration.premises-stubbed.v1"
REGISTRATION_STATISTICS: Final = "anju.registration.statistics.v1"
PREMISES: Final = "anju.housing.premises.v1"
PREMISES_REGISTERED: Final = "anju.housing.premises-registered.v1"
PREMISES_CLOSED: Final = "anju.housing.premises-closed.v1"
PREMISES_REOPENED: Final = "anju.housing.premises-reopened.v1"
LETTER_SIGNED: Final = "anju.housing.letter-signed.v1"
INSPECTION_DONE: Final = "anju.housing.inspection-done.v1"
HAZARD_FOUND: Final = "anju.housing.hazard-found.v1"
HAZARD_CLEARED: Final = "anju.housing.hazard-cleared.v1"
HOUSING_STATISTICS: Final = "anju.housing.statistics.v1"
NOTICE_ACTIVATED: Final = "anju.alerts.notice-activated.v1"
NOTICE_ENDED: Final = "anju.alerts.notice-ended.v1"
ALERT_RAISED: Final = "anju.alerts.alert-raised.v1"
ALERT_ACKNOWLEDGED: Final = "anju.alerts.alert-acknowledged.v1"
ALERT_VERIFIED: Final = "anju.alerts.alert-verified.v1"
ALERT_CLOSED: Final = "anju.alerts.alert-closed.v1"
ALERT_REOPENED: Final = "anju.alerts.alert-reopened.v1"
ALERT_RETRACTED: Final = "anju.alerts.alert-retracted.v1"
IMMINENT_HAZARD_OCCUPIED: Final = "anju.alerts.imminent-hazard-occupied.v1"
IMMINENT_HAZARD_OCCUPIED_CLEARED: Final = "anju.alerts.imminent-hazard-occupied-cleared.v1"
ALERTS_STATISTICS: Final = "anju.alerts.statistics.v1"

TYPES: Final[dict[str, type[Event]]] = {
    PERSON_ARRIVED: registration.PersonArrivedV1,
    PERSON_DEPARTED: registration.PersonDepartedV1,
    STAY_CORRECTED: registration.StayCorrectedV1,
    PERSON_PRESENT: registration.PersonPresentV1,
    OCCUPANCY: registration.OccupancyV1,
    UNIT: registration.UnitV1,
    PREMISES_STUBBED: registration.PremisesStubbedV1,
    REGISTRATION_STATISTICS: registration.RegistrationStatisticsV1,
    PREMISES: housing.PremisesV1,
    PREMISES_REGISTERED: housing.PremisesRegisteredV1,
    PREMISES_CLOSED: housing.PremisesClosedV1,
    PREMISES_REOPENED: housing.PremisesReopenedV1,
    LETTER_SIGNED: housing.LetterSignedV1,
    INSPECTION_DONE: housing.InspectionDoneV1,
    HAZARD_FOUND: housing.HazardFoundV1,
    HAZARD_CLEARED: housing.HazardClearedV1,
    HOUSING_STATISTICS: housing.HousingStatisticsV1,
    NOTICE_ACTIVATED: alerts.NoticeActivatedV1,
    NOTICE_ENDED: alerts.NoticeEndedV1,
    ALERT_RAISED: alerts.AlertRaisedV1,
    ALERT_ACKNOWLEDGED: alerts.AlertAcknowledgedV1,
    ALERT_VERIFIED: alerts.AlertVerifiedV1,
    ALERT_CLOSED: alerts.AlertClosedV1,
    ALERT_REOPENED: alerts.AlertReopenedV1,
    ALERT_RETRACTED: alerts.AlertRetractedV1,
    IMMINENT_HAZARD_OCCUPIED: alerts.ImminentHazardOccupiedV1,
    IMMINENT_HAZARD_OCCUPIED_CLEARED: alerts.ImminentHazardOccupiedClearedV1,
    ALERTS_STATISTICS: alerts.AlertsStatisticsV1,
}

# What the topic of each department in contracts/departments.py carries; none while it is only declared.
DEPARTMENT_TYPES: Final[dict[str, tuple[str, ...]]] = {
    topics.ALERTS_DEPARTMENT_FIRE: (IMMINENT_HAZARD_OCCUPIED, IMMINENT_HAZARD_OCCUPIED_CLEARED),
    topics.ALERTS_DEPARTMENT_CHILD_PROTECTION: (),
    topics.REGISTRATION_DEPARTMENT_EDUCATION: (),
}
