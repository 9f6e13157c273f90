"""Records copied from where they lie into one WARC file: byte for byte, with what belongs to each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import BinaryIO, Protocol

from isal import isal_zlib

from archive import cdxj, names, warc
from archive.archive import Archive
from archive.capture import bracketed
from archive.errors import DigestMismatch, MalformedRecord, ObjectDamaged, ObjectMissing, RecordError
from archive.export.chosen import Chosen
from archive.member import COPIED
from archive.place import Place
from archive.scan import scan
from archive.version import VERSION

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW_BITS = 31
_COPY_BYTES = 1 << 20
_DESCRIBING = frozenset({"request", "metadata"})  # what belongs to a capture besides itself
_NAMESPACE = uuid.UUID("7c1b4c39-3f0e-5d4e-9a57-0f4a6d7b8f21")  # of the ids of exported warcinfo records


class Written(Protocol):
    def write(self, data: bytes, /) -> object: ...


@dataclass(slots=True)
class Copying:
    """What was copied, and what could not be: each damaged record, with where it lies and what is wrong."""

    captures: int = 0
    records: int = 0
    size: int = 0
    damaged: list[str] = field(default_factory=list)


class Copier:
    """Writes records to one WARC file after another. *next_file* is asked for a file's name and stream.

    A file is begun with a ``warcinfo`` record that says what it is a part of; then come, for each file of the archive
    that something is taken from, its own ``warcinfo`` and the records in their order. Every block is held against its
    digest first: what does not match is told, and left out.
    """

    def __init__(
        self,
        archive: Archive,
        begin: Callable[[int], tuple[str, Written]],
        *,
        part_of: str,
        at: datetime,
        rotate_at_bytes: int | None = None,
        moved: Callable[[str, int], None] | None = None,
    ) -> None:
        self.archive, self.done = archive, Copying()
        self._begin, self._part_of, self._at = begin, part_of, at
        self._rotate_at_bytes = rotate_at_bytes
        self._moved = moved or (lambda *_: None)
        self._name, self._size, self._number = "", 0, 0
        self._out: Written | None = None
        self._filled = False  # whether it has more than what describes files

    def captures(self, chosen: Chosen) -> None:
        """Copy the chosen captures with their requests and metadata; *chosen* then knows where each lies."""
        for key in chosen.files():
            wanted = chosen.in_file(key)
            with self.archive.storage.open(key) as stream:
                self._from_file(key, stream, wanted, chosen)

    def _from_file(self, key: str, stream: BinaryIO, wanted: dict[int, int], chosen: Chosen) -> None:
        self._start_file_if_due()
        self._source_warcinfo(stream)
        lengths = _bounds(self.archive, key) | wanted
        order = sorted(lengths)
        copied: set[int] = set()
        for n, at in enumerate(order):
            if at not in wanted:
                continue
            place = Place(key, at, wanted[at])
            # What describes a capture stands between it and its neighbours.
            begin = order[n - 1] + lengths[order[n - 1]] if n else 0
            end = order[n + 1] if n + 1 < len(order) else None
            around = [*_describing(stream, key, begin, at), *_describing(stream, key, at + lengths[at], end)]
            try:
                named = _checked_names(stream, place)
            except (RecordError, EOFError) as error:
                self.done.damaged.append(f"{key} at {at}: {error}")
                continue
            belonging = [other for other in _belonging(around, named) if other.offset not in copied]
            copied.update(other.offset for other in belonging)
            self._start_file_if_due()
            for other in belonging:
                if other.offset < at:
                    self._copy(stream, other)
            offset = self._size
            self._copy(stream, place)
            chosen.moved(place, self._name, offset, self._size - offset)
            for other in belonging:
                if other.offset > at:
                    self._copy(stream, other)
            self.done.captures += 1
            self._filled = True
            self._moved(key, place.length)

    def articles(self, chosen: Chosen) -> None:
        """Copy the chosen conversion records."""
        for key, places in groupby(chosen.articles(), attrgetter("key")):
            with self.archive.storage.open(key) as stream:
                self._start_file_if_due()
                self._source_warcinfo(stream)
                for place in places:
                    try:
                        _checked_names(stream, place)
                    except (RecordError, EOFError) as error:
                        self.done.damaged.append(f"{key} at {place.offset}: {error}")
                        continue
                    self._copy(stream, place)
                    self._filled = True
                    self._start_file_if_due()

    def begin(self) -> None:
        """Begin a file though nothing may follow."""
        self._start_file_if_due()

    def _start_file_if_due(self) -> None:
        full = self._rotate_at_bytes is not None and self._size >= self._rotate_at_bytes and self._filled
        if self._out is None or full:
            self._number += 1
            self._name, self._out = self._begin(self._number)
            self._size, self._filled = 0, False
            self._write(warc.encode(self._warcinfo()))
            self.done.records += 1

    def _warcinfo(self) -> warc.Record:
        fields = [
            ("software", f"newswarc/{VERSION}"),
            ("format", "WARC File Format 1.1"),
            ("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
            ("isPartOf", self._part_of),
            ("description", COPIED),
        ]
        # The same export has the same ids.
        named = f"{self._name} {self._part_of} {self._at.isoformat()}"
        record_id = f"<urn:uuid:{uuid.uuid5(_NAMESPACE, named)}>"
        return warc.warcinfo(self._name, fields, date=self._at, record_id=record_id)

    def _source_warcinfo(self, stream: BinaryIO) -> None:
        stream.seek(0)
        first = next(scan(stream), None)
        if first is not None:
            with first:
                if first.type == "warcinfo" and first.readable:
                    self._copy(stream, Place("", first.offset, first.length))

    def _copy(self, stream: BinaryIO, place: Place) -> None:
        """Copy the record at *place* of *stream* as it is stored; of a plain file it becomes a gzip member."""
        stream.seek(place.offset)
        left, compressor = place.length, None
        while left:
            piece = stream.read(min(left, _COPY_BYTES))
            if not piece:
                raise ObjectDamaged(f"{place.key}: it ends {left} bytes early")
            if left == place.length and not piece.startswith(_GZIP):
                compressor = isal_zlib.compressobj(warc.COMPRESSION_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW_BITS)
            left -= len(piece)
            self._write(compressor.compress(piece) if compressor else piece)
        if compressor:
            self._write(compressor.flush())
        self.done.records += 1

    def _write(self, piece: bytes) -> None:
        assert self._out is not None
        self._out.write(piece)
        self._size += len(piece)
        self.done.size += len(piece)


@dataclass(frozen=True, slots=True)
class _Describing:
    """A request or metadata record: its place, its id, and the ids of the records that it is about."""

    place: Place
    record_id: str
    about: frozenset[str]


def _describing(stream: BinaryIO, key: str, begin: int, end: int | None) -> Iterator[_Describing]:
    """Yield the requests and metadata between two places of *stream*."""
    if end is not None and begin >= end:
        return
    stream.seek(begin)
    for record in scan(stream, base=begin):
        with record:
            if end is not None and record.offset >= end:
                return
            if record.type in _DESCRIBING and record.readable:
                about = (*record.fields.get_all("WARC-Concurrent-To"), *record.fields.get_all("WARC-Refers-To"))
                place = Place(key, record.offset, record.length)
                yield _Describing(place, bracketed(record.id), frozenset(map(bracketed, about)))


def _belonging(around: list[_Describing], named: set[str]) -> list[Place]:
    """Return which of the records *around* a capture are about it, or about one that is; *named* are its own ids."""
    found: dict[int, Place] = {}
    grown = True
    while grown:
        grown = False
        for one in around:
            if one.place.offset not in found and (one.record_id in named or one.about & named):
                found[one.place.offset] = one.place
                named.add(one.record_id)
                grown = True
    return [found[offset] for offset in sorted(found)]


def _checked_names(stream: BinaryIO, place: Place) -> set[str]:
    """Hold the record at *place* against its own digest; return its id and those of the records it names beside it.

    Raises ``MalformedRecord`` or ``DigestMismatch``.
    """
    stream.seek(place.offset)
    record = next(scan(stream, base=place.offset), None)
    if record is None:
        raise MalformedRecord("no record begins there")
    with record:
        if record.offset != place.offset or record.length != place.length or not record.readable:
            raise MalformedRecord(record.problems[0].message if record.problems else "another record is there")
        stored, computed = record.fields.get("WARC-Block-Digest"), record.block_digest
        if stored and computed and stored != computed:
            raise DigestMismatch(record.id, stored=stored, computed=computed)
        return {bracketed(record.id), *map(bracketed, record.fields.get_all("WARC-Concurrent-To"))}


def _bounds(archive: Archive, key: str) -> dict[int, int]:
    """Return where all captures of a WARC file begin and how long they are, by its index segment."""
    try:
        with archive.storage.open(names.index_key(key)) as lines:
            places = (cdxj.parse(line).place for line in lines)
            return {place.offset: place.length for place in places}
    except (ObjectMissing, ValueError):
        return {}  # then the gaps are longer, and hold other captures, which describe nothing
