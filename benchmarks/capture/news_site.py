"""A generated news site in a process of its own, so fast that it is nobody's bottleneck.

    python benchmarks/capture/news_site.py serve [--pages 2000] [--latency-ms 0]     prints its address, serves
    python benchmarks/capture/news_site.py rate [--pages 2000]      its bare rate, by a client that only counts bytes

Articles are of about 100 KB, 30 KB gzipped, with what pages of news sites consist of: inline styles and scripts, a menu
of some 100 links, twelve paragraphs, related articles, a footer. They are linked from a front page, from ten sections
with paging, from each other and from a sitemap; robots.txt allows all. Every response is made before the first request:
one with gzip for clients that ask for it, one without. Two paths nobody links are for the benchmark itself:
``/.sent`` gives the digests of what is sent, ``/.log`` gives and forgets when which path was asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

SECTIONS = ("politics", "world", "business", "science", "culture", "opinion", "sport", "climate", "health", "cities")
LISTED = 25  # articles on a page of a section
NEWEST = date(2026, 11, 1)
SEND_BUFFER_BYTES = 1 << 20
IMAGES = "https://images.example"  # another host, which no contender asks


@dataclass(frozen=True)
class Article:
    number: int
    section: str
    day: date
    title: str
    path: str


class Builder:
    """Makes every page of the site at *host*; the same for the same arguments."""

    def __init__(self, pages: int, host: str) -> None:
        self.chance = random.Random(1)
        self.host = host
        syllables = [a + b for a in "bcdfglmnprstvw" for b in ("a", "e", "i", "o", "u", "en", "ar", "is")]
        self.words = ["".join(self.chance.choices(syllables, k=self.chance.randint(1, 4))) for _ in range(6_000)]
        self.weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.words))))
        self.articles = [self._article(number) for number in range(pages)]
        self.style, self.script = self._style(), self._script()
        self.menu, self.footer = self._menu(), self._footer()

    def _words(self, count: int) -> list[str]:
        return self.chance.choices(self.words, cum_weights=self.weights, k=count)

    def _article(self, number: int) -> Article:
        day = NEWEST - timedelta(days=number // 8)
        words = self._words(self.chance.randint(6, 10))
        path = f"/{day:%Y/%m/%d}/{'-'.join(words[:5])}-a{10_000 + number}"
        return Article(number, SECTIONS[number % len(SECTIONS)], day, " ".join(words).capitalize(), path)

    def _style(self) -> str:
        rules = []
        for _ in range(170):
            name = "-".join(self._words(2))
            r = self.chance.randrange
            rules.append(
                f".{name}{{color:#{r(1 << 24):06x};margin:{r(40)}px {r(40)}px;padding:{r(9)}.{r(99)}em;"
                f"font-size:{r(3)}.{r(99)}rem;background:#{r(1 << 24):06x};width:{r(100)}.{r(999)}%}}"
            )
        return "".join(rules)

    def _script(self) -> str:
        parts = []
        for _ in range(150):
            a, b, c = (self.chance.choice("abcdefghijklmnop") + f"{self.chance.randrange(1 << 16):x}" for _ in range(3))
            key = f"{self.chance.getrandbits(96):x}"
            word = self._words(1)[0]
            parts.append(
                f'!function({a},{b}){{var {c}={b}.{word}||{{}};{c}.on("{key}",function(t){{return t.{a}<0?null:'
                f"{b}[t.id]}}),window.{word}=window.{word}||{c}}}(document,window);"
            )
        return "".join(parts)

    def _link(self, article: Article) -> str:
        return f'<a class="menu__item link" href="{article.path}" data-section="{article.section}">{article.title}</a>'

    def _menu(self) -> str:
        """A hundred links: ten sections, nine articles of each below."""
        columns = []
        for section in SECTIONS:
            own = [article for article in self.articles if article.section == section][:9]
            items = "".join(f"<li>{self._link(article)}</li>" for article in own)
            head = f'<a class="menu__head" href="/{section}/">{section.capitalize()}</a>'
            columns.append(f'<div class="menu__column">{head}<ul>{items}</ul></div>')
        return f'<nav class="menu" aria-label="Main">{"".join(columns)}</nav>'

    def _footer(self) -> str:
        links = "".join(
            f'<a class="footer__link" href="/{section}/">{section.capitalize()}</a>' for section in SECTIONS
        )
        return (
            f'<footer class="footer"><div class="footer__links">{links}</div>'
            f'<p class="footer__note">{self._sentence()}</p><p>&copy; 2026 The Example News</p></footer>'
        )

    def _sentence(self) -> str:
        words = self._words(self.chance.randint(8, 24))
        return f"{' '.join(words).capitalize()}{self.chance.choice('..…?')}"

    def _paragraph(self) -> str:
        return " ".join(self._sentence() for _ in range(self.chance.randint(3, 5)))

    def _state(self) -> str:
        """What scripts find of the page's data in the page itself: half of it never shown."""
        entries = [
            {
                "id": f"{self.chance.getrandbits(128):032x}",
                "title": " ".join(self._words(8)),
                "teaser": self._sentence(),
                "image": f"{IMAGES}/{self.chance.getrandbits(64):016x}.jpg?w=640&q=75",
                "score": self.chance.random(),
            }
            for _ in range(50)
        ]
        return json.dumps({"props": {"stories": entries}})

    def _page(self, title: str, head: str, main: str) -> bytes:
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f"<title>{title} | The Example News</title>\n"
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{head}'
            f"<style>{self.style}</style>\n<script>{self.script}</script>\n</head>\n<body>\n"
            f'<header class="header"><a class="header__logo" href="/">The Example News</a></header>\n{self.menu}\n'
            f"{main}\n{self.footer}\n"
            f'<script id="state" type="application/json">{self._state()}</script>\n</body>\n</html>\n'
        ).encode()

    def article(self, article: Article) -> bytes:
        published = f"{article.day:%Y-%m-%d}T0{article.number % 9 + 1}:30:00+00:00"
        author = " ".join(self._words(2)).title()
        address = f"http://{self.host}{article.path}"
        summary = self._sentence()
        data = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": article.title,
            "datePublished": published,
            "author": [{"@type": "Person", "name": author}],
            "mainEntityOfPage": address,
        }
        head = (
            f'<link rel="canonical" href="{address}">\n<meta property="og:type" content="article">\n'
            f'<meta property="og:title" content="{article.title}">\n<meta name="description" content="{summary}">\n'
            f'<meta property="article:published_time" content="{published}">\n<meta name="author" content="{author}">\n'
            f'<script type="application/ld+json">{json.dumps(data)}</script>\n'
        )
        of_section = self.articles[article.number % len(SECTIONS) :: len(SECTIONS)]
        place = article.number // len(SECTIONS)
        related = of_section[max(0, place - 5) : place] + of_section[place + 1 : place + 6]
        related += self.chance.sample(self.articles, min(10, len(self.articles)))
        cards = "".join(
            f'<li class="card"><img class="card__image" src="{IMAGES}/{other.number}.jpg?w=320" alt="">'
            f'<a class="card__link" href="{other.path}">{other.title}</a><time>{other.day}</time></li>'
            for other in related
        )
        text = "\n".join(f"<p>{self._paragraph()}</p>" for _ in range(12))
        main = (
            f'<main><article class="article"><h1>{article.title}</h1><p class="article__lead">{summary}</p>'
            f'<p class="article__meta">By <span class="author">{author}</span>, <time datetime="{published}">'
            f'{article.day:%d %B %Y}</time></p>\n<div class="article__body">\n{text}\n</div></article>\n'
            f'<aside class="related"><h2>Related</h2><ul>{cards}</ul></aside></main>'
        )
        return self._page(article.title, head, main)

    def listing(self, title: str, shown: list[Article], paging: str) -> bytes:
        items = "".join(
            f'<li class="teaser"><h3><a href="{article.path}">{article.title}</a></h3>'
            f"<p>{self._sentence()}</p><time>{article.day}</time></li>"
            for article in shown
        )
        return self._page(title, "", f'<main><h1>{title}</h1><ul class="teasers">{items}</ul>{paging}</main>')

    def listings(self) -> dict[str, bytes]:
        pages = {"/": self.listing("News", self.articles[: LISTED * 2], "")}
        for section in SECTIONS:
            own = [article for article in self.articles if article.section == section]
            last = max(1, -(-len(own) // LISTED))
            for number in range(1, last + 1):
                near = {1, last, *range(max(1, number - 3), min(last, number + 3) + 1)}
                links = "".join(f'<a href="/{section}/?page={other}">{other}</a>' for other in sorted(near))
                paging = f'<nav class="paging">{links}</nav>'
                shown = own[(number - 1) * LISTED : number * LISTED]
                page = self.listing(section.capitalize(), shown, paging)
                pages[f"/{section}/?page={number}"] = page
                if number == 1:
                    pages[f"/{section}/"] = page
        return pages

    def sitemap(self) -> bytes:
        entries = "".join(
            f"<url><loc>http://{self.host}{article.path}</loc><lastmod>{article.day}</lastmod></url>\n"
            for article in self.articles
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
        ).encode()

    def robots(self) -> bytes:
        return f"User-agent: *\nAllow: /\n\nSitemap: http://{self.host}/sitemap.xml\n".encode()


@dataclass(frozen=True)
class Answer:
    """One response in both codings, head included."""

    gzipped: bytes
    plain: bytes


def answer(body: bytes, content_type: bytes, etag: int) -> Answer:
    fields = (
        b"HTTP/1.1 200 OK\r\nserver: nginx\r\ndate: Sun, 01 Nov 2026 12:00:00 GMT\r\nContent-Type: %s\r\n"
        b'X-Cache: HIT\r\nETag: "%x"\r\nVary: Accept-Encoding\r\nCache-Control: max-age=60\r\n' % (content_type, etag)
    )
    packed = gzip.compress(body, 6, mtime=0)
    return Answer(
        fields + b"content-encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(packed), packed),
        fields + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
    )


def build(pages: int, host: str) -> tuple[dict[bytes, Answer], list[str]]:
    """Return the responses by path, and the paths of the articles."""
    builder = Builder(pages, host)
    html, answers = b"text/html; charset=utf-8", {}
    for article in builder.articles:
        answers[article.path.encode()] = answer(builder.article(article), html, article.number)
    for path, body in builder.listings().items():
        answers[path.encode()] = answer(body, html, len(answers))
    answers[b"/sitemap.xml"] = answer(builder.sitemap(), b"application/xml", len(answers))
    answers[b"/robots.txt"] = answer(builder.robots(), b"text/plain", len(answers))
    return answers, [article.path for article in builder.articles]


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nnot here.\n"
_ACCEPTS_GZIP = re.compile(rb"^accept-encoding:[^\r]*\bgzip\b", re.IGNORECASE | re.MULTILINE)


class Server(asyncio.Protocol):
    """One connection; requests come one after the other and have no body."""

    answers: dict[bytes, Answer]
    sent: bytes
    log: list[tuple[float, str, bool]]  # monotonic seconds, path, whether gzip was asked for
    latency_s = 0.0  # from a request to its answer, as of a site far away

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head, self.received = self.received[:end], self.received[end + 4 :]
            self.respond(head)

    def respond(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1]
        found = self.answers.get(path)
        if found is not None:
            packed = _ACCEPTS_GZIP.search(head) is not None
            self.log.append((time.monotonic(), path.decode(), packed))
            self.answer(found.gzipped if packed else found.plain)
        elif path == b"/.sent":
            self.own(self.sent)
        elif path == b"/.log":
            self.own(json.dumps(self.log).encode())
            self.log.clear()
        else:
            self.log.append((time.monotonic(), path.decode("latin-1"), False))
            self.answer(NOT_FOUND)

    def answer(self, response: bytes) -> None:
        if self.latency_s:
            asyncio.get_running_loop().call_later(self.latency_s, self.transport.write, response)
        else:
            self.transport.write(response)

    def own(self, body: bytes) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        self.transport.close()


def digests(answers: dict[bytes, Answer], articles: list[str]) -> bytes:
    """What ``/.sent`` says: the paths of the articles; by path and coding, sha256 of body and of whole response."""

    def both(response: bytes) -> tuple[str, str]:
        body = response.partition(b"\r\n\r\n")[2]
        return sha256(body).hexdigest(), sha256(response).hexdigest()

    sent = {path.decode(): {"gzip": both(a.gzipped), "identity": both(a.plain)} for path, a in answers.items()}
    return json.dumps({"articles": articles, "sent": sent}).encode()


def serve(pages: int, latency_s: float) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)  # a page goes out in one call
    host = f"127.0.0.1:{listening.getsockname()[1]}"
    Server.answers, articles = build(pages, host)
    Server.sent, Server.log = digests(Server.answers, articles), []
    Server.latency_s = latency_s

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, sock=listening)
        print(f"http://{host}", flush=True)
        await server.serve_forever()

    asyncio.run(run())


