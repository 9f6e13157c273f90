"""The bytes of a gzip archive: members one after another, each inflated and checked."""

from __future__ import annotations

import struct
import zlib
from typing import Final, Protocol, cast

from isal import isal_zlib

from archive.scan.flow import Flow
from archive.scan.record import Problem
from archive.scan.source import Source

GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_INFLATE_BYTES = 1 << 20  # most that is inflated at a time
_FEED_BYTES = 1 << 15
_MAX_GZIP_HEADER = 1 << 17  # the extra field alone may have 64 KiB
_PROBE_BYTES = 1 << 12
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT, _RESERVED = 2, 4, 8, 16, 0xE0  # RFC 1952, 2.3.1

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
