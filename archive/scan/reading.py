"""From a flow of bytes to one record: its header, its block, its end, and what is wrong with them."""

from __future__ import annotations

import itertools
import re
import sys

from archive.scan.flow import HEADER_END, HEADER_END_OR_RECORD, RECORD_START, RECORD_START_REACH, Flow
from archive.scan.header import read_header
from archive.scan.record import Problem, Scanned
from archive.spool import Spool

MAX_HEADER_BYTES = 1 << 20  # far above any real record header; a limit keeps a damaged one from taking the file
_RECORD_END = b"\r\n\r\n"
_LINE_ENDS_AT_END = re.compile(rb"(?:\r?\n){1,2}\Z")
_LINE_ENDS = frozenset((b"\r", b"\n"))


def read_next(flow: Flow) -> Scanned:
    """Read the record that *flow* stands at."""
    problems: list[Problem] = []
    offset, inner = flow.where(), flow.inner
    raw, joined = flow.take_header(), False
    if raw is None:
        raw, joined = _search_header(flow, problems, offset)
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


def _search_header(flow: Flow, problems: list[Problem], offset: int) -> tuple[bytes, bool]:
    """Take a header whose end is not plain to see; tell also whether it went on in another member."""
    end = HEADER_END_OR_RECORD if flow.wary else HEADER_END
    raw, joined = flow.take_through(end, MAX_HEADER_BYTES), False
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
    return raw, joined


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
