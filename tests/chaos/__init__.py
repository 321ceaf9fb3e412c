"""Chaos: a city under load whose every part is killed, stopped, cut off and filled, and a checker of what is left."""
