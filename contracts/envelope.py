"""The envelope: CloudEvents 1.0 in Kafka's binary mode, and which type names which model."""

from typing import Final

from contracts import alerts, housing, registration
from contracts.event import Event

SPEC_VERSION: Final = "1.0"

HEADER_SPEC_VERSION: Final = "ce_specversion"
HEADER_ID: Final = "ce_id"
HEADER_TYPE: Final = "ce_type"
HEADER_SOURCE: Final = "ce_source"
HEADER_SEQUENCE: Final = "ce_sequence"  # "epoch.number", on histories only
HEADER_TRACEPARENT: Final = "ce_traceparent"  # only when the trace is sampled

PERSON_ARRIVED: Final = "anju.registration.person-arrived.v1"
PERSON_DEPARTED: Final = "anju.registration.person-departed.v1"
STAY_CORRECTED: Final = "anju.registration.stay-corrected.v1"
PERSON_PRESENT: Final = "anju.registration.person-present.v1"
OCCUPANCY: Final = "anju.registration.occupancy.v1"
UNIT: Final = "anju.registration.unit.v1"
PREMISES: Final = "anju.housing.premises.v1"
NOTICE_ACTIVATED: Final = "anju.alerts.notice-activated.v1"
NOTICE_ENDED: Final = "anju.alerts.notice-ended.v1"
ALERT_RAISED: Final = "anju.alerts.alert-raised.v1"
ALERT_ACKNOWLEDGED: Final = "anju.alerts.alert-acknowledged.v1"
ALERT_VERIFIED: Final = "anju.alerts.alert-verified.v1"
ALERT_CLOSED: Final = "anju.alerts.alert-closed.v1"
ALERT_REOPENED: Final = "anju.alerts.alert-reopened.v1"
ALERT_RETRACTED: Final = "anju.alerts.alert-retracted.v1"

TYPES: Final[dict[str, type[Event]]] = {
    PERSON_ARRIVED: registration.PersonArrivedV1,
    PERSON_DEPARTED: registration.PersonDepartedV1,
    STAY_CORRECTED: registration.StayCorrectedV1,
    PERSON_PRESENT: registration.PersonPresentV1,
    OCCUPANCY: registration.OccupancyV1,
    UNIT: registration.UnitV1,
    PREMISES: housing.PremisesV1,
    NOTICE_ACTIVATED: alerts.NoticeActivatedV1,
    NOTICE_ENDED: alerts.NoticeEndedV1,
    ALERT_RAISED: alerts.AlertRaisedV1,
    ALERT_ACKNOWLEDGED: alerts.AlertAcknowledgedV1,
    ALERT_VERIFIED: alerts.AlertVerifiedV1,
    ALERT_CLOSED: alerts.AlertClosedV1,
    ALERT_REOPENED: alerts.AlertReopenedV1,
    ALERT_RETRACTED: alerts.AlertRetractedV1,
}
