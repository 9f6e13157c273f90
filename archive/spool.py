"""Bytes gathered in memory while they are few, in a temporary file once they are many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

SPOOL_AT_BYTES = 1 << 20  # nine news pages in ten are smaller; a larger body goes to disk
_READ_BYTES = 1 << 16


class Spool:
    """A byte sequence that grows at its end and is read from anywhere.

    ``with`` or :meth:`close` frees the temporary file, which has no name and dies with the process.
    """

    __slots__ = ("_file", "_length", "spool_at_bytes")

    def __init__(self, data: bytes = b"", *, spool_at_bytes: int = SPOOL_AT_BYTES) -> None:
        self.spool_at_bytes = spool_at_bytes
        self._file = tempfile.SpooledTemporaryFile(max_size=spool_at_bytes)  # noqa: SIM115 - closed in close()
        self._length = 0
        if data:
            self.write(data)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append *data*."""
        self._file.seek(0, 2)
        self._file.write(data)
        self._length += len(data)

    def truncate(self, length: int) -> None:
        """Drop every byte from *length* on."""
        self._file.seek(length)
        self._file.truncate()
        self._length = min(self._length, length)

    def __len__(self) -> int:
        return self._length

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """Return *length* bytes from *start*, or all that follow."""
        self._file.seek(start)
        return self._file.read(-1 if length is None else length)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from *start* on, in pieces of at most 64 KiB."""
        while piece := self.read(start, _READ_BYTES):
            yield piece
            start += len(piece)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
