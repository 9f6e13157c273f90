"""What people type into a search field, as a query of terms that SQLite's FTS5 cannot stumble over.

    ceasefire talks            both words            "cease fire"        one phrase, «…» and “…” too
    ceasefire OR truce         either                peace* -yesterday   beginning of a word; without that word
    title:truce author:"N N"   in one field          (a OR b) c          grouped

Operators are in capitals (``AND``, ``OR``, ``NOT``). Anything else is taken as words, so punctuation never fails; a
quote left open ends with the text. Words are compared as :mod:`archive.catalog.words` says: endings, case and accents
do not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.catalog.words import folded, words

FIELDS = ("title", "authors", "section", "tags", "description", "text")

_NAMES = {**{name: name for name in FIELDS}, "author": "authors", "tag": "tags"}
_MAX_DEPTH = 20  # FTS5's parser has a small stack
_MAX_TERMS = 200
_QUOTES = str.maketrans("“”„«»\0", '""""" ')  # one for one: positions stay
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>-?\() | (?P<close>\))
      | (?P<operator>(?:AND|OR|NOT)(?=[\s()"]|$))
      | (?P<minus>-(?=[\w"]))?
        (?:(?P<field>[A-Za-z]+):(?=["\w]))?
        (?:"(?P<phrase>[^"]*)"? | (?P<word>[^\s()"]+))
    )""",
    re.VERBOSE,
)


class QueryError(ValueError):
    """A search query that cannot be read; *position* counts its characters from 0."""

    def __init__(self, query: str, position: int, reason: str) -> None:
        super().__init__(f"cannot search for {query!r}: {reason}, at character {position + 1}")
        self.query, self.position, self.reason = query, position, reason


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "(", ")", "AND", "OR", "NOT", "term", "end"
    at: int
    text: str = ""  # of a term, in FTS5 syntax; empty when it holds no letter or digit
    excluded: bool = False
    whole: frozenset[str] = frozenset()  # the terms in it
    starts: tuple[str, ...] = ()  # and beginnings of terms


@dataclass(frozen=True, slots=True)
class Query:
    """A query that has a meaning. *fts5* is what the full-text index is asked; the rest is what a match is shown by."""

    fts5: str
    whole: frozenset[str] = frozenset()  # terms
    starts: tuple[str, ...] = ()  # beginnings of terms

    @property
    def is_one_word(self) -> bool:
        """Whether there is nothing to be found beside one word."""
        return len(self.whole) + len(self.starts) == 1

    def matches(self, term: str) -> bool:
        """Tell whether a word's *term* is one that is looked for."""
        return term in self.whole or (bool(self.starts) and term.startswith(self.starts))


def read(query: str) -> Query:
    """Return what *query* means. Raises :class:`QueryError`, saying where, when it has no meaning."""
    tokens = _tokens(query)
    if sum(token.kind == "term" for token in tokens) > _MAX_TERMS:
        raise QueryError(query, 0, f"it has more than {_MAX_TERMS} words")
    parser = _Parser(query, tokens)
    found = parser.either(0)
    if parser.now.kind == ")":
        raise QueryError(query, parser.now.at, "a closing bracket that nothing opened")
    if not found:
        raise QueryError(query, 0, "there is no word in it")
    shown = [token for token in tokens if not token.excluded]
    return Query(
        found,
        frozenset().union(*(token.whole for token in shown)),
        tuple(start for token in shown for start in token.starts),
    )


def _tokens(query: str) -> list[_Token]:
    text = query.translate(_QUOTES).encode(errors="replace").decode().rstrip()
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None  # a word takes whatever nothing else takes
        start = match.end() - len(match[0].lstrip())
        at = match.end()
        if match["open"]:
            tokens.append(_Token("(", start, excluded=match["open"].startswith("-")))
        elif match["close"]:
            tokens.append(_Token(")", start))
        elif match["operator"]:
            tokens.append(_Token(match["operator"], start))
        else:
            tokens.append(_term(match, start))
    return [*tokens, _Token("end", len(text))]


def _term(match: re.Match[str], at: int) -> _Token:
    word = match["phrase"] if match["word"] is None else match["word"]
    star = match["word"] is not None and word.endswith("*")
    name = _NAMES.get((match["field"] or "").lower())
    if match["field"] and name is None:  # "12:30", "Re:plan": no field of ours, so words
        word = f"{match['field']}:{word}"
    every = list(words(word))
    if not every:
        return _Token("term", at, excluded=bool(match["minus"]))
    found, starts = [each.term for each in every], tuple[str, ...]()
    last = folded(word[every[-1].start : every[-1].end])
    text = f'"{" ".join(found)}"'
    if star:  # the index holds what is left of words without their endings: "ferries*" is to find "ferri"
        start = found.pop()
        starts = (start if last.startswith(start) else last,)
        text = f'"{" ".join([*found, *starts])}" *'
    elif match["word"] and len(every) == 1 and last != found[0]:
        # What one form loses as an ending may be another's stem: Russian for a ferry is also "by steam".
        text = f'("{found[0]}" OR "{last}")'
        found.append(last)
    text = f"{name} : {text}" if name else text
    return _Token("term", at, text, bool(match["minus"]), frozenset(found), starts)


class _Parser:
    """Recursive descent; each method returns FTS5 text, empty where nothing is left to search for."""

    def __init__(self, query: str, tokens: list[_Token]) -> None:
        self._query, self._tokens, self._next = query, tokens, 0

    @property
    def now(self) -> _Token:
        return self._tokens[self._next]

    def either(self, depth: int) -> str:
        """Read alternatives parted by OR."""
        parts = [self._all(depth)]
        while self.now.kind == "OR":
            self._next += 1
            parts.append(self._all(depth))
        parts = [part for part in parts if part]
        return parts[0] if len(parts) == 1 else " OR ".join(f"({part})" for part in parts)

    def _all(self, depth: int) -> str:
        """Read what must stand together, and what must not."""
        wanted: list[str] = []
        unwanted: list[str] = []
        first = self.now
        if first.kind in {"AND", "OR", "end"} and (self._next or first.kind != "end"):
            raise QueryError(self._query, first.at, self._missing(first))
        while self.now.kind not in {"OR", ")", "end"}:
            exclude = False
            if self.now.kind in {"AND", "NOT"}:
                exclude = self.now.kind == "NOT"
                self._next += 1
                if exclude is False and self.now.kind == "NOT":  # a AND NOT b
                    exclude = True
                    self._next += 1
                if self.now.kind not in {"term", "("}:
                    raise QueryError(self._query, self.now.at, self._missing(self.now))
            exclude = exclude or self.now.excluded
            if part := self._unit(depth):
                (unwanted if exclude else wanted).append(part)
        if unwanted and not wanted:
            raise QueryError(self._query, first.at, "only words to leave out, none to find")
        found = " AND ".join(wanted)
        return f"({found}) NOT ({' OR '.join(unwanted)})" if unwanted else found

    def _unit(self, depth: int) -> str:
        token = self.now
        self._next += 1
        if token.kind == "term":
            return token.text
        if depth >= _MAX_DEPTH:
            raise QueryError(self._query, token.at, f"brackets more than {_MAX_DEPTH} deep")
        found = self.either(depth + 1)
        if self.now.kind != ")":
            raise QueryError(self._query, token.at, "an opening bracket that nothing closes")
        self._next += 1
        return f"({found})" if found else ""

    def _missing(self, token: _Token) -> str:
        before = self._tokens[self._next - 1].kind if self._next else ""
        operator = token.kind if token.kind in {"AND", "OR"} else before
        return f"a word is missing beside {operator}"
