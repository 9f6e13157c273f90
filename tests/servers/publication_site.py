"""A publication of a thousand articles, with everything that real ones do to a crawler, on this machine.

    python -m tests.servers.publication_site [--port 0] [--articles 1000] [--seed 1] [--page-bytes 0] [--no-troubles]

prints its port and serves until it is ended, in a process of its own, so that a crawl need not share a processor's turn
with it. Articles are found in one way each, most of them in no other: in feeds, in sitemaps, in sections, in other
articles, behind redirects. What it is asked for is logged; :meth:`Publication.expected` says, from what it is made of,
what becomes of each address in a crawl that tries a page three times.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, Literal

from tests.servers import templates
from tests.servers.newsroom import MOST_AUTHORS, SECTIONS, TAGS, Article, Newsroom
from tests.servers.raw_site import RawSite, Script, in_pieces, running

FEED_ITEMS = 20
LISTED = 20  # on a page of a section
SITEMAPS = 12
TRIES = 3  # of a page, by the crawler's default
LONGEST_CHAIN = 20  # redirects that a crawler follows
CALENDAR, MAZE = "/calendar/", "/maze/"  # without end
LARGE_BYTES = 3_000_000
LEAST_ARTICLES = 150  # for each trouble to befall another one
CONTROL = "/.site/"

Way = Literal["feed", "sitemap", "section", "article", "redirect", "nowhere"]
Coding = Literal["identity", "gzip", "chunked", "gzip, chunked", "close"]
CODINGS: tuple[Coding, ...] = ("identity", "gzip", "chunked", "gzip, chunked")
Trouble = Callable[[Script], Script]  # what is sent in place of the good answer

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Expected:
    """What becomes of one address. *asked*: how often; *status*: of the last answer, None when there is none."""

    outcome: str = "saved"
    asked: int = 1
    status: int | None = 200
    reason: str = ""
    article: Article | None = None


REFUSED = Expected("refused", 0, None, "robots.txt forbids it")


@dataclass(frozen=True)
class Page:
    """What stands at one address: a good answer, and what comes before it or in its place."""

    make: Callable[[], bytes]
    media_type: str = HTML
    status: int = 200
    fields: tuple[str, ...] = ()
    coding: Coding = "identity"
    first: tuple[Trouble, ...] = ()  # what the first requests get, one each
    always: Trouble | None = None
    expected: Expected | None = Expected()  # None: nobody may ask for it
    recovered: Expected | None = None  # when the troubles are over, if it differs


@dataclass(frozen=True)
class Request:
    """One line of the log. *at_s* is of the machine's monotonic clock, the same in all processes.

    *rest_s* is how long the answer asks to be left alone, 0 when it does not; *status* is 0 when there was no answer.
    """

    at_s: float
    host: str
    target: str
    status: int
    rest_s: float = 0.0


# ---- troubles


def busy(status: int, retry_after: Callable[[], str] | None = None) -> Trouble:
    def instead(_: Script) -> Script:
        fields = [f"Retry-After: {retry_after()}"] if retry_after else []
        return reply(status, b"Too busy.\n", PLAIN, fields)

    return instead


def cut(good: Script) -> Script:
    """Half of it, then nothing more."""
    return Script([good.bytes[: len(good.bytes) // 2]], "close")


def torn(good: Script) -> Script:
    return Script([good.bytes[: len(good.bytes) // 2]], "reset")


def hanging(good: Script) -> Script:
    return Script([good.bytes[: len(good.bytes) // 2]], "hang")


def silent(_: Script) -> Script:
    return Script([], "hang")


def trickling(good: Script) -> Script:
    return Script(in_pieces(good.bytes, len(good.bytes) // 10 + 1), pause_s=0.1)


def in_seconds() -> str:
    return "1"


def as_date() -> str:
    return formatdate(int(time.time()) + 2, usegmt=True)


def _asked_rest_s(answer: bytes) -> float:
    found = re.search(rb"\r\nRetry-After: ([^\r]+)", answer.partition(b"\r\n\r\n")[0])
    if found is None:
        return 0.0
    text = found[1].decode()
    return float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - time.time()


_PHRASES = {200: "OK", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect",
            404: "Not Found", 410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error",
            503: "Service Unavailable"}  # fmt: skip


def reply(
    status: int,
    body: bytes,
    media_type: str = HTML,
    fields: list[str] | None = None,
    coding: Coding = "identity",
) -> Script:
    """Return an HTTP/1.1 answer."""
    head = [f"HTTP/1.1 {status} {_PHRASES[status]}", "Server: courier", f"Content-Type: {media_type}", *(fields or ())]
    if "gzip" in coding:
        body = gzip.compress(body, 6, mtime=0)
        head += ["Content-Encoding: gzip", "Vary: Accept-Encoding"]
    if coding == "close":
        return Script([_head([*head, "Connection: close"]) + body], "close")
    if "chunked" in coding:
        chunks = b"".join(b"%X\r\n%s\r\n" % (len(part), part) for part in in_pieces(body, 4000))
        return Script([_head([*head, "Transfer-Encoding: chunked"]) + chunks + b"0\r\n\r\n"])
    return Script([_head([*head, f"Content-Length: {len(body)}"]) + body])


def _head(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


# ---- the publication


class Publication:
    """The site's pages by target, what it was asked for, and what is to be expected of a crawl.

    *troubles* off leaves a site whose every page is well, of articles only found in different ways. *page_bytes* is the
    least size of an article's page. :attr:`base` is the address that absolute links begin with.
    """

    def __init__(
        self, articles: int = 1000, *, seed: int = 1, page_bytes: int = 0, troubles: bool = True, late: int = 10
    ) -> None:
        if troubles and articles < LEAST_ARTICLES:
            raise ValueError(f"{articles} articles; with troubles there must be {LEAST_ARTICLES} or more")
        self.count, self.page_bytes, self.troubles = articles, page_bytes, troubles
        self.base = "http://127.0.0.1"
        self.published = articles  # the newest of all are held back until publish()
        self.well = False
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._asked: dict[str, int] = {}
        self._good: dict[str, Script] = {}
        self._cast()
        russian = frozenset(self.roles.get("cp1251", ()))
        self.articles = self._with_links(Newsroom(articles + late, seed, russian).articles)
        self.pages = self._pages()

    # ---- which article has which part

    def _cast(self) -> None:
        """Give parts to articles that no other article is found by only."""
        old = [number for number in range(self.count - 2 * FEED_ITEMS) if number % 4 in (0, 1)]
        wanted = {
            "404": 4, "410": 2, "busy": 4, "limited": 1, "cut-once": 4, "cut-always": 1, "torn-once": 1, "trickling": 2,
            "cp1251": 2, "large": 1, "moved": 6, "chain": 1, "far": 1, "unlinked": 2, "tracked": 1, "closing": 3,
        }  # fmt: skip
        if not self.troubles:
            wanted = dict.fromkeys(wanted, 0)
        step = (len(old) // sum(wanted.values(), 1) - 1) | 1  # odd, so that both kinds get some
        chosen = iter(old[::step])
        self.roles: dict[str, tuple[int, ...]] = {
            role: tuple(itertools.islice(chosen, number)) for role, number in wanted.items()
        }
        if self.troubles:
            self.roles |= {"hanging": (self.count - 1,), "silent": (self.count - 2,)}  # in the feed, so asked for early
        self._role = {number: role for role, numbers in self.roles.items() for number in numbers}

    def way(self, number: int) -> Way:
        """Return the only way in which that article can be found, but for those in articles, found in several."""
        role = self._role.get(number)
        if role in ("moved", "chain"):
            return "redirect"
        if role in ("far", "unlinked"):
            return "nowhere"
        if number >= self.count - 2 * FEED_ITEMS:
            return "feed"
        return ("sitemap", "section", "section", "article")[number % 4]

    def _with_links(self, articles: list[Article]) -> list[Article]:
        """Link every fourth article in the text of the one before it, and some of the others below."""
        linked = []
        for article in articles:
            number = article.number
            mentions = (number + 1,) if number % 4 == 2 and self.way(number + 1) == "article" else ()
            others = [(number * 7 + 13 * n) % max(1, self.count - 2 * FEED_ITEMS) for n in range(1, 8)]
            related = tuple(dict.fromkeys(n for n in others if n % 4 in (2, 3) and n != number))[:4]
            linked.append(replace(article, mentions=mentions, related=related))
        return linked

    @property
    def newest(self) -> list[Article]:
        """What is published, the newest first."""
        return self.articles[: self.published][::-1]

    def of_section(self, section: str) -> list[Article]:
        return [
            a for a in self.articles[: self.count][::-1] if a.section == section and self.way(a.number) == "section"
        ]

    def of_tag(self, tag: str) -> list[Article]:
        older = self.articles[: self.count - 2 * FEED_ITEMS][::-1]
        return [article for article in older if tag in article.tags and article.number % 4 in (2, 3)][:10]

    # ---- pages

    def _pages(self) -> dict[str, Page]:
        pages: dict[str, Page] = {
            "/": Page(lambda: templates.front(self)),
            "/robots.txt": Page(lambda: templates.robots(self.base), PLAIN),
            "/sitemaps/index.xml": Page(lambda: templates.sitemap_index(self.base, SITEMAPS), "application/xml"),
            "/rss": Page(lambda: templates.rss(self.base, self.newest[:FEED_ITEMS]), "application/rss+xml"),
            "/feeds/older.atom": Page(
                lambda: templates.atom(self.base, self.newest[FEED_ITEMS : 2 * FEED_ITEMS]), "application/atom+xml"
            ),
            "/about": Page(templates.about),
        }
        for part in range(SITEMAPS):
            pages[f"/sitemaps/articles-{part + 1}.xml.gz"] = Page(self._sitemap(part), "application/gzip")
        for section in SECTIONS:
            pages |= self._section(section)
        for tag in TAGS:
            pages[f"/tag/{tag}"] = Page(self._tag(tag))
        for number in range(MOST_AUTHORS):
            pages[f"/search/?author={number}"] = Page(templates.about, expected=REFUSED)
        for article in self.articles:
            pages[article.target] = self._article_page(article)
        if self.troubles:
            pages |= self._inside()
        return pages

    def _sitemap(self, part: int) -> Callable[[], bytes]:
        def make() -> bytes:
            listed = [a for a in self.articles[: self.count] if self.way(a.number) == "sitemap"]
            size = -(-len(listed) // SITEMAPS)
            return gzip.compress(templates.sitemap(self.base, listed[part * size : (part + 1) * size]), mtime=0)

        return make

    def _tag(self, tag: str) -> Callable[[], bytes]:
        return lambda: templates.listing(f"Tag: {tag}", self.of_tag(tag))

    def _section(self, section: str) -> dict[str, Page]:
        """Return the pages of one section; each pages in another way."""
        listed = self.of_section(section)
        parts = [listed[start : start + LISTED] for start in range(0, max(1, len(listed)), LISTED)]
        addresses = [templates.section_address(section, number) for number in range(len(parts))]

        def make(number: int) -> Callable[[], bytes]:
            following = addresses[number + 1] if number + 1 < len(parts) else None
            return lambda: templates.section(section, parts[number], number, addresses, following)

        return {addresses[number]: Page(make(number)) for number in range(len(parts))}

    def _article_page(self, article: Article) -> Page:
        number, role = article.number, self._role.get(article.number)
        page = Page(
            lambda: templates.article(article, self.articles, self.base, self.page_bytes),
            coding=CODINGS[number % len(CODINGS)],
            expected=Expected(article=article) if self.way(number) != "nowhere" else None,
            recovered=Expected(article=article),
        )
        failed = Expected("failed", TRIES, 200)
        timed_out, broken = "not finished in time", "the connection broke before the end"
        match role:
            case "404" | "410":
                gone = Expected(status=int(role), reason=f"the server answered {role}")
                return replace(page, make=templates.gone, status=int(role), expected=gone, recovered=None)
            case "busy":
                times = (busy(503), busy(503, (None, in_seconds, as_date)[self.roles[role].index(number) % 3]))
                return replace(page, first=times, expected=Expected(asked=3, article=article))
            case "limited":
                return replace(page, first=(busy(429, in_seconds),), expected=Expected(asked=2, article=article))
            case "cut-once":
                return replace(page, first=(cut,), expected=Expected(asked=2, article=article))
            case "torn-once":
                return replace(page, first=(torn,), expected=Expected(asked=2, article=article))
            case "cut-always":
                return replace(page, always=cut, expected=replace(failed, reason=broken))
            case "hanging":
                return replace(page, coding="identity", always=hanging, expected=replace(failed, reason=timed_out))
            case "silent":
                return replace(
                    page, always=silent, expected=Expected("failed", TRIES, None, "waiting for the response head")
                )
            case "trickling":
                return replace(page, always=trickling)
            case "cp1251":
                told = self.roles[role].index(number) % 2 == 0  # by the header, or by the page itself only
                return replace(
                    page,
                    make=lambda: templates.article(article, self.articles, self.base, 0, charset="windows-1251"),
                    media_type="text/html; charset=windows-1251" if told else "text/html",
                )
            case "large":
                return replace(page, make=lambda: templates.article(article, self.articles, self.base, LARGE_BYTES))
            case "closing":
                return replace(page, coding="close")
        return page

    def _inside(self) -> dict[str, Page]:
        """Return what no reader ever sees: redirects, what robots.txt forbids, and what has no end."""
        moved = [self.articles[number].target for number in self.roles["moved"]]
        pages = {}
        relative = "../" + moved[4].lstrip("/")
        locations = ["http://{host}" + moved[0], moved[1], moved[2], moved[3], relative, "//{host}" + moved[5]]
        for number, (status, location) in enumerate(zip((301, 302, 307, 308, 301, 302), locations, strict=True)):
            pages[f"/old/{number}"] = self._redirect(status, location)
        chain = self.articles[self.roles["chain"][0]].target
        pages |= {f"/short/{n}": self._redirect(302, f"/short/{n + 1}" if n < 2 else chain) for n in range(3)}
        pages |= {f"/round/{n}": self._redirect(301, f"/round/{(n + 1) % 3}") for n in range(3)}
        far = self.articles[self.roles["far"][0]].target
        for n in range(25):
            page = self._redirect(301, f"/far/{n + 1}" if n < 24 else far)
            if n == LONGEST_CHAIN:
                page = replace(page, expected=Expected("failed", 1, 301, f"more than {LONGEST_CHAIN} redirects"))
            pages[f"/far/{n}"] = page if n <= LONGEST_CHAIN else replace(page, expected=None)
        for name in ("", "drafts", "a-letter-that-was-never-meant-to-be-seen"):
            pages[f"/private/{name}"] = Page(templates.about, expected=REFUSED)
        pages["/private/open/house-rules"] = Page(templates.about)
        pages["/sport/"] = Page(
            lambda: b"Sorry.\n",
            PLAIN,
            status=500,
            expected=Expected("failed", TRIES, 500, "the server answered 500"),
            recovered=Expected(),
        )
        for name in ("front-page.pdf", "harbour.jpg"):
            pages[f"/files/{name}"] = Page(lambda: b"%PDF-1.4", "application/pdf", expected=None)
        tracked = self.articles[self.roles["tracked"][0]].target
        links = [*(f"/old/{n}" for n in range(6)), "/short/0", "/round/0", "/far/0", "/private/", "/private/drafts",
                 "/private/a-letter-that-was-never-meant-to-be-seen", "/private/open/house-rules", "/sport/",
                 "/files/front-page.pdf", "/files/harbour.jpg", f"{CALENDAR}2031/05", MAZE,
                 f"{tracked}?utm_source=inside&utm_medium=web", f"{tracked}?fbclid=IwAR0", f"{tracked}#comments",
                 "mailto:desk@courier.example", "javascript:void(0)", "tel:+10000000", "{elsewhere}/2026/05/05/x-1",
                 "http://courier.invalid:99999/", "http://[broken/"]  # fmt: skip
        pages["/inside/"] = Page(lambda: templates.inside(links, self.elsewhere))
        return pages

    def _redirect(self, status: int, location: str) -> Page:
        # Where it leads depends on the port, which is known once it is served.
        return Page(lambda: b"", status=status, fields=(f"Location: {location}",), expected=Expected(status=status))

    @property
    def elsewhere(self) -> str:
        """The same server under another name: another site."""
        return self.base.replace("127.0.0.1", "localhost")

    def expected(self) -> dict[str, Expected]:
        """Return what becomes of each address a crawl is led to, those of :data:`CALENDAR` and :data:`MAZE` left out.

        robots.txt, which belongs to no crawl's pages, is among them.
        """
        hidden = {article.target for article in self.articles[self.published :]}
        shown = {article.target for article in self.newest[: 2 * FEED_ITEMS]}
        hidden |= {a.target for a in self.articles if self.way(a.number) == "feed"} - shown  # no longer in the feeds
        return {
            target: (page.recovered or page.expected) if self.well else page.expected
            for target, page in self.pages.items()
            if page.expected is not None and target not in hidden
        }

    # ---- serving

    def publish(self, count: int) -> list[Article]:
        """Let that many more articles appear, in the feed and on the front page."""
        with self._lock:
            fresh = self.articles[self.published : self.published + count]
            self.published += len(fresh)
            self._good.clear()
            return fresh

    def recover(self) -> None:
        """Let every trouble be over; what is gone or forbidden remains so."""
        self.well = True

    def answer(self, request: bytes) -> Script:
        """Return what is sent in answer to *request*, and log it."""
        lines = request.split(b"\r\n")
        target = lines[0].split(b" ")[1].decode("latin-1")
        host = next((line[5:].strip() for line in lines if line.lower().startswith(b"host:")), b"").decode("latin-1")
        if target.startswith(CONTROL):
            return self._control(target.removeprefix(CONTROL))
        with self._lock:
            asked = self._asked[target] = self._asked.get(target, 0) + 1
            answer = self._answer(target, asked)
            self.requests.append(
                Request(time.monotonic(), host, target, int(answer.bytes[9:12] or 0), _asked_rest_s(answer.bytes))
            )
        return answer

    def _answer(self, target: str, asked: int) -> Script:
        page = self.pages.get(target)
        if page is None or target in {article.target for article in self.articles[self.published :]}:
            return self._endless(target) or reply(404, templates.gone())
        good = self._good.get(target)
        if good is None:
            fields = [field.replace("{host}", self.base.removeprefix("http://")) for field in page.fields]
            good = self._good[target] = reply(page.status, page.make(), page.media_type, fields, page.coding)
        if self.well:
            return good if page.status != 500 else reply(200, templates.about())
        if asked <= len(page.first):
            return page.first[asked - 1](good)
        return page.always(good) if page.always else good

    def _endless(self, target: str) -> Script | None:
        if target.startswith(CALENDAR):
            year, month = map(int, target.removeprefix(CALENDAR).split("/"))
            return reply(200, templates.calendar(CALENDAR, year, month))
        return reply(200, templates.maze()) if target.startswith(MAZE) else None

    def _control(self, what: str) -> Script:
        name, _, argument = what.partition("/")
        told: Any = None
        if name == "log":
            told = [asdict(request) for request in self.requests[int(argument or 0) :]]
        elif name == "publish":
            told = [article.number for article in self.publish(int(argument))]
        elif name == "recover":
            self.recover()
        return reply(200, json.dumps(told).encode(), "application/json", ["Connection: close"], "close")


# ---- in a process of its own


class PublicationSite:
    """The site in a process of its own. *publication* is the same one, made again here, to be asked what to expect."""

    def __init__(self, process: subprocess.Popen[bytes], publication: Publication) -> None:
        self.process, self.publication = process, publication
        assert process.stdout is not None
        self.port = int(process.stdout.readline())
        publication.base = f"http://127.0.0.1:{self.port}"

    def url(self, target: str = "/") -> str:
        return self.publication.base + target

    def log(self, since: int = 0) -> list[Request]:
        """Return what it was asked for, without the first *since*."""
        return [Request(**line) for line in self._ask(f"log/{since}")]

    def publish(self, count: int) -> list[Article]:
        self._ask(f"publish/{count}")
        return self.publication.publish(count)

    def recover(self) -> None:
        self._ask("recover")
        self.publication.recover()

    def _ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{CONTROL}{what}", timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running_publication(articles: int = 1000, *, seed: int = 1, troubles: bool = True) -> Iterator[PublicationSite]:
    """Run the publication in a process of its own."""
    arguments = ["--articles", str(articles), "--seed", str(seed), *([] if troubles else ["--no-troubles"])]
    process = subprocess.Popen([sys.executable, "-m", __name__, *arguments], stdout=subprocess.PIPE)
    try:
        yield PublicationSite(process, Publication(articles, seed=seed, troubles=troubles))
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def publication_in_thread(publication: Publication) -> Iterator[RawSite]:
    """Run *publication* in a thread of this process."""
    with running(RawSite(answer=publication.answer)) as site:
        publication.base = site.url("")
        yield site


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page-bytes", type=int, default=0)
    parser.add_argument("--no-troubles", action="store_true")
    options = parser.parse_args()
    publication = Publication(
        options.articles, seed=options.seed, page_bytes=options.page_bytes, troubles=not options.no_troubles
    )
    site = RawSite(answer=publication.answer)

    async def serve() -> None:
        server = await asyncio.start_server(site.serve, "127.0.0.1", options.port, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        publication.base = f"http://127.0.0.1:{port}"
        print(port, flush=True)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
