"""`anju subscribe`: a department's events, printed or forwarded, from where the last reading stopped."""

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anju.cli.selection import refuse, selection, setting

if TYPE_CHECKING:
    from anju.departments import Deliver, Say

# A receiver answers when it has stored the event; a slower one is taken for unreachable and asked again.
FORWARD_SECONDS = 30.0
# Between two attempts at a receiver that is down: soon after it is back, without being a load meanwhile.
LONGEST_PAUSE_SECONDS = 30.0


def department_names(incomplete: str) -> list[str]:
    """The names of departments that begin so, for the shell."""
    from contracts.departments import DEPARTMENTS

    return [name for name in DEPARTMENTS if name.startswith(incomplete)]


def subscribe(
    context: typer.Context,
    department: Annotated[
        str,
        typer.Argument(help="Whose events: fire, child-protection or education.", autocompletion=department_names),
    ],
    forward: Annotated[str | None, typer.Option(help="POST each event there as JSON instead of printing it.")] = None,
    place: Annotated[Path | None, typer.Option(help="The file that keeps the place.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what happens as lines of JSON too, on the standard error.")
    ] = False,
) -> None:
    """Print a department's events as lines of JSON, or forward them; goes on where it stopped, until it is ended.

    Each event is delivered at least once and those of a case in order; one that comes twice has the same `ce_id`.
    Needs ANJU_<DEPARTMENT>_KAFKA_BOOTSTRAP, _USERNAME and _PASSWORD, with _ for the - of a name.
    A forwarded event is repeated until it is answered by 2xx. The service that owns the topic describes its events
    at /asyncapi.
    """
    from anju import departments
    from chassis.events.kafka import KafkaSettings
    from contracts.departments import DEPARTMENTS
    from contracts.envelope import DEPARTMENT_TYPES

    if department not in DEPARTMENTS:
        raise typer.BadParameter(f"one of {', '.join(DEPARTMENTS)}")
    selected = selection(context)
    if selected.named is not None:
        city = selected.city()
        for name, value in city.department_environment(department).items():
            os.environ.setdefault(name, value)
        place = place or city.directory / f"subscribe-{department}.json"
    prefix = f"ANJU_{department.upper().replace('-', '_')}_KAFKA"
    bootstrap, username, password = (setting(f"{prefix}_{name}") for name in ("BOOTSTRAP", "USERNAME", "PASSWORD"))
    kafka = KafkaSettings(
        bootstrap=bootstrap, username=username, password=password, replica="", client_id=f"{department}-subscribe"
    )
    topic, say = DEPARTMENTS[department].topic, _say_json if as_json else _say
    if not DEPARTMENT_TYPES[topic]:
        say(f"nothing is published to {topic} yet; waiting for what will be.")
    try:
        kept = departments.Place(place or departments.default_place(department))
        asyncio.run(departments.follow(kafka, topic, kept, _forwarding(forward, say) if forward else _print, say))
    except departments.BadPlace as error:
        refuse(str(error))
    except departments.NotAllowed as error:
        refuse(f"the user {username} may not read {error}.")
    except (KeyboardInterrupt, BrokenPipeError):
        # Whoever reads the lines has gone; what was not taken comes at the next start.
        os._exit(0)


def _say(sentence: str) -> None:
    typer.echo(f"anju: {sentence}", err=True)


def _say_json(sentence: str) -> None:
    typer.echo(json.dumps({"message": sentence}, ensure_ascii=False), err=True)


async def _print(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _forwarding(url: str, say: "Say" = _say) -> "Deliver":
    import httpx

    client = httpx.AsyncClient(timeout=FORWARD_SECONDS)

    async def deliver(line: dict[str, Any]) -> None:
        pause = 0.5
        while True:
            try:
                answer = await client.post(url, json=line)
                if answer.is_success:
                    return
                why = f"answers {answer.status_code}"
            except httpx.HTTPError as error:
                why = f"cannot be reached ({type(error).__name__})"
            say(f"{url} {why}; trying {line.get('ce_id')} again.")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    return deliver
