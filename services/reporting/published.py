"""Reporting publishes nothing: it only reads what others counted."""

from chassis.events.published import Published

PUBLISHED = Published()
