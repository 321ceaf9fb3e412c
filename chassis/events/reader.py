"""What one subscriber of a topic asks of whoever handles its records: a history's reader or a state's."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from chassis.events.records import RawRecord

# Where the logs of partitions (None: of all) start and end: {partition: (first offset there, offset after the last)}.
Bounds = Callable[[Collection[int] | None], Awaitable[Mapping[int, tuple[int, int]]]]


class Reader(Protocol):
    """What is done with the records of one topic: a history's or a state's."""

    @property
    def topic(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def most_records(self) -> int:
        """Return how many records one transaction may take."""

    def position(self, partition: int) -> int | None:
        """Return the next offset of a loaded partition, None of one that is not."""

    def forget(self, partitions: Collection[int] | None = None) -> None:
        """Take nothing of these partitions, or of any, until they are loaded again."""

    async def load(self, partitions: Collection[int], bounds: Bounds) -> Mapping[int, int]:
        """Claim partitions and return the offsets to seek, without those that cannot be read on."""

    async def take(self, batch: Mapping[int, Sequence[RawRecord]]) -> Collection[int]:
        """Handle records of loaded partitions in one transaction; return partitions that must be sought again."""

    async def astray(self) -> Collection[int]:
        """Return partitions that must be loaded again though nothing came of them."""

    def observe(self) -> None:
        """Set the gauges that grow with time."""

    def health(self) -> list[str]:
        """Say what is wrong with the records."""
