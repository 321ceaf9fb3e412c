"""What every event's model keeps to: frozen, strict, times aware, unknown fields ignored."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contracts.fields import field, tags

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
# County by GB/T 2260, then street and community: 6 to 12 digits.
DivisionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,12}$")]
Instant = AwareDatetime

VERSION = tags(purpose="operation", basis="not_personal", class_="none", retention="current")


class Event(BaseModel):
    """A fact that another service reads.

    Within a version only optional fields are added, so readers ignore fields they do not know. Values are not
    coerced: a number in a string is refused, and a time without an offset too.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class State(Event):
    """The whole present state of one thing, in a compacted topic.

    `version` is "epoch.number". The outbox knows the epoch and fills it in when the row is written, so a sender leaves
    it out; in a record it is always there, and the published schema says so.
    """

    version: Annotated[str | None, field(VERSION, pattern=r"^[0-9]+\.[0-9]+$")] = None

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        schema: dict[str, Any] = handler.resolve_ref_schema(handler(core))
        schema["required"] = [*schema.get("required", ()), "version"]
        return schema
