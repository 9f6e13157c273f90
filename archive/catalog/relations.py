"""Which articles show the same text, and which are editions of one another: two at a time, from rows as they are.

Whether two articles are related depends on what the catalogue holds, and neither on the order it came in nor on which
of the two is asked about. An address, or a page's word, only says where to look: the texts must bear it out, or the
other page say the same. So a canonical address that a site gives to all its pages relates none of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from archive.catalog import copies
from archive.catalog.addresses import site_of
from archive.catalog.claims import Claim
from archive.catalog.identity import normalised

# Of versions that no later extraction of the same capture stands for, those that searches give.
CURRENT = """a.listed AND NOT EXISTS (
    SELECT 1 FROM articles AS later WHERE later.identity = a.identity AND later.content = a.content
    AND later.captured_at = a.captured_at AND later.capture_id IS a.capture_id
    AND (later.file, later.offset) > (a.file, a.offset))"""
MOST_CLAIMANTS = 100  # articles that name one address as theirs: one that more name is not believed
MOST_LIKE = 300  # different texts that share a band: one that more share is of a template
MOST_BEARERS = 1000  # articles that have one and the same text: one that more have is of a template
_COMPARED = 5  # newest versions of each that are looked at for whether two articles agree


@dataclass(frozen=True)
class Link:
    """Why two articles are one group. *similarity* is of their texts, where that is the reason."""

    reason: str
    similarity: float | None = None


@dataclass(frozen=True)
class Version:
    """What is looked at of an article as one capture showed it."""

    id: int
    url: str
    form: str | None
    language: str | None
    captured_at: str
    claims: frozenset[Claim]
    fingerprint: bytes | None
    about: copies.About


@dataclass(frozen=True)
class Member:
    """An article with its versions, oldest first; there is at least one."""

    identity: str
    versions: tuple[Version, ...]

    @cached_property
    def claims(self) -> frozenset[Claim]:
        return frozenset[Claim]().union(*(version.claims for version in self.versions))

    @cached_property
    def places(self) -> frozenset[str]:
        return frozenset(claim.place for claim in self.claims if claim.role == "self")

    @cached_property
    def pages(self) -> frozenset[str]:
        return frozenset(normalised(version.url) for version in self.versions)

    @cached_property
    def urls(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(version.url for version in self.versions))

    @cached_property
    def texts(self) -> dict[bytes, Version]:
        """By fingerprint the first version with that text, of texts long enough to have copies."""
        found = {version.fingerprint: version for version in reversed(self.versions) if version.fingerprint}
        return dict(sorted(found.items()))

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def form(self) -> str | None:
        return self.newest.form

    @property
    def language(self) -> str:
        """The language without its region; empty when unknown."""
        return primary(self.newest.language)


def primary(language: str | None) -> str:
    return (language or "").partition("-")[0].lower()


@dataclass
class Search:
    """How far the search for a group has come."""

    found: dict[str, Reached]
    left: dict[bytes, list[str]] = field(default_factory=dict)  # of those that have a text, who was not found yet
    exhausted: set[bytes] = field(default_factory=set)  # texts of which nobody is left


@dataclass(frozen=True)
class Reached:
    """A member of a group, the link it was found by, and whose that was: None for where the search began."""

    member: Member
    link: Link
    by: str | None


class Relations:
    """What one catalogue holds of articles that may be related; it must not change meanwhile."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.member = lru_cache(maxsize=4096)(self._member)
        self.text = lru_cache(maxsize=256)(self._text)
        self.believed = lru_cache(maxsize=4096)(self._believed)
        self.band = lru_cache(maxsize=1024)(self._band)
        self.hint = lru_cache(maxsize=4096)(self._hint)

    def _member(self, identity: str) -> Member | None:
        """Return the article; None when the catalogue lists none by that identity."""
        rows = self._db.execute(
            "SELECT a.id, url, page, form, language, captured_at, claims, fingerprint, title, published"  # noqa: S608
            f" FROM articles AS a WHERE a.identity = ? AND {CURRENT} ORDER BY captured_at, file, offset",
            (identity,),
        )
        versions = tuple(map(_version, rows))
        return Member(identity, versions) if versions else None

    def linked(self, one: Member, search: Search) -> Iterator[tuple[Member, Link]]:
        """Yield the articles whose text is that of *one*, in a fixed order, but for those that *search* has found."""
        named = {other for claim in one.claims if claim.role != "language" for other in self.claiming(claim.place)}
        for identity in sorted(named - search.found.keys()):
            other = self.member(identity)
            if other and (reason := self._claimed(one, other)):
                yield other, Link(reason)
        for fingerprint in one.texts:
            for like in self._like(fingerprint, search.exhausted):
                if like not in search.left:
                    search.left[like] = self._bearers(like)
                search.left[like] = [name for name in search.left[like] if name not in search.found]
                if not search.left[like]:
                    search.exhausted.add(like)
                for identity in search.left[like]:
                    other = self.member(identity)
                    if other and (alike := self._copied(one, fingerprint, other, like)) is not None:
                        yield other, Link("near-copy", alike)

    def similarity(self, one: Member, other: Member) -> float:
        """Return how alike the newest texts of two articles are."""
        return copies.similarity(self.text(one.newest.id), self.text(other.newest.id))

    def names(self, one: Member, other: Member, group: Mapping[str, Member]) -> bool:
        """Tell whether *one*, which is of *group*, names *other* as an edition in another language, and rightly.

        *other* must be in that language, and name *group* too, or at least nothing else in its stead; and while it does
        not, nothing of the language of *one* may name it but what is of *group*.
        """
        named = [claim for claim in one.claims if claim.role == "language" and claim.place in other.places]
        if not any(other.language in {"", primary(claim.language)} for claim in named):
            return False
        back = [claim for claim in other.claims if claim.role == "language"]
        if any(claim.place in member.places for claim in back for member in group.values()):
            return True
        if any(primary(claim.language) == one.language for claim in back):
            return False
        rivals = {identity for claim in named for identity in self.naming_edition(claim.place)} - group.keys()
        return not any((rival := self.member(name)) and rival.language == one.language for name in sorted(rivals))

    def claiming(self, place: str) -> list[str]:
        """Return who says anything of *place* but that it is an edition; too many who only say it are left out."""
        roles = "'self', 'number', 'canonical', 'amp', 'print'" if self.believed(place) else "'self', 'number'"
        return self._identities(f"c.role IN ({roles})", place)

    def naming_edition(self, place: str) -> list[str]:
        """Return who names *place* as an edition; more than enough of them when it is too many."""
        return self._identities("c.role = 'language'", place, MOST_CLAIMANTS + 1)

    def standing(self, place: str) -> list[str]:
        return self._identities("c.role = 'self'", place)

    # ---- within

    def _believed(self, place: str) -> bool:
        """Tell whether few enough articles call *place* their canonical address, or a form of theirs."""
        roles = "c.role IN ('canonical', 'amp', 'print')"
        return len(self._identities(roles, place, MOST_CLAIMANTS + 1)) <= MOST_CLAIMANTS

    def _claimed(self, one: Member, other: Member) -> str | None:
        """Return why the claims of two articles make them one group; None when they do not."""
        reasons = [
            reason
            for mine in sorted(one.claims)
            for theirs in sorted(other.claims)
            if mine.place == theirs.place and (reason := _reason(mine.role, theirs.role))
            if reason in {"article-id", "same-address"} or self.believed(mine.place)
        ]
        if not reasons:
            return None
        sure = "article-id" in reasons or one.pages & other.pages or (_names(one, other) and _names(other, one))
        if not sure and not self._agree(one, other):
            return None
        return other.form or one.form or min(reasons)

    def _agree(self, one: Member, other: Member) -> bool:
        return any(
            copies.agree(self.text(mine.id), self.text(theirs.id), mine.about, theirs.about)
            for mine in _newest(one)
            for theirs in _newest(other)
        )

    def _copied(self, one: Member, fingerprint: bytes, other: Member, like: bytes) -> float | None:
        mine, theirs = one.texts[fingerprint], other.texts.get(like)
        if theirs is None or not copies.may_be(self.hint(fingerprint), self.hint(like), mine.about, theirs.about):
            return None
        return copies.copied(self.text(mine.id), self.text(theirs.id), mine.about, theirs.about)

    def _like(self, fingerprint: bytes, exhausted: Collection[bytes]) -> Iterator[bytes]:
        """Yield the fingerprints of texts that may be copies, by a band they share; the text itself first."""
        if fingerprint not in exhausted:
            yield fingerprint
        (bands,) = self._db.execute(
            "SELECT bands FROM articles WHERE fingerprint = ? LIMIT 1", (fingerprint,)
        ).fetchone()
        size = copies.BAND_BYTES
        found = set().union(*(self.band(bands[at : at + size]) for at in range(0, len(bands), size)))
        for like in sorted(found.difference(exhausted, [fingerprint])):
            if copies.may_be_copied(self.hint(fingerprint), self.hint(like)):
                yield like

    def _band(self, band: bytes) -> frozenset[bytes]:
        """Return the fingerprints of the texts that have *band*; none when there are too many."""
        rows = self._db.execute(
            "SELECT fingerprint FROM bands WHERE band = ? LIMIT ?", (band, MOST_LIKE + 1)
        ).fetchall()
        return frozenset(row[0] for row in rows) if len(rows) <= MOST_LIKE else frozenset()

    def _hint(self, fingerprint: bytes) -> copies.Hint:
        return copies.Hint.of(
            *self._db.execute(
                "SELECT numbers, figures FROM articles WHERE fingerprint = ? LIMIT 1", (fingerprint,)
            ).fetchone()
        )

    def _bearers(self, fingerprint: bytes) -> list[str]:
        """Return the articles with that text; none when there are too many."""
        rows = self._db.execute(
            f"SELECT DISTINCT identity FROM articles AS a WHERE fingerprint = ? AND {CURRENT}"  # noqa: S608 - our words
            " ORDER BY 1 LIMIT ?",
            (fingerprint, MOST_BEARERS + 1),
        ).fetchall()
        return [row[0] for row in rows] if len(rows) <= MOST_BEARERS else []

    def _identities(self, role: str, place: str, limit: int = -1) -> list[str]:
        rows = self._db.execute(
            "SELECT DISTINCT a.identity FROM claims AS c JOIN articles AS a ON a.id = c.article"  # noqa: S608 - our words
            f" WHERE c.place = ? AND {role} AND {CURRENT} LIMIT ?",
            (place, limit),
        )
        return [row[0] for row in rows]

    def _text(self, number: int) -> copies.Text:
        return copies.Text.of(self._db.execute("SELECT text FROM articles WHERE id = ?", (number,)).fetchone()[0])


def _version(row: sqlite3.Row) -> Version:
    return Version(
        id=row["id"],
        url=row["url"],
        form=row["form"],
        language=row["language"],
        captured_at=row["captured_at"],
        claims=frozenset(Claim(*claim) for claim in json.loads(row["claims"])),
        fingerprint=row["fingerprint"],
        about=copies.About.of(row["title"], row["published"], site_of(row["page"])),
    )


def _newest(member: Member) -> list[Version]:
    """Return the newest versions, of each text that is long enough to be known by a fingerprint the first one."""
    found = {version.fingerprint or version.id: version for version in reversed(member.versions)}
    return list(found.values())[:_COMPARED]


def _names(one: Member, other: Member) -> bool:
    return any(claim.role in {"canonical", "amp", "print"} and claim.place in other.places for claim in one.claims)


def _reason(mine: str, theirs: str) -> str | None:
    roles = {mine, theirs}
    if roles == {"number"}:
        return "article-id"
    if roles == {"self"}:
        return "same-address"
    if roles <= {"self", "canonical"}:
        return "canonical"
    return next((form for form in ("amp", "print") if roles == {"self", form}), None)
