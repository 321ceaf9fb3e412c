"""Reporting's figures as JSON."""
