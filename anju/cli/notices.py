"""`anju notices`: what an administrator does for all notices at once, without reading any."""

import asyncio
import getpass
from typing import TYPE_CHECKING, Any

import typer

from anju.cli.access import database
from anju.cli.output import Json, answer
from anju.cli.selection import refuse, selection, setting

if TYPE_CHECKING:
    from uuid import UUID

    from services.alerts.domain.signatures import Verifier

app = typer.Typer(help="All notices at once.", no_args_is_help=True)

# Matching and changes of notices wait while a page is written: at 0.1 ms a signature, some hundredths of a second.
PAGE = 100


@app.callback()
def _group() -> None:
    """All notices at once."""


@app.command()
def recheck(context: typer.Context, json: Json = False) -> None:
    """Let every active notice ask again who is here now, after a restore or a lost topic; safe to repeat.

    Only open stays answer, and what has its alert gets no other one. Each notice that asks is in the audit log. Exits
    with 1 when a notice was not asked for because its signature is bad.
    """
    selection(context).enter("alerts-worker")
    verifier = _verifier()
    asked, refused = asyncio.run(_recheck(context, verifier))
    document: dict[str, Any] = {"asked": len(asked), "refused": refused}
    answer(json, document, lambda: typer.echo(f"{len(asked)} active notices ask again who is here now"))
    if refused:
        names = ", ".join(map(str, refused))
        refuse(f"not approved and signed as they stand, so not asked for: {names}.")


def _verifier() -> "Verifier":
    from pydantic import SecretStr

    from chassis.run.settings import decode_keys
    from services.alerts.domain.signatures import verifier_from

    keys = setting("ANJU_ALERTS_NOTICE_VERIFY_KEYS")
    try:
        return verifier_from(decode_keys(SecretStr(keys)))
    except ValueError as error:
        refuse(f"ANJU_ALERTS_NOTICE_VERIFY_KEYS: {error}.")


async def _recheck(context: typer.Context, verifier: "Verifier") -> "tuple[list[UUID], list[UUID]]":
    from services.alerts.domain.officers import Officer
    from services.alerts.use_cases.recheck_notices import recheck_notices

    by = Officer(subject=f"operator:{getpass.getuser()}", name="", unit="command-line")
    asked: list[UUID] = []
    refused: list[UUID] = []
    after: UUID | None = None
    async with database(context, "alerts") as db:
        while True:
            async with db.transaction() as tx:
                page = await recheck_notices(tx, after=after, limit=PAGE, verifier=verifier, by=by)
            asked += page.asked
            refused += page.refused
            after = page.after
            if after is None:
                return asked, refused
