"""Refuses a field without tags, a field on the deny list, and tags that cannot be true."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts import deny
from contracts.fields import Tags, of_field

# Words that tell of a person wherever they stand: a column named so and tagged "none" is tagged wrongly.
_PERSONAL_WORDS: Final = ("phone", "birth_date", "birthday", "sex", "gender", "guardian", "document_number")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event, a table or a form. `owner` is the model or table, `texts` what is shown beside it."""

    kind: Literal["event", "table", "form"]
    owner: str
    name: str
    tags: Tags | None
    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """How a refusal names the field, and how deny.ALLOWED does."""
        return f"{self.kind} {self.owner}.{self.name}"


def problems(fields: Iterable[Field], allowed: Mapping[str, str] = deny.ALLOWED) -> list[str]:
    """Every reason to refuse, one sentence each. `allowed` maps a field's place to why its name is harmless."""
    return [f"{field.place}: {why}" for field in fields for why in _reasons(field, allowed)]


def _reasons(field: Field, allowed: Mapping[str, str]) -> Iterator[str]:
    event = field.kind == "event"
    if field.place not in allowed:
        for word in (field.name, *field.codes):
            refused = deny.refusal(word, field.texts, event=event and word == field.name)
            if refused:
                yield f"is on the deny list, {refused}"
                break
    if field.tags is None:
        yield "has no tags (purpose, basis, class, retention)"
        return
    if event and field.tags.class_ == "sensitive":
        yield "is sensitive, and no event carries sensitive data"
    if field.tags.class_ == "none" and any(deny.names(field.name, word) for word in _PERSONAL_WORDS):
        yield "tells of a person, but is tagged as class 'none'"


def of_models(kind: Literal["event", "form"], models: Iterable[type[BaseModel]], service: str = "") -> list[Field]:
    """The fields of pydantic models and of every model inside them, each model once."""
    found: dict[type[BaseModel], None] = {}
    for model in models:
        _collect(model, found)
    prefix = f"{service}." if service else ""
    return [
        Field(
            kind=kind,
            owner=f"{prefix}{model.__name__}",
            name=info.alias or name,
            tags=of_field(info),
            codes=tuple(_codes(info.annotation)),
            texts=tuple(text for text in (info.title, info.description) if text),
        )
        for model in found
        for name, info in model.model_fields.items()
    ]


def _collect(model: type[BaseModel], found: dict[type[BaseModel], None]) -> None:
    if model in found:
        return
    found[model] = None
    for info in model.model_fields.values():
        for part in _parts(info.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                _collect(part, found)


def _parts(annotation: Any) -> Iterator[Any]:
    """The annotation itself and everything inside it: `tuple[X, ...] | None` gives X too."""
    yield annotation
    for argument in get_args(annotation):
        if isinstance(argument, FieldInfo):
            continue
        yield from _parts(argument)


def _codes(annotation: Any) -> Iterator[str]:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, Enum):
            yield from (str(member.value) for member in part)
        elif isinstance(part, str):
            yield part
