"""The load's journal: what terminals meant to do, sent, and were told, on the disk before anything follows from it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Journal:
    """Appends lines to a file, each of them on the disk when `write` returns.

    A line is a JSON object with `n` (the operation's number), `phase` (`intended`, `sent`, `answered` or `unknown`)
    and `at`. `intended` says what (`what`, `facts`), `answered` carries `status` and `answer`. Persons are named by
    numbers of the load's own, never by their documents.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._last = 0

    def number(self) -> int:
        """Return a new operation's number."""
        self._last += 1
        return self._last

    def write(self, n: int, phase: str, **facts: Any) -> None:
        """Append one line."""
        line = {"n": n, "phase": phase, "at": datetime.now(UTC).isoformat(), **facts}
        os.write(self._file, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        os.fsync(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
