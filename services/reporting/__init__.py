"""Reporting: figures of the city, from counts that carry no person and no dwelling.

Owns its database, in which read models will stand; publishes nothing. It listens to nothing yet: the statistics topics
that it will read do not exist, so its page says since when it has been waiting.
"""
