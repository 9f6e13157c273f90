"""Observed change: what differs between two readings of one article, field by field and paragraph by paragraph.

Both readings must come of the same extractor, or what differs may be the extractors' doing: :func:`alike` tells. What
changes by itself is no change of the article: blanks, how text is cut into paragraphs, the order of tags, another
spelling of the same moment, counters of views and comments, "3 minutes ago", a field that only one design of a site
gives.

    changes(before, after) ─┬ fields   title, authors, published, modified, section, tags
                            └ text     paragraphs added, removed, changed, moved
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archive.article import Article

FIELDS = ("title", "authors", "published", "modified", "section", "tags")
ALIKE = 0.4  # of the words of two paragraphs in common: one is the other, rewritten
MOST_COMPARED = 64  # paragraphs removed, or added, in one place that are compared pair by pair; of more the first

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_COUNTED = (
    r"(?:page\s?)?views?|reads?|readers?|comments?|shares?|likes?|reactions?|просмотр\w*|комментари\w*|aufrufe?|"
    r"kommentare?|vues?|commentaires?|vistas|comentarios"
)
_COUNTER = re.compile(
    rf"(?:\d[\d.,\u00a0 ]*[km]?\s+(?:{_COUNTED})|(?:{_COUNTED})\s*:?\s*\(?\d[\d.,]*[km]?\)?)", re.IGNORECASE
)
_AGO = re.compile(
    r"(?:\w+:?\s+){0,2}(?:\d+|an?|few)\s+(?:seconds?|minutes?|mins?|hours?|days?|weeks?|months?|years?)\s+ago",
    re.IGNORECASE,
)
_LONGEST_COUNTER = 80  # characters of a paragraph that is nothing but counters
_MOST_WORDS = 8  # of it


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A paragraph before and after."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TextChange:
    """How paragraphs differ, each in the order of the text it stands in."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Rewritten, ...] = ()
    moved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.moved)


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs. It is true when anything does; :attr:`only_modified` when that is only the time of the last change.

    *fields* holds, by name, the value before and after.
    """

    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    text: TextChange = field(default_factory=TextChange)

    def __bool__(self) -> bool:
        return bool(self.fields or self.text)

    @property
    def names(self) -> list[str]:
        """The names of what differs, ``text`` last."""
        return [*self.fields, *(["text"] if self.text else [])]

    @property
    def only_modified(self) -> bool:
        """Whether nothing but ``modified`` differs: the page says it was changed, and nothing shows how."""
        return self.names == ["modified"]


def alike(before: Article, after: Article) -> bool:
    """Tell whether two readings come of the same extractor: name, version, rules, and what it had learned."""
    return before.extractor == after.extractor


def changes(before: Article, after: Article) -> Changes:
    """Return what differs between two readings of one article.

    That both show the article, and no wall, stub or error page, and that they are :func:`alike`, is for the caller to
    see to.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for name in FIELDS:
        old, new = getattr(before, name), getattr(after, name)
        if _normal(name, old) == _normal(name, new) or (name in _TIMES and _is_same_time(old, new)):
            continue
        if (old and new) or _is_same_design(before, after):
            found[name] = (old, new)
    return Changes(found, text_change(before.text, after.text))


def text_change(before: str, after: str) -> TextChange:
    """Return how the paragraphs of two texts differ.

    Paragraphs are parted by a blank line. Time grows with the number of paragraphs times its logarithm, whatever they
    are.
    """
    old, new = _paragraphs(before), _paragraphs(after)
    if "".join(old).replace(" ", "") == "".join(new).replace(" ", ""):
        return TextChange()  # the same words, set in other paragraphs
    pairs = _same(old, new)
    kept = _in_order(pairs)
    moved = [new[at] for at in sorted(new_at for old_at, new_at in pairs.items() if old_at not in kept)]
    fresh = set(pairs.values())
    added: list[str] = []
    removed: list[str] = []
    changed: list[Rewritten] = []
    for gone, come in _gaps(len(old), len(new), kept):
        was = [old[at] for at in gone if at not in pairs]
        now = [new[at] for at in come if at not in fresh]
        for one, other in _rewritten(was, now):
            changed.append(Rewritten(was[one], now[other]))
            was[one] = now[other] = ""
        removed += filter(None, was)
        added += filter(None, now)
    return TextChange(tuple(added), tuple(removed), tuple(changed), tuple(moved))


