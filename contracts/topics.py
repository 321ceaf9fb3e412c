"""Names of the topics. Partitions, retention and rights are declared in deploy/kafka/topics.yaml."""

from typing import Final

REGISTRATION_STAYS: Final = "registration.stays"
REGISTRATION_OCCUPANCY: Final = "registration.occupancy"
REGISTRATION_UNITS: Final = "registration.units"
HOUSING_PREMISES: Final = "housing.premises"
ALERTS_ALERTS: Final = "alerts.alerts"
ALERTS_NOTICES: Final = "alerts.notices"
