"""The command line `anju`: one module per group of commands; each imports what it needs only when it runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from anju.cli import (
    audit,
    consumers,
    dead_letters,
    demo,
    dev,
    docs,
    migrate,
    outbox,
    policy,
    reporting,
    serve,
    subscribe,
    topics,
)
from anju.cli.selection import Selection

DATA_DIR = "--data-dir"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for group in (demo, topics, policy, dead_letters, outbox, consumers, audit, reporting, dev):
    app.add_typer(group.app, name=group.__name__.rsplit(".", 1)[1].replace("_", "-"))
for command in (serve.serve, migrate.migrate, subscribe.subscribe, docs.docs):
    app.command()(command)


@app.callback()
def root(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option(help="Act on the demo city that lives there; before or after any command.")
    ] = None,
) -> None:
    """Anju (安居): residence registration and housing safety of a city."""
    context.obj = Selection(data_dir.absolute() if data_dir else None)


def main() -> None:
    """Run the command that the arguments name."""
    app(args=data_dir_first(sys.argv[1:]), prog_name="anju")


def data_dir_first(words: list[str]) -> list[str]:
    """The arguments with --data-dir, wherever it stood, in front of the command, where the root takes it."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(words)
    for word in pending:
        if word == "--":
            rest += [word, *pending]
        elif word == DATA_DIR:
            front += [word, *(value for value in [next(pending, None)] if value is not None)]
        elif word.startswith(f"{DATA_DIR}="):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]
