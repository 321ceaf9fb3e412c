"""How many people registration says are registered at premises."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Headcount:
    """A headcount and its version (epoch, number)."""

    premises_id: UUID
    headcount: int
    version: tuple[int, int]
