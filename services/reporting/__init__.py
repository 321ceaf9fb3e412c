"""Reporting: figures of the city, from counts that carry no person and no dwelling.

Owns read models of days, divisions and kinds; publishes nothing. Listens to `registration.statistics`,
`housing.statistics` and `alerts.statistics`. Shows no count of 1 to 9, and nothing that one could be reckoned from.
"""
