"""Small cells and the cells that hide them, so that nothing shown tells a small one, nor bounds it closely.

A small cell is protected when, for all that is shown, it may as well be larger by `least`: its feasible interval is at
least that wide (sliding protection; Hundepool et al., Statistical Disclosure Control, 2012, section 4.3). An interval
so wide that holds a count of 1 to 9 also holds one of 10 and more: nobody can tell that the cell is small.

A protection is shown by an example: another table, without negative counts, in which all that is shown is the same and
the small cell is larger by `least`. Examples are looked for one small cell after the other, along the cheapest way
through the table's network (the shortest-path heuristic of Kelly, Golden and Assad, Networks 22, 1992, and Castro,
EJOR 2006); what the way leads through is hidden. Hiding more never spoils an example.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from services.reporting.domain.tables import TOTAL, Cell, Counts, Node, Step, Table

Moves = Counter[Cell]
"""By how much each cell of an example differs from the truth."""
ALL = slice(None)
Room = Callable[[Cell], int]
"""How far a cell of the smallest parts can move."""


@dataclass
class Hiding:
    """Which cells of a table are hidden, more with each example that is looked for."""

    table: Table
    hidden: set[Cell]
    weights: Mapping[Cell, int] = field(init=False)

    def __post_init__(self) -> None:
        """Weigh the cells: it costs more to hide a large one."""
        self.weights = {cell: 1 + max(counts) for cell, counts in self.table.cells.items()}

    def move(self, moved: Counter[Cell], cell: Cell, amount: int, fall: Room, rise: Room | None = None) -> None:
        """Change an example so that a cell is larger by `amount` (smaller if negative); hide what that needs.

        `fall` and `rise` tell how much a cell of the smallest parts can fall or rise from the truth; without `rise`
        there is no end to it, and a way is always found: up to the top, hiding all totals.
        """
        sign, left = (1, amount) if amount > 0 else (-1, -amount)
        self.hidden.add(cell)
        begin, end = self.table.arcs[cell][::sign]

        def room(step: Step) -> int:
            if step.cell == cell:
                return 0
            if step.cell not in self.table.leaves:
                return left
            if step.sign < 0:
                return fall(step.cell) + moved[step.cell]
            return left if rise is None else rise(step.cell) - moved[step.cell]

        while left:
            way, pushed = self._cheapest(end, begin, room, left), left
            while way is None:
                pushed //= 2
                way = self._cheapest(end, begin, room, pushed)
            for step in way:
                self.hidden.add(step.cell)
                moved[step.cell] += step.sign * pushed
            moved[cell] += sign * pushed
            left -= pushed

    def _cheapest(self, begin: Node, end: Node, room: Callable[[Step], int], amount: int) -> list[Step] | None:
        costs: dict[Node, int] = {begin: 0}
        before: dict[Node, tuple[Node, Step]] = {}
        waiting = [(0, begin)]
        while waiting:
            cost, node = heappop(waiting)
            if node == end:
                break
            if cost > costs[node]:
                continue
            for step in self.table.steps[node]:
                next_cost = cost + (0 if step.cell in self.hidden else self.weights[step.cell])
                if next_cost < costs.get(step.to, next_cost + 1) and room(step) >= amount:
                    costs[step.to] = next_cost
                    before[step.to] = (node, step)
                    heappush(waiting, (next_cost, step.to))
        if end not in before:
            return None
        way: list[Step] = []
        while end != begin:
            end, step = before[end]
            way.append(step)
        return way


def is_small(counts: Counts, least: int) -> bool:
    """Tell whether a cell must be hidden by itself: a count of 1 to `least` - 1 of any measure."""
    return any(0 < count < least for count in counts)


def small_cells(table: Table, least: int, measures: slice = ALL) -> list[Cell]:
    """Return the small cells, the smallest parts and among them the largest counts first."""
    found = [cell for cell, counts in table.cells.items() if is_small(counts[measures], least)]
    return sorted(found, key=lambda cell: (-len(cell[0]), cell[1] == TOTAL, -max(table.cells[cell]), cell))


def examples(hiding: Hiding, protect: Iterable[Cell], least: int, fall: Room) -> list[Moves]:
    """Find for each cell an example in which it is larger by `least`; one may serve several."""
    found: list[Moves] = []
    served: set[Cell] = set()
    for cell in protect:
        if cell not in served:
            moved: Counter[Cell] = Counter()
            hiding.move(moved, cell, least, fall)
            served |= {each for each, by in moved.items() if by >= least}
            found.append(moved)
    return found
