"""What is wrong with what somebody entered, field by field, so that all of it can be shown at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that cannot be accepted. `pointer` is a JSON pointer into the request, `code` is stable."""

    pointer: str
    code: str


class Refused(Exception):
    """Entered data is refused; nothing of what was entered is in the exception's text."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(", ".join(f"{fault.pointer} {fault.code}" for fault in faults))
        self.faults = faults


class Faults:
    """Collects the faults of several rules, to refuse once with all of them."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, pointer: str, code: str) -> None:
        """Note a fault."""
        self._found.append(Fault(pointer, code))

    def take(self, prefix: str, read: Callable[[], T]) -> T | None:
        """Return what `read` gives; or note its faults below `prefix`, and return None."""
        try:
            return read()
        except Refused as refused:
            self._found += [Fault(prefix + fault.pointer, fault.code) for fault in refused.faults]
            return None

    def refuse(self) -> None:
        """Raise Refused when anything was noted."""
        if self._found:
            raise Refused(*self._found)


@contextmanager
def at(pointer: str, *, whole: bool = False) -> Iterator[None]:
    """Let a rule's faults point below `pointer`; with `whole`, at `pointer` itself, for a value without parts."""
    try:
        yield
    except Refused as refused:
        found = [Fault(pointer if whole else pointer + fault.pointer, fault.code) for fault in refused.faults]
        raise Refused(*found) from None
