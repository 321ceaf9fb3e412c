"""Reporting's migrations, forward only."""
