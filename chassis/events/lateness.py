"""How long the next record of a partition has been waiting, by this process's own looks at the log's end."""

from collections import deque

# An hour of looks; of a longer wait only every second look is kept, and so on.
MOST_LOOKS = 720


class Lateness:
    """What is seen at each look: where a log ends. A record that stood there at a look and is unread is late since.

    Neither a broker's clock nor a record's time is asked: a restored log and a machine that is ahead tell nothing.
    """

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()
        self.lag = 0

    def look(self, at: float, position: int, end: int) -> None:
        """Note that at `at` (monotonic seconds) the log ended before `end` and `position` was to be read next."""
        self.lag = max(0, end - position)
        while self._looks and self._looks[0][1] <= position:
            self._looks.popleft()
        if self.lag and (not self._looks or self._looks[-1][1] < end):
            self._looks.append((at, end))
        if len(self._looks) > MOST_LOOKS:
            self._looks = deque(list(self._looks)[::2])

    def seconds(self, at: float) -> float:
        """Return for how long at least the next record has been waiting; 0 when all was read."""
        return at - self._looks[0][0] if self._looks else 0.0
