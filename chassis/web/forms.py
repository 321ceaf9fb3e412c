"""A page's form: what was typed, what is wrong with it, and how it becomes a model."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ValidationError
from starlette.requests import Request

from chassis.web.faults import FieldError, fault, field_errors
from chassis.web.i18n import N_

M = TypeVar("M", bound=BaseModel)
# Where the city is: what is typed and shown is its time (Beijing time has no summer time since 1991).
LOCAL = ZoneInfo("Asia/Shanghai")


class Form:
    """What a person typed, by field name (`person.document.number`), and the faults found in it, by the same names.

    It is what a template shows again: nothing typed is lost.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})
        self.errors: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """Return what was typed, or an empty text."""
        return self.values.get(name, "")

    def add(self, errors: Iterable[FieldError]) -> None:
        """Note faults, such as those of a Problem that a use case's error became; the first of a field stays."""
        for each in errors:
            self.errors.setdefault(each.name, each.sentence())

    def validate(self, model: type[M]) -> M | None:
        """Return the form as `model`, or None with the faults noted. A field left empty counts as not given."""
        try:
            return model.model_validate(self._nested())
        except ValidationError as error:
            self.add(field_errors([{**each, "loc": ("form", *each["loc"])} for each in error.errors()]))
            return None

    def _nested(self) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for name, value in self.values.items():
            if not value.strip():
                continue
            *groups, last = name.split(".")
            place = nested
            for group in groups:
                inner = place.setdefault(group, {})
                place = inner if isinstance(inner, dict) else place
            place[last] = value.strip()
        return nested


async def read_form(request: Request) -> Form:
    """Return the form of a POST (URL-encoded or multipart); of a field sent twice the last counts; no files."""
    data = await request.form(max_files=0, max_fields=200)
    return Form({name: value for name, value in data.multi_items() if isinstance(value, str)})


def _from_local(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        typed = datetime.fromisoformat(value)
    except ValueError:
        raise fault("not-a-time", N_("Write the time as 2026-11-24 10:44.")) from None
    return typed if typed.tzinfo else typed.replace(tzinfo=LOCAL)


# A time of the city without an offset, 2026-11-24T10:44; what people type is made that by `moments`.
LocalTime = Annotated[datetime, BeforeValidator(_from_local)]
