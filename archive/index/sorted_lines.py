"""A text file sorted as bytes, and look-ups in it by bisection: nothing is built, nothing is kept in memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

from archive.errors import IndexDamaged

_PROBES = 64  # places at which a file is looked at when it is opened


class SortedLines:
    """Lines that end in a line break, sorted as bytes; *name* stands in errors.

    A bisection in an unsorted file finds nothing and does not say so. So it is looked at in ``_PROBES`` places when it
    is opened, unless *known* to be sorted, and whole by :meth:`all`. Raises ``IndexDamaged`` when it is found unsorted
    or cut.
    """

    __slots__ = ("_data", "name")

    def __init__(self, data: bytes | mmap.mmap, name: str, *, known: bool = False) -> None:
        self._data, self.name = data, name
        if not known:
            self._look()

    def _look(self) -> None:
        data, name, size = self._data, self.name, len(self._data)
        if size and data[size - 1 : size] != b"\n":
            raise IndexDamaged(name, "its last line is cut")
        before, at = b"", 0
        for probe in range(_PROBES):
            at = max(at, self._line_start(probe * size // _PROBES))
            for _ in range(2):
                line = self._line(at)
                self._in_order(before, line)
                before, at = line or before, at + len(line)

    def between(self, start: bytes, end: bytes) -> Iterator[bytes]:
        """Yield the lines from *start* on that come before *end*, line breaks included."""
        before = b""
        at = self._first_not_before(start)
        while line := self._line(at):
            self._in_order(before, line)
            if line >= end:
                return
            yield line
            before, at = line, at + len(line)

    def cuts(self, start: bytes, end: bytes, every_bytes: int) -> list[bytes]:
        """Return the first lines of the parts into which the lines between fall, each of about *every_bytes*."""
        low, high = self._first_not_before(start), self._first_not_before(end)
        places = {low: None} if low < high else {}
        for at in range(low + every_bytes, high, every_bytes):
            places[self._line_start(at)] = None
        return [self._line(at) for at in places]

    def all(self) -> Iterator[bytes]:
        """Yield every line; raises ``IndexDamaged`` at the first that is out of order."""
        before, at = b"", 0
        while line := self._line(at):
            self._in_order(before, line)
            yield line
            before, at = line, at + len(line)

    def _first_not_before(self, wanted: bytes) -> int:
        """Return where the first line stands that is not less than *wanted*."""
        low, high = 0, len(self._data)
        while low < high:
            start = self._line_start((low + high) // 2)
            line = self._line(start)
            if line < wanted:
                low = start + len(line)
            else:
                high = start
        return low

    def _line_start(self, at: int) -> int:
        return self._data.rfind(b"\n", 0, at) + 1

    def _line(self, start: int) -> bytes:
        end = self._data.find(b"\n", start)
        return self._data[start : end + 1] if end >= 0 else b""

    def _in_order(self, before: bytes, line: bytes) -> None:
        if line and line < before:
            raise IndexDamaged(self.name, f"it is not sorted: {line[:60]!r} stands after {before[:60]!r}")
