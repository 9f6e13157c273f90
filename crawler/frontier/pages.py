"""What the frontier takes and gives: leads, pages, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from archive.place import Place

Kind = Literal["home", "feed", "sitemap", "section", "article", "page", "print", "requisite"]
Order = Literal["newest", "oldest"]
Outcome = Literal["saved", "unchanged", "skipped", "refused", "failed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Lead(NamedTuple):
    """An address that something leads to, not yet in the frontier. *skip* says why it is not to be asked for at all.

    *day*, ISO 8601, is what a crawl that goes by days goes by.
    """

    key: str
    url: str
    site: str
    kind: Kind
    priority: int
    depth: int = 0
    via: str | None = None
    hops: str = ""
    modified: str | None = None
    skip: str | None = None
    day: str | None = None


class Page(NamedTuple):
    """An address that is pending."""

    id: int
    url: str
    site: str
    kind: Kind
    priority: int
    depth: int
    via: str | None
    hops: str
    modified: str | None
    tries: int


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a page. *extract*: an article is to be read out of its capture."""

    outcome: Outcome
    reason: str | None = None
    status: int | None = None
    record_id: str | None = None
    place: Place | None = None
    extract: bool = False


class Listed(NamedTuple):
    """A page that a feed or sitemap lists, by its key. *published* is ISO 8601, as that says."""

    key: str
    published: str | None


class Observed(NamedTuple):
    """What was observed of an article beside what the archive held of it before. *detail* is JSON."""

    what: str
    url: str
    title: str | None
    detail: str


class Unread(NamedTuple):
    """A page whose article is still to be extracted from its capture."""

    id: int
    url: str
    outcome: Outcome
    record_id: str
    place: Place
    depth: int
    hops: str


class Reason(NamedTuple):
    """Why that many *pages* ended in *outcome*, or ``unreadable`` for their articles; *url* is the first one's."""

    outcome: str
    reason: str | None
    pages: int
    url: str
