"""Alerts on a real PostgreSQL: exactness, life cycle, API, stream."""
