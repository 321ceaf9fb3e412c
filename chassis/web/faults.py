"""What is wrong with one field: where, a stable code, and a sentence in the reader's language."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import PydanticCustomError

from chassis.web.i18n import N_, gettext

# A field's name as contracts and forms spell it. Any other key is input, and input is not repeated in an answer.
_OUR_NAME = re.compile(r"[a-z][a-z_]{0,38}[0-9]?\Z")
_GENERIC = ("invalid", N_("This value is not valid."))

# Pydantic's error type → our code and sentence; `{places}` are limits that the model sets, never what was sent.
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "missing": ("required", N_("This field is required.")),
    "extra_forbidden": ("unknown-field", N_("There is no such field here.")),
    "string_type": ("not-a-text", N_("Must be a text.")),
    "string_too_short": ("too-short", N_("Must have at least {min_length} characters.")),
    "string_too_long": ("too-long", N_("Must have at most {max_length} characters.")),
    "string_pattern_mismatch": ("wrong-form", N_("Does not have the form that is asked for.")),
    "string_unicode": ("unprintable-character", N_("Contains a character that cannot be stored.")),
    "too_short": ("too-few", N_("Must have at least {min_length} entries.")),
    "too_long": ("too-many", N_("Must have at most {max_length} entries.")),
    "list_type": ("not-a-list", N_("Must be a list.")),
    "tuple_type": ("not-a-list", N_("Must be a list.")),
    "model_type": ("not-an-object", N_("Must be an object.")),
    "model_attributes_type": ("not-an-object", N_("Must be an object.")),
    "dict_type": ("not-an-object", N_("Must be an object.")),
    "literal_error": ("not-a-choice", N_("Must be one of: {expected}.")),
    "enum": ("not-a-choice", N_("Must be one of: {expected}.")),
    "union_tag_invalid": ("not-a-choice", N_("Must be one of: {expected_tags}.")),
    "union_tag_not_found": ("required", N_("This field is required.")),
    "int_type": ("not-an-integer", N_("Must be a whole number.")),
    "int_parsing": ("not-an-integer", N_("Must be a whole number.")),
    "int_parsing_size": ("not-an-integer", N_("Must be a whole number.")),
    "int_from_float": ("not-an-integer", N_("Must be a whole number.")),
    "float_type": ("not-a-number", N_("Must be a number.")),
    "float_parsing": ("not-a-number", N_("Must be a number.")),
    "finite_number": ("not-a-number", N_("Must be a number.")),
    "bool_type": ("not-a-boolean", N_("Must be true or false.")),
    "bool_parsing": ("not-a-boolean", N_("Must be true or false.")),
    "greater_than": ("too-small", N_("Must be more than {gt}.")),
    "greater_than_equal": ("too-small", N_("Must be at least {ge}.")),
    "less_than": ("too-large", N_("Must be less than {lt}.")),
    "less_than_equal": ("too-large", N_("Must be at most {le}.")),
    "uuid_type": ("not-an-id", N_("Must be an id (UUID).")),
    "uuid_parsing": ("not-an-id", N_("Must be an id (UUID).")),
    "timezone_aware": ("offset-missing", N_("The time needs an offset, such as +08:00.")),
    "datetime_type": ("not-a-time", N_("Must be a time by RFC 3339 with an offset.")),
    "datetime_parsing": ("not-a-time", N_("Must be a time by RFC 3339 with an offset.")),
    "datetime_from_date_parsing": ("not-a-time", N_("Must be a time by RFC 3339 with an offset.")),
    "datetime_object_invalid": ("not-a-time", N_("Must be a time by RFC 3339 with an offset.")),
    "date_type": ("not-a-date", N_("Must be a date, YYYY-MM-DD.")),
    "date_parsing": ("not-a-date", N_("Must be a date, YYYY-MM-DD.")),
    "date_from_datetime_parsing": ("not-a-date", N_("Must be a date, YYYY-MM-DD.")),
    "date_from_datetime_inexact": ("not-a-date", N_("Must be a date, YYYY-MM-DD.")),
}
_LIMITS = frozenset({"min_length", "max_length", "gt", "ge", "lt", "le", "expected", "expected_tags"})
_OWN_CODE = re.compile(r"[a-z]+(-[a-z0-9]+)+\Z")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field's fault. `pointer` is a JSON Pointer (RFC 6901) into the body, `message` a text of the catalogues."""

    pointer: str
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return the message in the reader's language."""
        text = gettext(self.message)
        return text.format(**self.params) if self.params else text

    @property
    def name(self) -> str:
        """Return the field's name in a form: `/person/document/number` is `person.document.number`."""
        return self.pointer.strip("/").replace("/", ".")


def fault(code: str, text: str, **params: int | float | str) -> PydanticCustomError:
    """Return a validator's own error: a kebab-case code and a text marked with N_.

    `params` fill the text's `{places}`: limits and words of ours, never what was sent.
    """
    return PydanticCustomError(code, text, {"text": text, **params})


def field_errors(faults: Sequence[Any]) -> list[FieldError]:
    """Return pydantic's errors as ours. Of their context only the limits that the model itself sets are used."""
    found = []
    for each in faults:
        kind, context = str(each["type"]), dict(each.get("ctx") or {})
        if _OWN_CODE.match(kind) and "text" in context:
            code, message = kind, str(context.pop("text"))
            params = context
        else:
            code, message = _SENTENCES.get(kind, _GENERIC)
            params = {name: _words(value) for name, value in context.items() if name in _LIMITS}
        found.append(FieldError(_pointer(each["loc"]), code, message, params))
    return found


def _words(limit: Any) -> Any:
    """`'tenant', 'dormitory' or 'other'` → `tenant, dormitory, other`: a list reads the same in both languages.

    A limit of 90 is 90 in a sentence, also where the field holds fractions.
    """
    if isinstance(limit, float) and limit.is_integer():
        return int(limit)
    return limit.replace("' or '", "', '").replace("'", "") if isinstance(limit, str) else limit


def _pointer(location: Sequence[Any]) -> str:
    """`("body", "rooms", 0, "type")` → `/rooms/0/type`. A step that is none of our names is left out."""
    steps = [step for step in location[1:] if isinstance(step, int) or _OUR_NAME.match(str(step))]
    return "".join(f"/{step}" for step in steps)
