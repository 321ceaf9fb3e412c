"""Alerts' JSON for machines."""
