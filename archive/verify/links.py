"""Checks of the records of a file against each other: ids, references, capture events, segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from isal import isal_zlib

from archive.scan import Scanned
from archive.verify.grammar import is_bracketed_uri
from archive.verify.report import Finding

_REFERENCES = ("WARC-Concurrent-To", "WARC-Refers-To", "WARC-Warcinfo-ID")


@dataclass(frozen=True, slots=True)
class _Seen:
    offset: int
    type: str
    date: str
    content: int  # CRC of what makes two records the same


@dataclass(frozen=True, slots=True)
class Outside:
    """A reference to a record that has not been seen: field *name* of *record_id* names *target*."""

    name: str
    target: str
    record_id: str
    offset: int
    date: str
    file: str


@dataclass(slots=True)
class _Series:
    uri: str | None
    number: int
    total: int | None  # bytes so far; None when the first segment is not in the file
    offset: int
    closed: bool = False


class Links:
    """What has been seen of a file's records: some 300 bytes a record, whatever its size."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._seen: dict[bytes, _Seen] = {}
        self._pending: dict[bytes, list[Outside]] = {}  # by the id of a record not seen yet
        self._series: dict[str, _Series] = {}

    def check(self, record: Scanned) -> Iterator[Finding]:
        """Yield what is wrong between *record* and those before it."""
        if record.id:
            yield from self._identity(record)
        yield from self._segments(record)

    def finish(self) -> Iterator[Finding]:
        """Yield what only the end of the file shows: one finding for each field that refers outside."""
        by_name: dict[str, list[Outside]] = {}
        for reference in self.outside():
            by_name.setdefault(reference.name, []).append(reference)
        for name, references in by_name.items():
            first = references[0]
            more = f", and {len(references) - 1} more" if len(references) > 1 else ""
            message = f"{name} names {first.target}, which is not in this file{more}"
            yield Finding("reference-outside", message, self.file, first.offset, first.record_id)
        for origin, series in self._series.items():
            if not series.closed or series.total is None:
                part = "begin" if series.total is None else "end"
                message = f"the segmented record {origin} does not {part} in this file"
                yield Finding("segment-open", message, self.file, series.offset, origin)

    def outside(self) -> list[Outside]:
        """Return the references to records that are not in the file, one for each field and record referred to."""
        return [first for waiting in self._pending.values() for first in {one.name: one for one in waiting}.values()]

    def types(self) -> dict[bytes, str]:
        """Return the type of each record, by the key of its id."""
        return {key: seen.type for key, seen in self._seen.items()}

    def _identity(self, record: Scanned) -> Iterator[Finding]:
        key = id_key(record.id)
        fields = record.fields
        seen = _Seen(record.offset, record.type, fields.get("WARC-Date") or "", _content(record))
        before = self._seen.get(key)
        if before is not None:
            # A record that was copied with its id names one thing twice, not two things alike.
            same = before.content == seen.content and before.type == seen.type and before.date == seen.date
            code, what = ("record-copied", "this record") if same else ("id-repeated", "another record with this id")
            yield self._finding(record, code, f"{what} stands at byte {before.offset}")
        else:
            self._seen[key] = seen
            for waiting in self._pending.pop(key, []):
                yield from self._refers(waiting, seen)
        for name in _REFERENCES:
            for target in filter(is_bracketed_uri, fields.get_all(name)):
                reference = Outside(name, target, record.id, record.offset, seen.date, self.file)
                found = self._seen.get(id_key(target))
                if found is not None:
                    yield from self._refers(reference, found)
                else:
                    self._pending.setdefault(id_key(target), []).append(reference)

    def _refers(self, reference: Outside, to: _Seen) -> Iterator[Finding]:
        if reference.name == "WARC-Concurrent-To" and reference.date != to.date:
            code, message = "concurrent-date", f"captured {reference.date}, but concurrent to a record of {to.date}"
        elif reference.name == "WARC-Warcinfo-ID" and to.type != "warcinfo":
            code, message = "reference-type", f"WARC-Warcinfo-ID names a {to.type} record, at byte {to.offset}"
        else:
            return
        yield Finding(code, message, self.file, reference.offset, reference.record_id)

    def _segments(self, record: Scanned) -> Iterator[Finding]:
        number_text = record.fields.get("WARC-Segment-Number") or ""
        if not (number_text.isascii() and number_text.isdigit()):
            return
        number, uri = int(number_text), record.fields.get("WARC-Target-URI")
        if record.type != "continuation":
            if number == 1 and record.id and record.id not in self._series:
                self._series[record.id] = _Series(uri, 1, len(record.block), record.offset)
            return
        origin = record.fields.get("WARC-Segment-Origin-ID")
        if not origin:
            return
        series = self._series.get(origin)
        if series is None:
            series = self._series[origin] = _Series(uri, number, None, record.offset)
        else:
            if number != series.number + 1:
                yield self._finding(record, "segment-order", f"segment {number} follows segment {series.number}")
            series.number = number
            if series.total is not None:
                series.total += len(record.block)
        if uri != series.uri:
            yield self._finding(record, "segment-uri", f"a segment of {uri} in a record of {series.uri}")
        total = record.fields.get("WARC-Segment-Total-Length") or ""
        if total.isascii() and total.isdigit():
            series.closed = True
            if series.total is not None and int(total) != series.total:
                message = f"WARC-Segment-Total-Length is {total}, the segments have {series.total} bytes"
                yield self._finding(record, "segment-total", message)

    def _finding(self, record: Scanned, code: str, message: str) -> Finding:
        return Finding(code, message, self.file, record.offset, record.id)


def id_key(record_id: str) -> bytes:
    """Return twelve bytes that stand for *record_id* in memory."""
    return blake2b(record_id.encode("utf-8", "replace"), digest_size=12).digest()


def _content(record: Scanned) -> int:
    crc = isal_zlib.crc32((record.fields.get("WARC-Target-URI") or "").encode("utf-8", "replace"))
    for piece in record.block.chunks():
        crc = isal_zlib.crc32(piece, crc)
    return crc
