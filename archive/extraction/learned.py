"""What is known of a host's pages from those read before: lines that repeat, and where the text stands.

A block that stands on several distinct pages of a host is furniture, whatever it says and however it is marked: an
appeal, a newsletter box, a disclaimer. The element that held the text on page after page holds it on the next; there
the rest of the page need not be read. Values only: ``archive.learning`` gathers and keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from lxml.html import HtmlElement

from archive.extraction.prose import HEADINGS, Block

LEAST_LETTERS = 10  # characters of a line that may be known again; "Yes." and "More" say nothing
LONGEST_ATTRIBUTION = 160  # characters
ATTRIBUTION = re.compile(  # who else had a hand in a text: it repeats, and is text all the same
    r"\b(?:contributed|reporting|reported|edit(?:ed|ing)|with\s+(?:files|material|agencies)|translat(?:ed|ion)|photograph\w*|"
    r"first\s+(?:published|appeared)|originally\s+published|mitarbeit|mit\s+material|übersetz\w+|avec\s+(?:afp|reuters)|"
    r"con\s+información|con\s+la\s+colaboración|reuters|afp|associated\s+press|\bap\b|dpa|efe|ansa|интерфакс|тасс|перев[её]л\w*)\b",
    re.IGNORECASE,
)
LONGEST_CORRECTION = 400  # characters
CORRECTION = re.compile(  # what was changed in a text: the same words may stand under many
    r"\bcorrect(?:ed|ion|ions)\b|\bclarif\w+|\beditors?.?s?.?\s+note\b|\b(?:earlier|previous)\s+version\b|"
    r"\bthis\s+(?:article|story|report|piece|page)\s+(?:was|has\s+been)\s+(?:updated|amended|changed|edited|revised)\b|"
    r"\bkorrektur\b|\bkorrigiert\b|\bberichtig\w+|\banm(?:erkung|\.)\s*d(?:er|\.)\s*red|\bfrüheren\s+(?:version|fassung)\b|"
    r"\brectifi\w+|\bcorrectif\b|\bversion\s+antérieure\b|\bcorrección\b|\bfe\s+de\s+erratas?\b|\bversión\s+anterior\b|"
    r"\berrata\s+corrige\b|\brettific\w+|\bисправлен\w*|\bуточн[её]н\w*|\bпоправк\w+|更正|訂正|تصحيح",  # noqa: RUF001 - Russian
    re.IGNORECASE,
)
HEADLINE_LEVELS = 4  # above a text's home at which its headline is looked for
REGION_LEVELS = 6  # and at which an element around both
READ_WHOLE_ONE_IN = 16  # pages of a known layout are read whole, to see that it still holds


class Region(NamedTuple):
    """What tells one element of a page from all others: its tag, with the value of an attribute if it takes one."""

    tag: str
    name: str = ""  # "class" or "id"; "" for the only element of its tag
    value: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a host's pages have their text: an element's tag and first class, and those of its parent.

    *complete* says that the data of its pages have named every author that the pages show. *region* is the element
    around headline and text; *cut* says whether pages
    of which no more than that was parsed have given the same articles, ``None`` while too few have been tried.
    """

    tag: str
    label: str
    parent_tag: str
    parent_label: str
    complete: bool = False
    region: Region | None = None
    cut: bool | None = None

    def find(self, root: HtmlElement) -> HtmlElement | None:
        """Return the element of this description in a page, ``None`` when there is none or more than one."""
        found = None
        for element in root.iter(self.tag):
            parent = element.getparent()
            if _label(element) != self.label or parent is None:
                continue
            if parent.tag == self.parent_tag and _label(parent) == self.parent_label:
                if found is not None:
                    return None
                found = element
        return found

    def is_place_of(self, other: Layout) -> bool:
        """Tell whether two layouts have the text in the same place."""
        return self.place == other.place

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The element and its parent."""
        return self.tag, self.label, self.parent_tag, self.parent_label


@dataclass(frozen=True, slots=True)
class Learned:
    """What a host's earlier pages tell of its next: fingerprints of lines that repeat, and the layout if it is sure."""

    repeated: frozenset[int] = frozenset()
    layout: Layout | None = None

    @property
    def digest(self) -> str | None:
        """Return a short digest of what is known, ``None`` when nothing is: two equal ones read a page alike."""
        if not self.repeated and self.layout is None:
            return None
        known = repr((sorted(self.repeated), self.layout))
        return blake2b(known.encode(), digest_size=8).hexdigest()


