"""The command line `anju`: one module per group of commands; each imports what it needs only when it runs."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from anju.cli import (
    audit,
    compose_settings,
    consumers,
    dead_letters,
    demo,
    dev,
    docs,
    doctor,
    keys,
    migrate,
    notices,
    outbox,
    policy,
    recover,
    reporting,
    serve,
    subscribe,
    topics,
)
from anju.cli.selection import Selection
from anju.cli.words import COMPLETE, data_dir_first, data_dir_first_when_completing

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for group in (demo, topics, policy, dead_letters, outbox, consumers, notices, audit, keys, reporting, dev):
    app.add_typer(group.app, name=group.__name__.rsplit(".", 1)[1].replace("_", "-"))
for command in (
    *(serve.serve, migrate.migrate, recover.recover, subscribe.subscribe, doctor.doctor),
    *(compose_settings.compose_settings, docs.docs),
):
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
    """Run the command that the arguments name, or complete it for a shell."""
    # What libraries log would stand between a person and the command's one sentence; services log in their own way.
    logging.getLogger().addHandler(logging.NullHandler())
    if COMPLETE in os.environ:
        data_dir_first_when_completing()
    app(args=data_dir_first(sys.argv[1:]), prog_name="anju")
