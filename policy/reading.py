"""Reads a pack's YAML strictly: every value knows its line, and what is not expected is refused."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import yaml

T = TypeVar("T")
# As events and addresses write codes.
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DIVISION = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
# Every process reads all packs when it starts: libyaml, where the package was built with it, takes a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# YAML's plain scalars that mean "no value".
_NULLS = ("", "~", "null")


class BadPack(ValueError):
    """A rule pack that cannot be used: which file, which line, and why."""

    def __init__(self, file: Path, line: int, why: str) -> None:
        super().__init__(f"{file.name}:{line}: {why}")
        self.file = file
        self.line = line
        self.why = why


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a pack with its place; each reader below returns it typed or raises BadPack.

    `line` is the line of the value's key where it has one: that is what somebody who mends the file looks for.
    """

    file: Path
    node: yaml.Node
    name: str
    line: int

    def refuse(self, why: str) -> BadPack:
        """The error to raise about this value."""
        return BadPack(self.file, self.line, f"{self.name}: {why}" if self.name else why)

    def _scalar(self, wanted: str) -> str:
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.refuse(f"{wanted} is expected")
        return str(self.node.value)

    def is_null(self) -> bool:
        """Whether the value is left empty."""
        return isinstance(self.node, yaml.ScalarNode) and not self.node.style and self.node.value in _NULLS

    def text(self) -> str:
        """Text that is not empty."""
        text = self._scalar("text").strip()
        if not text or self.is_null():
            raise self.refuse("text is missing")
        return text

    def one_of(self, words: tuple[str, ...]) -> str:
        """One of a list of words."""
        text = self.text()
        if text not in words:
            raise self.refuse(f"{text!r} is none of {', '.join(words)}")
        return text

    def whole(self, at_least: int, at_most: int) -> int:
        """A whole number within bounds, both included."""
        text = self._scalar("a whole number")
        if not text.lstrip("-").isdecimal() or not text.isascii():
            raise self.refuse("a whole number is expected")
        number = int(text)
        if not at_least <= number <= at_most:
            raise self.refuse(f"{number} is not between {at_least} and {at_most}")
        return number

    def decimal(self, above: float, at_most: float) -> float:
        """A number above one bound and not above the other."""
        try:
            number = float(self._scalar("a number"))
        except ValueError:
            raise self.refuse("a number is expected") from None
        if not above < number <= at_most:
            raise self.refuse(f"{number} is not above {above} and at most {at_most}")
        return number

    def day(self) -> date:
        """A date, written YYYY-MM-DD."""
        try:
            return date.fromisoformat(self._scalar("a date (YYYY-MM-DD)"))
        except ValueError:
            raise self.refuse("a date (YYYY-MM-DD) is expected") from None

    def items(self) -> list["Value"]:
        """The items of a list that is not empty."""
        if not isinstance(self.node, yaml.SequenceNode) or not self.node.value:
            raise self.refuse("a list is expected")
        return [
            Value(self.file, item, f"{self.name}[{index}]", item.start_mark.line + 1)
            for index, item in enumerate(self.node.value)
        ]

    def table(self, read: Callable[["Value"], T], keys: tuple[str, ...]) -> dict[str, T]:
        """A mapping with some of the given keys (at least one), each value read by `read`."""
        pairs = dict(self._pairs())
        if not pairs:
            raise self.refuse("is empty")
        for key, value in pairs.items():
            if key not in keys:
                raise value.refuse(f"unknown key; known are {', '.join(keys)}")
        return {key: read(value) for key, value in pairs.items()}

    def codes(self, read: Callable[["Value"], T]) -> dict[str, T]:
        """A mapping with at least one key, each a code in small letters that the pack itself names."""
        pairs = dict(self._pairs())
        if not pairs:
            raise self.refuse("is empty")
        for key, value in pairs.items():
            if not _CODE.fullmatch(key):
                raise value.refuse("a code of small letters, digits and _ is expected, at most 40")
        return {key: read(value) for key, value in pairs.items()}

    def divisions(self, read: Callable[["Value"], T]) -> dict[str, T]:
        """A mapping with at least one key, each a division code of a whole level (GB/T 2260, GB/T 10114)."""
        pairs = dict(self._pairs())
        if not pairs:
            raise self.refuse("is empty")
        for key, value in pairs.items():
            if not _DIVISION.fullmatch(key):
                raise value.refuse("a division code of 6, 9 or 12 digits is expected")
        return {key: read(value) for key, value in pairs.items()}

    def record(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Mapping[str, "Value"]:
        """A mapping with exactly the required keys and any of the optional ones."""
        pairs = dict(self._pairs())
        for key, value in pairs.items():
            if key not in required and key not in optional:
                raise value.refuse(f"unknown key; known are {', '.join((*required, *optional))}")
        missing = [key for key in required if key not in pairs]
        if missing:
            raise self.refuse(f"missing {', '.join(missing)}")
        return pairs

    def _pairs(self) -> Iterator[tuple[str, "Value"]]:
        if not isinstance(self.node, yaml.MappingNode):
            raise self.refuse("keys and values are expected")
        seen: set[str] = set()
        for key, value in self.node.value:
            name = f"{self.name}.{key.value}" if self.name else str(key.value)
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise BadPack(self.file, line, "a key is a word")
            if key.value in seen:
                raise BadPack(self.file, line, f"{name}: this key stands here twice")
            seen.add(key.value)
            yield key.value, Value(self.file, value, name, line)


def read_file(file: Path) -> Value:
    """The whole document of a YAML file; raises BadPack when it is not YAML, is empty, or holds several documents."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=_LOADER)
    except UnicodeDecodeError as error:
        raise BadPack(file, 1, "is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadPack(file, mark.line + 1 if mark else 1, f"is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise BadPack(file, 1, f"is not YAML: {error}") from error
    if node is None:
        raise BadPack(file, 1, "is empty")
    return Value(file, node, "", node.start_mark.line + 1)


def two_languages(value: Value) -> tuple[str, str]:
    """A text in Chinese and in English, in this order."""
    texts = value.record(("zh", "en"))
    return texts["zh"].text(), texts["en"].text()
