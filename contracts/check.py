"""`python -m contracts.check`: schemas up to date, examples parse, nothing released has changed, fields tagged."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from contracts import lint, publish
from contracts.envelope import TYPES

LEAST_EXAMPLES: Final = 2
RELEASED: Final = "released.json"


class Contracts:
    """The types with their folder of schemas, examples and the manifest of what was released."""

    def __init__(self, types: Mapping[str, type[BaseModel]] = TYPES, folder: Path = publish.FOLDER) -> None:
        self.types = types
        self.folder = folder

    def schema_file(self, type_: str) -> Path:
        """Where the published schema of a type stands."""
        return self.folder / "schemas" / f"{type_}.json"

    def examples(self, type_: str) -> list[Path]:
        """The example files of a type, in order."""
        return sorted((self.folder / "examples" / type_).glob("*.json"))

    def released(self) -> dict[str, Any]:
        """The manifest: for each released type its structure and the digests of its examples."""
        file = self.folder / RELEASED
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    def problems(self) -> list[str]:
        """Every broken contract rule, one sentence each; empty when all is well."""
        return [
            *self._schemas_out_of_date(),
            *self._leftovers(),
            *self._bad_examples(),
            *self._changed_releases(),
            *lint.problems(lint.of_models("event", self.types.values())),
        ]

    def _schemas_out_of_date(self) -> Iterator[str]:
        for type_, model in self.types.items():
            file = self.schema_file(type_)
            if not file.exists() or file.read_text(encoding="utf-8") != publish.as_text(publish.schema(type_, model)):
                yield f"{file.name} is not what the model says: run python -m contracts.check --write"

    def _leftovers(self) -> Iterator[str]:
        stand = {file.stem for file in (self.folder / "schemas").glob("*.json")}
        stand |= {path.name for path in (self.folder / "examples").glob("*")}
        for type_ in sorted(stand - set(self.types)):
            yield f"{type_} has a schema or examples, and is no type of contracts/envelope.py"

    def _bad_examples(self) -> Iterator[str]:
        for type_, model in self.types.items():
            files = self.examples(type_)
            if len(files) < LEAST_EXAMPLES:
                yield f"{type_} has {len(files)} examples; {LEAST_EXAMPLES} are the least"
            shown: set[str] = set()
            for file in files:
                text = file.read_text(encoding="utf-8")
                try:
                    event = model.model_validate_json(text)
                except ValidationError as error:
                    first = error.errors()[0]
                    yield f"{type_}/{file.name} does not parse: {'.'.join(map(str, first['loc']))}: {first['msg']}"
                    continue
                if json.loads(event.model_dump_json(exclude_unset=True)) != json.loads(text):
                    yield f"{type_}/{file.name} has fields or forms of values that the model does not give back"
                shown |= event.model_fields_set
            if files and (hidden := [name for name in model.model_fields if name not in shown]):
                yield f"{type_}: no example shows {', '.join(hidden)}"

    def _changed_releases(self) -> Iterator[str]:
        for type_, entry in self.released().items():
            if type_ not in self.types:
                yield f"{type_} was released and is gone"
                continue
            now = publish.structure(publish.schema(type_, self.types[type_]))
            yield from (f"{type_}: {broken}" for broken in publish.broken_promises(entry["fields"], now))
            present = {file.name: file for file in self.examples(type_)}
            for name, digest in entry["examples"].items():
                if name not in present:
                    yield f"{type_}/{name} was released and is gone"
                elif publish.sha256(present[name]) != digest:
                    yield f"{type_}/{name} was released and has changed"

    def write_schemas(self) -> None:
        """Writes every schema anew."""
        (self.folder / "schemas").mkdir(exist_ok=True)
        for type_, model in self.types.items():
            self.schema_file(type_).write_text(publish.as_text(publish.schema(type_, model)), encoding="utf-8")

    def release(self) -> list[str]:
        """Adds to the manifest what is not in it yet (types, optional fields, examples); never changes an entry."""
        released = self.released()
        added: list[str] = []
        for type_, model in self.types.items():
            entry = released.setdefault(type_, {"fields": {}, "examples": {}})
            fields = publish.structure(publish.schema(type_, model))
            examples = {file.name: publish.sha256(file) for file in self.examples(type_)}
            for part, values in (("fields", fields), ("examples", examples)):
                added += [f"{type_} {name}" for name in values if name not in entry[part]]
                entry[part] = {**values, **entry[part]}
        (self.folder / RELEASED).write_text(publish.as_text(released), encoding="utf-8")
        return added


def main(arguments: Iterable[str] | None = None) -> int:
    """Prints what is broken and exits 1, or exits 0."""
    parser = argparse.ArgumentParser(prog="python -m contracts.check", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the schemas anew before checking")
    parser.add_argument("--release", action="store_true", help="freeze what is new, once every check passes")
    options = parser.parse_args(None if arguments is None else list(arguments))
    contracts = Contracts()
    if options.write:
        contracts.write_schemas()
    problems = contracts.problems()
    for problem in problems:
        print(problem, file=sys.stderr)
    if options.release and not problems:
        for line in contracts.release():
            print("released", line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
