"""Groups of articles that show one text at several addresses. Nothing is merged: each stays an article of its own.

A group is whatever hangs together by the links of :mod:`archive.catalog.relations`. Its editions in other languages
are the same work and not the same text: they are groups of their own, related to it.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from archive.catalog.identity import normalised
from archive.catalog.relations import Link, Member, Reached, Relations, Search


@dataclass(frozen=True)
class Same:
    """Another address of an article.

    *reason* is ``same-address``, ``canonical``, ``amp``, ``print``, ``article-id``, ``near-copy`` or ``language``.
    *via* is the address it was reached by, None when that is the article's own. *similarity* is that of the texts, from
    0 to 1; None for other languages.
    """

    url: str
    reason: str
    similarity: float | None
    language: str | None
    via: str | None


@dataclass(frozen=True)
class Group:
    """*id* is the identity of the member that was captured first: so it stays while the archive grows."""

    id: str
    urls: tuple[str, ...]  # in the order of their first capture


class Groups:
    """The groups of one catalogue; it must not change meanwhile."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._relations = Relations(db)
        self._members = lru_cache(maxsize=256)(self._reach)
        self._known: dict[str, Group] = {}

    def group(self, identity: str) -> Group:
        """Return the group of the article; of one that is not listed, itself alone."""
        if identity not in self._known:
            reached = self._members(identity)
            seen = sorted((v.captured_at, name, v.url) for name, one in reached.items() for v in one.member.versions)
            found = Group(seen[0][1] if seen else identity, tuple(dict.fromkeys(url for _, _, url in seen)))
            self._known |= dict.fromkeys([identity, *reached], found)
        return self._known[identity]

    def same_as(self, identity: str, url: str) -> list[Same]:
        """Return the other addresses of the article that *url* shows: those of its group, then other languages'."""
        found: list[Same] = []
        reached = self._members(identity)
        for name, one in reached.items():
            start, newest = reached[identity].member, one.member.newest
            others = [other for other in one.member.urls if other != url]
            if name == identity:
                found += [Same(other, _spelled(other, url), 1.0, newest.language, None) for other in others]
                continue
            alike = one.link.similarity
            alike = round(self._relations.similarity(start, one.member) if alike is None else alike, 3)
            via = None if one.by in {None, identity} else reached[str(one.by)].member.newest.url
            found += [Same(other, one.link.reason, alike, newest.language, via) for other in others]
        return found + list(self._editions(identity))

    def _editions(self, identity: str) -> Iterator[Same]:
        """Yield the addresses of the groups in other languages, and of those that these name."""
        seen = set(self._members(identity))
        waiting = deque([identity])
        while waiting:
            start = waiting.popleft()
            for by, one in self._members(start).items():
                for edition in self._named(one.member, start):
                    if edition in seen:
                        continue
                    via = None if by == identity else one.member.newest.url
                    others = self._members(edition)
                    seen |= others.keys()
                    waiting.append(edition)
                    for other in others.values():
                        for url in other.member.urls:
                            yield Same(url, "language", None, other.member.newest.language, via)

    def _named(self, one: Member, start: str) -> list[str]:
        """Return the editions that *one*, of the group of *start*, names, or that name it."""
        relations = self._relations
        named = {name for claim in one.claims if claim.role == "language" for name in relations.standing(claim.place)}
        naming = {name for place in one.places for name in relations.naming_edition(place)}
        group = self._group(start) if named or naming else {}
        return [
            name
            for name in sorted((named | naming) - group.keys())
            if (other := relations.member(name))
            and (relations.names(one, other, group) or relations.names(other, one, self._group(name)))
        ]

    def _group(self, identity: str) -> dict[str, Member]:
        return {name: one.member for name, one in self._members(identity).items()}

    def _reach(self, identity: str) -> dict[str, Reached]:
        """Return the members of a group by identity, the nearest first; none when the article is not listed."""
        start = self._relations.member(identity)
        if start is None:
            return {}
        search = Search({identity: Reached(start, Link("same-address", 1.0), None)})
        waiting = deque([start])
        while waiting:
            one = waiting.popleft()
            for other, link in self._relations.linked(one, search):
                if other.identity not in search.found:
                    search.found[other.identity] = Reached(other, link, one.identity)
                    waiting.append(other)
        return search.found


def _spelled(url: str, shown: str) -> str:
    """Return why two addresses are versions of one article: they are one address, or bear its publisher's number."""
    return "same-address" if normalised(url) == normalised(shown) else "article-id"
