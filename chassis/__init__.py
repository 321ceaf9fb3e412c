"""Plumbing that every service needs; no business word stands in it."""
