"""`anju dead-letters`: records that a service could not handle, and what a person does about them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from anju.cli.access import database, kafka
from anju.cli.completion import dead_letters as numbers
from anju.cli.completion import services
from anju.cli.output import Json, answer, table
from anju.cli.selection import chosen, known_service, refuse, selection

if TYPE_CHECKING:
    from chassis.data.db import Database
    from chassis.events.dead_letters import DeadLetter

app = typer.Typer(help="Records that a service could not handle.", no_args_is_help=True)

Service = Annotated[str, typer.Argument(help="Whose dead letters.", autocompletion=services)]
Number = Annotated[int, typer.Argument(help="The letter's number, as `list` shows it.", autocompletion=numbers)]
T = TypeVar("T")


@app.command("list")
def list_(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Argument(help="Whose dead letters; every service's without it.", autocompletion=services)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Replayed and discarded ones too.")] = False,
    json: Json = False,
) -> None:
    """List the open ones, oldest first; a number is its service's own."""
    from chassis.events import dead_letters

    state = None if all_ else "open"
    letters = [
        (each, letter)
        for each in chosen(service)
        for letter in _run(context, each, lambda db: dead_letters.list_(db, state=state))
    ]

    def show() -> None:
        columns = ("service", "number", "put aside", "state", "reason", "where", "read by")
        rows = (
            (letter.id, letter.created_at, letter.state, letter.reason, _place(letter), letter.group)
            for _each, letter in letters
        )
        table(columns, ((each, *row) for (each, _letter), row in zip(letters, rows, strict=True)))

    answer(json, [{"service": each} | asdict(letter) for each, letter in letters], show)


@app.command()
def show(context: typer.Context, service: Service, number: Number, json: Json = False) -> None:
    """Show one, with what may be told of its record: nothing that it says of anybody."""
    from chassis.events import dead_letters

    settings = kafka(context, service)
    shown = asdict(_run(context, service, lambda db: dead_letters.show(db, settings, number)))
    letter: dict[str, Any] = shown["letter"]
    told = letter | {name: value for name, value in shown.items() if name != "letter"}
    answer(json, shown, lambda: table(("what", "is"), told.items()))


@app.command()
def replay(context: typer.Context, service: Service, number: Number, json: Json = False) -> None:
    """Handle the record again, after what was wrong is mended. Needs all settings of the service's worker."""
    from chassis.events import dead_letters
    from chassis.run.settings import BadSettings

    settings = kafka(context, service)
    selection(context).enter(f"{known_service(service)}-worker")
    try:
        worker = import_module(f"services.{service}.wiring").worker(
            import_module(f"services.{service}.settings").load()
        )
    except BadSettings as error:
        refuse(f"{error}.")
    _run(context, service, lambda db: dead_letters.replay(db, settings, number, worker.consumers.replay_of))
    _answer_closed(json, service, number, "replayed")


@app.command()
def discard(context: typer.Context, service: Service, number: Number, json: Json = False) -> None:
    """Close one without handling its record."""
    from chassis.events import dead_letters

    _run(context, service, lambda db: dead_letters.discard(db, number))
    _answer_closed(json, service, number, "discarded")


def _answer_closed(as_json: bool, service: str, number: int, state: str) -> None:
    document = {"service": service, "id": number, "state": state}
    answer(as_json, document, lambda: typer.echo(f"dead letter {number} of {service} is {state}"))


def _place(letter: "DeadLetter") -> str:
    return f"{letter.topic}/{letter.partition}@{letter.offset}"


def _run(context: typer.Context, service: str, work: "Callable[[Database], Awaitable[T]]") -> T:
    from chassis.events.consumers import UnknownSubscription
    from chassis.events.dead_letters import DeadLetterError

    async def run() -> T:
        async with database(context, service) as db:
            return await work(db)

    try:
        return asyncio.run(run())
    except (DeadLetterError, UnknownSubscription) as error:
        refuse(f"{str(error).rstrip('.')}.")
