"""What is looked at of one article."""

from __future__ import annotations

from dataclasses import dataclass

from archive.article import Article
from archive.rules import host_of

BY_RULE = ":rule"  # behind the name of a field that the publisher's own rules gave
RULED = ("title", "authors", "published", "section", "text")
READ_KINDS = frozenset({"article", "stub"})


@dataclass(frozen=True, slots=True)
class Fact:
    """What one page gave. *at* is the time of capture in ISO 8601, *length* that of the text in characters.

    *has* are the names of the fields that are there, ``time`` for a time of day in the date, and ``title:rule`` and the
    like for those that the publisher's rules gave.
    """

    host: str
    url: str
    at: str
    title: str | None
    kind: str
    length: int
    has: frozenset[str]
    section: str | None = None  # as the page tells it

    @property
    def counts(self) -> bool:
        """Whether it is, or should have been, an article: lists, walls and error pages tell nothing of how they are.

        A page of which nothing at all was read may be an article in a design that is not understood.
        """
        return self.kind in READ_KINDS or (self.kind == "error" and not self.title and not self.length)


def fact_of(article: Article) -> Fact:
    """Return what is looked at of *article*."""
    has = {name for name in ("title", "published", "authors") if getattr(article, name)}
    if len(article.published or "") > len("2026-01-01"):
        has.add("time")
    has.update(f"{name}{BY_RULE}" for name in RULED if article.sources.get(name) == "publisher-rule")
    return Fact(
        host=host_of(article.url),
        url=article.url,
        at=article.captured_at or "",
        title=article.title,
        kind=article.page_kind,
        length=len(article.text),
        has=frozenset(has),
        section=article.section,
    )
