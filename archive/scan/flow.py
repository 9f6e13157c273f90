"""The bytes of an archive as its records see them: straight from a plain file, or out of gzip members.

A *unit* is a stretch that records are read from in one go: the whole of a plain file, or one gzip member.
"""

from __future__ import annotations

import re
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import Final, Protocol, cast

from isal import isal_zlib

from archive.scan.record import Problem
from archive.scan.source import Source
from archive.spool import Spool

GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_PATIENCE_BYTES = 8 << 20
_PATIENCE = 8
_WINDOW_BYTES = 1 << 16
_INFLATE_BYTES = 1 << 20  # most that is inflated at a time
_FEED_BYTES = 1 << 15
_MAX_GZIP_HEADER = 1 << 17  # the extra field alone may have 64 KiB
_PROBE_BYTES = 1 << 12
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT, _RESERVED = 2, 4, 8, 16, 0xE0  # RFC 1952, 2.3.1
# A line that begins WARC/, or the first bytes of a header wherever they stand: what was lost may be the line end before
# it. Literals in the grammar are matched in any case (RFC 2616, 2.1, which WARC 1.1, 4 refers to).
_LINE_START = rb"[\n\0](?=WARC/\d)"
_ANYWHERE = rb"(?=WARC/\d\.\d{1,2}\r?\n(?:WARC-|Content-))"
RECORD_START = re.compile(_LINE_START + b"|" + _ANYWHERE, re.IGNORECASE)
RECORD_START_REACH = 32  # bytes that a match looks at, at most
# A header ends in a blank line. No line within it begins WARC/, so where one does the blank line was lost.
HEADER_END = re.compile(rb"\n\r?\n|" + _LINE_START, re.IGNORECASE)
HEADER_END_OR_RECORD = re.compile(HEADER_END.pattern + b"|" + _ANYWHERE, re.IGNORECASE)

# isal's stubs give its exception class as an instance.
_INFLATE_ERRORS = (cast("type[Exception]", isal_zlib.error), zlib.error)


class Inflater(Protocol):
    """What the decompressors of ISA-L and zlib have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Flow:
    """A plain file: one unit, read piece by piece. The base of :class:`GzipFlow`."""

    compressed = False

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []  # seen while reading the unit, not yet given to a record
        self.start = source.offset  # of the unit, in the file
        self.inner = 0  # how far into the unit the next byte is
        self.gzip_header = b""
        self._data = b""
        self._at = 0
        self._returned: Iterator[bytes] | None = None
        self._reread = 0  # bytes that were read, found to belong elsewhere, and put back

    @property
    def wary(self) -> bool:
        """Whether so much was read for nothing that lengths are no longer believed.

        Each wrong length can cost a read to the end of the file. A file made of nothing else must not cost the square
        of its size.
        """
        return self._reread > _PATIENCE_BYTES + _PATIENCE * self.source.offset

    # --- the unit's bytes ---

    def _pull(self) -> bytes:
        """Return the next bytes of the unit, empty at its end."""
        return self.source.some(1 << 18)

    def _more(self) -> bool:
        piece = b""
        if self._returned is not None:
            piece = next(self._returned, b"")
            if not piece:
                self._returned = None
        piece = piece or self._pull()
        if piece:
            self._data = self._data[self._at :] + piece
            self._at = 0
        return bool(piece)

    def peek(self, count: int) -> bytes:
        """Return the next *count* bytes of the unit without taking them; fewer at its end."""
        while len(self._data) - self._at < count and self._more():
            pass
        return self._data[self._at : self._at + count]

    def some(self, most: int) -> bytes:
        """Take at least one byte and at most *most*; empty at the end of the unit."""
        if self._at >= len(self._data) and not self._more():
            return b""
        piece = self._data[self._at : self._at + most]
        self.skip(len(piece))
        return piece

    def skip(self, count: int) -> None:
        """Take *count* bytes that were peeked at."""
        self._at += count
        self.inner += count

    def take_through(self, pattern: re.Pattern[bytes], limit: int) -> bytes | None:
        """Take everything up to the end of the first match of *pattern* past the first byte.

        Returns None, and takes nothing, when the unit or *limit* bytes end before it.
        """
        searched = 1
        while True:
            found = pattern.search(self._data, self._at + searched)
            if found:
                taken = self._data[self._at : found.end()]
                self.skip(len(taken))
                return taken
            searched = max(1, len(self._data) - self._at - RECORD_START_REACH)
            if searched > limit or not self._more():
                return None

    def untake(self, count: int) -> None:
        """Put back the last *count* bytes that :meth:`take_through` took, before anything else is done."""
        self._at -= count
        self.inner -= count
        self._reread += count

    def give_back(self, spool: Spool, start: int) -> None:
        """Put the bytes of *spool* from *start* on before what comes next."""
        rest = Spool()
        for piece in spool.chunks(start):
            rest.write(piece)
        rest.write(self._data[self._at :])
        before = self._returned
        self.inner -= len(spool) - start
        self._reread += len(rest)
        self._data, self._at = b"", 0
        self._returned = _then_close(rest, before)

    def take_to_record(self, most: int) -> Iterator[bytes]:
        """Yield bytes, and take them, up to what looks like the next record, the unit's end, or *most* of them."""
        while most:
            window = self.peek(min(most, _WINDOW_BYTES))
            found = RECORD_START.search(window)
            last = len(window) == most or len(window) < _WINDOW_BYTES
            count = found.end() if found else len(window) if last else len(window) - RECORD_START_REACH
            self.skip(count)
            yield window[:count]
            if found or last:
                return
            most -= count

    def to_record(self) -> bool:
        """Go forward to what looks like the next record; False, at the end of the unit, when nothing does."""
        for _ in self.take_to_record(sys.maxsize):
            pass
        return not self.ended()

    # --- units and places ---

    def where(self) -> int:
        """Return the place in the file of the next byte, or of the member that holds it."""
        return self.start + self.inner

    def join(self) -> bool:
        """Go on with the next unit as if it were one with this, because a record does; False when it does not."""
        return False

    def next_unit(self) -> bool:
        """Go to the next unit, past anything that is none; False at the end of the file."""
        return False

    def ended(self) -> bool:
        """Tell whether the unit ends here."""
        return not self.peek(1)

    def span(self, start: int) -> int:
        """Return the length as stored of a record that began at *start* and ends here."""
        return self.where() - start


