"""Forward reading with look-ahead, absolute offsets, and a way back where there is one."""

from __future__ import annotations

from typing import BinaryIO

READ_BYTES = 1 << 18
KEEP_BYTES = 8 << 20  # how far back one can go in a stream that cannot seek


class Source:
    """The bytes of a stream from where it stands; *offset* is the position of the next byte, starting at *base*."""

    def __init__(self, stream: BinaryIO, base: int = 0) -> None:
        self._stream = stream
        self._base = base  # offset of _data[0]
        self._data = b""
        self._at = 0
        self._mark: int | None = None
        try:
            self._seekable = stream.seekable()
            self._origin = stream.tell() - base if self._seekable else 0
        except (AttributeError, OSError):
            self._seekable, self._origin = False, 0

    @property
    def offset(self) -> int:
        return self._base + self._at

    @property
    def seekable(self) -> bool:
        return self._seekable

    def mark(self) -> None:
        """Keep the bytes from here on within reach of :meth:`go_back` (the last 8 MiB, in a stream without seek)."""
        self._mark = self.offset

    def go_back(self, offset: int) -> int:
        """Stand at *offset* again, or as near behind it as is possible; return where that is."""
        if offset < self._base and self._seekable:
            self._stream.seek(self._origin + offset)
            self._base, self._data, self._at = offset, b"", 0
        else:
            self._at = max(0, min(offset - self._base, len(self._data)))
        return self.offset

    def _fill(self) -> bool:
        fresh = self._stream.read(READ_BYTES)
        if not fresh:
            return False
        keep = self._at
        if self._mark is not None and not self._seekable:
            keep = min(keep, max(self._mark - self._base, len(self._data) - KEEP_BYTES, 0))
        self._data = self._data[keep:] + fresh
        self._base += keep
        self._at -= keep
        return True

    def peek(self, count: int) -> bytes:
        """Return the next *count* bytes without taking them; fewer at the end."""
        while len(self._data) - self._at < count and self._fill():
            pass
        return self._data[self._at : self._at + count]

    def some(self, most: int) -> bytes:
        """Take at least one byte and at most *most*; empty at the end."""
        if self._at >= len(self._data) and not self._fill():
            return b""
        piece = self._data[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def skip(self, count: int) -> None:
        """Take *count* bytes that were peeked at."""
        self._at += count

    def find(self, needle: bytes) -> bool:
        """Go forward to the next *needle*; False, at the end, when there is none."""
        while True:
            found = self._data.find(needle, self._at)
            if found >= 0:
                self._at = found
                return True
            self._at = max(self._at, len(self._data) - len(needle) + 1)
            if not self._fill():
                self._at = len(self._data)
                return False
