"""The ladder: how long after its publication an article is asked for again, rung by rung.

Most edits come soon after publication, so the rungs lie closer at first. An article whose text or title changed climbs
it once more from that change on: what has been edited is likely to be edited again, and soon. The rungs that are short
beside its age are left out then, or a page whose text never is the same, such as one with a counter in it, would be
asked for every hour for ever; so its requests grow with the logarithm of its age.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from crawler.units import duration

DEFAULT_LADDER = "1h, 6h, 1d, 7d, 30d"
SHORT_BESIDE_AGE = 24  # a rung counts after a change when the article was no older than that many times it


@dataclass(frozen=True, slots=True)
class Ladder:
    """The *rungs* of a ladder, the shortest first; none: no article is asked for again for its age."""

    rungs: tuple[timedelta, ...] = ()

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return the ladder written as ``1h, 6h, 1d``. Raises ``ValueError`` for what is none."""
        rungs = sorted({duration(part) for part in re.split(r"\s*,\s*", text.strip()) if part})
        return cls(tuple(rungs))

    @property
    def longest(self) -> timedelta:
        return self.rungs[-1] if self.rungs else timedelta()

    def due(self, published: datetime, last: datetime, now: datetime) -> timedelta | None:
        """Return the latest rung that has passed since *published*, if the *last* answer came before it."""
        return self._due(self.rungs, published, last, now)

    def due_after_change(
        self, published: datetime, changed: datetime, last: datetime, now: datetime
    ) -> timedelta | None:
        """Return the same, counted from when the article was seen to have *changed*."""
        least = (changed - published) / SHORT_BESIDE_AGE
        return self._due([rung for rung in self.rungs if rung >= least], changed, last, now)

    @staticmethod
    def _due(
        rungs: tuple[timedelta, ...] | list[timedelta], since: datetime, last: datetime, now: datetime
    ) -> timedelta | None:
        passed = [rung for rung in rungs if since + rung <= now]
        return passed[-1] if passed and since + passed[-1] > last else None
