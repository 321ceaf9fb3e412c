"""Departments' topics as plain data for a page, from AsyncAPI; without a try-it, which would need a password here."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.web.reference import resolve, type_of
from contracts import fields
from contracts.departments import DEPARTMENTS

# How a client of these topics speaks to Kafka, by the names that Kafka's own settings have.
SECURITY = {"security.protocol": "SASL_PLAINTEXT / SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512"}


@dataclass(frozen=True, slots=True)
class Field:
    """One header or field of an event; `says` explains it, `marks` are its purposes, class and term in words."""

    name: str
    type: str
    required: bool
    says: str
    marks: list[str]


@dataclass(frozen=True, slots=True)
class Message:
    """One type of events."""

    name: str
    summary: str
    headers: list[Field]
    fields: list[Field]
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic. `days` is how long it keeps an event."""

    name: str
    address: str
    carries: str
    days: int
    messages: list[Message]


def channels(document: Mapping[str, Any], language: str) -> list[Channel]:
    """Return the topics that an AsyncAPI document describes, in its order; what can be in the reader's language is."""
    return [
        Channel(
            name=name,
            address=channel["address"],
            carries=DEPARTMENTS[name].carries[_place(language)],
            days=channel["bindings"]["kafka"]["topicConfiguration"]["retention.ms"] // (24 * 60 * 60 * 1000),
            messages=[_message(document, type_, language) for type_ in channel["messages"]],
        )
        for name, channel in document["channels"].items()
    ]


def _message(document: Mapping[str, Any], type_: str, language: str) -> Message:
    message = document["components"]["messages"][type_]
    return Message(
        name=type_,
        summary=message["summary"],
        headers=list(_fields(document, message["headers"], "", language)),
        fields=list(_fields(document, message["payload"], "", language)),
        examples=[json.dumps(each["payload"], ensure_ascii=False, indent=2) for each in message["examples"]],
    )


def _fields(document: Mapping[str, Any], described: Mapping[str, Any], prefix: str, language: str) -> Iterator[Field]:
    described = resolve(document, described)
    for name, inner in described.get("properties", {}).items():
        found = resolve(document, inner)
        says = str(inner.get("description") or found.get("description") or "")
        required = name in described.get("required", ())
        yield Field(f"{prefix}{name}", type_of(document, found), required, says, _marks(inner, language))
        items = resolve(document, found.get("items", {}))
        yield from _fields(document, items or found, f"{prefix}{name}{'[].' if items else '.'}", language)


def _marks(field: Mapping[str, Any], language: str) -> list[str]:
    place = _place(language)
    texts = (("x-purpose", fields.PURPOSES), ("x-class", fields.CLASSES), ("x-retention", fields.RETENTIONS))
    found = []
    for key, words in texts:
        marked = field.get(key, ())
        found += [words[word][place] for word in ([marked] if isinstance(marked, str) else marked)]
    return found


def _place(language: str) -> int:
    """Where a text of contracts in both languages has this one."""
    return 1 if language == "en" else 0
