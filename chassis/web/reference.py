"""The API's reference as plain data for a page, from OpenAPI; without a try-it, which would act with real effects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request's body."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API."""

    method: str
    path: str
    summary: str
    parameters: list[Field]
    body: list[Field]
    answers: list[str]


def reference(schema: Mapping[str, Any]) -> list[Call]:
    """Return the calls that an OpenAPI document describes, in its order."""
    return [
        Call(
            method=method.upper(),
            path=path,
            summary=str(operation.get("description") or operation.get("summary", "")),
            parameters=[
                Field(each["name"], type_of(schema, each.get("schema", {})), bool(each.get("required")))
                for each in operation.get("parameters", [])
            ],
            body=list(_body(schema, operation)),
            answers=sorted(operation.get("responses", {})),
        )
        for path, operations in schema.get("paths", {}).items()
        for method, operation in operations.items()
    ]


def _body(schema: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Field]:
    content = operation.get("requestBody", {}).get("content", {})
    yield from _fields(schema, content.get("application/json", {}).get("schema", {}), "")


def _fields(schema: Mapping[str, Any], described: Mapping[str, Any], prefix: str) -> Iterator[Field]:
    described = resolve(schema, described)
    for name, inner in described.get("properties", {}).items():
        yield Field(f"{prefix}{name}", type_of(schema, inner), name in described.get("required", ()))
        nested = resolve(schema, inner)
        items = resolve(schema, nested.get("items", {}))
        suffix = "[]." if items else "."
        yield from _fields(schema, items or nested, f"{prefix}{name}{suffix}")


def type_of(document: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """Say what a field may hold: its choices, its format or type; of a list that of its items, and `[]`."""
    found = resolve(document, described)
    if "enum" in found:
        return " | ".join(map(str, found["enum"]))
    if "items" in found:
        items = type_of(document, found["items"])
        return f"({items})[]" if " | " in items else f"{items}[]"
    return str(found.get("const") or found.get("format") or found.get("type") or "any")


def resolve(document: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, also one inside `allOf`, and of `X | null` take X."""
    for choice in (*described.get("anyOf", ()), *described.get("allOf", ())):
        if choice.get("type") != "null":
            return resolve(document, choice)
    if "$ref" in described:
        found: Mapping[str, Any] = document["components"]["schemas"][described["$ref"].rpartition("/")[2]]
        return resolve(document, found)
    return described
