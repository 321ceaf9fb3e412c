"""Which errors of a handler are the record's own fault: it is put aside, while all others hold the partition."""

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from chassis.data.refusals import refuses_the_value
from chassis.events.records import BadRecord

# A text with NUL, a count beyond a column, a time beyond the calendar: the contract let it pass, the database does not.
NOT_STORABLE = "not-storable"


def bad_record(error: Exception) -> BadRecord | None:
    """Return what is wrong with the record, without a word of it; None where the error says nothing of the record."""
    if isinstance(error, BadRecord):
        return error
    if isinstance(error, ValidationError):
        return BadRecord("invalid-value")
    if isinstance(error, OverflowError) or (isinstance(error, DBAPIError) and refuses_the_value(error)):
        return BadRecord(NOT_STORABLE)
    return None
