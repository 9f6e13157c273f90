"""WARC records of pages, for tests that need files rather than an archive."""

from __future__ import annotations

from archive.warc import Record, encode

HTTP = "application/http;msgtype=response"
AUTHORS = [f"Ada {name}" for name in ("Hill", "Moreno", "Lind", "Okafor", "Petrova", "Stone", "Weber")]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"


def record_id(number: int) -> str:
    return f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>"


def record(
    number: int,
    block: bytes,
    *,
    kind: str = "response",
    url: str | None = None,
    content_type: str = HTTP,
    at: str | None = None,
    **fields: str,
) -> bytes:
    """Return a record as a gzip member; *fields* are more of its header, ``WARC_Refers_To`` for ``WARC-Refers-To``."""
    header = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", record_id(number)),
        ("WARC-Date", at or f"2026-03-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"),
        ("WARC-Target-URI", url or f"https://news.example/2026/03/01/piece-{number}"),
        ("Content-Type", content_type),
        *((name.replace("_", "-"), value) for name, value in fields.items()),
    ]
    return encode(Record(kind, header, block))


def news(number: int, *, paragraphs: int = 5, author: bool = True, dated: bool = True, title: bool = True) -> bytes:
    """Return an article's page, each with words of its own; what is left out is gone from all of its markup."""
    headline = f"Council votes on ferry number {number}" if title else ""
    head = f"<title>{headline} - Example News</title>" if title else ""
    date = '<meta property="article:published_time" content="2026-02-27T08:00:00Z">' if dated else ""
    by = f'<p class="byline">By <a rel="author" href="/author/ada">{AUTHORS[number % 7]}</a></p>' if author else ""
    text = "".join(
        f"<p>Paragraph {n} of piece {number}: the council voted on Tuesday to reopen line {number + n} between the old"
        f" harbour and the islands, and the mayor said that the money for it had been found in the budget.</p>"
        for n in range(paragraphs)
    )
    return (
        f"<!doctype html><html lang=en><head>{head}{date}</head><body><article>"
        f"{f'<h1>{headline}</h1>' if title else ''}{by}{text}</article></body></html>"
    ).encode()
