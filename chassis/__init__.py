"""Plumbing that every service needs; no business word stands in it."""

from chassis.run import logs as logs  # first: a line written before logs are set up must not show values either
