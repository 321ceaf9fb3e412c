"""Names of the topics. Partitions, retention and rights are declared in deploy/kafka/topics.yaml."""

from typing import Final

REGISTRATION_STAYS: Final = "registration.stays"
REGISTRATION_OCCUPANCY: Final = "registration.occupancy"
REGISTRATION_UNITS: Final = "registration.units"
REGISTRATION_STUBS: Final = "registration.stubs"
REGISTRATION_STATISTICS: Final = "registration.statistics"
HOUSING_PREMISES: Final = "housing.premises"
HOUSING_INSPECTIONS: Final = "housing.inspections"
HOUSING_STATISTICS: Final = "housing.statistics"
ALERTS_ALERTS: Final = "alerts.alerts"
ALERTS_NOTICES: Final = "alerts.notices"
ALERTS_STATISTICS: Final = "alerts.statistics"
ALERTS_DEPARTMENT_FIRE: Final = "alerts.department.fire"
ALERTS_DEPARTMENT_CHILD_PROTECTION: Final = "alerts.department.child-protection"
REGISTRATION_DEPARTMENT_EDUCATION: Final = "registration.department.education"
