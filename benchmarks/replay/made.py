"""The archive that is measured: article pages of some 139 KB, as a browser got them, and an index of any length."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive import cdxj
from archive.digests import digest
from archive.entries import capture_of, records_in
from archive.storage.local import LocalStorage
from archive.warc import Record, encode

START = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "https://news.example"
WARC = "warc/2026/01/01/newswarc-20260101000000000-00001-bench-000000000000.warc.gz"
PAGE_BYTES = 139_000

_WORDS = ("the council voted on Tuesday to reopen line between old harbour and islands mayor said money budget").split()  # noqa: SIM905 - prose reads better so


def url_of(number: int) -> str:
    return f"{HOST}/2026/{number % 12 + 1:02}/{number % 28 + 1:02}/piece-about-something-of-the-day-{number}"


def page_of(number: int) -> bytes:
    """Return the page of that number, always the same: text, links, pictures in several sizes, styles, scripts."""
    chance = random.Random(number)
    image, style = f"{HOST}/img/{number}.jpg", "<style>.a{background:url(/static/a.png)}</style>"
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Piece {number}</title>'
        f'<link rel="canonical" href="{url_of(number)}"><link rel="stylesheet" href="/static/site.css">'
        f'<meta property="og:image" content="{image}">{style}<script src="/static/app.js"></script></head><body>'
    )
    parts, size = [head], 0
    while size < PAGE_BYTES:
        part = _part(chance)
        parts.append(part)
        size += len(part)
    parts.append("</body></html>")
    return "".join(parts).encode()


def _part(chance: random.Random) -> str:
    kind, number = chance.random(), chance.randrange(10**6)
    words = " ".join(chance.choices(_WORDS, k=60))
    if kind < 0.5:
        return f'<p class="text text--{number % 9}">{words}</p>\n'
    if kind < 0.8:
        href = url_of(number % 2000)
        return f'<li><a class="teaser__link" data-id="{number}" href="{href}">{words[:60]}</a></li>\n'
    if kind < 0.92:
        name = f"/img/{number}"
        sizes = f"{name}-480.jpg 480w, {name}-960.jpg 960w, {name}-1920.jpg 1920w"
        return f'<figure><img src="{name}.jpg" srcset="{sizes}" alt="{words[:30]}" loading="lazy"></figure>\n'
    data = f'{{"id":{number},"words":"{words}"}}'
    return f"<script>window.dataLayer=window.dataLayer||[];dataLayer.push({data});</script>\n"


def write(folder: Path, pages: int) -> None:
    """Write an archive of that many pages, its payloads gzipped as servers send them."""
    storage = LocalStorage(folder)
    out = io.BytesIO()
    for number in range(pages):
        body = gzip.compress(page_of(number), 6, mtime=0)
        block = (
            b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n"
            b"Content-Encoding: gzip\r\nCache-Control: max-age=60\r\nVary: Accept-Encoding\r\nServer: nginx\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        ) + body
        at = START + timedelta(seconds=number)
        fields = [
            ("WARC-Type", "response"),
            ("WARC-Record-ID", f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>"),
            ("WARC-Date", f"{at:%Y-%m-%dT%H:%M:%SZ}"),
            ("WARC-Target-URI", url_of(number)),
            ("Content-Type", "application/http;msgtype=response"),
            ("WARC-Block-Digest", digest(block)),
            ("WARC-Payload-Digest", digest(body)),
        ]
        out.write(encode(Record("response", fields, block)))
    _put(storage, WARC, out.getvalue())
    out.seek(0)
    captures = (capture_of(record, WARC) for record in records_in(out))
    lines = cdxj.segment(capture for capture in captures if capture)
    _put(storage, WARC.replace("warc/", "index/").replace(".warc.gz", ".cdxj"), lines)


def write_index(folder: Path, lines: int) -> None:
    """Add an index of so many lines more, of captures that are not there, around those that are."""
    path = folder / "index/2026/01/02/newswarc-20260102000000000-00001-bench-000000000000.cdxj"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for number in range(lines):
            key = f"example,news)/{2000 + number // 500_000}/archive/{number:09d}"
            file.write(
                b'%b 20260101%06d {"url": "https://news.example/%d/archive/%09d", "mime": "text/html", "status": "200",'
                b' "digest": "sha256:%064x", "length": "30000", "offset": "%d", "filename": "%b", "record_id":'
                b' "<urn:uuid:00000000-0000-4000-9000-%012d>", "date": "2026-01-01T00:00:00.000000Z"}\n'
                % (
                    key.encode(),
                    number % 240000,
                    2000 + number // 500_000,
                    number,
                    number,
                    number,
                    WARC.encode(),
                    number,
                )
            )


def _put(storage: LocalStorage, key: str, data: bytes) -> None:
    storage.put(key, data, sha256=hashlib.sha256(data).hexdigest(), replace=True)
