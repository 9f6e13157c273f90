"""Pages to extract articles from, wherever they lie: HTML files, WARC files, WACZ packages, a stream."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from archive.capture import CAPTURE_TYPES, HEAD_BYTES, SERVER_NOT_MODIFIED, Capture
from archive.errors import ArchiveError, MalformedRecord
from archive.http1 import Head, payload_chunks
from archive.originals import MEMBER, Originals
from archive.payload import read_message
from archive.place import Place
from archive.prefixed import Prefixed
from archive.scan import Scanned, scan

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
PAGE_BYTES = 64 << 20  # a longer HTML file is no page; the limit of decoded bodies is the same

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_OPENING_BYTES = 1 << 16  # of a stream, to see what it is


class Unreadable(ArchiveError):
    """A file to extract from cannot be read, or is of no kind that holds pages."""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """One page's payload (transfer coding removed, content coding kept) and what is known of it.

    *path* is the file, and for a member of a WACZ ``file!member``; *record_id* is None outside WARC files. *url* is
    None when nothing tells it.
    """

    path: str
    record_id: str | None
    url: str | None
    payload: bytes
    content_type: str | None
    content_encoding: str | None
    captured_at: datetime
    payload_digest: str | None = None


@dataclass(slots=True)
class Passed:
    """What reading many files has passed: records that hold no page, counted by reason, and originals of revisits."""

    skipped: Counter[str] = field(default_factory=Counter)
    originals: Originals[_Revisit] = field(default_factory=Originals)


@dataclass(frozen=True, slots=True)
class _Revisit:
    page: StoredPage  # without its payload
    keys: tuple[str | None, ...]  # of its original


def all_pages(
    inputs: Iterable[tuple[str, str | None]], passed: Passed, *, stdin: BinaryIO | None = None
) -> Iterator[StoredPage | Unreadable]:
    """Yield the pages of all *inputs*, paths with the address of a page that does not tell its own, as they stand.

    The path ``-`` is *stdin*. A revisit is yielded with the payload of its original, which may stand in any of the
    files; one whose original comes later is yielded at the end. What cannot be read is yielded as :class:`Unreadable`.
    """
    for path, url in inputs:
        try:
            yield from pages_in(path, stream=stdin if path == "-" else None, url=url, passed=passed)
        except Unreadable as error:
            yield error
    for revisit in passed.originals.waiting():
        page = _resolved(revisit, passed)
        if page is not None:
            yield page
        else:
            passed.skipped["revisit of a page that is in none of these files"] += 1


def pages_in(
    path: str, *, stream: BinaryIO | None = None, url: str | None = None, passed: Passed | None = None
) -> Iterator[StoredPage | Unreadable]:
    """Yield the pages of one file, told by its content and not by its name: HTML, WARC or WACZ, gzipped or not.

    With *stream*, which need not be seekable, that is read piece by piece, and *path* only names it. *url* is the
    address of an HTML page that does not tell its own. Damage inside a WARC is yielded as :class:`Unreadable` and
    reading goes on behind it. What is skipped is counted in *passed*, in which revisits wait.

    Raises ``Unreadable`` when the file cannot be read at all.
    """
    passed = passed or Passed()
    try:
        if stream is not None:
            yield from _in_stream(path, Prefixed(stream, _OPENING_BYTES), url, datetime.now(UTC), passed, again=False)
        else:
            with Path(path).open("rb") as file:
                modified = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
                opened = Prefixed(file, _OPENING_BYTES)
                yield from _in_stream(path, opened, url, modified, passed, again=True)
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read ({error.strerror or error})") from error
    except (zlib.error, EOFError, zipfile.BadZipFile) as error:
        raise Unreadable(f"{path}: damaged ({error})") from error


def _in_stream(
    path: str, file: Prefixed, url: str | None, at: datetime, passed: Passed, *, again: bool
) -> Iterator[StoredPage | Unreadable]:
    start = file.opening
    if start.startswith(_ZIP):
        with file.seekable_copy() as package:
            yield from _in_wacz(path, package, passed, again=again)
    elif start.startswith(b"WARC") or _inflated(start).startswith(b"WARC/"):
        yield from _in_warc(path, None, file.whole(), passed, again=again)
    elif start.startswith(_GZIP):
        with gzip.open(file.whole()) as inflated:
            yield _html(path, cast("BinaryIO", inflated), url, at)
    else:
        yield _html(path, file.whole(), url, at)


def _inflated(start: bytes) -> bytes:
    """Return the first bytes of what is gzipped in *start*; empty when nothing is."""
    if not start.startswith(_GZIP):
        return b""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, 5)
    except zlib.error:
        return b""


def _html(path: str, file: BinaryIO, url: str | None, at: datetime) -> StoredPage:
    body = file.read(PAGE_BYTES + 1)
    if len(body) > PAGE_BYTES:
        raise Unreadable(f"{path}: longer than {PAGE_BYTES >> 20} MB; that is no page")
    if not body.strip():
        raise Unreadable(f"{path}: empty")
    if b"\0" in body[:1024] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(f"{path}: binary data; not a page, a WARC file or a WACZ package")
    return StoredPage(path, None, url, body, "text/html", None, at)


def _in_wacz(path: str, file: BinaryIO, passed: Passed, *, again: bool) -> Iterator[StoredPage | Unreadable]:
    with zipfile.ZipFile(file) as package:
        members = [name for name in package.namelist() if name.startswith("archive/") and not name.endswith("/")]
        if not members:
            raise Unreadable(f"{path}: a zip file without WARC files in archive/; not a WACZ")
        for name in members:
            with package.open(name) as member:
                yield from _in_warc(path, name, cast("BinaryIO", member), passed, again=again)


def _at_most(pieces: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """Yield *pieces* until they come to more than *most_bytes*."""
    for piece in pieces:
        yield piece
        most_bytes -= len(piece)
        if most_bytes < 0:
            return


def _in_warc(
    path: str, member: str | None, file: BinaryIO, passed: Passed, *, again: bool
) -> Iterator[StoredPage | Unreadable]:
    """Yield the pages of a WARC file; *again*: it can be read once more, for a revisit of one of its pages."""
    name = path if member is None else f"{path}{MEMBER}{member}"
    scanned = scan(file)
    for record in scanned:
        with record:
            for problem in record.problems:
                yield Unreadable(f"{name} at {problem.offset}: {problem.message}")
            found = _page_of(name, record, passed.skipped)
            if isinstance(found, _Revisit):
                page = _resolved(found, passed)
                if page is None:
                    passed.originals.wait(found)
                else:
                    yield page
            elif found is not None:
                if again and record.length:
                    passed.originals.note(_keys(found), path, member, record.offset, record.length)
                yield found
    for problem in scanned.problems:
        yield Unreadable(f"{name} at {problem.offset}: {problem.message}")


def _keys(page: StoredPage) -> tuple[str | None, ...]:
    return (page.record_id, page.payload_digest)


def _page_of(path: str, record: Scanned, skipped: Counter[str]) -> StoredPage | _Revisit | None:
    """Return the page that a record shows; None, and why is counted, when it is something else, or one that failed."""
    if record.type not in CAPTURE_TYPES:
        return None
    try:
        capture = Capture.from_record(
            record.fields, record.block.read(0, HEAD_BYTES), Place(path, record.offset, record.length)
        )
    except MalformedRecord:
        capture = None
    if capture is None:
        skipped["a record without address, time or id"] += 1
        return None
    message = read_message(record)
    head = message.head if message else None
    if capture.record_type == "revisit":
        return _revisit(path, capture, head, skipped)
    if capture.mime not in HTML_TYPES:
        skipped["not HTML" if (capture.status or 200) == 200 else f"answered {capture.status}"] += 1
    elif (capture.status or 200) != 200:
        skipped[f"answered {capture.status}"] += 1
    else:
        return _stored(path, capture, _payload(record, head), head, record.fields.get("Content-Type"))
    return None


def _revisit(path: str, capture: Capture, head: Head | None, skipped: Counter[str]) -> _Revisit | None:
    if capture.profile == SERVER_NOT_MODIFIED or capture.status == 304:
        skipped["not modified"] += 1
    elif (capture.status or 200) != 200:
        skipped[f"answered {capture.status}"] += 1
    elif capture.mime is not None and capture.mime not in HTML_TYPES:
        skipped["not HTML"] += 1
    else:
        to = capture.refers_to.record_id if capture.refers_to else None
        return _Revisit(_stored(path, capture, b"", head, None), (to, capture.payload_digest))
    return None


def _resolved(revisit: _Revisit, passed: Passed) -> StoredPage | None:
    """Return the page of *revisit* with the payload of its original; None when that is not known, or not yet."""
    try:
        with passed.originals.opened(revisit.keys) as record:
            if record is None:
                return None
            message = read_message(record)
            head = message.head if message else None
            page = revisit.page
            return replace(
                page,
                payload=_payload(record, head),
                # A revisit may be without a head, or one that leaves out what the first answer said.
                content_type=page.content_type or _told(head, "Content-Type") or record.fields.get("Content-Type"),
                content_encoding=page.content_encoding or _told(head, "Content-Encoding"),
            )
    except (OSError, MalformedRecord, zipfile.BadZipFile):
        return None


def _stored(path: str, capture: Capture, payload: bytes, head: Head | None, content_type: str | None) -> StoredPage:
    return StoredPage(
        path=path,
        record_id=capture.record_id,
        url=capture.url,
        payload=payload,
        content_type=_told(head, "Content-Type") if head else content_type,
        content_encoding=_told(head, "Content-Encoding"),
        captured_at=capture.captured_at,
        payload_digest=capture.payload_digest,
    )


def _payload(record: Scanned, head: Head | None) -> bytes:
    pieces = payload_chunks(head, record.block.chunks(head.size)) if head else record.block.chunks()
    return b"".join(_at_most(pieces, PAGE_BYTES))


def _told(head: Head | None, name: str) -> str | None:
    return head.get(name) if head else None
