"""Exchanges and records for tests of what writes and mends WARC files."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive import warc
from archive.article import Article
from archive.exchange import Exchange
from archive.names import new_stem
from archive.segment import Segment
from archive.spool import Spool
from archive.warc import Record

AT = datetime(2026, 11, 21, 20, 48, 0, 123456, tzinfo=UTC)
WARCINFO = "<urn:uuid:00000000-0000-4000-8000-000000000000>"
FIELDS = [("software", "newswarc/0"), ("format", "WARC File Format 1.1")]


def page(number: int, *, body: bytes | None = None) -> tuple[Exchange, Spool]:
    """Return the exchange of page *number*, always the same, and its response for the caller to close."""
    chance = random.Random(number)
    html = b"<p>%d</p>" % number + chance.randbytes(chance.randrange(200, 2000)).hex().encode()
    body = gzip.compress(html, mtime=0) if body is None else body
    response = Spool(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        % len(body)
        + body
    )
    at = AT + timedelta(seconds=number)
    exchange = Exchange(
        url=f"https://news.example/2026/11/21/{number}",
        method="GET",
        request=b"GET /2026/11/21/%d HTTP/1.1\r\nHost: news.example\r\n\r\n" % number,
        response=response,
        started=at,
        ended=at + timedelta(milliseconds=80),
        peer="192.0.2.1",
    )
    return exchange, response


@contextmanager
def records_of(number: int, *, warcinfo_id: str = WARCINFO, body: bytes | None = None) -> Iterator[list[Record]]:
    exchange, response = page(number, body=body)
    with response:
        yield warc.capture_records(exchange, warcinfo_id=warcinfo_id, metadata=[("via", "https://news.example/")])


def article(number: int, record_id: str) -> Article:
    return Article(url=f"https://news.example/2026/11/21/{number}", title="“Title”", record_id=record_id, text="Text.")


def segment(directory: Path, *, kind: str = "captures") -> Segment:
    stem = new_stem("articles" if kind == "articles" else "captures", 1, "Test Host", AT)
    return Segment(directory, stem, warc.warcinfo(f"{stem}.warc.gz", FIELDS, date=AT, record_id=WARCINFO))


def filled(directory: Path, pages: int) -> tuple[Segment, list[int]]:
    """Return a segment that holds *pages* exchanges, synced, and where each of its records begins; the end too."""
    made = segment(directory)
    starts = [0]
    for number in range(pages):
        with records_of(number) as records:
            starts += [entry.place.offset for entry in made.append(records)]
    made.sync()
    return made, [*starts, made.size]
