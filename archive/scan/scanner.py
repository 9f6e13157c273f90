"""From a stream to its records."""

from __future__ import annotations

import io
import itertools
import re
import sys
from collections.abc import Iterator
from typing import BinaryIO

from archive.errors import MalformedRecord
from archive.scan.flow import (
    GZIP_MAGIC,
    HEADER_END,
    HEADER_END_OR_RECORD,
    RECORD_START,
    RECORD_START_REACH,
    Flow,
    GzipFlow,
    find_member,
)
from archive.scan.header import read_header
from archive.scan.record import Problem, Scanned
from archive.scan.source import Source
from archive.spool import Spool

_PROBE_BYTES = 1 << 12
_OPENING_BYTES = 1 << 20  # looked at to see what kind of file it is, where its first bytes do not tell
MAX_HEADER_BYTES = 1 << 20  # far above any real record header; a limit keeps a damaged one from taking the file

_RECORD_END = b"\r\n\r\n"
_LINE_ENDS_AT_END = re.compile(rb"(?:\r?\n){1,2}\Z")
_LINE_ENDS = frozenset((b"\r", b"\n"))


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
            record = _read_record(flow)
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


def _read_record(flow: Flow) -> Scanned:
    """Read the record that *flow* stands at."""
    problems: list[Problem] = []
    offset, inner = flow.where(), flow.inner
    end = HEADER_END_OR_RECORD if flow.wary else HEADER_END
    raw = flow.take_through(end, MAX_HEADER_BYTES)
    joined = False
    while raw is None and flow.join():
        joined = True
        raw = flow.take_through(end, MAX_HEADER_BYTES)
    if raw is None:
        raw = flow.peek(MAX_HEADER_BYTES)
        flow.skip(len(raw))
        problems.append(Problem("header-cut", "the record ends inside its header", offset))
    elif (begin := _record_in_header(raw)) or not raw.endswith((b"\n\n", b"\n\r\n")):
        if begin:
            flow.untake(len(raw) - begin)
            raw = raw[:begin]
        problems.append(Problem("header-cut", "another record begins inside the header", offset))
    header = read_header(raw, offset)
    problems += header.problems
    block = Spool()
    record = Scanned(
        offset=offset,
        length=0,
        version=header.version,
        fields=header.fields,
        header=raw,
        content_length=header.content_length,
        block=block,
        inner=0 if not flow.compressed else inner,
        gzip_header=flow.gzip_header,
        problems=problems,
    )
    if header.content_length is None or flow.wary:
        _read_to_next_record(flow, record)
    else:
        joined = _read_block(flow, block, header.content_length) or joined
        joined = _check_end(flow, record) or joined
    if joined:
        problems.append(Problem("member-split", "one record over several gzip members", offset))
    record.length = flow.span(offset)
    problems += flow.problems
    flow.problems = []
    return record


def _record_in_header(raw: bytes) -> int:
    """Return where in a header, whose end was lost, the next record begins in the middle of a line; 0 in a sound one.

    A value may end in what looks like a version line, so that alone is not enough.
    """
    found = RECORD_START.search(raw, 1)
    if found is None or found.end() == len(raw):
        return 0
    begin = found.end()
    second = b"warc-type:" in raw[:begin].lower() and b"warc-type:" in raw[begin:].lower()
    return begin if second else 0


def _read_block(flow: Flow, block: Spool, length: int) -> bool:
    """Read up to *length* bytes; tell whether they went on in another member."""
    joined = False
    missing = length
    while missing:
        piece = flow.some(missing)
        if not piece:
            if not flow.join():
                break
            joined = True
        block.write(piece)
        missing -= len(piece)
    return joined


def _check_end(flow: Flow, record: Scanned) -> bool:
    """Take the CRLF CRLF that ends a record (WARC 1.1, 4); where it is not, see what the block really was.

    Tell whether the end lies in another member than the block.
    """
    claimed, held, joined = record.content_length or 0, len(record.block), False
    if held == claimed:
        end = flow.peek(4)
        joined = len(end) < len(_RECORD_END) and flow.join()
        if joined:
            end = flow.peek(4)
        if end == _RECORD_END:
            flow.skip(4)
            if flow.peek(1) in _LINE_ENDS:
                _report(record, "record-end", "more line ends than two after the block", flow.where())
                _skip_line_ends(flow)
            return joined
    swallowed = _find_swallowed(record.block, flow.peek(RECORD_START_REACH))
    if swallowed is not None:
        end_at, begin = swallowed
        flow.give_back(record.block, begin)
        record.block.truncate(end_at)
        _report(record, "content-length", f"Content-Length is {claimed}, but a record begins after {end_at} bytes")
    elif held < claimed:
        _report(record, "block-short", f"Content-Length is {claimed}, but only {held} bytes follow")
    else:
        seen = flow.peek(4)
        _report(record, "record-end", f"the block is followed by {seen!r}, not by CR LF CR LF", flow.where())
        _skip_line_ends(flow)
    return joined


def _report(record: Scanned, code: str, message: str, offset: int | None = None) -> None:
    record.problems.append(Problem(code, message, record.offset if offset is None else offset))


def _skip_line_ends(flow: Flow) -> None:
    while flow.peek(1) in _LINE_ENDS:
        flow.skip(1)


def _find_swallowed(block: Spool, following: bytes = b"") -> tuple[int, int] | None:
    """Return where the block ends and where the record begins that a wrong length took into it, or None.

    *following* is what comes after the block: the record may begin within its last bytes.
    """
    at, before = 0, b""
    for piece in itertools.chain(block.chunks(), (following,)):
        data = before + piece
        found = RECORD_START.search(data)
        if found and (begin := at - len(before) + found.end()) < len(block):
            # Two line ends before it are the end of this record (WARC 1.1, 4), as far as they are there.
            tail = block.read(max(0, begin - 4), min(4, begin))
            ends = _LINE_ENDS_AT_END.search(tail)
            return begin - (len(ends[0]) if ends else 0), begin
        before = data[-RECORD_START_REACH:]
        at += len(piece)
    return None


def _read_to_next_record(flow: Flow, record: Scanned) -> None:
    """Read a block that goes on to the next record, or to the end of the unit: without a length that is believed.

    Where there is a length that fits after all, the record is as sound as any.
    """
    block, claimed = record.block, record.content_length
    if claimed is not None:
        for piece in flow.take_to_record(claimed):
            block.write(piece)
        if len(block) == claimed and flow.peek(4) == _RECORD_END:
            flow.skip(4)
            return
    else:
        for piece in flow.take_to_record(sys.maxsize):
            block.write(piece)
    ends = _LINE_ENDS_AT_END.search(block.read(max(0, len(block) - 4)))
    if ends:
        block.truncate(len(block) - len(ends[0]))
    if claimed is not None:
        _report(record, "content-length", f"Content-Length is {claimed}, but the block has {len(block)} bytes")