# ---- fields


def _is_same_design(before: Article, after: Article) -> bool:
    """Tell whether two pages give what both have in the same places, so that what one lacks was taken out or put in.

    A field that a page gives since its site was redesigned is no edit of the article.
    """
    return all(
        before.sources.get(name) == after.sources.get(name)
        for name in FIELDS
        if getattr(before, name) and getattr(after, name)
    )


_TIMES = frozenset({"published", "modified"})


def _normal(name: str, value: Any) -> Any:
    if name == "tags":
        return {plain(tag).casefold() for tag in value}
    if name == "authors":
        return [plain(author) for author in value]
    if name == "section":
        return plain(value or "").casefold()
    return plain(value) if isinstance(value, str) else value


def plain(text: str) -> str:
    """Return *text* as it is compared: blanks are one blank, what cannot be seen does not count."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def _is_same_time(before: str | None, after: str | None) -> bool:
    """Tell whether two times name the same moment, or one of them the day of the other."""
    try:
        one, other = datetime.fromisoformat(before or ""), datetime.fromisoformat(after or "")
    except ValueError:
        return False
    if len(before or "") == len("2026-01-01") or len(after or "") == len("2026-01-01"):
        return one.date() == other.date()
    if one.tzinfo is None or other.tzinfo is None:  # one reading knows the zone, the other does not
        return one.replace(tzinfo=None) == other.replace(tzinfo=None)
    return one == other


# ---- paragraphs


def _paragraphs(text: str) -> list[str]:
    found = (plain(paragraph) for paragraph in re.split(r"\n\s*\n", text))
    return [paragraph for paragraph in map(_lasting, found) if paragraph]


def _lasting(paragraph: str) -> str:
    """Return *paragraph*; nothing when it only counts readers, or says how long ago something was."""
    if len(paragraph) > _LONGEST_COUNTER or paragraph.count(" ") >= _MOST_WORDS:
        return paragraph
    rest = _AGO.sub("", _COUNTER.sub("", paragraph))
    return paragraph if rest == paragraph or re.search(r"\w", rest) else ""


def _same(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Return where each paragraph of *old* stands in *new*; of equal ones the first is the first."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for at, paragraph in enumerate(new):
        places[paragraph].append(at)
    return {at: places[paragraph].popleft() for at, paragraph in enumerate(old) if places.get(paragraph)}


def _in_order(pairs: dict[int, int]) -> dict[int, int]:
    """Return the most of *pairs* that stand in the same order in both texts: the others were moved."""
    ends: list[int] = []  # of the best row of each length, where it ends in the new text
    whose: list[int] = []
    before: dict[int, int | None] = {}
    for old_at, new_at in pairs.items():  # in the order of the old text
        length = bisect_left(ends, new_at)
        before[old_at] = whose[length - 1] if length else None
        if length == len(ends):
            ends.append(new_at)
            whose.append(old_at)
        else:
            ends[length], whose[length] = new_at, old_at
    kept: dict[int, int] = {}
    last = whose[-1] if whose else None
    while last is not None:
        kept[last] = pairs[last]
        last = before[last]
    return dict(sorted(kept.items()))


def _gaps(old: int, new: int, kept: dict[int, int]) -> Iterator[tuple[range, range]]:
    """Yield what stands between two paragraphs that were kept, in both texts."""
    old_from = new_from = 0
    for old_at, new_at in [*kept.items(), (old, new)]:
        yield range(old_from, old_at), range(new_from, new_at)
        old_from, new_from = old_at + 1, new_at + 1


def _rewritten(was: Sequence[str], now: Sequence[str]) -> list[tuple[int, int]]:
    """Return which of *was* is which of *now* in other words, each once, in the order of the text."""
    if not was or not now:
        return []
    olds, news = ([_words(text) for text in some[:MOST_COMPARED]] for some in (was, now))
    likeness = [
        (-share, one, other)
        for one, old in enumerate(olds)
        for other, new in enumerate(news)
        if (share := _share(old, new)) >= ALIKE
    ]
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in sorted(likeness):
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return sorted(found.items())


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()[:20_000])) or frozenset({text})


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
