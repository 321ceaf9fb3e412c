"""`anju keys`: the keys that wrap each person's own key, and their rotation."""

import asyncio
import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from anju.cli.access import database
from anju.cli.completion import services
from anju.cli.output import Json, answer, table
from anju.cli.selection import known_service, refuse, selection, setting

if TYPE_CHECKING:
    from chassis.data.encryption import Keyring
    from chassis.data.rotation import InUse

app = typer.Typer(help="The keys that wrap each person's own key.", no_args_is_help=True)
Service = Annotated[str, typer.Argument(help="Whose keys.", autocompletion=services)]

# A batch's rows are held for some milliseconds; whoever is read or forgotten just then waits no longer.
BATCH = 500


@app.callback()
def _group() -> None:
    """The keys that wrap each person's own key."""


@app.command()
def status(context: typer.Context, service: Service, json: Json = False) -> None:
    """Say what lies under which key. One with nothing under it, and not active, may leave the settings.

    Exits with 1 when the settings lack a key that is in use: what lies under it cannot be read.
    """
    names, keyring = keyring_of(context, service)
    found = asyncio.run(_in_use(context, service, names, keyring))
    columns = ("key", "persons", "proves the audit log", "in the settings", "active")
    answer(json, [asdict(each) for each in found], lambda: table(columns, (_cells(each) for each in found)))
    missing = [each.key for each in found if not each.here]
    if missing:
        refuse(f"ANJU_{service.upper()}_ENCRYPTION_KEYS lacks {', '.join(missing)}: put it back.")


@app.command()
def rewrap(context: typer.Context, service: Service, json: Json = False) -> None:
    """Lay everything under the active key, while the service runs. Safe to stop and to repeat."""
    names, keyring = keyring_of(context, service)
    moved, left = asyncio.run(_rewrap(context, service, names, keyring))
    document = {"service": service, "active": keyring.active, "moved": moved, "removable": left}

    def show() -> None:
        typer.echo(f"{moved} persons' keys of {service} moved under {keyring.active}; nothing lies under another")
        if left:
            typer.echo(f"may leave ANJU_{service.upper()}_ENCRYPTION_KEYS: {', '.join(left)}")

    answer(json, document, show)


def keyring_of(context: typer.Context, service: str) -> "tuple[set[str], Keyring]":
    """The names of a service's wrapping keys, and the keys."""
    from pydantic import SecretStr

    from chassis.data.encryption import Keyring
    from chassis.run.settings import decode_keys

    selection(context).enter(f"{known_service(service)}-worker")
    prefix = f"ANJU_{service.upper()}_ENCRYPTION_"
    keys, active = setting(f"{prefix}KEYS"), setting(f"{prefix}ACTIVE")
    try:
        decoded = decode_keys(SecretStr(keys))
        return set(decoded), Keyring(decoded, active)
    except ValueError as error:
        refuse(f"{prefix}KEYS: {error}.")


async def _in_use(context: typer.Context, service: str, names: set[str], keyring: "Keyring") -> "list[InUse]":
    from chassis.data.rotation import in_use

    async with database(context, service) as db, db.read() as tx:
        return await in_use(tx, keyring, names)


def _cells(each: "InUse") -> tuple[object, ...]:
    return each.key, each.subjects, *("yes" if told else "" for told in (each.proof, each.here, each.active))


async def _rewrap(context: typer.Context, service: str, names: set[str], keyring: "Keyring") -> tuple[int, list[str]]:
    from chassis.data import audit, rotation
    from chassis.data.encryption import WrappingKeyMissing

    moved = 0
    async with database(context, service) as db:
        try:
            while True:
                async with db.transaction() as tx:
                    batch = await rotation.rewrap(tx, keyring, BATCH)
                moved += batch
                if batch == 0:
                    break
        except WrappingKeyMissing as missing:
            refuse(f"ANJU_{service.upper()}_ENCRYPTION_KEYS lacks {missing}: put it back; {moved} were moved.")
        except audit.BrokenChain:
            refuse(f"the audit log of {service} does not begin where it should: `anju audit verify {service}`.")
        async with db.transaction() as tx:
            detail: dict[str, str | int | bool | None] = {"moved": moved}
            entry = audit.Entry(getpass.getuser(), "command-line", "keys.rewrapped", keyring.active, detail=detail)
            audit.record(tx, entry, datetime.now(UTC))
            return moved, sorted(names - {keyring.active})
