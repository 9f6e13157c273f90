"""A redesign is told within twenty pages, and nothing else is taken for one. Simulated; a test's name has its seed."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from archive.drift import Fact, Watch, drifts

HOST = "news.example"
RULES = frozenset({"title:rule", "authors:rule", "published:rule", "text:rule"})


@dataclass(frozen=True)
class Kind:
    """One kind of piece that a publication prints: how often what is there, and how long it is."""

    section: str = "news"
    authors: float = 0.97
    dated: float = 0.995
    characters: float = 3000  # median
    spread: float = 0.6  # of its logarithm
    told: str | None = None  # the section that the page itself names


NEWS, OPINION = Kind(), Kind("opinion", 0.99, characters=5000, spread=0.4)
BRIEF = Kind("briefs", 0.0, characters=350, spread=0.3)
HIDDEN_BRIEF = replace(BRIEF, section="")  # as where addresses are dates and slugs
HIDDEN_NEWS = replace(NEWS, section="")
TOLD_BRIEF, TOLD_NEWS = replace(HIDDEN_BRIEF, told="Briefs"), replace(HIDDEN_NEWS, told="News")


def page(rng: random.Random, number: int, kind: Kind, *, rules: bool = False) -> Fact:
    has = {"title"}
    if rng.random() < kind.authors:
        has.add("authors")
    if rng.random() < kind.dated:
        has |= {"published", "time"}
    if rules:
        has |= {name for name in RULES if name.removesuffix(":rule") in {*has, "text"}}
    folder = f"/{kind.section}" if kind.section else ""
    return Fact(
        host=HOST,
        url=f"https://{HOST}{folder}/2026/03/01/piece-{number}",
        at=f"2026-03-01T00:00:00.{number:06d}Z",
        title=f"Piece {number}",
        kind="article",
        length=round(rng.lognormvariate(math.log(kind.characters), kind.spread)),
        has=frozenset(has),
        section=kind.told,
    )


Mix = Callable[[random.Random, int], Kind]


def weighed(*weights: tuple[Kind, float]) -> Mix:
    kinds, shares = zip(*weights, strict=True)
    return lambda rng, _: rng.choices(kinds, shares)[0]


def in_runs(*weights: tuple[Kind, float], mean: float) -> Mix:
    """Pieces of one kind come in runs of *mean* length."""
    fresh = weighed(*weights)
    now: list[Kind] = []

    def next_kind(rng: random.Random, number: int) -> Kind:
        if not now or rng.random() < 1 / mean:
            now[:] = [fresh(rng, number)]
        return now[0]

    return next_kind


def with_bursts(usual: Mix, burst: Kind, *, length: int, every: int) -> Mix:
    """Every so often *length* pieces of one kind in a row, the first time when nothing like it was seen before."""
    return lambda rng, number: burst if number % every >= every - length else usual(rng, number)


def trend(number: int) -> Kind:
    """Over 2,000 pages half of the authors go, and texts become a third as long."""
    gone = number / 2000
    return Kind("", 0.97 - 0.5 * gone, 0.995 - 0.2 * gone, 3000 / (1 + 2 * gone))


def season(number: int) -> Kind:
    """Summers of short pieces by nobody."""
    summer = (1 - math.cos(number / 180)) / 2
    return Kind("", 0.95 - 0.4 * summer, 0.99, 3500 - 2300 * summer)


QUIET: dict[str, Callable[[], Mix]] = {
    "one kind": lambda: weighed((NEWS, 1)),
    "sections": lambda: weighed((NEWS, 5), (OPINION, 2), (BRIEF, 3)),
    "sections, in runs": lambda: in_runs((NEWS, 5), (OPINION, 2), (BRIEF, 3), mean=15),
    "half briefs that no address tells": lambda: weighed((HIDDEN_NEWS, 1), (HIDDEN_BRIEF, 1)),
    "briefs that no address tells, in runs": lambda: in_runs((HIDDEN_NEWS, 2), (HIDDEN_BRIEF, 1), mean=6),
    "briefs that the page tells, in runs": lambda: in_runs((TOLD_NEWS, 2), (TOLD_BRIEF, 1), mean=15),
    "bursts of 30 briefs": lambda: with_bursts(
        weighed((NEWS, 5), (OPINION, 2), (BRIEF, 1)), BRIEF, length=30, every=270
    ),
    "bursts of 30 briefs on a host with some": lambda: with_bursts(
        weighed((HIDDEN_NEWS, 6), (HIDDEN_BRIEF, 4)), HIDDEN_BRIEF, length=30, every=270
    ),
    "bursts of 30 briefs on a host with few that no address tells": lambda: with_bursts(
        weighed((HIDDEN_NEWS, 9), (HIDDEN_BRIEF, 1)), HIDDEN_BRIEF, length=30, every=270
    ),
    "a section begins without authors": lambda: with_bursts(
        weighed((NEWS, 1)), Kind("quiz", 0, 0.9, 500), length=30, every=400
    ),
    "one section after the other": lambda: (
        lambda _, number: (NEWS, OPINION, BRIEF, Kind("sport", 0.3, 0.9, 900))[number // 250 % 4]
    ),
    "a slow trend": lambda: lambda _, number: trend(number),
    "seasons": lambda: lambda _, number: season(number),
    "long tails": lambda: weighed((Kind("", spread=1.3), 1)),
    "few authors": lambda: weighed((Kind("", 0.3), 1)),
    "rare live blogs of any length": lambda: weighed((HIDDEN_NEWS, 97), (Kind("", characters=80_000, spread=1), 3)),
}


@pytest.mark.parametrize("seed", range(int(os.environ.get("NEWSWARC_TEST_DRIFT_SEEDS", "4"))))
@pytest.mark.parametrize("name", QUIET)
def test_without_a_redesign_no_alarm_in_2000_pages(name: str, seed: int) -> None:
    rng, mix = random.Random(seed), QUIET[name]()
    found = drifts(HOST, (page(rng, number, mix(rng, number), rules=seed % 2 == 0) for number in range(2000)))
    assert not found, "\n".join(map(str, found))


def without(*names: str) -> Callable[[random.Random, Fact], Fact]:
    gone = {*names, *(f"{name}:rule" for name in names)}
    return lambda _, fact: replace(fact, has=fact.has - gone, title=None if "title" in gone else fact.title)


def cut(rng: random.Random, fact: Fact) -> Fact:
    return replace(fact, length=min(fact.length, rng.randint(150, 350)))


def swollen(rng: random.Random, fact: Fact) -> Fact:
    return replace(fact, length=fact.length + rng.randint(6000, 7000))


REDESIGNS: dict[str, tuple[str, Callable[[random.Random, Fact], Fact]]] = {
    "title lost": ("title", without("title")),
    "the site's title": ("title", lambda _, fact: replace(fact, title="News Example")),
    "date lost": ("published", without("published", "time")),
    "time lost": ("time", without("time")),
    "authors lost": ("authors", without("authors")),
    "authors lost, mostly": (
        "authors",
        lambda rng, fact: without("authors")(rng, fact) if rng.random() < 0.95 else fact,
    ),
    "rules lost": ("title:rule", lambda _, fact: replace(fact, has=fact.has - RULES)),
    "nothing read": ("title", lambda _, fact: replace(fact, has=frozenset(), title=None, length=0, kind="error")),
    "cut to the teaser": ("length", cut),
    "swollen by furniture": ("length", swollen),
}
NORMAL: dict[str, Callable[[], Mix]] = {
    "one kind": lambda: weighed((NEWS, 1)),
    "sections": lambda: weighed((NEWS, 6), (OPINION, 3), (BRIEF, 1)),
    "some briefs that no address tells": lambda: weighed((HIDDEN_NEWS, 9), (HIDDEN_BRIEF, 1)),
}


def redesigned(mix: Mix, change: Callable[[random.Random, Fact], Fact], rng: random.Random, old: int) -> Iterator[Fact]:
    for number in range(old + 60):
        fact = page(rng, number, mix(rng, number), rules=True)
        yield change(rng, fact) if number >= old else fact


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mix", NORMAL)
@pytest.mark.parametrize("name", REDESIGNS)
def test_a_redesign_is_told_within_20_of_the_pages_it_shows_in(name: str, mix: str, seed: int) -> None:
    rng = random.Random(seed)
    what, change = REDESIGNS[name]
    old = 300 + 37 * seed
    watch, new = Watch(HOST), 0
    for number, fact in enumerate(redesigned(NORMAL[mix](), change, rng, old)):
        watch.take(fact)
        # A brief has no author to be lost: it is none of the pages that a loss shows in.
        new += number >= old and not (fact.url.startswith(f"https://{HOST}/briefs/") and what in {"authors", "length"})
        if new == 20:
            break
    told = {drift.what: drift for drift in watch.drifts}
    assert what in told, f"after {new} pages only {sorted(told)} is told"
    first = int(told[what].url.rpartition("-")[2])
    assert old - 8 <= first <= old + 8, "it says where it began"
