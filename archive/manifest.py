"""Manifests: what a sealed segment holds, its size and its hash. Published last, a manifest is the commit point.

Everything in a manifest, and every line of an index segment, is read out of the records themselves, so a segment sealed
by its writer, mended after a crash, or indexed again years later gets the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from archive import cdxj, names
from archive.capture import CAPTURE_TYPES, Capture, iso, parse_iso
from archive.errors import MalformedRecord
from archive.line_sorter import LineSorter
from archive.place import Place
from archive.scan.record import Fields
from archive.warc_fields import read_fields

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class IndexFile:
    """The index segment of a WARC file; *sha256* is hex."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Imported:
    """Where a segment of other tools came from: the file that was given, and who took it in, when.

    *size* and *sha256* are those of the given file. *original* is the key of its own bytes where the segment is a copy
    of its records, each a gzip member; None where the segment is the file itself. *faults* counts the places that
    could not be read when it was imported.
    """

    name: str  # without its directory; of a WACZ package, the package, "!" and its member
    at: str
    by: str
    size: int
    sha256: str
    faults: int = 0
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one segment is. *first* and *last* are the earliest and latest WARC-Date, *created* that of its warcinfo.

    *imported* stands in the manifests of imported segments alone.
    """

    kind: str
    key: str
    size: int
    sha256: str
    records: dict[str, int]  # by WARC-Type
    first: str | None
    last: str | None
    created: str | None
    software: str | None
    index: IndexFile | None
    imported: Imported | None = None

    def to_bytes(self) -> bytes:
        """Return the JSON form: keys sorted, one line break at the end, the same bytes every time."""
        values = asdict(self)
        if self.imported is None:
            del values["imported"]
        return json.dumps({"schema": SCHEMA, **values}, sort_keys=True, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read the JSON form. Raises ``ValueError`` when it is no manifest of a schema known here."""
        try:
            found: Any = json.loads(data)
            if found["schema"] != SCHEMA:
                raise ValueError(f"a manifest of schema {found['schema']!r}; this program knows {SCHEMA}")
            index = IndexFile(**found["index"]) if found["index"] else None
            imported = Imported(**found["imported"]) if found.get("imported") else None
            known = {name: found[name] for name in cls.__slots__ if name not in {"index", "imported"}}
            return cls(**known, index=index, imported=imported)
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"not a manifest: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Entry:
    """What one record adds to the contents of its segment."""

    type: str
    date: datetime
    place: Place
    capture: Capture | None  # what it shows, if it shows anything
    line: bytes | None  # of the index segment
    software: str | None  # of a warcinfo


class Contents:
    """Gathers, record by record, what a segment's manifest and index segment will say."""

    def __init__(self, stem: str) -> None:
        self.keys = names.keys(stem)
        self.kind: str = names.kind_of(stem)
        self.records: Counter[str] = Counter()
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._created: str | None = None
        self._software: str | None = None
        self.lines = LineSorter()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to keep: no record, or the warcinfo that every file begins with alone."""
        return not self.records.total() - self.records["warcinfo"]

    def read(self, fields: Fields, block_head: bytes, place: Place) -> Entry:
        """Return what one record will add. Raises ``MalformedRecord`` when it lacks what its type must have."""
        kind = (fields.get("WARC-Type") or "").lower()
        shown = self.keys.index is not None and kind in CAPTURE_TYPES
        capture = Capture.from_record(fields, block_head, place) if shown else None
        try:
            date = capture.captured_at if capture else parse_iso(fields.get("WARC-Date") or "")
        except ValueError as error:
            raise MalformedRecord(f"{place.key} at {place.offset}: WARC-Date: {error}") from error
        return Entry(
            kind,
            date,
            place,
            capture,
            line=cdxj.line(capture) if capture else None,
            software=_software(block_head) if kind == "warcinfo" else None,
        )

    def add(self, entry: Entry) -> None:
        """Take in one record, in file order. Never fails."""
        if entry.type == "warcinfo" and self._created is None:
            self._created, self._software = iso(entry.date), entry.software
        if entry.line is not None:
            self.lines.add(entry.line)
        self.records[entry.type] += 1
        self._first = min(self._first or entry.date, entry.date)
        self._last = max(self._last or entry.date, entry.date)

    def index(self) -> bytes | None:
        """Return the index segment, sorted as bytes; None for articles.

        Other replay tools serve a ``conversion`` record in place of the page it was made from, so none is indexed.
        """
        return b"".join(self.lines) if self.keys.index else None

    def manifest(self, size: int, sha256: str) -> Manifest:
        """Return the manifest of the file whose records were added; *sha256* is its hex digest."""
        index = None
        if self.keys.index:
            hasher, length = hashlib.sha256(), 0
            for line in self.lines:
                hasher.update(line)
                length += len(line)
            index = IndexFile(self.keys.index, length, hasher.hexdigest())
        return Manifest(
            kind=self.kind,
            key=self.keys.warc,
            size=size,
            sha256=sha256,
            records=dict(self.records),
            first=iso(self._first) if self._first else None,
            last=iso(self._last) if self._last else None,
            created=self._created,
            software=self._software,
            index=index,
        )


def _software(block: bytes) -> str | None:
    return read_fields(block).get("software")
