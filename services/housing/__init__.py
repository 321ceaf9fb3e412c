"""Housing: where in the city people can live, and how many.

Owns premises, their rooms and operators. Publishes `housing.premises`. Listens to `registration.occupancy` (how many
people are registered at premises) and `registration.units` (who is responsible for which area).
"""
