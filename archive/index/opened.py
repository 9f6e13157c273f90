"""Segments made ready for bisection: mapped files, copies of a bucket's, small ones in memory."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator
from io import UnsupportedOperation
from pathlib import Path
from typing import BinaryIO

from archive.errors import DiskFull, ObjectDamaged, StorageUnavailable
from archive.files import is_full
from archive.index.sorted_lines import SortedLines
from archive.names import INDEX_PREFIX
from archive.storage import Stat, Storage

MAX_FILES = 200  # kept open: a process may have 1,024 open by default, and each mapped segment is one
_SMALL_BYTES = 1 << 18  # a segment of up to some 700 lines is read instead
_MEMORY_BYTES = 64 << 20  # for all of those

_READ_BYTES = 1 << 20


class OpenSegments:
    """Opens segments of *storage*, and keeps them open while there is room.

    Every look-up goes through all segments, so those opened first stay: to drop the least recently used would drop
    just the one that is wanted next. Several threads may share one.
    """

    def __init__(self, storage: Storage, cache: Path) -> None:
        self.storage, self.cache = storage, cache
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int], SortedLines] = {}
        self._seen: set[tuple[str, int]] = set()  # found sorted where it was looked at
        self._files = self._memory = 0

    def get(self, source: Stat) -> SortedLines:
        """Return *source* ready to be searched.

        Raises ``IndexDamaged``, ``ObjectMissing``, ``ObjectDamaged`` when it came cut, and ``StorageError``.
        """
        name = (source.key, source.size)
        kept = self._kept.get(name)
        if kept is not None:
            return kept
        lines = self.open(source)
        small = source.size <= _SMALL_BYTES
        with self._lock:
            self._seen.add(name)
            if name not in self._kept:
                if small and self._memory + source.size <= _MEMORY_BYTES:
                    self._kept[name] = lines
                    self._memory += source.size
                elif not small and self._files < MAX_FILES:
                    self._kept[name] = lines
                    self._files += 1
        return lines

    def open(self, source: Stat) -> SortedLines:
        """Return *source*, opened for the caller alone."""
        copy = self.cache / source.key
        with disk_errors(self.cache):
            if not (copy.is_file() and copy.stat().st_size == source.size):
                with self.storage.open(source.key) as stream:
                    if _descriptor(stream) is not None:
                        return self._lines(source, stream)
                    self._fetch(source, stream, copy)
            with copy.open("rb") as file:
                return self._lines(source, file)

    def keep_only(self, sources: Iterable[Stat]) -> None:
        """Close what is not among *sources* any more, once nobody reads it."""
        wanted = {(source.key, source.size) for source in sources}
        with self._lock:
            for gone in [name for name in self._kept if name not in wanted]:
                del self._kept[gone]
                if gone[1] <= _SMALL_BYTES:
                    self._memory -= gone[1]
                else:
                    self._files -= 1

    def forget(self) -> None:
        """Close everything, and remove the copies."""
        self.keep_only([])
        with self._lock:
            self._seen.clear()
        shutil.rmtree(self.cache / INDEX_PREFIX, ignore_errors=True)

    def _lines(self, source: Stat, file: BinaryIO) -> SortedLines:
        known = (source.key, source.size) in self._seen
        if os.fstat(file.fileno()).st_size <= _SMALL_BYTES:
            return SortedLines(file.read(), source.key, known=known)
        # The mapping keeps a descriptor of its own.
        return SortedLines(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), source.key, known=known)

    def _fetch(self, source: Stat, stream: BinaryIO, copy: Path) -> None:
        """Write *stream* to *copy*, whole and checked, or not at all."""
        known = source.sha256 or getattr(self.storage.stat(source.key), "sha256", None)
        copy.parent.mkdir(parents=True, exist_ok=True)
        incoming = copy.with_name(f"{copy.name}.{secrets.token_hex(6)}.incoming")
        try:
            digest = hashlib.sha256()
            with incoming.open("xb") as out:
                while piece := stream.read(_READ_BYTES):
                    out.write(piece)
                    digest.update(piece)
                size = out.tell()
            if size != source.size or known not in {None, digest.hexdigest()}:
                raise ObjectDamaged(
                    f"{self.storage.location}: {source.key} came as {size} bytes with sha256 {digest.hexdigest()},"
                    f" not {source.size} bytes with {known or 'an unknown one'}"
                )
            os.replace(incoming, copy)
        finally:
            incoming.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Say what a failing local disk means."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"{place}: no room for the index: {error}") from error
        raise StorageUnavailable(f"{place}: {error}") from error


def _descriptor(stream: BinaryIO) -> int | None:
    """Return the descriptor of a file of this machine; None when the stream is none."""
    try:
        return stream.fileno()
    except (UnsupportedOperation, AttributeError):
        return None