NOTHING = Learned()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one page adds: fingerprints of the lines of its text before repeated ones were left out.

    *layout* is where the text stood, when the whole page was read to find it there and there alone; *whole* tells
    whether it was. *cut* tells whether the page, cut to its region, gave the same article, where that was tried.
    """

    lines: tuple[int, ...] = ()
    title: int | None = None  # fingerprint
    layout: Layout | None = None
    whole: bool = True
    cut: bool | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that is not in the text, and why; *line* is its fingerprint where it is known to repeat."""

    text: str
    why: str
    line: int | None = None


def fingerprint(text: str) -> int | None:
    """Return 63 bits that stand for a line, whatever its case, ``None`` when it is too short to be known again."""
    if len(text) < LEAST_LETTERS:
        return None
    return int.from_bytes(blake2b(text.casefold().encode(errors="replace"), digest_size=8).digest()) >> 1


def layout_of(home: HtmlElement, root: HtmlElement, *, complete: bool) -> Layout | None:
    """Return the layout that has the text in *home*, ``None`` when it would not find just that in the page."""
    parent = home.getparent()
    if parent is None or home.tag in {"body", "html"} or not _label(home) + _label(parent):
        return None
    layout = Layout(str(home.tag), _label(home), str(parent.tag), _label(parent), complete, _region_of(home, root))
    return layout if layout.find(root) is home else None


def _region_of(home: HtmlElement, root: HtmlElement) -> Region | None:
    """Return what tells the element around text and headline from all others, ``None`` when nothing does.

    It is the article or main element around both, else the least with both.
    """
    around = [home, *islice(home.iterancestors(), REGION_LEVELS)]
    headed = next((at for at, element in enumerate(around) if next(element.iter("h1"), None) is not None), None)
    if headed is None:
        return None
    whole = next((element for element in around[headed:] if element.tag in {"article", "main"}), around[headed])
    if whole.tag in {"body", "html"}:
        return None
    tag = str(whole.tag)
    for name in ("class", "id"):
        value = whole.get(name)
        if value and sum(1 for other in root.iter(tag) if other.get(name) == value) == 1:
            return Region(tag, name, value)
    return Region(tag) if sum(1 for _ in root.iter(tag)) == 1 else None


def unrepeated(text: list[Block], lines: Sequence[int | None], repeated: frozenset[int]) -> list[Block]:
    """Return the blocks of a text, whose fingerprints are *lines*, without those that are known to repeat.

    Attributions and sub-headings stay; headings under which nothing is left go with it.
    """
    if repeated.isdisjoint(lines):
        return text
    pairs = list(zip(text, lines, strict=True))
    left = [(block, line) for block, line in pairs if line not in repeated or _stays(block)]
    result = []
    for at, (block, line) in enumerate(left):
        below = left[at + 1][0] if at + 1 < len(left) else None
        if block.tag in HEADINGS and line in repeated and (below is None or below.tag in HEADINGS):
            continue
        result.append(block)
    return result


def _stays(block: Block) -> bool:
    """Tell whether a line that repeats is text all the same: a sub-heading, or one that speaks of the text."""
    if block.tag in HEADINGS:
        return True
    return not block.linked and is_of_the_text(block.text)


def is_of_the_text(line: str) -> bool:
    """Tell whether a line that repeats speaks of the text it stands by: who had a hand in it, what was corrected."""
    return (len(line) <= LONGEST_ATTRIBUTION and ATTRIBUTION.search(line) is not None) or (
        len(line) <= LONGEST_CORRECTION and CORRECTION.search(line) is not None
    )


def is_read_whole(url: str) -> bool:
    """Tell whether the page at *url* is one of those read whole although the layout is known."""
    return blake2b(url.encode(errors="replace"), digest_size=2).digest()[0] % READ_WHOLE_ONE_IN == 0


def _label(element: HtmlElement) -> str:
    return next(iter((element.get("class") or element.get("id") or "").split()), "")