class GzipFlow(Flow):
    """A gzip file: each member a unit, its CRC and size checked at its end."""

    compressed = True

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.garbage: list[Problem] = []  # between units
        self._inflater: Inflater | None = None
        self._end = source.offset  # of the last unit read
        self._damaged = False
        self._crc = self._size = 0
        self._deflated_at = 0
        self._slow = False
        self._tail = b""

    def where(self) -> int:
        return self.start

    def span(self, start: int) -> int:
        return self._end - start if self._inflater is None and self.ended() else 0

    def next_unit(self) -> bool:
        while self._inflater is not None and self._pull():
            pass  # the rest of a unit that nobody reads is still inflated: its end must be found
        if self._damaged and not self.wary:
            # A flipped bit can make the inflater run far past the true end of its member.
            self._reread += self.source.offset - self.start
            self.source.go_back(self.start + 1)
        if not self._damaged and self.source.peek(3) == GZIP_MAGIC:
            return self._open()
        begun = self._end if not self._damaged else self.source.offset
        damaged, self._damaged = self._damaged, False
        found = self._find_member()
        skipped = self.source.offset - begun
        if skipped and not damaged:
            self.garbage.append(Problem("garbage", f"{skipped} bytes that are no gzip member of a record", begun))
        return found and self._open()

    def join(self) -> bool:
        if self._damaged or self.source.peek(3) != GZIP_MAGIC or _holds_record(self.source.peek(_PROBE_BYTES)):
            return False
        start, inner, header, pending = self.start, self.inner, self.gzip_header, self._data[self._at :]
        opened = self._open()
        self.start, self.inner, self.gzip_header, self._data = start, inner, header, pending
        return opened

    def _find_member(self) -> bool:
        while self.source.find(GZIP_MAGIC):
            if _holds_record(self.source.peek(_PROBE_BYTES)):
                return True
            self.source.skip(1)
        return False

    def _open(self) -> bool:
        """Read the member header that the source stands at. The unit before it has been read to its end."""
        self.start = self.source.offset
        self.source.mark()
        self.inner = 0
        self._data, self._at, self._returned = b"", 0, None
        self._crc = self._size = 0
        self._slow, self._tail = False, b""
        head = self.source.peek(10)
        self.gzip_header = head
        length, fault = _header_length(head if head[3:4] == b"\0" else self.source.peek(_MAX_GZIP_HEADER))
        if fault:
            self.problems.append(Problem("gzip-header", fault, self.start))
        if length == 0:
            self._fail("gzip-cut", f"the file ends inside a gzip header, at {self.source.offset + len(head)}")
            return True
        self.source.skip(length)
        self._deflated_at = self.source.offset
        self._inflater = isal_zlib.decompressobj(-15)
        return True

    def _pull(self) -> bytes:
        inflater = self._inflater
        while inflater is not None:
            data = self._tail or self.source.some(_FEED_BYTES)
            try:
                piece = inflater.decompress(data, _INFLATE_BYTES)
            except _INFLATE_ERRORS as error:
                piece = self._second_opinion(str(error))
                inflater = self._inflater
                if piece:
                    self._account(piece)
                    return piece
                continue
            self._tail = inflater.unconsumed_tail
            if piece:
                self._account(piece)
            if inflater.eof:
                self.source.go_back(self.source.offset - len(inflater.unused_data))
                self._tail = b""
                self._close()
            elif not data and not piece:
                self._fail("gzip-cut", f"the file ends inside a gzip member, at {self.source.offset}")
            if piece:
                return piece
            inflater = self._inflater
        return b""

    def _account(self, piece: bytes) -> None:
        self._crc = isal_zlib.crc32(piece, self._crc)
        self._size += len(piece)

    def _second_opinion(self, error: str) -> bytes:
        """Read the member again with zlib when ISA-L refuses it, and go on where it stopped if zlib does not."""
        if not self._slow and self.source.go_back(self._deflated_at) == self._deflated_at:
            self._slow, self._tail = True, b""
            self._inflater = inflater = zlib.decompressobj(-15)
            known = 0
            while known < self._size:
                data = self._tail or self.source.some(_FEED_BYTES)
                try:
                    piece = inflater.decompress(data, min(_INFLATE_BYTES, self._size - known))
                except zlib.error as worse:
                    error = str(worse)
                    break
                self._tail = inflater.unconsumed_tail
                known += len(piece)
                if inflater.eof or not (data or piece):
                    break
            else:
                return b""
        self._fail("gzip-data", f"a gzip member cannot be inflated: {error}")
        return b""

    def _close(self) -> None:
        """Check the trailer of the member whose last byte has been inflated."""
        trailer = self.source.peek(8)
        self._inflater = None
        if len(trailer) < 8:
            self.source.skip(len(trailer))
            self._fail("gzip-cut", f"the file ends inside the trailer of a gzip member, at {self.source.offset}")
            return
        crc, size = struct.unpack("<II", trailer)
        self.source.skip(8)
        self._end = self.source.offset
        faults = []
        if crc != self._crc:
            faults.append(
                Problem("gzip-crc", f"gzip trailer gives CRC {crc:08x}, the bytes give {self._crc:08x}", self.start)
            )
        if size != self._size & 0xFFFFFFFF:
            faults.append(
                Problem("gzip-size", f"gzip trailer gives {size} bytes, inflated are {self._size}", self.start)
            )
        self.problems += faults
        # An end that does not fit may be that of a member further on, into which a damaged one was inflated.
        self._damaged = bool(faults)

    def _fail(self, code: str, message: str) -> None:
        # Where inflating stopped says little: a flipped bit may show long after. The member's start is sure.
        self.problems.append(Problem(code, message, self.start))
        self._inflater, self._damaged, self._end = None, True, self.source.offset


