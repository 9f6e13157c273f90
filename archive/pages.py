"""Pages to extract articles from, wherever they lie: HTML files, WARC files, WACZ packages, a stream."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from archive.capture import HEAD_BYTES, Capture
from archive.errors import ArchiveError, MalformedRecord
from archive.http1 import payload_chunks
from archive.payload import read_message
from archive.place import Place
from archive.scan import Scanned, scan

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
PAGE_BYTES = 64 << 20  # a longer HTML file is no page; the limit of decoded bodies is the same

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


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


def pages_in(path: str, *, stream: BinaryIO | None = None, url: str | None = None) -> Iterator[StoredPage | Unreadable]:
    """Yield the pages of one file, told by its content and not by its name: HTML, WARC or WACZ, gzipped or not.

    With *stream* that is read and *path* only names it. *url* is the address of an HTML page that does not tell its
    own. Damage inside a WARC is yielded as :class:`Unreadable` and reading goes on behind it.

    Raises ``Unreadable`` when the file cannot be read at all.
    """
    try:
        if stream is not None:
            yield from _in_stream(path, io.BytesIO(stream.read()), url, datetime.now(UTC))
        else:
            with Path(path).open("rb") as file:
                modified = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
                yield from _in_stream(path, file, url, modified)
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read ({error.strerror or error})") from error
    except (zlib.error, EOFError, zipfile.BadZipFile) as error:
        raise Unreadable(f"{path}: damaged ({error})") from error


def _in_stream(path: str, file: BinaryIO, url: str | None, at: datetime) -> Iterator[StoredPage | Unreadable]:
    start = file.read(4)
    file.seek(0)
    if start == _ZIP:
        yield from _in_wacz(path, file)
    elif start.startswith(b"WARC"):
        yield from _in_warc(path, file)
    elif start.startswith(_GZIP):
        with gzip.open(file) as inflated:
            inner = inflated.read(5)
            file.seek(0)
            if inner.startswith(b"WARC/"):
                yield from _in_warc(path, file)
                return
        with gzip.open(file) as inflated:
            yield _html(path, cast("BinaryIO", inflated), url, at)
    else:
        yield _html(path, file, url, at)


def _html(path: str, file: BinaryIO, url: str | None, at: datetime) -> StoredPage:
    body = file.read(PAGE_BYTES + 1)
    if len(body) > PAGE_BYTES:
        raise Unreadable(f"{path}: longer than {PAGE_BYTES >> 20} MB; that is no page")
    if not body.strip():
        raise Unreadable(f"{path}: empty")
    if b"\0" in body[:1024] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(f"{path}: binary data; not a page, a WARC file or a WACZ package")
    return StoredPage(path, None, url, body, "text/html", None, at)


def _in_wacz(path: str, file: BinaryIO) -> Iterator[StoredPage | Unreadable]:
    with zipfile.ZipFile(file) as package:
        members = [name for name in package.namelist() if name.startswith("archive/") and not name.endswith("/")]
        if not members:
            raise Unreadable(f"{path}: a zip file without WARC files in archive/; not a WACZ")
        for name in members:
            with package.open(name) as member:
                yield from _in_warc(f"{path}!{name}", cast("BinaryIO", member))


def _at_most(pieces: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """Yield *pieces* until they come to more than *most_bytes*."""
    for piece in pieces:
        yield piece
        most_bytes -= len(piece)
        if most_bytes < 0:
            return


def _in_warc(path: str, file: BinaryIO) -> Iterator[StoredPage | Unreadable]:
    for record in scan(file):
        with record:
            for problem in record.problems:
                yield Unreadable(f"{path} at {problem.offset}: {problem.message}")
            page = _page_of(path, record)
            if page is not None:
                yield page


def _page_of(path: str, record: Scanned) -> StoredPage | None:
    """Return the page of a response record; None when it is something else, or a page that failed."""
    if record.type not in ("response", "resource"):
        return None
    try:
        capture = Capture.from_record(
            record.fields, record.block.read(0, HEAD_BYTES), Place(path, record.offset, record.length)
        )
    except MalformedRecord:
        return None
    if capture is None or capture.mime not in HTML_TYPES or (capture.status or 200) != 200:
        return None
    message = read_message(record)
    head = message.head if message else None
    pieces = payload_chunks(head, record.block.chunks(head.size)) if head else record.block.chunks()
    payload = b"".join(_at_most(pieces, PAGE_BYTES))
    return StoredPage(
        path=path,
        record_id=capture.record_id,
        url=capture.url,
        payload=payload,
        content_type=head.get("Content-Type") if head else record.fields.get("Content-Type"),
        content_encoding=head.get("Content-Encoding") if head else None,
        captured_at=capture.captured_at,
        payload_digest=capture.payload_digest,
    )
