"""What terminals meant, sent and were told, out of the journal."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Facts = dict[str, Any]


@dataclass(slots=True)
class Operation:
    """One request, however often it was sent."""

    n: int
    what: str
    facts: Facts
    sent: list[datetime] = field(default_factory=list)
    answers: list[tuple[datetime, int, Facts]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """It was answered: it took effect."""
        return any(status < 300 for _, status, _ in self.answers)

    @property
    def refused(self) -> bool:
        """It was answered: it took no effect."""
        return not self.done and bool(self.answers)

    @property
    def possible(self) -> bool:
        """It may have taken effect."""
        return self.done or (bool(self.sent) and not self.answers)

    @property
    def answer(self) -> Facts:
        """The first answer of a success."""
        return next((answer for _, status, answer in self.answers if status < 300), {})

    @property
    def begun_at(self) -> datetime:
        """No effect before this."""
        return min(self.sent)

    @property
    def done_at(self) -> datetime:
        """The effect before this."""
        return min(at for at, status, _ in self.answers if status < 300)


def read(lines: Iterable[Mapping[str, Any]]) -> list[Operation]:
    """Put the journal's lines together, an operation each, in the order in which they were meant."""
    found: dict[int, Operation] = {}
    for line in lines:
        n, at = line["n"], datetime.fromisoformat(line["at"])
        match line["phase"]:
            case "intended":
                found[n] = Operation(n, line["what"], line["facts"])
            case "sent":
                found[n].sent.append(at)
            case "answered":
                found[n].answers.append((at, line["status"], line["answer"]))
    return list(found.values())


def by_what(operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    """Sort operations by what they are."""
    sorted_: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        sorted_[operation.what].append(operation)
    return sorted_
