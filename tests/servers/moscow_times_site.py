"""The Moscow Times, rebuilt: its addresses, listings, feeds, sitemaps and redirects, with words of our own.

Hosts www, ru and static of themoscowtimes.com are served over TLS by one server behind a proxy that makes tunnels, as
``NEWSWARC_PROXY``, ``NEWSWARC_TRUST_PROXY`` and ``NEWSWARC_CA_FILE`` let the command reach them. The pages' markup is
that of :mod:`tests.spiders.publication`. Pages of the publication itself can be put at their own addresses beside them.

Most articles are found in many ways, some in one alone: the oldest of the news in the last fragment of its section
(:attr:`MoscowTimes.section_only`), one in a sitemap (:attr:`~MoscowTimes.sitemap_only`), one under an earlier slug in
the text of another (:attr:`~MoscowTimes.linked_only`), those of the archive by addresses of the systems of old.
"""

from __future__ import annotations

import gzip
import itertools
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.authority import Authority
from tests.servers.moscow_times_markup import (
    archived,
    front,
    home,
    items,
    newest,
    news_entry,
    rss,
    slug_of,
    story,
    urlset,
)
from tests.servers.raw_site import RawSite, Script, running, script
from tests.servers.tunnel import TunnelProxy, tunnelling
from tests.spiders.publication import SITE, Story, article_container, page, print_page

RUSSIAN = "https://ru.themoscowtimes.com"
STATIC = "https://static.themoscowtimes.com"
HOSTS = tuple(urlsplit(web).netloc for web in (SITE, RUSSIAN, STATIC))
SECTIONS = {  # how many articles each has: two fragments and a part, none, one that is just full, and so on
    "news": 44,
    "opinion": 19,
    "business": 37,
    "climate": 3,
    "diaspora": 1,
    "meanwhile": 2,
    "arts-and-life": 20,
    "features": 2,
    "ukraine-war": 3,
    "lectures": 0,
}
LISTS = ("videos", "galleries", "podcasts")
FIRST, NEXT, LISTED = 19, 18, 20  # items of a section's first page, of its fragments, of a topic's
FEED_ITEMS = 50
FEEDS = ("news", "opinion", "city", "arts-and-life", "meanwhile", "podcasts", "in-depth", "all")
ROBOTS = """User-agent: *
Disallow: /preview/
Disallow: /search/
Disallow: *?utm
Disallow: *&utm
"""
# The newest are those of the highest number. Months of 2013 have the markup of old, below number 80000.
MONTHS = (("2013/05", 31100, 8), ("2013/07", 31200, 8), ("2024/05", 90700, 60), ("2024/11", 94000, 55))

ARTICLE = re.compile(r"/\d{4}/\d{2}/\d{2}/[^/]+-a(\d+)(/pdf)?")
BARE = re.compile(r"/all/(\d+)")
SECTION = re.compile(rf"/({'|'.join(SECTIONS)})(?:/(\d+))?")
TOPIC = re.compile(r"/(?:tag|all-about)/([^/]+)(?:/(\d+))?")
AUTHOR = re.compile(r"/author/([^/]+)")
LEGACY = re.compile(r"/.*article/(?:[^/]+/)?(\d+)\.html")
NUMBERED = re.compile(r"/(?:news|articles|photogalleries)/[^/]*-(\d+)")


