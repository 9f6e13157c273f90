"""Texts that are copies of one another, but for a few words: found by MinHash, confirmed by comparison.

A text is the set of its shingles, runs of three words in a row; how alike two are is the share of all their shingles
that is common to both (Jaccard). MinHash, by ``rensa``, whose home this is, makes 96 numbers of each text, of which two
texts share as large a part as they are alike. Six numbers in a row are a band, and texts with one of 16 bands in common
are compared: of texts alike by 0.8 that is 99 in 100, by 0.5 one in five, by 0.3 one in a hundred.

What counts as a copy is written down in ``docs/same-article.md``.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple
from zlib import crc32

LEAST_WORDS = 80  # shorter texts are not looked at: briefs and notices have too little to tell them apart by
LEAST_ALIKE = 0.8
BANDS, ROWS = 16, 6
BAND_BYTES = 8
SKETCHED_WORDS = 20_000

_SEED = 1
_BAND = f"<{1 + ROWS}I"
# Writing without spaces counts by the character: Thai, Lao, Burmese, Khmer, kana, Han.
_SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+")
_DIGIT = re.compile(r"\d")
_SLACK = 0.15  # nearly four times the standard deviation of an estimate at 0.8 from 96 numbers
_ALIKE_TITLES = 0.5
_LEAST_NUMBERS = 0.8  # of the numbers in the text that has fewer
_LEAST_OWN = 0.05  # of its shingles
_LEAST_AGREED = 0.5
_AGREED_WORDS = 20
_DAYS = 3  # an agency's text is printed within days, an edition of a column comes a week later


class Sketch(NamedTuple):
    """What the catalogue keeps of a text. Equal words give an equal *fingerprint*; *bands* are 16 keys of 8 bytes."""

    fingerprint: bytes
    bands: bytes
    numbers: bytes  # the 96, of four bytes
    figures: bytes  # of each number in the text four bytes, sorted


@dataclass(frozen=True, slots=True)
class About:
    """What tells articles apart beside their texts. *title* is its words, *site* as ``site_of`` gives it."""

    title: frozenset[str]
    published: date | None
    site: str

    @classmethod
    def of(cls, title: str | None, published: str | None, site: str) -> About:
        try:
            day = date.fromisoformat((published or "")[:10])
        except ValueError:
            day = None
        return cls(frozenset(words_of(title or "")), day, site)


@dataclass(frozen=True, slots=True)
class Text:
    words: tuple[str, ...]
    shingles: frozenset[str]
    figures: frozenset[str]  # words with a digit in them

    @classmethod
    def of(cls, text: str) -> Text:
        words = words_of(text)
        return cls(tuple(words), shingles_of(words), frozenset(filter(_DIGIT.search, words)))


def words_of(text: str) -> list[str]:
    """Return the words of *text* without what typesetting changes: case, width and ligatures, marks between them."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def shingles_of(words: list[str]) -> frozenset[str]:
    return frozenset(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


def sketch(text: str) -> Sketch | None:
    """Return what copies of *text* are found by; None when it is too short to have any."""
    words = words_of(text)
    if len(words) < LEAST_WORDS:
        return None
    # Loading it reserves a gigabyte of address space, which is all that a worker that parses pages may have.
    from rensa import RMinHash  # noqa: PLC0415

    minhash = RMinHash(num_perm=BANDS * ROWS, seed=_SEED)
    minhash.update(list(shingles_of(words[:SKETCHED_WORDS])))
    numbers = minhash.digest()
    bands = (
        sha256(struct.pack(_BAND, band, *numbers[band * ROWS : (band + 1) * ROWS])).digest()[:BAND_BYTES]
        for band in range(BANDS)
    )
    fingerprint = sha256(" ".join(words).encode(errors="surrogatepass")).digest()[:BAND_BYTES]
    figures = sorted({crc32(word.encode(errors="surrogatepass")) for word in filter(_DIGIT.search, set(words))})
    return Sketch(
        fingerprint,
        b"".join(bands),
        struct.pack(f"<{len(numbers)}I", *numbers),
        struct.pack(f"<{len(figures)}I", *figures),
    )


class Hint(NamedTuple):
    """What is known of a text without reading it: the *numbers* and *figures* of its sketch.

    Of a template that is filled in daily there are thousands of texts; to read all of them would take seconds.
    """

    numbers: tuple[int, ...]
    figures: frozenset[int]

    @classmethod
    def of(cls, numbers: bytes, figures: bytes) -> Hint:
        return cls(_unpacked(numbers), frozenset(_unpacked(figures)))


def _unpacked(numbers: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(numbers) // 4}I", numbers)


def may_be_copied(a: Hint, b: Hint) -> bool:
    """Tell whether it is worth while to look at what two articles say of themselves."""
    equal = sum(map(int.__eq__, a.numbers, b.numbers)) / len(a.numbers)
    return equal >= LEAST_ALIKE - _SLACK and _most_of(a.figures, b.figures)


def may_be(a: Hint, b: Hint, one: About, other: About) -> bool:
    """Tell whether it is worth while to compare two texts.

    Each of the numbers is the least of something over all shingles, so a text that has all of another's has none that
    is greater.
    """
    if distinct(one, other):
        return False
    return (
        not _apart(one, other)
        or all(map(int.__le__, a.numbers, b.numbers))
        or all(map(int.__ge__, a.numbers, b.numbers))
    )


def similarity(a: Text, b: Text) -> float:
    """Return how alike two texts are, from 0 to 1: the common part of their shingles."""
    common = len(a.shingles & b.shingles)
    return common / (len(a.shingles) + len(b.shingles) - common) if common else float(a.words == b.words)


def distinct(a: About, b: About) -> bool:
    """Tell whether two articles are two, whatever text they share: one site's, of two days, with two titles.

    Such a text is a template, or stands in the place of texts that are paid for.
    """
    return a.site == b.site and _days(a, b) > 0 and not _titles_alike(a, b)


def copied(a: Text, b: Text, one: About, other: About) -> float | None:
    """Return how alike two texts are when one is a copy of the other; None when they only have much in common."""
    if min(len(a.words), len(b.words)) < LEAST_WORDS or distinct(one, other):
        return None
    alike = similarity(a, b)
    if alike < LEAST_ALIKE or not _most_of(a.figures, b.figures):  # other numbers: next week's rates, results, forecast
        return None
    # What is cut or added is one text's own; a template filled in twice leaves words of its own in both.
    own = min(len(a.shingles - b.shingles), len(b.shingles - a.shingles))
    if own and _apart(one, other):
        return None
    if own > _LEAST_OWN * min(len(a.shingles), len(b.shingles)) and not _titles_alike(one, other):
        return None
    return alike


def agree(a: Text, b: Text, one: About, other: About) -> bool:
    """Tell whether two texts bear out that one is a form of the other, as an address or a page says.

    A version may be cut, updated, or have a whole sidebar with it: half of the shorter is enough. Of pages with hardly
    any text the titles must be equal.
    """
    if min(len(a.words), len(b.words)) < _AGREED_WORDS:
        return bool(one.title) and one.title == other.title
    common = len(a.shingles & b.shingles)
    return common >= _LEAST_AGREED * min(len(a.shingles), len(b.shingles))


def _apart(a: About, b: About) -> bool:
    """Tell whether two articles were published so far apart that one may only be a part of the other."""
    return _days(a, b) > (0 if a.site == b.site else _DAYS)


def _days(a: About, b: About) -> int:
    return abs((a.published - b.published).days) if a.published and b.published else 0


def _titles_alike(a: About, b: About) -> bool:
    if not a.title or not b.title:
        return True
    return len(a.title & b.title) >= _ALIKE_TITLES * len(a.title | b.title)


def _most_of(one: Set[Any], other: Set[Any]) -> bool:
    fewer = min(len(one), len(other))
    return not fewer or len(one & other) >= _LEAST_NUMBERS * fewer
