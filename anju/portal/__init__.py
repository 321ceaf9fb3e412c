"""The start page of a demo city and its development identity provider; for demo and tests only."""
