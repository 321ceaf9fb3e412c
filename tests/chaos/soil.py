"""A copy of a run's evidence in which a fault can be planted."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.chaos.checker.evidence import Evidence, Record, Row


class NothingToPlantOn(Exception):
    """The evidence has nothing of the kind that this fault would befall."""


class Soil:
    """A copy of evidence, in which rows and records are replaced, never changed: what it was copied from stays."""

    def __init__(self, clean: Evidence, dice: random.Random) -> None:
        self.evidence = Evidence(
            journal=list(clean.journal),
            tables={name: list(rows) for name, rows in clean.tables.items()},
            topics={name: list(records) for name, records in clean.topics.items()},
            partitions=dict(clean.partitions),
            ends=dict(clean.ends),
            logs=dict(clean.logs),
        )
        self.dice = dice

    def row(self, table: str, fits: Callable[[Row], bool] = lambda _: True) -> int:
        """The place of some row that fits. Raises NothingToPlantOn."""
        return self._one([n for n, row in enumerate(self.evidence.tables[table]) if fits(row)])

    def record(self, topic: str, fits: Callable[[Record], bool] = lambda _: True) -> int:
        """The place of some record that fits and that was not repeated. Raises NothingToPlantOn."""
        records = self.evidence.topics[topic]
        times: dict[str, int] = {}
        for each in records:
            times[each.id] = times.get(each.id, 0) + 1
        return self._one([n for n, each in enumerate(records) if times[each.id] == 1 and fits(each)])

    def _one(self, places: list[int]) -> int:
        if not places:
            raise NothingToPlantOn
        return self.dice.choice(places)

    def change(self, table: str, place: int, **values: Any) -> None:
        """Put other values into a row."""
        rows = self.evidence.tables[table]
        rows[place] = {**rows[place], **values}

    def drop(self, table: str, fits: Callable[[Row], bool] = lambda _: True) -> Row:
        """Take some row away; give it."""
        return self.evidence.tables[table].pop(self.row(table, fits))

    def drop_record(self, topic: str, fits: Callable[[Record], bool] = lambda _: True) -> Record:
        """Take some record away; give it."""
        return self.evidence.topics[topic].pop(self.record(topic, fits))

    def swap(self, topic: str, one: int, other: int) -> None:
        """Let two records change places."""
        records = self.evidence.topics[topic]
        first, second = records[one], records[other]
        records[one] = replace(second, partition=first.partition, offset=first.offset)
        records[other] = replace(first, partition=second.partition, offset=second.offset)
