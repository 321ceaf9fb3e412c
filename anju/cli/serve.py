"""`anju serve`: one process of a service, or the demo's portal."""

import os
from importlib import import_module
from typing import Annotated

import typer

from anju.cli.completion import services, sides
from anju.cli.selection import SERVICES, refuse, selection


def serve(
    context: typer.Context,
    service: Annotated[
        str, typer.Argument(help=f"{', '.join(SERVICES)}, or portal (demo and tests only).", autocompletion=services)
    ],
    side: Annotated[str, typer.Argument(help="web or worker; the portal has only web.", autocompletion=sides)] = "web",
    port: Annotated[int | None, typer.Option(help="Where to listen; 0 takes a free port.")] = None,
    replica: Annotated[str | None, typer.Option(help="Names this copy to Kafka; without, it names itself.")] = None,
) -> None:
    """Run a service's web side, or its worker: consumers, relay and timers. Any number of copies may run."""
    if service not in (*SERVICES, "portal"):
        raise typer.BadParameter(f"one of {', '.join(SERVICES)}, portal")
    if side not in ("web", "worker") or (service == "portal" and side != "web"):
        raise typer.BadParameter("web or worker; the portal has only web")
    selection(context).enter("portal" if service == "portal" else f"{service}-{side}")
    prefix = f"ANJU_{service.upper()}_"
    if port is not None:
        os.environ[f"{prefix}{'WORKER_PORT' if side == 'worker' else 'PORT'}"] = str(port)
    if replica is not None:
        os.environ[f"{prefix}REPLICA"] = replica
    _run(service, side)


def _run(service: str, side: str) -> None:
    from chassis.run.service import run_web, run_worker
    from chassis.run.settings import BadSettings

    package = "anju.portal" if service == "portal" else f"services.{service}"
    try:
        settings = import_module(f"{package}.settings").load()
    except BadSettings as error:
        refuse(f"{error}.")
    wiring = import_module(f"{package}.wiring")
    if side == "web":
        run_web(wiring.web, settings)
    else:
        run_worker(wiring.worker, settings)
