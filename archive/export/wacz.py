"""A WACZ package (Web Archive Collection Zipped 1.1.1): WARC files, their index, the pages in them, and what it all is.

archive/captures-00001.warc.gz    the captures, stored: readers ask for ranges of them
articles/articles-00001.warc.gz   what was extracted; not in archive/, where other tools would show it as the pages
indexes/index.cdx.gz, index.idx   CDXJ in blocks (ZipNum)
pages/pages.jsonl                 articles with title, time and text; extraPages.jsonl: other HTML pages
datapackage.json                  each file with its size and SHA-256; datapackage-digest.json: that of this one
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, BinaryIO

from isal import isal_zlib

from archive.archive import Archive
from archive.article import Article
from archive.capture import Capture, iso
from archive.export.chosen import Chosen
from archive.export.records import Copier, Copying
from archive.pages import HTML_TYPES
from archive.version import VERSION

WACZ_VERSION = "1.1.1"
PAGES_FORMAT = "json-pages-1.0"
INDEX_FORMAT = "cdxj-gzip-1.0"
LINES_A_BLOCK = 1024  # what readers of WACZ inflate for one look-up; py-wacz has the same
ROTATE_AT_BYTES = 1_000_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip entry can say: the same captures give the same bytes
_EXTRA_KINDS = frozenset({"index", "block", "consent", "error", "stub", "other", "unreadable"})
_SPOOL_BYTES = 8 << 20
_ROOM_BYTES = 64 << 20  # for the requests and metadata of the last capture


@dataclass(slots=True)
class Told:
    """What a package is, in words: for ``datapackage.json``."""

    title: str
    description: str
    at: datetime
    main_url: str | None = None


@dataclass(slots=True)
class Packed:
    """What is in a package."""

    copying: Copying
    pages: int = 0
    extra_pages: int = 0
    entries: list[str] = field(default_factory=list)


def write_wacz(
    archive: Archive,
    chosen: Chosen,
    out: BinaryIO,
    told: Told,
    *,
    moved: Callable[[str, int], None] | None = None,
    rotate_at_bytes: int = ROTATE_AT_BYTES,
) -> Packed:
    """Write what is *chosen* as a package to *out*, which must be seekable.

    Raises ``StorageError`` when the store fails. What is damaged is left out, and told in the account.
    """
    chosen.index_ids()
    with _Package(out) as package:
        copier = _copied(archive, package, "archive/captures", chosen, Copier.captures, told, moved, rotate_at_bytes)
        packed = Packed(copier.done)
        articles = _copied(archive, package, "articles/articles", chosen, Copier.articles, told, None, rotate_at_bytes)
        packed.copying.damaged += articles.done.damaged
        packed.copying.records += articles.done.records
        _write_index(package, chosen.lines())
        main = _write_pages(archive, package, chosen, packed)
        _write_datapackage(package, told, main)
        packed.entries = [resource["path"] for resource in package.resources]
    return packed


def _copied(
    archive: Archive,
    package: _Package,
    stem: str,
    chosen: Chosen,
    copy: Callable[[Copier, Chosen], None],
    told: Told,
    moved: Callable[[str, int], None] | None,
    rotate_at_bytes: int,
) -> Copier:
    # The zip64 field of a large entry's own header is passed over by ReplayWeb.page 2.5.3, which then reads records at
    # the wrong place: so none is written unless a file may need it.
    large = rotate_at_bytes + chosen.longest_bytes() + _ROOM_BYTES > zipfile.ZIP64_LIMIT

    def begin(number: int) -> tuple[str, _Entry]:
        path = f"{stem}-{number:05d}.warc.gz"
        return path.rpartition("/")[2], package.begin(path, stored=True, large=large)

    copier = Copier(archive, begin, part_of=told.description, at=told.at, rotate_at_bytes=rotate_at_bytes, moved=moved)
    copy(copier, chosen)
    package.end()
    return copier


class _Package:
    """A zip file that digests what is written to it. One entry is written at a time."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(out, "w", allowZip64=True)
        self.resources: list[dict[str, Any]] = []
        self._entry: _Entry | None = None

    def begin(self, path: str, *, stored: bool, large: bool = False) -> _Entry:
        """Begin the entry *path*. *large*: it may have more than 2 GiB, which its zip header must allow for."""
        self.end()
        info = zipfile.ZipInfo(path, _EPOCH)
        info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        self._entry = _Entry(path, self._zip.open(info, "w", force_zip64=large))
        return self._entry

    def end(self, *, listed: bool = True) -> None:
        """End the entry that is being written, if any, and list it among the resources."""
        if self._entry is None:
            return
        entry, self._entry = self._entry, None
        entry.close()
        if listed:
            self.resources.append(entry.resource())

    @contextmanager
    def entry(self, path: str, *, stored: bool = False, listed: bool = True) -> Iterator[_Entry]:
        yield self.begin(path, stored=stored)
        self.end(listed=listed)

    def __enter__(self) -> _Package:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._entry is not None:
            self._entry.close()
        if kind is None:
            self._zip.close()


