"""What is usual in the part of a site that a page belongs to, and among pieces of its kind there."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

KNOWN = 8  # pages after which a section is known
UNNAMED_KNOWN = 40  # the same for pages without a section: they may come from a redesign in which none is told
FADING = 0.997  # of what is known of a section, at each page: some three hundred of its last pages count
UNNAMED = ""
NAMED = re.compile(r"[^\W\d]+(?:[-_][^\W\d]+){0,2}")  # a year, a number or a headline names no section


def section_of(url: str, told: str | None) -> str:
    """Return the section: the first part of the path when it looks like one and others follow, else the one *told*.

    The address outlives a redesign more often than what pages say of themselves.
    """
    try:
        first, _, rest = urlsplit(url).path.strip("/").partition("/")
    except ValueError:
        first = rest = ""
    if rest and len(first) <= 30 and NAMED.fullmatch(first):
        return first.lower()
    return (told or UNNAMED).casefold()


@dataclass(slots=True)
class _Seen:
    pages: int = 0
    weight: float = 0.0
    total: float = 0.0

    def learn(self, value: float) -> None:
        self.pages += 1
        self.weight = self.weight * FADING + 1
        self.total = self.total * FADING + value

    @property
    def mean(self) -> float:
        return self.total / self.weight


@dataclass(slots=True)
class Usual:
    """The mean of a value in each section, and among the pieces of each kind in it.

    A section that is not known yet tells nothing: its pages may well be of a kind of their own. Pages without any are
    compared with all, until there are so many that they are one more section.
    """

    _means: dict[Hashable, _Seen] = field(default_factory=dict)

    def in_section(self, section: str) -> float | None:
        """Return the mean in *section*, None when it is not known."""
        if self._knows(section):
            return self._means[section].mean
        return self.anywhere() if section == UNNAMED else None

    def of_kind(self, section: str, kind: Hashable) -> float | None:
        """Return the mean among the pieces of that *kind* in *section*; in all of it when those are not known."""
        own = self._means.get((section, kind))
        if own is not None and own.pages >= KNOWN and self._knows(section):
            return own.mean
        return self.in_section(section)

    def anywhere(self) -> float | None:
        """Return the mean of all pages, None when there was none."""
        return self._means[None].mean if None in self._means else None

    def learn(self, section: str, kind: Hashable, value: float) -> None:
        keys: Iterable[Hashable] = (None, section, (section, kind))
        for key in keys:
            self._means.setdefault(key, _Seen()).learn(value)

    def _knows(self, section: str) -> bool:
        own = self._means.get(section)
        return own is not None and own.pages >= (UNNAMED_KNOWN if section == UNNAMED else KNOWN)


def size_of(length: int) -> int:
    """Return the order of magnitude of a text of *length* characters, in powers of four: a brief is no report."""
    return int(math.log(max(length, 1), 4))
