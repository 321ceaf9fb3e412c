"""Periods of days, as a reader may ask for them."""

from datetime import date, timedelta

from services.reporting.domain.asked import BadQuestion

LONGEST = timedelta(days=366)


def check_period(first: date, last: date) -> None:
    """Raise BadQuestion for a period that is none, or too long."""
    if last < first:
        raise BadQuestion("to", "ends-before-it-begins")
    if last - first >= LONGEST:
        raise BadQuestion("from", "too-long")
