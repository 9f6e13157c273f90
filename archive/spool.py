"""Bytes gathered in memory while they are few, in a temporary file once they are many."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from archive.errors import StorageError
from archive.files import storage_errors, write_all

SPOOL_AT_BYTES = 1 << 20  # nine news pages in ten are smaller; a larger body goes to disk
_READ_BYTES = 1 << 16


class Spool:
    """A byte sequence that grows at its end and is read from anywhere.

    ``with`` or :meth:`close` frees the temporary file, which has no name and dies with the process.

    Every method but :meth:`close` raises ``DiskFull`` or ``StorageError`` when the temporary file fails, and from
    then on always: what a spool gives is what was written to it, or nothing. ``ValueError`` once it is closed.
    """

    __slots__ = ("_closed", "_error", "_file", "_length", "_memory", "spool_at_bytes")

    def __init__(self, data: bytes = b"", *, spool_at_bytes: int = SPOOL_AT_BYTES) -> None:
        self.spool_at_bytes = spool_at_bytes
        self._memory = bytearray()  # holds all of it while there is no file
        self._file: FileIO | None = None
        self._length = 0
        self._error: StorageError | None = None
        self._closed = False
        if data:
            self.write(data)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append *data*."""
        self._check()
        if self._file is None and self._length + len(data) <= self.spool_at_bytes:
            self._memory += data
        else:
            with self._failing("writing"):
                self._write_to_file(data)
        self._length += len(data)

    def _write_to_file(self, data: bytes | bytearray | memoryview) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in close()
            write_all(self._file.fileno(), self._memory)
            self._memory = bytearray()
        write_all(self._file.fileno(), data)

    def truncate(self, length: int) -> None:
        """Drop every byte from *length* on."""
        self._check()
        if length >= self._length:
            return
        if self._file is None:
            del self._memory[length:]
        else:
            with self._failing("shortening"):
                self._file.truncate(length)
                self._file.seek(length)
        self._length = length

    def __len__(self) -> int:
        return self._length

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """Return *length* bytes from *start*, or all that follow."""
        self._check()
        end = self._length if length is None else min(start + length, self._length)
        if self._file is None:
            with memoryview(self._memory) as view:
                return bytes(view[start:end])
        with self._failing("reading"):
            return _read_exactly(self._file.fileno(), start, end)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from *start* on, in pieces of at most 64 KiB."""
        while piece := self.read(start, _READ_BYTES):
            yield piece
            start += len(piece)

    def _check(self) -> None:
        if self._closed:
            raise ValueError("I/O operation on closed file")
        if self._error is not None:
            raise self._error

    @contextlib.contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        try:
            with storage_errors(Path(tempfile.tempdir or "the temporary directory"), f"{doing} a temporary file"):
                yield
        except StorageError as error:
            self._error = error
            self._free()  # others need the room it took
            raise

    def _free(self) -> None:
        self._memory = bytearray()
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # nothing of it is wanted any more
                file.close()

    def close(self) -> None:
        self._closed = True
        self._free()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read_exactly(descriptor: int, start: int, end: int) -> bytes:
    pieces = []
    while start < end:
        piece = os.pread(descriptor, end - start, start)
        if not piece:
            raise OSError(f"it ends {end - start} bytes early")
        pieces.append(piece)
        start += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
