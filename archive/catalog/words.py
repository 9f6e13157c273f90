"""Words as searches compare them: without case, accents and endings, the same for texts and for queries.

Which endings are taken off goes by a word's letters, not by the language of its page, so that a query needs none:
English ones of Latin letters (by Porter's second algorithm), Russian ones of Cyrillic letters, whose yo is their ye,
Arabic and Greek ones. Words of other languages in these scripts are treated alike on both sides, and found all the
same. Scripts that are written without spaces are searched by their letters, a word being a phrase of them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import Stemmer

# Written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han, their extensions and wide forms.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3031-\u3035\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Marks that stand in words: accents, vowel points, and all of the Indic blocks, whose vowels are marks.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u0900-\u0963\u0966-\u0dff"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}](?:[^\W_{_UNSPACED}]|[{_MARKS}])*")
_CYRILLIC = re.compile("[\u0400-\u052f]")
_STRESS = str.maketrans({"\u0301": "", "\u0300": "", "\u0451": "\u0435"})
_SHORTEST_STEMMED = 3  # characters
LONGEST = 64  # characters of a word that count; what is longer is data

# PyStemmer holds the interpreter's lock in a call, so that threads may share them.
_STEMMERS = {name: Stemmer.Stemmer(name).stemWord for name in ("english", "russian", "arabic", "greek")}
_SCRIPTS = (("\u0370", "\u03ff", "greek"), ("\u0400", "\u052f", "russian"), ("\u0600", "\u06ff", "arabic"))


class Word(NamedTuple):
    """A word in a text: where it stands, and what it is compared by."""

    start: int
    end: int
    term: str


def words(text: str) -> Iterator[Word]:
    """Return the words of *text* in order."""
    for found in _WORD.finditer(text):
        yield Word(found.start(), found.end(), term_of(found[0]))


def terms(text: str | None) -> str:
    """Return what *text* is searched by: the terms of its words, a space between them."""
    return " ".join(map(term_of, _WORD.findall(text))) if text else ""


@functools.lru_cache(maxsize=100_000)  # some 20 MB; nine words of ten in a newspaper
def term_of(word: str) -> str:
    """Return what a word is compared by."""
    plain = folded(word)
    if len(plain) < _SHORTEST_STEMMED:
        return plain
    if plain.isascii():
        return str(_STEMMERS["english"](plain))
    script = next((name for first, last, name in _SCRIPTS if first <= plain[0] <= last), None)
    return str(_STEMMERS[script](plain)) if script else plain


def folded(word: str) -> str:
    """Return a word without case, accents and vowel points."""
    plain = word[:LONGEST].casefold()
    if plain.isascii():
        return plain
    if _CYRILLIC.search(plain):  # of its letters ё alone is written both ways: й without its mark is another one
        return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", plain).translate(_STRESS))
    apart = unicodedata.normalize("NFKD", plain)
    kept = "".join(char for char in apart if not unicodedata.combining(char) and char != "\u0640")
    return kept or plain
