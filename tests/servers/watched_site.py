"""A publication of ten years that goes on: between two crawls it publishes, edits and deletes, and tells some of it.

    python -m tests.servers.watched_site [--articles 5000]

prints its port and serves until it is ended. Feed of 20 items, sitemap index with 12 gzip parts, news sitemap, date
archives, sections with pagination; three traps; links with tracking parameters; pages that fail, moved or are not there
in spite of their status. Every page has an entity tag. :meth:`Watched.expected` says what a crawl has to find.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import random
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.servers.newsroom import DID, MORE, SECTIONS, WHAT, WHEN, WHO
from tests.servers.raw_site import RawSite, Script

FEED_ITEMS, LISTED, PARTS, MOVED = 20, 20, 12, 50
YEARS = timedelta(days=3650)
FRESH = 30  # articles of the last hours, one every 20 minutes
PAUSE = timedelta(hours=1)  # between the two crawls
NEW = 5  # articles published in it
CONTROL = "/.site/"

Role = Literal["", "busy-once", "busy", "soft-404"]
Signal = Literal["lastmod", "feed", "sitemap", "ladder", "none"]
MARKUP = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body>'
NAV = '<nav><a href="/">Home</a> <a href="/about">About us</a> <a href="/archive/">Archive</a> {sections}</nav>'
SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


@dataclass
class Story:
    """One article. *edited* and *deleted* say by what that can be known, once it has happened."""

    number: int
    published: datetime
    title: str
    section: str
    paragraphs: list[str]
    role: Role = ""
    edited: Signal | None = None
    deleted: Signal | None = None
    modified: datetime | None = None

    @property
    def target(self) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        return f"/{self.published:%Y/%m/%d}/{slug}-{self.number}"

    @property
    def in_sitemap(self) -> bool:
        return self.number % 10 not in (3, 7)  # 3: on pages of sections, 7: in the date archive alone


@dataclass
class Expected:
    """What has to be found: targets of articles, by what tells of them; *silent*: what nothing tells."""

    articles: set[str]
    edits: dict[str, Signal] = field(default_factory=dict)
    deletions: dict[str, Signal] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)


class Watched:
    """The site; *began* is the time of the first crawl."""

    def __init__(self, articles: int, began: datetime, *, seed: int = 1) -> None:
        self.began, self.base = began.replace(microsecond=0), "http://127.0.0.1"
        self.rng = random.Random(seed)
        self.stories = [self._story(number, articles) for number in range(articles + NEW)]
        self.later, self.shown = self.stories[articles:], self.stories[:articles]
        old = [story for story in self.shown[: -2 * FRESH] if story.in_sitemap]
        self.rng.shuffle(old)
        hundredth = max(2, articles // 100)
        for story in old[:hundredth]:
            story.role = "soft-404"
        for at, story in enumerate(old[hundredth : 2 * hundredth]):
            story.role = "busy" if at % 2 else "busy-once"
        self.planted = old[2 * hundredth :]
        self.second = False
        self.log: list[tuple[str, int, bool]] = []  # target, status, second crawl
        self._busy: set[str] = set()
        self._views = 0
        self._lock = threading.Lock()
        self._index()

    def _story(self, number: int, articles: int) -> Story:
        rng = self.rng
        age = timedelta(minutes=10 + 20 * (articles - 1 - number))
        if number < articles - FRESH:
            age = timedelta(hours=12) + YEARS * (articles - FRESH - number) / articles
        if number >= articles:
            age = -timedelta(minutes=10 * (1 + number - articles))
        title = f"{rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHAT)} {rng.choice(WHEN)}"
        text = [
            " ".join(f"{rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHAT)}. {rng.choice(MORE)}." for _ in range(3))
            for _ in range(6)
        ]
        return Story(number, self.began - age, title[0].upper() + title[1:], SECTIONS[number % len(SECTIONS)], text)

    def _index(self) -> None:
        self.by_target = {story.target: story for story in self.shown}
        self.newest = sorted(self.shown, key=lambda story: story.published, reverse=True)
        self.months: dict[str, list[Story]] = {}
        self.sections: dict[str, list[Story]] = {section: [] for section in SECTIONS}
        for story in self.newest:
            if self._is_listed(story):
                self.months.setdefault(f"{story.published:%Y/%m}", []).append(story)
                if story.number % 10 == 3 or story.number >= len(self.stories) - NEW - FRESH:
                    self.sections[story.section].append(story)

    def _is_listed(self, story: Story) -> bool:
        return story.deleted not in ("sitemap", "lastmod")

    # ---- what happens between the crawls

    def go_on(self) -> None:
        """Let an hour pass: publish, edit and delete."""
        self.second = True
        now, planted = self.began + PAUSE, iter(self.planted)
        count = max(4, len(self.shown) // 250)
        for signal in ("lastmod", "none"):
            for _ in range(count):
                self._edit(next(planted), signal, now)
        for deleted in ("sitemap", "none"):
            for _ in range(count):
                next(planted).deleted = deleted
        fresh = [story for story in self.newest if not story.role]
        due = [story for story in fresh if self.began - story.published < PAUSE]
        self._edit(due[0], "ladder", None)
        due[1].deleted = "ladder"
        in_feed = [story for story in fresh[: FEED_ITEMS - NEW] if story not in due]
        for story in in_feed[:3]:
            self._edit(story, "feed", now)
        self.shown = self.stories
        self._index()

    def _edit(self, story: Story, signal: Signal, modified: datetime | None) -> None:
        story.edited, story.modified = signal, modified
        story.paragraphs = [*story.paragraphs, "This article has been corrected since it was first published."]

    def expected(self) -> Expected:
        """Return what a crawl of now has to find; of the first crawl that is articles alone."""
        good = [story for story in self.shown if story.role in ("", "busy-once")]
        found = Expected({story.target for story in good if not story.deleted})
        if self.second:
            found.edits = {story.target: story.edited for story in good if story.edited}
            found.deletions = {story.target: story.deleted for story in good if story.deleted}
            found.new = {story.target for story in self.later}
        return found

    # ---- pages

    def answer(self, request: bytes) -> Script:
        """Return what is sent in answer to *request*, and log it."""
        target = request.split(b" ", 2)[1].decode("latin-1")
        if target.startswith(CONTROL):
            return self._control(target.removeprefix(CONTROL))
        with self._lock:
            status, body, kind, fields = self._page(target)
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if status == 200 and f"\r\nIf-None-Match: {tag}\r\n".encode() in request:
                status = 304
            self.log.append((target, status, self.second))
        head = [f"HTTP/1.1 {status} {_PHRASES[status]}", f"ETag: {tag}", *fields]
        if status == 304:
            return Script(["\r\n".join([*head, "", ""]).encode()])
        head += [f"Content-Type: {kind}", f"Content-Length: {len(body)}", "", ""]
        return Script(["\r\n".join(head).encode() + body])

    def _page(self, target: str) -> tuple[int, bytes, str, list[str]]:
        path, _, query = target.partition("?")
        if (story := self.by_target.get(path)) is not None:
            return self._article(story)
        xml, html = "application/xml", "text/html; charset=utf-8"
        match path.split("/")[1:]:
            case [""]:
                return 200, self._html("The Watch", self._list(self._listed_newest()), self._feed_link()), html, []
            case ["robots.txt"]:
                return 200, f"User-agent: *\nAllow: /\nSitemap: {self.base}/sitemap.xml\n".encode(), "text/plain", []
            case ["feed"]:
                return 200, self._feed(), "application/atom+xml", []
            case ["sitemap.xml"]:
                return 200, self._sitemap_index(), xml, []
            case ["sitemaps", "news.xml"]:
                return 200, self._news_sitemap(), xml, []
            case ["sitemaps", name] if found := re.fullmatch(r"part-(\d+)\.xml\.gz", name):
                return 200, self._sitemap(int(found[1])), "application/gzip", []
            case ["section", section] if section in SECTIONS:
                return 200, self._section(section, int(query.partition("=")[2] or 1)), html, []
            case ["archive", *rest]:
                return self._archive([part for part in rest if part])
            case ["about"]:
                return 200, self._html("About us", "<p>We watch.</p>"), html, []
            case ["old", number] if number.isdigit() and int(number) < MOVED:
                story = self.shown[int(number) * len(self.shown) // MOVED]
                return 301, b"", html, [f"Location: {self.base}{story.target}"]
            case ["calendar", year, month]:
                return 200, self._calendar(int(year), int(month)), html, []
            case ["visitors"]:
                return 200, self._visitors(), html, []
            case ["latest"]:
                following = f'<a href="/latest?page={int(query.partition("=")[2] or 1) + 1}">Older</a>'
                return 200, self._html("Latest", self._list(self._listed_newest()[:10]) + following), html, []
        return 404, self._html("Not found", "<p>Nothing is here.</p>"), html, []

    def _listed_newest(self) -> list[Story]:
        return [story for story in self.newest if self._is_listed(story)][:FEED_ITEMS]

    def _html(self, title: str, body: str, head: str = "") -> bytes:
        sections = " ".join(f'<a href="/section/{section}">{section}</a>' for section in SECTIONS)
        return f"{MARKUP.format(title=title, head=head)}{NAV.format(sections=sections)}{body}</body></html>".encode()

    def _feed_link(self) -> str:
        return '<link rel="alternate" type="application/atom+xml" href="/feed">'

    def _link(self, story: Story) -> str:
        """Return a link to *story*: three of ten carry a tracking parameter, each list another."""
        at = story.number
        tracking = (f"?utm_source=watch&utm_medium=list{at % 7}", f"?fbclid=IwAR{at}", f"?utm_campaign=c{at % 5}")
        return story.target + (tracking[at % 3] if at % 10 in (2, 3, 5) else "")

    def _list(self, stories: Iterable[Story]) -> str:
        items = "".join(f'<li><a href="{self._link(story)}">{story.title}</a></li>' for story in stories)
        traps = '<a href="/calendar/2031/01">Calendar</a> <a href="/visitors">Visitors</a> <a href="/latest">Latest</a>'
        return f"<ul>{items}</ul>{traps}"

    def _article(self, story: Story) -> tuple[int, bytes, str, list[str]]:
        html = "text/html; charset=utf-8"
        if story.role == "busy" or (story.role == "busy-once" and story.target not in self._busy):
            self._busy.add(story.target)
            return 503, b"Too busy.", "text/plain", []
        if story.role == "soft-404":
            return 200, self._html("Page not found", "<h1>Page not found</h1><p>We looked everywhere.</p>"), html, []
        if story.deleted:
            return 410, self._html("Gone", "<p>This article is no longer here.</p>"), html, []
        data = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": story.title,
            "datePublished": story.published.isoformat(),
            "author": {"@type": "Person", "name": "Ines Okafor"},
        }
        related = [self.stories[(story.number * 7 + 13 * n) % max(1, len(self.shown) - NEW)] for n in range(1, 4)]
        body = "".join(f"<p>{paragraph}</p>" for paragraph in story.paragraphs)
        more = "".join(f'<li><a href="{self._link(one)}">{one.title}</a></li>' for one in related if not one.deleted)
        page = f"<article><h1>{story.title}</h1>{body}</article><aside><ul>{more}</ul></aside>"
        head = f'<script type="application/ld+json">{json.dumps(data)}</script>'
        return 200, self._html(story.title, page, head), html, []

    def _feed(self) -> bytes:
        entries = "".join(
            f"<entry><title>{story.title}</title><id>{self.base}{story.target}</id>"
            f'<link href="{self.base}{story.target}?utm_source=feed"/>'
            f"<published>{story.published.isoformat()}</published>"
            f"<updated>{(story.modified or story.published).isoformat()}</updated></entry>"
            for story in self._listed_newest()
        )
        return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>The Watch</title>{entries}</feed>'.encode()

    def _sitemap_index(self) -> bytes:
        names = ["news.xml", *(f"part-{part}.xml.gz" for part in range(PARTS))]
        entries = "".join(f"<sitemap><loc>{self.base}/sitemaps/{name}</loc></sitemap>" for name in names)
        return f'<sitemapindex xmlns="{SPACE}">{entries}</sitemapindex>'.encode()

    def _news_sitemap(self) -> bytes:
        latest = [story for story in self.newest if self.began - story.published < timedelta(days=2)]
        entries = "".join(
            f"<url><loc>{self.base}{story.target}</loc><n:news><n:publication_date>{story.published.isoformat()}"
            f"</n:publication_date><n:title>{story.title}</n:title></n:news></url>"
            for story in latest
        )
        return f'<urlset xmlns="{SPACE}" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">{entries}</urlset>'.encode()

    def _sitemap(self, part: int) -> bytes:
        size = -(-len(self.stories) // PARTS)
        entries = "".join(
            f"<url><loc>{self.base}{story.target}</loc>"
            f"<lastmod>{(self._told(story) or story.published).isoformat()}</lastmod></url>"
            for story in self.shown[part * size : (part + 1) * size]
            if story.in_sitemap and self._is_listed(story)
        )
        return gzip.compress(f'<urlset xmlns="{SPACE}">{entries}</urlset>'.encode(), mtime=0)

    def _told(self, story: Story) -> datetime | None:
        return story.modified if story.edited == "lastmod" else None

    def _section(self, section: str, number: int) -> bytes:
        listed = self.sections[section]
        shown = listed[(number - 1) * LISTED : number * LISTED]
        following = f'<a rel="next" href="/section/{section}?page={number + 1}">Older</a>'
        return self._html(section, self._list(shown) + (following if number * LISTED < len(listed) else ""))

    def _archive(self, rest: Sequence[str]) -> tuple[int, bytes, str, list[str]]:
        html = "text/html; charset=utf-8"
        if rest == ["moved"]:
            moved = "".join(f'<a href="/old/{number}">{number}</a>' for number in range(MOVED))
            return 200, self._html("What moved", moved), html, []
        links: list[str] = []
        match rest:
            case []:
                links = [f"/archive/{year}/" for year in sorted({month[:4] for month in self.months})]
                links.append("/archive/moved")
            case [year]:
                links = [f"/archive/{month}/" for month in sorted(self.months) if month.startswith(year)]
            case [year, month] if f"{year}/{month}" in self.months:
                return 200, self._html(f"{year}/{month}", self._list(self.months[f"{year}/{month}"])), html, []
        if not links:
            return 404, self._html("Not found", ""), html, []
        return 200, self._html("Archive", "".join(f'<a href="{link}">{link}</a> ' for link in links)), html, []

    def _calendar(self, year: int, month: int) -> bytes:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return self._html("Calendar", f'<table><tr><td>1<td>2</table><a href="/calendar/{year}/{month:02d}">Next</a>')

    def _visitors(self) -> bytes:
        self._views += 1
        session = hashlib.md5(str(self._views).encode(), usedforsecurity=False).hexdigest()
        return self._html("Visitors", f'<a href="/visitors?PHPSESSID={session}">Once more</a>')

    def _control(self, what: str) -> Script:
        if what == "go-on":
            self.go_on()
        body = json.dumps(self.log if what == "log" else None).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return Script([head + body])


_PHRASES = {200: "OK", 301: "Moved Permanently", 304: "Not Modified", 404: "Not Found", 410: "Gone",
            503: "Service Unavailable"}  # fmt: skip


class WatchedSite:
    """The site in a process of its own. *watched* is the same one, made again here, to be asked what to expect."""

    def __init__(self, port: int, watched: Watched) -> None:
        self.port, self.watched = port, watched
        watched.base = f"http://127.0.0.1:{port}"

    def go_on(self) -> None:
        self._ask("go-on")
        self.watched.go_on()

    def log(self) -> list[tuple[str, int, bool]]:
        return [(target, status, second) for target, status, second in self._ask("log")]

    def _ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{CONTROL}{what}", timeout=60) as answer:
            return json.load(answer)


@contextmanager
def running_watched(articles: int) -> Iterator[WatchedSite]:
    """Run the site in a process of its own."""
    began = datetime.now(UTC)
    command = [sys.executable, "-m", __name__, "--articles", str(articles), "--began", began.isoformat()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield WatchedSite(int(process.stdout.readline()), Watched(articles, began))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--began", type=datetime.fromisoformat, default=datetime.now(UTC))
    options = parser.parse_args()
    watched = Watched(options.articles, options.began)

    async def serve() -> None:
        server = await asyncio.start_server(RawSite(answer=watched.answer).serve, "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        watched.base = f"http://127.0.0.1:{port}"
        print(port, flush=True)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
