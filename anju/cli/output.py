"""How a command answers: as a table for people, or with --json as one document for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")]

# Lines that go to a file or another program are not folded to a terminal's width.
_WIDE = 400


def answer(as_json: bool, document: Any, show: Callable[[], None]) -> None:
    """Print the document for a program, or let `show` print the same for a person."""
    if as_json:
        typer.echo(json.dumps(document, default=_plain, ensure_ascii=False))
    else:
        show()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns; nothing is cut off."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(_told(value)) for value in row))
    console().print(drawn)


def console() -> "Console":
    """Where a person reads."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)


def _told(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
