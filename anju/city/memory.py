"""Owns what the simulated city remembers between starts, so that it goes on instead of beginning again.

An answer is noted in the same transaction as the end of the step that asked for it; a step that was cut short is done
again with its own time, the same bodies and the same idempotency keys, and so happens once.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS premises (number INTEGER PRIMARY KEY, premises_id TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS stays (
  stay_id TEXT PRIMARY KEY, person INTEGER NOT NULL, place INTEGER NOT NULL, room TEXT NOT NULL,
  leaves_at_step INTEGER, to_verify INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS sought (person INTEGER PRIMARY KEY, arrives_at_step INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS hazards (hazard_id TEXT PRIMARY KEY, place INTEGER NOT NULL, clears_at_step INTEGER NOT NULL)
  STRICT;
CREATE TABLE IF NOT EXISTS away (number INTEGER PRIMARY KEY, person INTEGER NOT NULL UNIQUE) STRICT;
"""
# Who left may come again; of more than these, the ones that left first are strangers.
MOST_AWAY = 1_000


@dataclass(frozen=True, slots=True)
class Stay:
    """An open stay that the city registered."""

    stay_id: str
    person: int
    place: int
    room: str
    leaves_at_step: int | None = None
    to_verify: bool = False


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard that an inspector of the city found."""

    hazard_id: str
    place: int


class Memory:
    """The city's file. One process only."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None)
        # A demo's power cut may cost the last steps; they are then done again under the same keys.
        self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
        self.premises: dict[int, str] = dict(self._connection.execute("SELECT number, premises_id FROM premises"))
        rows = self._connection.execute("SELECT stay_id, person, place, room, leaves_at_step, to_verify FROM stays")
        self.stays: dict[str, Stay] = {
            row[0]: Stay(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows
        }
        self.away: list[int] = [row[0] for row in self._connection.execute("SELECT person FROM away ORDER BY number")]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all that is noted inside, or nothing of it."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def fact(self, name: str) -> str | None:
        """A fact by its name."""
        row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def keep(self, name: str, value: object) -> None:
        """Note a fact, over a former one."""
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, str(value)))

    def settled(self, name: str, value: object) -> str:
        """A fact that is set once: the former value, else this one."""
        self._connection.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, str(value)))
        return self.fact(name) or str(value)

    def open_stays(self) -> list[Stay]:
        """Every open stay, in an order that does not depend on when each was answered."""
        return sorted(self.stays.values(), key=lambda stay: (stay.person, stay.stay_id))

    def step(self, now: datetime) -> tuple[int, datetime]:
        """The step that is due and its time: `now`, or when it was first tried, if it was cut short."""
        number = int(self.fact("step") or 0)
        return number, datetime.fromisoformat(self.settled(f"step-{number}", now.isoformat()))

    def step_done(self, number: int) -> None:
        """Go on to the next step."""
        self.keep("step", number + 1)
        self._connection.execute("DELETE FROM facts WHERE name = ?", (f"step-{number}",))

    def next_person(self) -> int:
        """A number that nobody had yet."""
        number = int(self.fact("next-person") or 0)
        self.keep("next-person", number + 1)
        return number

    def registered(self, number: int, premises_id: str) -> None:
        """Housing knows these premises."""
        self._connection.execute("INSERT OR IGNORE INTO premises VALUES (?, ?)", (number, premises_id))
        self.premises[number] = premises_id

    def arrived(self, stay: Stay) -> None:
        """Somebody moved in."""
        values = (stay.stay_id, stay.person, stay.place, stay.room, stay.leaves_at_step, int(stay.to_verify))
        self._connection.execute("INSERT OR REPLACE INTO stays VALUES (?, ?, ?, ?, ?, ?)", values)
        self._connection.execute("DELETE FROM away WHERE person = ?", (stay.person,))
        self.stays[stay.stay_id] = stay
        if stay.person in self.away:
            self.away.remove(stay.person)

    def departed(self, stay: Stay) -> None:
        """Somebody moved out."""
        self._connection.execute("DELETE FROM stays WHERE stay_id = ?", (stay.stay_id,))
        del self.stays[stay.stay_id]
        self.away.append(stay.person)
        self._connection.execute("INSERT OR IGNORE INTO away (person) VALUES (?)", (stay.person,))
        for person in self.away[:-MOST_AWAY]:
            self._connection.execute("DELETE FROM away WHERE person = ?", (person,))
        del self.away[:-MOST_AWAY]

    def seek(self, person: int, arrives_at_step: int) -> None:
        """A notice names this person, who will arrive at that step."""
        self._connection.execute("INSERT OR IGNORE INTO sought VALUES (?, ?)", (person, arrives_at_step))

    def found(self, person: int) -> None:
        """The person whom a notice names has arrived."""
        self._connection.execute("DELETE FROM sought WHERE person = ?", (person,))

    def found_hazard(self, hazard: Hazard, clears_at_step: int) -> None:
        """An inspector found a hazard, which will be cleared at that step."""
        values = (hazard.hazard_id, hazard.place, clears_at_step)
        self._connection.execute("INSERT OR IGNORE INTO hazards VALUES (?, ?, ?)", values)

    def cleared(self, hazard: Hazard) -> None:
        """A hazard is cleared."""
        self._connection.execute("DELETE FROM hazards WHERE hazard_id = ?", (hazard.hazard_id,))

    def due_person(self, step: int) -> int | None:
        """A person whom a notice names and who arrives now."""
        query = "SELECT person FROM sought WHERE arrives_at_step <= ? ORDER BY arrives_at_step, person LIMIT 1"
        row = self._connection.execute(query, (step,)).fetchone()
        return row[0] if row else None

    def due_leaver(self, step: int) -> Stay | None:
        """A stay whose end was settled when it began, and is now."""
        query = "SELECT stay_id FROM stays WHERE leaves_at_step <= ? ORDER BY leaves_at_step, rowid LIMIT 1"
        row = self._connection.execute(query, (step,)).fetchone()
        return self.stays[row[0]] if row else None

    def due_hazard(self, step: int) -> Hazard | None:
        """A hazard that is cleared now."""
        query = "SELECT hazard_id, place FROM hazards WHERE clears_at_step <= ? ORDER BY clears_at_step, rowid LIMIT 1"
        row = self._connection.execute(query, (step,)).fetchone()
        return Hazard(*row) if row else None
