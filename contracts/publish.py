"""The published JSON Schema of each type, and the structure that a released type may never lose."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

FOLDER: Final = Path(__file__).parent
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
# What explains a field without changing which values it takes.
_EXPLAINS: Final = ("title", "description", "examples", "default")


def schema(type_: str, model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a type's value, as published."""
    return {"$schema": DIALECT, "$id": f"urn:anju:{type_}", **model.model_json_schema(by_alias=True)}


def as_text(document: Any) -> str:
    """A JSON document as it stands in a file of this folder."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def sha256(file: Path) -> str:
    """The digest of a file's bytes, in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def structure(document: Mapping[str, Any]) -> dict[str, str]:
    """Every field by its path (`/rooms/[]/number`): required or optional, and which values it takes.

    Two schemas with the same structure take the same values, whatever their texts and tags say.
    """
    return dict(_fields(document, document.get("$defs", {}), ""))


def _fields(node: Mapping[str, Any], defs: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    node = _resolved(node, defs)
    for name, child in node.get("properties", {}).items():
        here = f"{path}/{name}"
        need = "required" if name in node.get("required", ()) else "optional"
        yield here, f"{need} {json.dumps(_values(child, defs), ensure_ascii=False, sort_keys=True)}"
        yield from _fields(child, defs, here)
    for branch in node.get("anyOf", ()):
        yield from _fields(branch, defs, path)
    for item in (*node.get("prefixItems", ()), *([node["items"]] if isinstance(node.get("items"), dict) else ())):
        yield from _fields(item, defs, f"{path}/[]")


def _resolved(node: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    return defs[reference.removeprefix("#/$defs/")] if isinstance(reference, str) else node


def _values(node: Any, defs: Mapping[str, Any]) -> Any:
    """A node without its texts and tags; the fields of an object have lines of their own."""
    if isinstance(node, list):
        return [_values(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    node = _resolved(node, defs)
    if "properties" in node:
        return {"type": "object"}
    return {key: _values(value, defs) for key, value in node.items() if key not in _EXPLAINS and key[:2] != "x-"}


def broken_promises(released: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """What a reader of the released version would stumble over: only optional additions are none."""
    for path, was in released.items():
        if path not in now:
            yield f"{path} was released and is gone"
        elif now[path] != was:
            yield f"{path} was released as {was} and is now {now[path]}"
    for path, is_now in now.items():
        parent = path.rpartition("/")[0].removesuffix("/[]")
        is_inside_an_addition = parent != "" and parent not in released
        if path not in released and is_now.startswith("required") and not is_inside_an_addition:
            yield f"{path} was added and is required; within a version only optional fields are added"
