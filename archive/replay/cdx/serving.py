"""A query answered: lines picked, joined and ordered as they stream by."""

from __future__ import annotations

import heapq
import json
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from archive.cdxj import REVISIT_MIME
from archive.errors import IndexDamaged
from archive.replay.asked import NOSNIFF, Answer
from archive.replay.cdx.filters import Filter
from archive.replay.cdx.query import FIELDS, BadQuery, Query
from archive.replay.site import Site

BLOCK_BYTES = 1 << 20  # of index, some 3,000 lines, which is a block of pywb's
_PIECE_BYTES = 1 << 16

_TYPES = {"cdxj": "text/x-cdxj", "text": "text/plain; charset=utf-8", "json": "application/x-ndjson"}
_HEADERS = [("Access-Control-Allow-Origin", "*"), ("Cache-Control", "no-cache"), NOSNIFF]

Row = dict[str, Any]  # what a line says, urlkey and timestamp with the rest


def answer(site: Site, query: Query) -> Answer:
    """Return the lines that *query* asks for. Raises ``BadQuery``, ``IndexDamaged`` and ``StorageError``."""
    start, end = query.start, query.end
    if query.page is not None or query.count_pages:
        cuts = site.archive.index.cuts(start, end, BLOCK_BYTES * query.page_size)
        if query.count_pages:
            counted = {"blocks": len(cuts) * query.page_size, "pages": len(cuts), "pageSize": query.page_size}
            return Answer(200, [("Content-Type", "application/json"), *_HEADERS], json.dumps(counted).encode() + b"\n")
        page = query.page or 0
        if page >= len(cuts) and not (page == 0 and not cuts):
            raise BadQuery(f"Page {page} invalid: First Page is 0, Last Page is {max(0, len(cuts) - 1)}")
        if cuts:
            start, end = cuts[page], cuts[page + 1] if page + 1 < len(cuts) else end
    pieces = _pieces(_written(site, query, start, end))
    first = next(pieces, b"")  # what cannot be answered at all is told with its status, not in the middle of the answer
    headers = [("Content-Type", _TYPES[query.output]), *_HEADERS]
    second = next(pieces, None)
    if second is None:
        return Answer(200, headers, first)
    return Answer(200, headers, _joined(first, second, pieces))