class _Entry:
    def __init__(self, path: str, out: IO[bytes]) -> None:
        self._path, self._out, self._size, self._hash = path, out, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._size += len(data)
        self._hash.update(data)
        return self._out.write(data)

    def close(self) -> None:
        self._out.close()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def resource(self) -> dict[str, Any]:
        name = self._path.rpartition("/")[2].lower()  # Data Package v1: lower case alone
        return {"name": name, "path": self._path, "hash": self.digest, "bytes": self._size}


def _write_index(package: _Package, lines: Iterable[bytes]) -> None:
    """Write the index in blocks, each a gzip member, and the list of where each begins."""
    summary = [f"!meta 0 {json.dumps({'format': INDEX_FORMAT, 'filename': 'index.cdx.gz'})}\n".encode()]
    with package.entry("indexes/index.cdx.gz", stored=True) as out:
        offset, first = 0, b""
        block: list[bytes] = []
        for line in lines:
            first = first if block else line.partition(b" {")[0]
            block.append(line)
            if len(block) == LINES_A_BLOCK:
                offset += _write_block(out, block, first, offset, summary)
                block = []
        if block:
            _write_block(out, block, first, offset, summary)
    with package.entry("indexes/index.idx") as out:
        for line in summary:
            out.write(line)


def _write_block(out: _Entry, block: list[bytes], first: bytes, offset: int, summary: list[bytes]) -> int:
    compressor = isal_zlib.compressobj(2, isal_zlib.DEFLATED, 31)
    member = compressor.compress(b"".join(block)) + compressor.flush()
    out.write(member)
    values = {"offset": offset, "length": len(member), "digest": f"sha256:{hashlib.sha256(member).hexdigest()}"}
    summary.append(b"%s %s\n" % (first, json.dumps(values).encode()))
    return len(member)


def _write_pages(archive: Archive, package: _Package, chosen: Chosen, packed: Packed) -> Capture | None:
    """Write the lists of pages; return the newest page that holds an article."""
    main: Capture | None = None
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as extra:
        with package.entry("pages/pages.jsonl") as out:
            out.write(_line({"format": PAGES_FORMAT, "id": "pages", "title": "Articles", "hasText": True}))
            for capture in chosen.captures():
                if not _is_page(capture) or not chosen.copied(capture.record_id):
                    continue
                article = archive.catalog.article_in(capture.record_id)
                if article is None or article.page_kind in _EXTRA_KINDS:
                    extra.write(_line(_page(capture, article)))
                    packed.extra_pages += 1
                    continue
                out.write(_line(_page(capture, article)))
                packed.pages += 1
                main = max(main or capture, capture, key=lambda one: one.captured_at)
            if not packed.pages and packed.extra_pages:  # players show what is in this list
                _pour(extra, out)
                packed.pages, packed.extra_pages = packed.extra_pages, 0
        if packed.extra_pages:
            with package.entry("pages/extraPages.jsonl") as out:
                out.write(_line({"format": PAGES_FORMAT, "id": "extra-pages", "title": "Other pages", "hasText": True}))
                _pour(extra, out)
    return main


def _pour(source: IO[bytes], out: _Entry) -> None:
    source.seek(0)
    while piece := source.read(1 << 20):
        out.write(piece)


def _is_page(capture: Capture) -> bool:
    html = capture.mime in HTML_TYPES or (capture.mime is None and capture.record_type == "revisit")
    return html and capture.status in {None, 200} and capture.url.lower().startswith(("http:", "https:"))


def _page(capture: Capture, article: Article | None) -> dict[str, Any]:
    page = {"id": capture.record_id.strip("<>").rpartition(":")[2], "url": capture.url, "ts": _seconds(capture)}
    if article is not None:
        page |= {"title": article.title or capture.url, "text": article.text}
    return page


def _seconds(capture: Capture) -> str:
    """Return the time of capture as readers of WACZ spell it: the index has no more than seconds either."""
    return iso(capture.captured_at)[:19] + "Z"


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _write_datapackage(package: _Package, told: Told, main: Capture | None) -> None:
    values: dict[str, Any] = {
        "profile": "data-package",
        "wacz_version": WACZ_VERSION,
        "title": told.title,
        "description": told.description,
        "software": f"newswarc/{VERSION}",
        "created": iso(told.at)[:19] + "Z",
        "resources": package.resources,
    }
    if told.main_url:
        values["mainPageUrl"] = told.main_url
    elif main is not None:
        values |= {"mainPageUrl": main.url, "mainPageDate": _seconds(main)}
    with package.entry("datapackage.json", listed=False) as out:
        out.write(json.dumps(values, indent=2, ensure_ascii=False).encode("utf-8", "replace"))
        digest = out.digest
    with package.entry("datapackage-digest.json", listed=False) as out:
        out.write(json.dumps({"path": "datapackage.json", "hash": digest}).encode())
