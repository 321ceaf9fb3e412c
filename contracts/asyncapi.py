"""The AsyncAPI 3 document of the topics that a service writes for departments, from schemas, examples and tags."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from contracts import envelope, fields, publish
from contracts.departments import RETENTION_DAYS, Department, of_owner
from contracts.envelope import DEPARTMENT_TYPES, TYPES

VERSION: Final = "3.0.0"
# The document's own: raised when a channel or message is added or a text changes. Types carry versions of their own.
DOCUMENT_VERSION: Final = "1.0.0"
_SCHEMAS: Final = "#/components/schemas/"
_DAY_MS: Final = 24 * 60 * 60 * 1000
# As in the frozen examples, a time of the city that nobody takes for the present.
_EXAMPLE_ID: Final = "019ab0c1-5c00-7000-8000-0000000000{:02x}"
_EXAMPLE_EPOCH: Final = 1764000000


@lru_cache
def document(service: str) -> dict[str, Any]:
    """The document of a service; KeyError for one that writes no department's topic. Not to be changed by callers."""
    departments = of_owner(service)
    if not departments:
        raise KeyError(service)
    types = [type_ for each in departments for type_ in DEPARTMENT_TYPES[each.topic]]
    return {
        "asyncapi": VERSION,
        "id": f"urn:anju:{service}:departments",
        "info": {
            "title": f"Anju {service}: events for departments",
            "version": DOCUMENT_VERSION,
            "description": "CloudEvents 1.0 in Kafka's binary mode. Each department may read its own topic, no other."
            " An event is delivered at least once; one that comes twice has the same ce_id.",
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {each.name: _channel(each) for each in departments},
        "operations": {f"tell-{each.name}": _operation(each) for each in departments},
        "components": {
            "messages": {type_: _message(type_, service) for type_ in types},
            "schemas": _schemas(types),
            "securitySchemes": {
                "scram": {
                    "type": "scramSha512",
                    "description": "The department's Kafka user has the name of its unit; it may read its topic, with"
                    " consumer groups whose names begin with `<name>.`.",
                }
            },
        },
    }


def _server() -> dict[str, Any]:
    # No address stands here: the document is public, and where the broker is a department learns with its password.
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "The city's Kafka.",
        "variables": {"bootstrap": {"description": "host:port, told to the department together with its password"}},
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
    }


def _channel(department: Department) -> dict[str, Any]:
    types = DEPARTMENT_TYPES[department.topic]
    nothing = "" if types else " Nothing is published here yet."
    return {
        "address": department.topic,
        "title": department.topic,
        "description": department.carries[1] + nothing,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_ in types},
        "bindings": {
            "kafka": {
                "topic": department.topic,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": RETENTION_DAYS * _DAY_MS},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(department: Department) -> dict[str, Any]:
    channel = f"#/channels/{department.name}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "summary": f"Tells the department {department.name}.",
        "messages": [{"$ref": f"{channel}/messages/{type_}"} for type_ in DEPARTMENT_TYPES[department.topic]],
    }


def _message(type_: str, service: str) -> dict[str, Any]:
    model = TYPES[type_]
    files = sorted((publish.FOLDER / "examples" / type_).glob("*.json"))
    return {
        "name": type_,
        "title": model.__name__,
        "summary": " ".join((model.__doc__ or "").split()),
        "contentType": "application/json",
        "tags": list(_tags(publish.schema(type_, model))),
        "headers": _headers(type_, service),
        "payload": {"$ref": f"{_SCHEMAS}{model.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "format": "uuid", "description": "the case id; a case stays in order"},
                "bindingVersion": "0.5.0",
            }
        },
        "examples": [
            {
                "name": file.stem,
                "headers": _example_headers(type_, service, number),
                "payload": json.loads(file.read_text(encoding="utf-8")),
            }
            for number, file in enumerate(files, 1)
        ],
    }


def _headers(type_: str, service: str) -> dict[str, Any]:
    properties = {
        envelope.HEADER_SPEC_VERSION: {"type": "string", "const": envelope.SPEC_VERSION},
        envelope.HEADER_ID: {
            "type": "string",
            "format": "uuid",
            "description": "the event's own; the same in a repeat",
        },
        envelope.HEADER_TYPE: {"type": "string", "const": type_},
        envelope.HEADER_SOURCE: {"type": "string", "const": envelope.source(service)},
        envelope.HEADER_SEQUENCE: {
            "type": "string",
            "pattern": r"^[0-9]+\.[0-9]+$",
            "description": "epoch.number; within an epoch the numbers of a partition have no gap",
        },
        envelope.HEADER_TRACEPARENT: {"type": "string", "description": "W3C Trace Context, only when sampled"},
    }
    required = [name for name in properties if name != envelope.HEADER_TRACEPARENT]
    return {"type": "object", "properties": properties, "required": required}


def _example_headers(type_: str, service: str, number: int) -> dict[str, str]:
    return {
        envelope.HEADER_SPEC_VERSION: envelope.SPEC_VERSION,
        envelope.HEADER_ID: _EXAMPLE_ID.format(number),
        envelope.HEADER_TYPE: type_,
        envelope.HEADER_SOURCE: envelope.source(service),
        envelope.HEADER_SEQUENCE: f"{_EXAMPLE_EPOCH}.{number}",
    }


def _tags(schema: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Purposes, bases, classes and terms of the fields of a type, each once, with the processing notice's words."""
    met = list(_marks(schema))
    kinds = (("x-purpose", fields.PURPOSES), ("x-basis", fields.BASES), ("x-class", fields.CLASSES))
    for key, texts in (*kinds, ("x-retention", fields.RETENTIONS)):
        words = dict.fromkeys(word for mark, word in met if mark == key)
        for word in words:
            yield {"name": f"{key.removeprefix(fields.PREFIX)}:{word}", "description": texts[word][1]}


def _marks(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key in fields.KEYS:
            found = node.get(key, ())
            yield from ((key, word) for word in ([found] if isinstance(found, str) else found))
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _marks(each)


def _schemas(types: Iterable[str]) -> dict[str, Any]:
    """Every model of these types under its name; AsyncAPI looks references up from the document's root."""
    found: dict[str, Any] = {}
    for type_ in types:
        model = TYPES[type_]
        schema = model.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
        found |= schema.pop("$defs", {}) | {model.__name__: schema}
    return {name: _beside_references(schema) for name, schema in sorted(found.items())}


def _beside_references(node: Any) -> Any:
    """What stands beside a reference is not read; beside an `allOf` of it, it is."""
    if isinstance(node, list):
        return [_beside_references(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and len(node) > 1:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {"allOf": [{"$ref": node["$ref"]}], **_beside_references(rest)}
    return {key: _beside_references(value) for key, value in node.items()}