def _joined(first: bytes, second: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from pieces


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= _PIECE_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _written(site: Site, query: Query, start: bytes, end: bytes) -> Iterator[bytes]:
    lines = _clamped(site.archive.index.lines(start, end), query)
    if query.plain and query.closest is None and not site.access and query.output != "text":
        chosen = _last(lines, query) if query.reverse else islice(lines, query.offset, query.offset + query.limit)
        yield from chosen if query.output == "cdxj" else map(_spliced, chosen)
        return
    rows = _rows(site, lines)
    if query.resolve_revisits:
        rows = _resolved(rows)
    for one in query.filters:
        rows = _filtered(rows, one)
    if query.collapse_time:
        rows = _collapsed(rows, (("timestamp", query.collapse_time), ("status", 0)))
    for name, length in query.collapse:
        rows = _collapsed(rows, ((name, length),))
    write = {"cdxj": _cdxj, "json": _json, "text": _text_line}[query.output]
    for row in _ordered(rows, query):
        yield write(row, query.fields)


def _last(lines: Iterator[bytes], query: Query) -> Iterator[bytes]:
    kept: deque[bytes] = deque(lines, maxlen=query.limit + query.offset)
    yield from islice(reversed(kept), query.offset, None)


def _clamped(lines: Iterator[bytes], query: Query) -> Iterator[bytes]:
    if not (query.since or query.until):
        return lines
    since, until = query.since.encode(), (query.until or "9" * 14).encode()
    return (line for line in lines if since <= line.split(b" ", 2)[1] <= until)


def _spliced(line: bytes) -> bytes:
    """Return the line in JSON, without reading what it says."""
    key, timestamp, rest = line.split(b" ", 2)
    return b'{"urlkey": %s, "timestamp": "%s", %s' % (json.dumps(key.decode()).encode(), timestamp, rest[1:])


def _rows(site: Site, lines: Iterable[bytes]) -> Iterator[Row]:
    access, now = site.access, datetime.now(UTC)
    for line in lines:
        try:
            key, timestamp, rest = line.decode().split(" ", 2)
            row: Row = {"urlkey": key, "timestamp": timestamp, **json.loads(rest)}
        except (ValueError, TypeError) as error:
            raise IndexDamaged(f"index of {site.archive.storage.location}", f"no line of it: {line[:80]!r}") from error
        if access:
            verdict = access.verdict(row.get("url", ""), _time(timestamp), now)
            if not verdict.listed:
                continue
            if not verdict.shown:
                row["access"] = verdict.kind
        yield row


def _time(timestamp: str) -> datetime:
    return datetime.strptime(timestamp + "+0000", "%Y%m%d%H%M%S%z")


def _filtered(rows: Iterable[Row], one: Filter) -> Iterator[Row]:
    for row in rows:
        if one.keeps(row, "" if one.name else _text(row, ())):
            yield row


def _resolved(rows: Iterable[Row]) -> Iterator[Row]:
    """Tell of each revisit where the capture lies whose payload it has, when that came before it."""
    originals: dict[str, Row] = {}
    for row in rows:
        digest, revisit = row.get("digest"), row.get("mime") == REVISIT_MIME
        original = originals.get(str(digest)) if digest else None
        if digest and original is None and not revisit:
            originals[str(digest)] = row
        if original is not None and revisit:
            row = {**row, "mime": original.get("mime", ""), "status": original.get("status", "")}  # noqa: PLW2901
        source = original if revisit and original is not None else {}
        row.update({f"orig.{name}": source.get(name, "-") for name in ("length", "offset", "filename")})
        yield row


def _collapsed(rows: Iterable[Row], by: tuple[tuple[str, int], ...]) -> Iterator[Row]:
    """Leave out rows whose values are those of the row before."""
    before = None
    for row in rows:
        now = tuple(str(row.get(name, ""))[: length or None] for name, length in by)
        if now != before:
            before = now
            yield row


def _ordered(rows: Iterator[Row], query: Query) -> Iterable[Row]:
    if query.closest is not None:
        wanted = query.closest
        nearest = heapq.nsmallest(
            query.limit + query.offset, rows, key=lambda row: abs((_time(row["timestamp"]) - wanted).total_seconds())
        )
        return nearest[query.offset :]
    if query.reverse:
        kept = deque(rows, maxlen=query.limit + query.offset)
        return islice(reversed(kept), query.offset, None)
    return islice(rows, query.offset, query.offset + query.limit)


def _picked(row: Row, fields: tuple[str, ...]) -> Row:
    return {name: row.get(name, "-") for name in fields} if fields else row


def _json(row: Row, fields: tuple[str, ...]) -> bytes:
    return json.dumps(_picked(row, fields)).encode() + b"\n"


def _cdxj(row: Row, fields: tuple[str, ...]) -> bytes:
    rest = {name: value for name, value in _picked(row, fields).items() if name not in {"urlkey", "timestamp"}}
    if fields:  # as pywb writes them: what is asked for, and nothing before it that is not
        head = " ".join(str(row[name]) for name in ("urlkey", "timestamp") if name in fields)
        return (f"{head} " if head else "").encode() + json.dumps(rest).encode() + b"\n"
    return f"{row['urlkey']} {row['timestamp']} {json.dumps(rest)}\n".encode()


def _text_line(row: Row, fields: tuple[str, ...]) -> bytes:
    return _text(row, fields).encode(errors="surrogateescape") + b"\n"


def _text(row: Row, fields: tuple[str, ...]) -> str:
    """Return the row as a line of an 11-column CDX file, or the fields asked for, in order."""
    if fields:
        return " ".join(str(row.get(name, "-")).replace(" ", "%20") for name in fields)
    names = ["urlkey", "timestamp", "url", "mime", "status", "digest", "redirect", "robotflags", *FIELDS[6:]]
    names += [name for name in ("orig.length", "orig.offset", "orig.filename") if name in row]
    return " ".join(str(row.get(name, "-")).replace(" ", "%20") for name in names)
