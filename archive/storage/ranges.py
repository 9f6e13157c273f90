"""A seekable stream over something that can only be asked for ranges."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SMALL_BYTES = 128 << 10  # one record of a news page, compressed, fits three times over
LARGE_BYTES = 8 << 20  # what a straight read through a WARC grows to
_KEPT = 4  # blocks remembered: an index binary search comes back to its middle


class RangeReader(io.RawIOBase):
    """Reads *size* bytes through ``fetch(start, length)``, which returns exactly that many.

    The first request and those after a jump ask for 128 KiB; each that carries straight on asks for twice as much as
    the last, up to 8 MiB. What *fetch* raises comes out of the read.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch, self._size = fetch, size
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()  # start → bytes, least recently used first
        self._next, self._ask = -1, SMALL_BYTES

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        view = memoryview(buffer).cast("B")
        if self._at >= self._size or not len(view):
            return 0
        start, block = self._block(self._at)
        offset = self._at - start
        piece = block[offset : offset + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block(self, at: int) -> tuple[int, bytes]:
        for start, block in self._blocks.items():
            if start <= at < start + len(block):
                self._blocks.move_to_end(start)
                return start, block
        self._ask = min(self._ask * 2, LARGE_BYTES) if at == self._next else SMALL_BYTES
        block = self._fetch(at, min(self._ask, self._size - at))
        self._next = at + len(block)
        self._blocks[at] = block
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return at, block

    def close(self) -> None:
        self._blocks.clear()
        super().close()


def open_ranges(fetch: Callable[[int, int], bytes], size: int) -> BinaryIO:
    """Return a buffered binary stream over *size* bytes that *fetch* hands out by start and length."""
    return cast("BinaryIO", io.BufferedReader(RangeReader(fetch, size)))