@dataclass
class MoscowTimes:
    """What the site holds now. Change it between two crawls by :meth:`edit`."""

    stories: dict[int, Story] = field(default_factory=dict)
    russian: dict[int, Story] = field(default_factory=dict)
    archive: dict[str, Story] = field(default_factory=dict)  # by slug
    real: dict[str, bytes] = field(default_factory=dict)  # by path
    unlisted: set[int] = field(default_factory=set)  # in no section and no feed
    unmapped: set[int] = field(default_factory=set)  # in no sitemap
    live: tuple[str, ...] = ()  # what was added to the live page
    changed: dict[int, str] = field(default_factory=dict)  # when, as the news sitemap says
    server: RawSite = field(default_factory=RawSite)

    # ---- what is on it

    @property
    def section_only(self) -> Story:
        return self.section("news")[-1]

    @property
    def sitemap_only(self) -> Story:
        return self.stories[90600]

    @property
    def linked_only(self) -> Story:
        return self.stories[90500]

    def section(self, name: str, stories: dict[int, Story] | None = None) -> list[Story]:
        """Return the articles of a section, the newest first."""
        label = name.replace("-", " ").title()
        return [one for one in newest(stories or self.stories) if one.section == label and self._listed(one)]

    def _listed(self, one: Story) -> bool:
        return one.site != SITE or one.number not in self.unlisted

    def edit(self, number: int, paragraph: str, *, title: str | None = None, at: datetime) -> Story:
        """Add a paragraph to an article in place; with a new *title* it has a new address too."""
        before = self.stories[number]
        after = replace(
            before,
            title=title or before.title,
            slug=slug_of(title) if title else before.slug,
            paragraphs=(*before.paragraphs, paragraph),
            updated=at.isoformat(timespec="seconds"),
        )
        self.stories[number] = after
        self.changed[number] = at.isoformat(timespec="seconds")
        return after

    def asked(self, since: int = 0) -> list[str]:
        """Return the URLs of all requests, those after the first *since*, in order."""
        return [f"https://{_host(request.data)}{request.target}" for request in self.server.requests[since:]]

    # ---- what it answers

    def answer(self, request: bytes) -> Script:
        host, target = _host(request), request.split(b" ", 2)[1].decode("latin-1")
        path = target.partition("?")[0]
        if path == "/robots.txt" and host != urlsplit(STATIC).netloc:
            named = f"\nSitemap: {STATIC}/sitemap/sitemap.xml\n" if host == urlsplit(SITE).netloc else ""
            return _answer(request, (ROBOTS + named).encode(), "text/plain")
        if host == urlsplit(STATIC).netloc:
            return self._static(request, path)
        web = f"https://{host}"
        stories = self.russian if web == RUSSIAN else self.stories
        if web == SITE and path in self.real:
            return _answer(request, self.real[path])
        for form, respond in (
            (ARTICLE, self._article),
            (BARE, self._bare),
            (SECTION, self._section),
            (TOPIC, self._topic),
            (AUTHOR, self._author),
            (LEGACY, self._legacy),
            (NUMBERED, self._article),
        ):
            if found := form.fullmatch(path):
                return respond(request, found, stories, web)
        return self._other(request, path, stories, web)

    def _article(self, request: bytes, found: re.Match[str], stories: dict[int, Story], web: str) -> Script:
        one = stories.get(int(found[1]))
        if one is None:
            return _missing(request)
        printed = found.re is ARTICLE and found[2]
        address = f"{one.url}/pdf" if printed else one.url
        if urlsplit(address).path != found.string:
            return _moved(address)
        return _answer(request, _localised(print_page(one) if printed else self._page(one), web))

    def _page(self, one: Story) -> str:
        text = page(one)
        if one.number == newest(self.stories)[2].number and one.site == SITE:
            text = text.replace(
                "</footer>", f'<a href="{SITE}/2024/02/02/what-it-was-called-once-a90500">More</a></footer>'
            )
        return text

    def _bare(self, request: bytes, found: re.Match[str], stories: dict[int, Story], web: str) -> Script:
        one = stories.get(int(found[1]))
        return _answer(request, _localised(article_container(one), web)) if one else _missing(request)

    def _section(self, request: bytes, found: re.Match[str], stories: dict[int, Story], web: str) -> Script:
        listed = self.section(found[1], stories)
        if found[2]:
            return _answer(request, items(listed[int(found[2]) :][:NEXT]).encode())
        return self._front(request, found[1], listed[:FIRST], stories)

    def _topic(self, request: bytes, found: re.Match[str], stories: dict[int, Story], web: str) -> Script:
        listed = [one for one in newest(stories) if found[1] in map(slug_of, one.tags) and self._listed(one)]
        if found[2]:
            return _answer(request, items(listed[int(found[2]) :][:LISTED]).encode())
        return self._front(request, found[1], listed[:LISTED], stories)

    def _author(self, request: bytes, found: re.Match[str], stories: dict[int, Story], web: str) -> Script:
        listed = [one for one in newest(stories) if found[1] in map(slug_of, one.authors) and self._listed(one)]
        return self._front(request, found[1], listed[:LISTED], stories) if listed else _missing(request)

    def _legacy(self, request: bytes, found: re.Match[str], stories: dict[int, Story], web: str) -> Script:
        there = [*(f"{web}/archive/{slug}" for slug in self.archive), self.section("opinion")[-1].url]
        number = int(found[1]) - 500
        return _moved(there[number]) if 0 <= number < len(there) else _missing(request)

    def _other(self, request: bytes, path: str, stories: dict[int, Story], web: str) -> Script:
        slug = path.removeprefix("/archive/")
        if slug in self.archive and slug != path:
            return _answer(request, archived(self.archive[slug]).encode())
        if path == "/":
            listed = [one for one in newest(stories) if self._listed(one)]
            return _answer(request, home(listed, web, (*SECTIONS, *LISTS), self.real if web == SITE else ()))
        if path.startswith("/rss/") and path.removeprefix("/rss/") in FEEDS:
            return _answer(request, self._feed(path.removeprefix("/rss/"), stories, web), "application/rss+xml")
        if path == "/feeds/partner.xml":
            return _answer(request, rss(self._feedable(stories), web, full=True, authors=True), "text/xml")
        if path.split("/")[1] in LISTS:
            return self._front(request, path, [], stories) if path.count("/") == 1 else _answer(request, b"")
        if path == "/live/881":
            live = story(881, "2024/11/19", "news")
            live = replace(live, title="Live: The Harbour", paragraphs=(*live.paragraphs, *self.live))
            return _answer(request, page(live).encode())
        return _missing(request)

    def _front(self, request: bytes, title: str, listed: Sequence[Story], stories: dict[int, Story]) -> Script:
        return _answer(request, front(title, listed, [one for one in newest(stories) if self._listed(one)][:3]))

    def _feedable(self, stories: dict[int, Story]) -> list[Story]:
        last = self.section_only
        return [one for one in newest(stories) if self._listed(one) and one != last][:FEED_ITEMS]

    def _feed(self, name: str, stories: dict[int, Story], web: str) -> bytes:
        if name == "all":
            return rss(self._feedable(stories), web, full=True)
        label = name.replace("in-depth", "features").replace("-", " ").title()
        return rss([one for one in self._feedable(stories) if one.section == label], web)

    def _static(self, request: bytes, path: str) -> Script:
        months: dict[str, list[str]] = {}
        for one in newest(self.stories):
            if one.number not in self.unmapped:
                months.setdefault(one.day[:7], []).append(one.url)
        for real in self.real:
            months.setdefault(real[1:8], []).append(SITE + real)
        maps = {f"/sitemap/{int(month[:4])}-{int(month[5:])}.xml": urls for month, urls in months.items()}
        if path == "/sitemap/sitemap.xml":
            index = "".join(f"<sitemap><loc>{STATIC}{name}</loc></sitemap>" for name in maps)
            return _xml(
                request, f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{index}</sitemapindex>'
            )
        if path in maps:
            return _xml(request, urlset(f"<url><loc>{url}</loc></url>" for url in maps[path]))
        if path == "/sitemap/newsmap.xml":
            return _xml(
                request, urlset(news_entry(one, self.changed.get(one.number)) for one in newest(self.stories)[:20])
            )
        return _answer(request, b"<Error><Code>AccessDenied</Code></Error>", "application/xml", b"403 Forbidden")


