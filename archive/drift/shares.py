"""In which share of articles one field is there: before, and of late."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from archive.drift.chance import STRETCH, is_chance
from archive.drift.facts import Fact
from archive.drift.recent import LONGEST, TRAILING, Recent
from archive.drift.sections import Usual, section_of, size_of

# Of late, in articles. The two short windows take pieces as their like are: thirty briefs in a row are briefs. What
# looks like that for four stretches, because short texts and no authors come together, is none; that is the long one.
SHORT, LONG = (STRETCH, 2 * STRETCH), LONGEST
MIXED = 0.75  # a field that fewer have of late is judged by the long window alone
RARE = 0.2  # a field that fewer have is not missed
FALLEN = 0.4  # of what is usual, or less: whatever leaves more is no redesign that breaks extraction
RECOVERED = 0.75
SILENCE = 20  # articles of sections that are not known, one after the other
EVERYWHERE = frozenset({"title", "published"})  # articles of all sections and sizes have them
CLEAREST = 0.002  # nothing is quite sure
HAS, LIKE, SECTION = range(3)  # columns: has it; the share of its like that have it; the share of its section


@dataclass(slots=True)
class Change:
    """A change that was noticed: since which article, and what was the case before and is since then."""

    since: Fact
    before: float  # how many had the field, or the typical value
    articles: int  # before
    after: list[float]
    ended: Fact | None = None


@dataclass(slots=True)
class Share:
    """One field of one host's articles, in the order of capture."""

    name: str
    changes: list[Change] = field(default_factory=list)
    _usual: Usual = field(default_factory=Usual)
    _silent: int = 0
    _seen: Recent = field(default_factory=lambda: Recent(3))
    _now: Change | None = None

    def take(self, fact: Fact, has: bool) -> None:
        """Look at the next article."""
        section, size = section_of(fact.url, fact.section), size_of(fact.length)
        usual = self._usual.in_section(section)
        like = usual if self.name in EVERYWHERE else self._usual.of_kind(section, size)
        if self._now is None:
            self._usual.learn(section, size, has)
        self._silent = 0 if usual is not None else self._silent + 1
        if usual is None and self._silent > SILENCE and self.name in EVERYWHERE:
            like = usual = self._usual.anywhere()
        if like is None or usual is None:
            return
        self._seen.add(fact, float(has), _bounded(like), _bounded(usual))
        if self._now is not None:
            self._follow(self._now)
        elif not has:
            self._look()

    def _look(self) -> None:
        for window, column, least in (*((window, LIKE, MIXED) for window in SHORT), (LONG, SECTION, RARE)):
            if not self._seen.before(window):
                return
            having, expected = self._seen.late(window, HAS), self._seen.late(window, column)
            if expected < least * window or having > FALLEN * expected:
                continue
            before = [(row[HAS], row[column]) for row in self._seen.rows_before(window)]
            if not is_chance(round(having), window, expected / window, before):
                self._begin(window)
                return

    def _begin(self, window: int) -> None:
        facts, rows = self._seen.facts, self._seen.rows
        first = max(0, len(rows) - window - STRETCH)
        telling = [at for at in range(first, len(rows)) if rows[at][SECTION] >= RECOVERED / 2]
        having = [rows[at][HAS] for at in telling]
        start = telling[max(range(len(telling)), key=lambda at: _likelihood(having, at))]
        before = rows[max(0, start - TRAILING) : start]
        self._now = Change(
            facts[start], sum(row[HAS] for row in before), len(before), [row[HAS] for row in rows[start:]]
        )
        self.changes.append(self._now)

    def _follow(self, change: Change) -> None:
        change.after.append(self._seen.rows[-1][HAS])
        having, expected = self._seen.late(STRETCH, HAS), self._seen.late(STRETCH, SECTION)
        if len(change.after) >= 2 * STRETCH and having >= RECOVERED * expected >= STRETCH / 5:
            change.ended = self._seen.facts[-STRETCH]
            del change.after[-STRETCH:]
            self._seen.clear()
            self._now = None
        elif len(change.after) >= TRAILING:  # it has become the custom
            self._seen.clear()
            self._usual = Usual()
            self._now = None


def _bounded(share: float) -> float:
    return min(1 - CLEAREST, max(CLEAREST, share))


def _likelihood(having: list[float], at: int) -> float:
    """Return how likely *having* is, up to a constant, when the share changed at position *at*; a logarithm."""
    total = 0.0
    for part in (having[:at], having[at:]):
        share = (sum(part) + 0.5) / (len(part) + 1)
        total += sum(part) * math.log(share) + (len(part) - sum(part)) * math.log(1 - share)
    return total
