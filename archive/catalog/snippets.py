"""What is shown of an article that was found: its words around those that were looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from archive.catalog.query import Query
from archive.catalog.words import Word, terms, words

WORDS = 24  # in a snippet
LOOKED_AT = (2_000, 50_000)  # characters of a text: where most begin with what they are about, and at most
BEFORE = 4  # words before the first match
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; *found* when it is a word that was looked for."""

    text: str
    found: bool = False


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage in pieces. As text, what was found stands in brackets."""

    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        return "".join(f"[{piece.text}]" if piece.found else piece.text for piece in self.pieces)


def snippet(query: Query, *texts: str | None) -> Snippet | None:
    """Return the passage in which most of *query*'s words stand, of the first of *texts* that has any."""
    for text in texts:
        found = _passage(query, text or "")
        if found is not None:
            return found
    return None


def marked(query: Query, text: str) -> Snippet:
    """Return the whole of *text* in pieces."""
    return Snippet(tuple(_pieces(text, [word for word in words(text) if query.matches(word.term)], 0, len(text))))


def _passage(query: Query, text: str) -> Snippet | None:
    for length in LOOKED_AT:
        every = terms(text[:length]).split()
        at = [number for number, term in enumerate(every) if query.matches(term)]
        if not at:
            continue
        best = max(range(len(at)), key=lambda first: (_distinct(every, at, first), -first))
        if length >= len(text) or length == LOOKED_AT[-1] or _distinct(every, at, best) > 1 or query.is_one_word:
            return _around(query, text, max(0, at[best] - BEFORE))
    return None


def _around(query: Query, text: str, begin: int) -> Snippet:
    """Return the passage that begins with word number *begin*, or before where the text ends soon."""
    some = list(islice(words(text), begin, begin + WORDS + 1))
    if len(some) <= WORDS and begin:
        some = list(words(text))
        begin = max(0, len(some) - WORDS)
        some = some[begin:]
    is_last = len(some) <= WORDS
    start, end = some[0].start if begin else 0, len(text) if is_last else some[WORDS - 1].end
    pieces = _pieces(text, [word for word in some[:WORDS] if query.matches(word.term)], start, end)
    around = Piece(ELLIPSIS)
    return Snippet((*((around,) if start else ()), *pieces, *((around,) if end < len(text) else ())))


def _distinct(every: Sequence[str], at: Sequence[int], first: int) -> int:
    """Return how many different words of the query stand in the passage that begins with match number *first*."""
    near = (every[number] for number in at[first : first + WORDS] if number < at[first] + WORDS - BEFORE)
    return len(set(near))


def _pieces(text: str, found: list[Word], start: int, end: int) -> Iterator[Piece]:
    for word in found:
        if word.start > start:
            yield Piece(text[start : word.start])
        yield Piece(text[word.start : word.end], found=True)
        start = word.end
    if start < end:
        yield Piece(text[start:end])