def _then_close(spool: Spool, before: Iterator[bytes] | None) -> Iterator[bytes]:
    with spool:
        yield from spool.chunks()
    if before is not None:
        yield from before


def _header_length(data: bytes) -> tuple[int, str]:
    """Return the length of the gzip header that *data* begins with, 0 when it is cut, and what is wrong with it."""
    if len(data) < 10:
        return 0, ""
    flags, at = data[3], 10
    fault = f"gzip header has reserved flags set ({flags:#04x})" if flags & _RESERVED else ""
    if flags & _FEXTRA:
        if len(data) < at + 2:
            return 0, fault
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            at = data.find(b"\0", at) + 1
            if at == 0:
                return 0, fault
    if flags & _FHCRC:
        if int.from_bytes(data[at : at + 2], "little") != zlib.crc32(data[:at]) & 0xFFFF:
            fault = "gzip header does not match its own CRC"
        at += 2
    return (at, fault) if at <= len(data) else (0, fault)


def find_member(data: bytes) -> int:
    """Return where the first gzip member begins in *data* that holds a record; -1 when none does."""
    at = data.find(GZIP_MAGIC)
    while at >= 0 and not _holds_record(data[at : at + _PROBE_BYTES]):
        at = data.find(GZIP_MAGIC, at + 1)
    return at


def _holds_record(data: bytes) -> bool:
    length, _ = _header_length(data)
    if not length:
        return False
    try:
        return zlib.decompressobj(-15).decompress(data[length:], 5).upper() == b"WARC/"
    except zlib.error:
        return False
