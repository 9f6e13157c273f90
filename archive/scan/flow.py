"""The bytes of an archive as its records see them: straight from a plain file here, out of gzip members next door.

A *unit* is a stretch that records are read from in one go: the whole of a plain file, or one gzip member.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from archive.scan.record import Problem
from archive.scan.source import Source
from archive.spool import Spool

_PATIENCE_BYTES = 8 << 20  # put back before lengths are no longer believed,
_PATIENCE = 8  # and times the bytes read so far
_WINDOW_BYTES = 1 << 16
_USUAL_HEADER_BYTES = 1 << 13
# A line that begins WARC/, or the first bytes of a header wherever they stand: what was lost may be the line end before
# it. Literals in the grammar are matched in any case (RFC 2616, 2.1, which WARC 1.1, 4 refers to).
_LINE_START = rb"[\n\0](?=WARC/\d)"
_ANYWHERE = rb"(?=WARC/\d\.\d{1,2}\r?\n(?:WARC-|Content-))"
RECORD_START = re.compile(_LINE_START + b"|" + _ANYWHERE, re.IGNORECASE)
RECORD_START_REACH = 32  # bytes that a match looks at, at most
# A header ends in a blank line. No line within it begins WARC/, so where one does the blank line was lost.
HEADER_END = re.compile(rb"\n\r?\n|" + _LINE_START, re.IGNORECASE)
HEADER_END_OR_RECORD = re.compile(HEADER_END.pattern + b"|" + _ANYWHERE, re.IGNORECASE)


class Flow:
    """A plain file: one unit, read piece by piece. The base of :class:`~archive.scan.members.GzipFlow`."""

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

    def take_header(self) -> bytes | None:
        """Take a header that is plainly sound; None, and nothing is taken, when it must be looked at more closely."""
        end = self._data.find(b"\r\n\r\n", self._at, self._at + _USUAL_HEADER_BYTES) + 4
        if end < 4:
            return None
        raw = self._data[self._at : end]
        if b"\n\n" in raw or raw.find(b"\n\r\n") != len(raw) - 3 or b"\0" in raw or b"warc/" in raw[1:].lower():
            return None
        self.skip(len(raw))
        return raw

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


def _then_close(spool: Spool, before: Iterator[bytes] | None) -> Iterator[bytes]:
    with spool:
        yield from spool.chunks()
    if before is not None:
        yield from before
