"""What is special about a publisher's pages: plain values and functions, handed to extraction.

A rule set carries the dates it is valid for: a page captured in 2013 is read with the rules of 2013. Every rule may
return nothing; extraction then falls back to its general path and says so in ``Article.sources``. Rules see a parsed
page and never fetch, write or look at a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from archive.article import Image, Link


@dataclass(frozen=True, slots=True)
class PageView:
    """A parsed page as rules see it.

    *root* is the whole document; *article* the part of it that belongs to *url*, which is the whole document unless
    the page holds several articles. *data* are the JSON-LD objects of the page, flattened. Relative links are
    resolved against *base*. Neither rules nor their selectors change the tree.
    """

    root: HtmlElement
    article: HtmlElement
    url: str
    base: str
    captured_at: datetime
    data: Sequence[Mapping[str, Any]] = ()


TextRule = Callable[[PageView], str | None]
ListRule = Callable[[PageView], list[str]]
Elements = Callable[[PageView], list[HtmlElement]]


@dataclass(frozen=True, slots=True)
class PageRules:
    """How the pages of one publisher in one era are read. Absent rules leave the field to the general path."""

    name: str  # "moscow_times/2016": publisher module and first year
    publisher: str  # as readers know it
    hosts: tuple[str, ...]  # without "www."; subdomains are listed
    valid_from: date | None = None  # capture dates, both inclusive
    valid_to: date | None = None
    recognises: Callable[[PageView], bool] | None = None  # tells eras apart by their markup where dates overlap
    own_article: Callable[[PageView], HtmlElement | None] | None = None  # the URL's own part of a page of several
    article_id: Callable[[str], str | None] | None = None
    page_kind: TextRule | None = None
    title: TextRule | None = None
    authors: ListRule | None = None
    published: TextRule | None = None  # ISO 8601
    modified: TextRule | None = None  # ISO 8601
    section: TextRule | None = None
    tags: ListRule | None = None
    language: TextRule | None = None
    canonical_url: TextRule | None = None
    images: Callable[[PageView], list[Image]] | None = None
    related: Callable[[PageView], list[Link]] | None = None
    body: Elements | None = None  # the containers of the text, in reading order
    drop: Elements | None = None  # what is inside the body and is not text
    print_version: Callable[[str], str | None] | None = None

    def covers(self, host: str, captured: date) -> bool:
        """Tell whether these rules are meant for *host*, as ``host_of`` gives it, at that capture date."""
        if host not in self.hosts:
            return False
        return (self.valid_from is None or captured >= self.valid_from) and (
            self.valid_to is None or captured <= self.valid_to
        )


def host_of(url: str) -> str:
    """Return the host of *url* in lower case and without "www.", empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def path_of(url: str) -> str:
    """Return the path of *url*; empty when it is no address."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def select(rules: Sequence[PageRules], view: PageView) -> PageRules | None:
    """Return the rule set for a page: by host and capture date, then by markup; ``None`` when no set is meant for it.

    Among sets whose dates overlap, the first that recognises the markup wins; a set without a ``recognises`` takes
    whatever the earlier ones left.
    """
    host = host_of(view.url)
    candidates = [rule for rule in rules if rule.covers(host, view.captured_at.date())]
    for rule in candidates:
        if rule.recognises is None or rule.recognises(view):
            return rule
    return None


@dataclass(frozen=True, slots=True)
class Publisher:
    """One publication: its hosts, languages and page rules, newest era first."""

    name: str
    hosts: tuple[str, ...]  # without "www."
    languages: tuple[str, ...]  # BCP 47
    rules: tuple[PageRules, ...] = field(default=())

    def owns(self, url: str) -> bool:
        """Tell whether *url* is on one of this publisher's hosts."""
        return host_of(url) in self.hosts

    def article_id(self, url: str) -> str | None:
        """Return the publisher's own identity of the article at *url*, or ``None``."""
        return self._first(url, lambda rule: rule.article_id)

    def print_version(self, url: str) -> str | None:
        """Return the address of the print version of the article at *url*, or ``None`` when there is none."""
        return self._first(url, lambda rule: rule.print_version)

    def _first(self, url: str, pick: Callable[[PageRules], Callable[[str], str | None] | None]) -> str | None:
        if not self.owns(url):
            return None
        for rule in self.rules:
            function = pick(rule)
            found = function(url) if function else None
            if found:
                return found
        return None
