"""What `anju demo status` says: who runs, at which addresses, and whether all of it is ready."""

import asyncio
from pathlib import Path
from typing import Any

from anju.local import state
from anju.local.city import SERVICES, City, found
from anju.local.kafka import OPERATOR_USER
from anju.local.probes import answers_ok, port_answers


async def of_city(directory: Path) -> dict[str, Any] | None:
    """The status of the city that lives there, asked of its parts now; None when none lives there.

    Raises:
        CityFailed: its city.json cannot be read.
    """
    living = state.read(directory)
    city = found(directory)
    if living is None or city is None:
        return None
    running = bool(living.processes) and all(process["state"] == "running" for process in living.processes)
    return {
        "ready": living.phase == "running" and running and await _all_ready(city),
        "phase": living.phase,
        "launcher": living.launcher,
        "directory": str(directory),
        "pages": city.url("portal"),
        "services": {service: city.url(f"{service}-web") for service in SERVICES},
        "workers": {service: city.url(f"{service}-worker") for service in SERVICES},
        "kafka": {
            "bootstrap": city.kafka.bootstrap,
            "username": OPERATOR_USER,
            "password": city.secret[f"kafka.{OPERATOR_USER}"],
        },
        "databases": city.databases,
        "processes": living.processes,
    }


async def _all_ready(city: City) -> bool:
    names = ["portal", *(f"{service}-{side}" for service in SERVICES for side in ("web", "worker"))]
    answers = await asyncio.gather(
        port_answers(city.ports["kafka"]),
        port_answers(city.ports["postgres"]),
        *(answers_ok(f"{city.url(name)}/health/ready") for name in names),
    )
    return all(answers)