def moscow_times(real: dict[str, bytes] | None = None) -> MoscowTimes:
    """Return the site as it is before anything is edited; *real* are pages to be served as they are, by their paths."""
    sections = list(itertools.chain.from_iterable([name] * count for name, count in SECTIONS.items()))
    random.Random(5).shuffle(sections)
    numbers = [(number + n, f"{month}/{1 + n // 3:02}") for month, number, count in MONTHS for n in range(count)]
    site = MoscowTimes(real=real or {})
    site.stories = {
        number: story(number, day, section) for (number, day), section in zip(numbers, sections, strict=True)
    }
    # The pages' markup links to these, by slugs that are not their own.
    linked = ((90001, "2024/04/01"), (90601, "2024/05/21"), (90602, "2024/05/21"), (90500, "2024/05/03"))
    for number, day in ((90600, "2024/05/02"), *linked):
        site.stories[number] = story(number, day, "news")
        site.unlisted.add(number)
    site.unmapped = {*(number for number, _ in linked), site.section_only.number}
    # The Russian edition counts for itself: numbers are those of other articles.
    site.russian = {number: story(number, day, "news", site=RUSSIAN) for number, day in [*numbers[:3], *numbers[-22:]]}
    for number, day in enumerate(("1998/08/17", "2005/03/02"), 1):
        old = story(number, day, "news")
        site.archive[old.slug] = old
    return site


@contextmanager
def served(site: MoscowTimes, folder: Path) -> Iterator[dict[str, str]]:
    """Serve *site*; yield the environment variables by which the command reaches it. *folder* is for certificates."""
    authority = Authority(folder)
    site.server.answer = site.answer
    site.server.context = authority.server_context(*HOSTS)
    with running(site.server), tunnelling(TunnelProxy(("127.0.0.1", site.server.port))) as proxy:
        yield {
            "NEWSWARC_PROXY": f"http://127.0.0.1:{proxy.port}",
            "NEWSWARC_TRUST_PROXY": "1",
            "NEWSWARC_CA_FILE": str(authority.ca_file),
            "NEWSWARC_DELAY_S": "0",
            "NEWSWARC_OPERATOR": "newsroom@example.org",
        }


def _host(request: bytes) -> str:
    found = re.search(rb"\r\nhost: *([^\r]+)", request, re.IGNORECASE)
    return found[1].decode("latin-1") if found else ""


def _localised(text: str, web: str) -> bytes:
    return text.replace(SITE, web).encode()


def _xml(request: bytes, text: str) -> Script:
    return _answer(request, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), "application/xml")


def _answer(request: bytes, body: bytes, kind: str = "text/html; charset=UTF-8", status: bytes = b"200 OK") -> Script:
    fields = [b"Content-Type: " + kind.encode()]
    if body and re.search(rb"\r\naccept-encoding:[^\r]*gzip", request, re.IGNORECASE):
        body = gzip.compress(body, 1, mtime=0)
        fields.append(b"Content-Encoding: gzip")
    head = b"\r\n".join([b"HTTP/1.1 " + status, *fields, b"Content-Length: %d" % len(body), b"", b""])
    return script(head + body)


def _moved(url: str) -> Script:
    return script(b"HTTP/1.1 301 Moved Permanently\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % url.encode())


def _missing(request: bytes) -> Script:
    body = (
        b"<!DOCTYPE html><html><head><title>The Moscow Times</title></head><body class=page-item><article class=page>"
        b"<header><h1>Oops!</h1><h2>This page is gone.</h2></header></article></body></html>"
    )
    return _answer(request, body, status=b"404 Not Found")
