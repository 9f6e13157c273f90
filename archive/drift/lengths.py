"""How long the texts of articles are: before, and of late."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from archive.drift.chance import STRETCH, caution
from archive.drift.facts import Fact
from archive.drift.recent import LONGEST, TRAILING, Recent
from archive.drift.sections import Usual, section_of
from archive.drift.shares import Change

WINDOWS = (STRETCH, 2 * STRETCH, LONGEST)
SHORTEST = 50  # characters: whatever is shorter is as good as none
CHANGED = math.log(2)  # twice as long, or half
# How many standard errors the mean of late must be away. Of a normal mean 7 are exceeded once in 10^11 looks; the error
# is itself estimated from as few as four stretches, and lengths have long tails, which is what the rest is for.
ALARM_ERRORS = 7.0
LEAST_ERROR = 0.05


@dataclass(slots=True)
class Lengths:
    """The lengths of one host's articles, in the order of capture.

    Compared are logarithms, each less what is usual: in its section, or among the pieces there that have authors, or
    have none, whichever is nearer. So a run of briefs is no change, nor is one in which authors are lost.
    """

    changes: list[Change] = field(default_factory=list)
    _usual: Usual = field(default_factory=Usual)
    _seen: Recent = field(default_factory=lambda: Recent(1))
    _now: Change | None = None
    _shift: float = 0.0  # by which the mean has changed

    def take(self, fact: Fact) -> None:
        """Look at the next article."""
        length = math.log(max(SHORTEST, fact.length))
        section, signed = section_of(fact.url, fact.section), "authors" in fact.has
        like, usual = self._usual.of_kind(section, signed), self._usual.in_section(section)
        if self._now is None:
            self._usual.learn(section, signed, length)
        if like is None or usual is None:
            return
        self._seen.add(fact, min(length - like, length - usual, key=abs))
        if self._now is None:
            self._look()
        else:
            self._follow(self._now, fact)

    def _look(self) -> None:
        for window in WINDOWS:
            before = self._seen.before(window)
            if not before:
                return
            shift = self._seen.late(window, 0) / window - self._seen.earlier(window, 0) / before
            if abs(shift) < CHANGED:
                continue
            if abs(shift) > ALARM_ERRORS * _error_of_mean([row[0] for row in self._seen.rows_before(window)], window):
                self._shift = shift
                self._begin(window)
                return

    def _begin(self, window: int) -> None:
        facts = self._seen.facts
        first = max(0, len(facts) - window - STRETCH)
        middle = self._seen.earlier(window, 0) / self._seen.before(window) + self._shift / 2
        start, best, gathered = len(facts) - 1, 0.0, 0.0  # where most is beyond the middle from there on
        for at in range(len(facts) - 1, first - 1, -1):
            gathered += (self._seen.rows[at][0] - middle) * math.copysign(1, self._shift)
            if gathered > best:
                best, start = gathered, at
        before = sorted(fact.length for fact in facts[max(0, start - TRAILING) : start])
        after = [float(fact.length) for fact in facts[start:]]
        self._now = Change(facts[start], float(before[len(before) // 2]), len(before), after)
        self.changes.append(self._now)

    def _follow(self, change: Change, fact: Fact) -> None:
        change.after.append(float(fact.length))
        if len(change.after) >= 2 * STRETCH and abs(self._seen.late(STRETCH, 0)) / STRETCH < abs(self._shift) / 3:
            change.ended = self._seen.facts[-STRETCH]
            del change.after[-STRETCH:]
            self._seen.clear()
            self._now = None
        elif len(change.after) >= TRAILING:  # it has become the custom
            self._seen.clear()
            self._usual = Usual()
            self._now = None


def _error_of_mean(values: Sequence[float], count: int) -> float:
    """Return the standard error of a mean of *count* values that come as *values* did.

    It is taken from the means of stretches where these differ more than single values would make them, as where short
    pieces come in runs; a window of several stretches may be one run.
    """
    mean = sum(values) / len(values)
    single = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    starts = range(len(values) % STRETCH, len(values), STRETCH)
    means = [sum(values[start : start + STRETCH]) / STRETCH for start in starts]
    between = sum((value - mean) ** 2 for value in means) / (len(means) - 1)
    runs = between * caution(len(means)) if between > 2 * single / STRETCH else 0.0
    return max(math.sqrt(single / count), math.sqrt(runs), LEAST_ERROR)
