"""Owns the test guest: the invented person whom the portal asks one to register, and on whom the city has a notice."""

from datetime import datetime, timedelta
from typing import Any

from anju.city.people import People

# Not a number of any city's population: those walk through serials by their seed, this one is set apart by its name.
NAME = "周试"
SEED = "test guest"


def person() -> dict[str, Any]:
    """The test guest as `POST /api/v1/arrivals` takes one, the same in every city."""
    return People(SEED).person(rare=0.0) | {"name": NAME}


def notice(at: datetime) -> dict[str, Any]:
    """The notice on the test guest."""
    return {
        "kind": "wanted",
        "instrument": {"kind": "wanted_order", "number": f"云公缉字〔{at:%Y}〕演示 1 号", "authority": "云汀市公安局"},
        "subject": {"document": person()["document"]},
        "starts_at": at.isoformat(),
        "ends_at": (at + timedelta(days=365)).isoformat(),
        "recipients": ["command-centre"],
        "instructions": "演示用布控：核实时选「测试」。",
    }
