"""What a request's body may be: models that take JSON as it was meant and nothing else."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationInfo, field_validator

from chassis.web.faults import fault
from chassis.web.i18n import N_

# C0 without tab and line ends, DEL, and halves of surrogate pairs: PostgreSQL refuses some, no text needs any.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TIME = ((str, datetime), "not-a-time", N_("Must be a time by RFC 3339 with an offset."))
# Pydantic would read "12" as 12, 1 as true and a number as a time: a client's mistake must not become a record.
_WRITTEN_AS: Mapping[type, tuple[tuple[type, ...], str, str]] = {
    bool: ((bool,), "not-a-boolean", N_("Must be true or false.")),
    int: ((int,), "not-an-integer", N_("Must be a whole number.")),
    float: ((int, float), "not-a-number", N_("Must be a number.")),
    datetime: _TIME,
    AwareDatetime: _TIME,
    date: ((str, date), "not-a-date", N_("Must be a date, YYYY-MM-DD.")),
}
_CONTROL = N_("Contains a character that cannot be stored.")


def check_text(value: Any) -> Any:
    """Raise for a text that holds an unprintable character; return everything else as it is."""
    if isinstance(value, str) and UNPRINTABLE.search(value):
        raise fault("unprintable-character", _CONTROL)
    return value


class StrictModel(BaseModel):
    """A request's body, or a part of one: unknown fields are refused, and nothing is turned into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        wanted = _wanted(cls, info.field_name) if info.field_name else None
        if isinstance(wanted, type) and wanted in _WRITTEN_AS and value is not None:
            written, code, message = _WRITTEN_AS[wanted]
            if not isinstance(value, written) or (isinstance(value, bool) and wanted is not bool):
                raise fault(code, message)
        for each in value if isinstance(value, list) else (value,):
            check_text(each)
        return value


@cache
def _wanted(model: type[BaseModel], field: str) -> Any:
    return _plain_type(model.model_fields[field].annotation)


def _plain_type(annotation: Any) -> Any:
    """`Annotated[X, …] | None` → `X`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            parts = [part for part in get_args(annotation) if part is not NoneType]
            if len(parts) != 1:
                return annotation
            annotation = parts[0]
        else:
            return annotation
