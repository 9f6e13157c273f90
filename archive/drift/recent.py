"""The last articles of a host, with numbers of each whose sums over a stretch are known at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archive.drift.facts import Fact

TRAILING = 300  # articles before, at most
LEAST_BEFORE = 80  # articles before, at least: fewer are no custom
LONGEST = 80  # of late, in articles
_KEPT = TRAILING + LONGEST


@dataclass(slots=True)
class Recent:
    """The last articles, with a row of *width* numbers each."""

    width: int
    facts: list[Fact] = field(default_factory=list)
    rows: list[tuple[float, ...]] = field(default_factory=list)
    _sums: list[tuple[float, ...]] = field(default_factory=list)  # of all rows before each, and of all

    def add(self, fact: Fact, *row: float) -> None:
        if not self._sums:
            self._sums.append((0.0,) * self.width)
        self.facts.append(fact)
        self.rows.append(row)
        self._sums.append(tuple(map(sum, zip(self._sums[-1], row, strict=True))))
        if len(self.rows) > 2 * _KEPT:
            del self.facts[:-_KEPT], self.rows[:-_KEPT], self._sums[: -_KEPT - 1]

    def clear(self) -> None:
        del self.facts[:], self.rows[:], self._sums[:]

    def before(self, window: int) -> int:
        """Return how many articles there are before the last *window* to compare these with, 0 when too few."""
        count = min(TRAILING, len(self.rows) - window)
        return count if count >= LEAST_BEFORE else 0

    def late(self, window: int, column: int) -> float:
        """Return the sum of *column* over the last *window* articles."""
        return self._sums[-1][column] - self._sums[-1 - window][column]

    def earlier(self, window: int, column: int) -> float:
        """Return the sum of *column* over those :meth:`before` the last *window*."""
        return self._sums[-1 - window][column] - self._sums[-1 - window - self.before(window)][column]

    def rows_before(self, window: int) -> Sequence[tuple[float, ...]]:
        return self.rows[-window - self.before(window) : -window]
