"""Which of PostgreSQL's refusals mean the value and not the moment: trying again would end the same way."""

from sqlalchemy.exc import DBAPIError

# Data exceptions (class 22: no such character, out of range), a missing value, a value that a CHECK refuses
# (PostgreSQL, appendix A). Other constraints depend on what else is stored just then.
VALUE_CLASS = "22"
VALUE_CODES = frozenset({"23502", "23514"})


def refuses_the_value(error: DBAPIError) -> bool:
    """Tell whether a statement was refused for what it was to store."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return state.startswith(VALUE_CLASS) or state in VALUE_CODES or is_no_value_of_its_type(error)


def is_no_value_of_its_type(error: DBAPIError) -> bool:
    """Tell whether the driver refused a value before sending it; its other refusals are faults of ours."""
    # asyncpg does so by an InterfaceError that is a ValueError too; SQLAlchemy puts an error of its own around it.
    return isinstance(error.orig, ValueError) or isinstance(getattr(error.orig, "__cause__", None), ValueError)
