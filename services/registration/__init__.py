"""Registration: who lives where in the city.

Owns units, persons and stays. Publishes `registration.stays`, `registration.occupancy`, `registration.statistics`,
`registration.stubs` and `registration.units`.
Listens to `housing.premises` (where one can be registered), `alerts.notices` (who is here now?) and `alerts.alerts`
(which stay an officer may read).
"""
