"""The live notices in memory: document token → notices, exact as of a version of the database."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from services.alerts.domain.matching import LiveNotice


class Watchlist:
    """The live notices of one worker process.

    It holds what the database held at `version`; use_cases/refresh_watchlist.py brings it forward. Looking up takes
    one dictionary access; a change of one notice replaces one entry.
    """

    def __init__(self) -> None:
        self.version = 0
        self._by_id: dict[UUID, LiveNotice] = {}
        # By the token's value alone: a value names 256 bits, and its key's id is compared when it matches.
        self._by_value: dict[str, tuple[LiveNotice, ...]] = {}

    @property
    def by_value(self) -> Mapping[str, Sequence[LiveNotice]]:
        """Live notices by their token's value, for the matcher's one look-up per event."""
        return self._by_value

    @property
    def by_id(self) -> Mapping[UUID, LiveNotice]:
        """Live notices by id."""
        return self._by_id

    def put(self, notice: LiveNotice) -> None:
        """Add a notice, or replace it."""
        self.remove(notice.notice_id)
        self._by_id[notice.notice_id] = notice
        value = notice.token.value
        self._by_value[value] = (*self._by_value.get(value, ()), notice)

    def remove(self, notice_id: UUID) -> bool:
        """Forget a notice; False when it was not there."""
        gone = self._by_id.pop(notice_id, None)
        if gone is None:
            return False
        left = tuple(each for each in self._by_value[gone.token.value] if each.notice_id != notice_id)
        if left:
            self._by_value[gone.token.value] = left
        else:
            del self._by_value[gone.token.value]
        return True

    def replace_all(self, notices: Iterable[LiveNotice]) -> None:
        """Forget everything and take these: when the database went back to an older version."""
        self._by_id.clear()
        self._by_value.clear()
        for notice in notices:
            self.put(notice)
