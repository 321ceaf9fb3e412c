"""Reporting's tables and what is read in them."""