class Site:
    """The site in its process, for ``with``: *start* is its address."""

    def __init__(self, pages: int, latency_ms: float = 0.0) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), "serve", "--pages", str(pages)]
        command += ["--latency-ms", str(latency_ms)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.start = self.process.stdout.readline().strip()

    def own(self, path: str) -> bytes:
        """Return the body of ``/.sent`` or ``/.log``."""
        host, _, port = self.start.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET %s HTTP/1.1\r\n\r\n" % path.encode())
            with connection.makefile("rb") as stream:
                return stream.read().partition(b"\r\n\r\n")[2]

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Counter(asyncio.Protocol):
    """Asks for one path after the other and counts what comes."""

    def __init__(self, paths: list[str], coding: str) -> None:
        self.paths, self.coding = paths, coding
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.missing, self.received = 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        if not self.paths:
            self.transport.close()
            self.done.set_result(None)
            return
        request = f"GET {self.paths.pop()} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {self.coding}\r\n\r\n"
        self.transport.write(request.encode())

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if not self.missing:
            head, _, body = data.partition(b"\r\n\r\n")
            self.missing = int(head.rpartition(b"Content-Length: ")[2].split()[0]) - len(body)
        else:
            self.missing -= len(data)
        if not self.missing:
            self.ask()


async def count(site: Site, paths: list[str], coding: str) -> int:
    host, _, port = site.start.removeprefix("http://").partition(":")
    counters = [Counter(paths, coding) for _ in range(6)]
    for counter in counters:
        await asyncio.get_running_loop().create_connection(lambda counter=counter: counter, host, int(port))
    await asyncio.gather(*(counter.done for counter in counters))
    return sum(counter.received for counter in counters)


def rate(pages: int) -> None:
    with Site(pages) as site:
        paths = json.loads(site.own("/.sent"))["articles"]
        for coding in ("gzip", "identity"):
            for _ in range(3):
                began, cpu = time.perf_counter(), site.cpu_s()
                size = asyncio.run(count(site, list(paths), coding))
                took, cpu = time.perf_counter() - began, site.cpu_s() - cpu
                print(
                    f"{coding:9}{pages / took:8,.0f} pages/s, {size / pages / 1000:.1f} KB a page,"
                    f" {cpu / pages * 1000:.3f} ms of the server's processor time a page"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["serve", "rate"])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    if options.what == "serve":
        serve(options.pages, options.latency_ms / 1000)
    else:
        rate(options.pages)


if __name__ == "__main__":
    main()
