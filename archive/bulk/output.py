"""Results on their way to where they belong: through a ``.part`` file that a later run can go on with."""

from __future__ import annotations

import fcntl
import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from archive.bulk.journal import Done, Journal, NotResumable
from archive.files import sync_directory, write_all

SYNC_EVERY_S = 5.0  # results that a power cut may cost, in seconds of work; a kill costs none
_PIECE_BYTES = 1 << 20


class Written(Protocol):
    """Where results go, one after the other. *size* is that of all so far, in bytes."""

    size: int

    def write(self, piece: bytes) -> tuple[int, int]:
        """Write one result; return where it ends and its CRC-32."""


class Stream:
    """Results on a stream, each flushed: a reader at the other end of a pipe waits for no later one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = 0

    def write(self, piece: bytes) -> tuple[int, int]:
        self._stream.write(piece)
        self._stream.flush()
        self.size += len(piece)
        return self.size, 0


class PartFile:
    """The results of one run and of those that it goes on with, in ``FILE.part``; its journal in ``FILE.part.journal``.

    *path* is written only by :meth:`end`, whole: what stands there until then may be one of the inputs.
    Raises ``NotResumable`` when another process writes it, or when there is one and *resume* is not wanted.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self.part = path.with_name(f"{path.name}.part")
        journal = path.with_name(f"{path.name}.part.journal")
        if not resume and self.part.exists() and journal.exists():
            raise NotResumable(
                f"{self.part} holds what an unfinished run has done: --resume goes on with it; remove it to begin anew"
            )
        self._descriptor = os.open(self.part, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise NotResumable(f"{self.part} is being written by another process") from error
        if not journal.exists():
            os.ftruncate(self._descriptor, 0)  # nothing is known of what stands in it
        elif not os.fstat(self._descriptor).st_size:
            _remove(journal)  # of results that were finished, or removed
        self.journal = Journal(journal)
        self._last_sync_s = time.monotonic()
        self.size = 0

    def recover(self) -> int:
        """Cut off what is not known to be whole; return how many pages are done."""
        size = os.fstat(self._descriptor).st_size
        done = self.journal.sure()
        if done.ends > size:
            done = Done(0, 0, 0)  # not what the journal is about: all is done again
        for following in self.journal.after(done.n):
            if following.ends > size or self._checksum(done.ends, following.ends) != following.crc:
                break
            done = following
        self.journal.forget_after(done.n)
        os.ftruncate(self._descriptor, done.ends)
        os.lseek(self._descriptor, done.ends, os.SEEK_SET)
        self.size = done.ends
        return done.n

    def write(self, piece: bytes) -> tuple[int, int]:
        write_all(self._descriptor, piece)
        self.size += len(piece)
        return self.size, zlib.crc32(piece)

    def sync_when_due(self) -> None:
        """Make durable what is written and said to be done, when that was not done for a while."""
        if time.monotonic() - self._last_sync_s >= SYNC_EVERY_S:
            self.sync()

    def sync(self) -> None:
        os.fsync(self._descriptor)
        self.journal.synced()
        self._last_sync_s = time.monotonic()

    def end(self, ending: bytes, convert: Callable[[BinaryIO, BinaryIO], None] | None = None) -> None:
        """Put all that was written, with *ending* behind it, in its place; or what *convert* makes of it.

        The journal can still be asked, until :meth:`close`.
        """
        self.sync()
        write_all(self._descriptor, ending)
        os.fsync(self._descriptor)
        whole = self.part
        if convert is not None:
            whole = self.path.with_name(f"{self.path.name}.whole")
            with self.part.open("rb") as lines, whole.open("wb") as out:
                convert(lines, out)
                out.flush()
                os.fsync(out.fileno())
        whole.replace(self.path)
        sync_directory(self.path.parent)
        self.part.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of what was ended."""
        self.journal.close()
        _remove(self.journal.path)
        os.close(self._descriptor)

    def leave(self) -> bool:
        """Leave it to a later run; return whether there is anything to be gone on with."""
        try:
            self.sync()
        finally:
            any_done = bool(self.journal.kinds())
            self.journal.close()
            os.close(self._descriptor)
        if not any_done:
            self.part.unlink(missing_ok=True)
            _remove(self.journal.path)
        return any_done

    def _checksum(self, start: int, end: int) -> int:
        crc = 0
        while start < end and (piece := os.pread(self._descriptor, min(_PIECE_BYTES, end - start), start)):
            crc = zlib.crc32(piece, crc)
            start += len(piece)
        return crc


def _remove(journal: Path | None) -> None:
    if journal is not None:
        for ending in ("", "-wal", "-shm"):  # SQLite's, after a kill
            journal.with_name(journal.name + ending).unlink(missing_ok=True)
