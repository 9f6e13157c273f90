"""What is found in a document, and the bounds on it: every address absolute, each once, never more than can be held."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from archive.references import MAX_URL_LENGTH, resolve

Form = Literal["page", "feed", "sitemap", "sitemap-index", "other"]

MAX_CHARACTERS = 32 << 20  # of all addresses and titles of one document; a worker hands over at most 128 MB
MAX_TITLE_LENGTH = 500  # characters; a headline has some 60, and this is kept for every address

# A host as it stands in an address once IDNA is done; some have underscores, though no host name may (RFC 952).
_SOUND = re.compile(r"https?://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?/[!-~]*+\Z")


class Found(NamedTuple):
    """One address a document leads to: absolute, HTTP's, without fragment, in ASCII without blanks.

    *published* and *modified* are ISO 8601 as the document tells them: with an offset if it told one, and no more
    precise than it was; a date alone, and in sitemaps even a year or a month alone, stays one.
    """

    url: str
    title: str | None = None  # of a feed's item or in a news sitemap; a page's links have none
    published: str | None = None  # pubDate, published, date; news:publication_date
    modified: str | None = None  # lastmod; updated
    paging: bool = False  # leads to another page of the same listing


@dataclass(slots=True)
class Reading:
    """What one document is and leads to. *problem* says in plain words what could not be read; what could is here."""

    form: Form
    links: list[Found] = field(default_factory=list)  # pages, each once, in document order; none in a sitemap index
    feeds: list[str] = field(default_factory=list)  # that a page names; further pages of a feed
    hubs: list[str] = field(default_factory=list)  # that tell subscribers of a feed what is new in it (WebSub)
    sitemaps: list[Found] = field(default_factory=list)  # parts of a sitemap index; what a page names as its sitemap
    article: bool = False  # a page that declares itself one article
    prose: int = 0  # of a page that does not: characters of its paragraphs, without links and teasers
    words: int = 0  # and a checksum of these paragraphs, without digits: other pages hardly ever have the same
    canonical: str | None = None  # the address that a page calls its own, absolute
    refresh: str | None = None  # where a meta refresh leads, absolute
    problem: str | None = None


def absolute(base: str, reference: str | None) -> str | None:
    """Return the address that *reference* means at *base*, as :class:`Found` wants it; ``None`` when there is none."""
    if not reference:
        return None
    if reference[0] == "/" or reference.startswith(("http://", "https://")):
        return _absolute(_root(base), reference)  # the same wherever it stands on a site, and pages repeat them
    return _absolute(base, reference)


@functools.lru_cache(maxsize=20_000)
def _absolute(base: str, reference: str) -> str | None:
    # Cut off before, so that the plain ones among these, too, need nothing done.
    url = resolve(base, reference.partition("#")[0])
    return url if url is not None and len(url) <= MAX_URL_LENGTH and _SOUND.match(url) else None


@functools.lru_cache(maxsize=64)
def _root(base: str) -> str:
    """Return *base* without path and query."""
    return "/".join(base.split("/", 3)[:3]) + "/"


class Gathering:
    """Collects addresses, each once, at most *limit* and :data:`MAX_CHARACTERS`; *full* once some were left out."""

    def __init__(self, base: str, limit: int) -> None:
        self.base, self.limit = base, limit
        self.full = False
        self._found: dict[str, Found] = {}
        self._characters = 0

    def add(
        self,
        reference: str | None,
        *,
        title: str | None = None,
        published: str | None = None,
        modified: str | None = None,
    ) -> None:
        """Add what *reference* leads to, if it is an address. Found again, it keeps what was told first."""
        url = absolute(self.base, reference)
        if url is None or url in self._found:
            return
        size = len(url) + len(title or "")
        if len(self._found) >= self.limit or self._characters + size > MAX_CHARACTERS:
            self.full = True
            return
        self._characters += size
        self._found[url] = Found(url, title, published, modified)

    def found(self) -> list[Found]:
        return list(self._found.values())

    def left_out(self, what: str) -> str | None:
        """Return the problem to tell when some of *what* were left out."""
        return f"more than {len(self._found)} {what}; the rest is left out" if self.full else None


def joined(*problems: str | None) -> str | None:
    return "; ".join(problem for problem in problems if problem) or None
