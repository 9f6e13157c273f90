"""From a stream to its records."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from archive.errors import MalformedRecord
from archive.scan.flow import RECORD_START, Flow
from archive.scan.members import GZIP_MAGIC, GzipFlow, find_member
from archive.scan.reading import read_next
from archive.scan.record import Problem, Scanned
from archive.scan.source import Source

_PROBE_BYTES = 1 << 12
_OPENING_BYTES = 1 << 20  # looked at to see what kind of file it is, where its first bytes do not tell


class Scan(Iterator[Scanned]):
    """The records of a stream, one after another; faults that belong to no record gather in *problems*.

    *problems* is complete once the records are exhausted: an empty file, bytes between records, something that is not
    a WARC file at all. Faults inside a record are its own (``Scanned.problems``).
    """

    def __init__(self, stream: BinaryIO, *, base: int = 0) -> None:
        """Read *stream* from where it stands; offsets count from *base* there."""
        source = Source(stream, base)
        self.problems: list[Problem] = []
        self.compressed = _is_gzip(source)
        self._flow = GzipFlow(source) if self.compressed else Flow(source)
        self._records = self._read()

    def __next__(self) -> Scanned:
        return next(self._records)

    @property
    def offset(self) -> int:
        """How far into the stream, as stored, reading has come."""
        return self._flow.source.offset

    def _read(self) -> Iterator[Scanned]:
        flow = self._flow
        start = flow.source.offset
        if not flow.source.peek(1):
            self.problems.append(Problem("empty-file", "the file is empty", start))
            return
        if isinstance(flow, GzipFlow):
            flow.next_unit()
        count = 0
        if (fault := _foreign(flow.peek(32))) is not None:
            self.problems.append(Problem(*fault, start))
            return
        while True:
            for record in self._unit():
                count += 1
                yield record
            more = flow.next_unit()
            if isinstance(flow, GzipFlow):
                self.problems += flow.garbage
                flow.garbage = []
            if not more:
                break
        if not count:
            self.problems.insert(0, Problem("not-warc", "not a WARC file: no record begins in it", start))

    def _unit(self) -> Iterator[Scanned]:
        """Yield the records of one unit, going past whatever lies between them."""
        flow = self._flow
        first = True
        while not flow.ended():
            if flow.peek(5).upper() != b"WARC/":
                at, begun = flow.where(), flow.inner
                found = flow.to_record()
                self.problems += flow.problems
                flow.problems = []
                skipped = flow.inner - begun
                self.problems.append(Problem("garbage", f"{skipped} bytes that belong to no record", at))
                if not found:
                    break
            record = read_next(flow)
            if flow.compressed and not first:
                record.problems.append(Problem("member-shared", "several records in one gzip member", record.offset))
            first = False
            yield record
        self.problems += flow.problems  # of a unit without a record, or of what follows its last
        flow.problems = []


def scan(stream: BinaryIO, *, base: int = 0) -> Scan:
    """Read the records of a WARC file, plain or gzip, from *stream*, which need not be seekable.

    Never raises because of what the bytes are; see :class:`Scan`.
    """
    return Scan(stream, base=base)


def read_record(stream: BinaryIO | bytes, offset: int = 0, length: int | None = None) -> Scanned:
    """Read the one record that begins at *offset*, at most *length* bytes as stored.

    Raises ``MalformedRecord`` when no record begins there.
    """
    source: BinaryIO = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    source.seek(offset)
    if length is not None:
        source = io.BytesIO(source.read(length))
    record = next(scan(source, base=offset), None)
    if record is None or record.offset != offset:
        if record is not None:
            record.close()
        raise MalformedRecord(f"no WARC record begins at offset {offset}")
    return record


def _is_gzip(source: Source) -> bool:
    """Tell whether *source* holds gzip members: by its first bytes, or where they are damaged by what follows."""
    opening = source.peek(_PROBE_BYTES)
    magic = opening.startswith(GZIP_MAGIC)
    if find_member(opening) == 0 or opening[:5].upper() == b"WARC/":
        return magic
    window = source.peek(_OPENING_BYTES)
    member, plain = find_member(window), RECORD_START.search(window)
    if member < 0 or plain is None:
        return magic if member < 0 and plain is None else plain is None
    return member < plain.end()


def _foreign(opening: bytes) -> tuple[str, str] | None:
    if opening.startswith(b"filedesc:"):
        return "arc-file", "an ARC file, the format before WARC; convert it first"
    if opening.startswith(b"\x28\xb5\x2f\xfd"):
        return "not-warc", "compressed with zstd, which WARC 1.1 does not know; decompress it first"
    return None
