"""One WARC file being written: appended to in whole exchanges, durable when synced, sealed once.

A segment is ``<stem>.warc.gz.open`` until it is sealed; then ``<stem>.warc.gz`` with ``<stem>.cdxj`` (captures only)
and, last of all, ``<stem>.json``, its manifest. Whoever finds the manifest finds the rest complete. There is no
journal: a whole gzip member that was synced and whose digest holds is what was committed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive import names, warc
from archive.errors import StorageError
from archive.files import storage_errors, sync_directory, write_all
from archive.manifest import Contents, Entry, Manifest
from archive.place import Place
from archive.scan.record import Fields
from archive.warc import Record

_BUFFER_BYTES = 1 << 20  # an exchange of a news page goes to the file in one write


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment that is complete and durable in its session directory, ready to be published."""

    stem: str
    path: Path
    manifest: Manifest
    index_path: Path | None  # None for articles
    manifest_path: Path


class _Tail:
    """Writes to a descriptor through one buffer, counting and hashing what passes."""

    def __init__(self, descriptor: int, size: int, hasher: hashlib._Hash) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self.size, self.hasher = size, hasher

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self.hasher.update(data)
        self._buffer += data
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        write_all(self._descriptor, self._buffer)
        self._buffer.clear()


class Segment:
    """A segment open for writing. Not thread-safe.

    When an append fails, the file is cut back to where it stood, byte for byte. When that fails too, or the disk does
    not confirm a sync, the segment is *damaged*: nothing more is written to it, and mending keeps its whole records.
    """

    def __init__(self, directory: Path, stem: str, warcinfo: Record) -> None:
        """Create the file and write *warcinfo* to it.

        Raises ``DiskFull`` or ``StorageError``; no file is left then.
        """
        self.stem = stem
        self.path = directory / f"{stem}{names.WARC_SUFFIX}{names.OPEN_SUFFIX}"
        self.size = 0
        self.damaged = False
        self._contents = Contents(stem)
        self._hasher = hashlib.sha256()
        self._named = False  # whether the directory entry is durable
        self._dirty = False
        with storage_errors(self.path, "creating a WARC file"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o644)
        try:
            self.append([warcinfo])
        except BaseException:
            self.discard()
            raise

    @property
    def empty(self) -> bool:
        """Whether it holds no more than its ``warcinfo``."""
        return self._contents.empty

    def append(self, records: Sequence[Record]) -> list[Entry]:
        """Write *records*, all of them or none, and return where each lies and what it shows.

        They are safe from a crash once :meth:`sync` has returned. Raises ``DiskFull`` or ``StorageError``, the file
        being as before, or *damaged*.
        """
        self._check()
        tail = _Tail(self._descriptor, self.size, self._hasher.copy())
        key = self._contents.keys.warc
        entries = []
        try:
            with storage_errors(self.path, "writing records"):
                for record in records:
                    start = tail.size
                    warc.encode_to(record, tail)
                    place = Place(key, start, tail.size - start)
                    entries.append(self._contents.read(Fields(tuple(record.fields)), record.head(), place))
                tail.flush()
        except BaseException:
            self._cut_back()
            raise
        self._dirty = True
        self.size, self._hasher = tail.size, tail.hasher
        for entry in entries:
            self._contents.add(entry)
        return entries

    def _check(self) -> None:
        """Hold the file against what we know of it: an interrupt can fall between a write and its account."""
        if self.damaged or self._descriptor < 0:
            raise StorageError(f"{self.path}: no longer written to; its whole records are kept when it is mended")
        with storage_errors(self.path, "looking at a WARC file"):
            size = os.fstat(self._descriptor).st_size
        if size > self.size:
            self._cut_back()
        elif size < self.size:
            self._abandon()
        if self.damaged:
            raise StorageError(f"{self.path}: has {size} bytes where {self.size} were written; left to be mended")

    def _cut_back(self) -> None:
        # The same descriptor: a file opened anew might be another one, and opening for writing may empty it.
        try:
            os.ftruncate(self._descriptor, self.size)
            os.fsync(self._descriptor)
        except OSError:
            self._abandon()

    def _abandon(self) -> None:
        self.damaged = True
        self._close()

    def sync(self) -> None:
        """Make everything appended so far durable, the file's name included.

        Raises ``DiskFull`` or ``StorageError``; the segment is damaged then, for a kernel that failed to write pages
        forgets that they were never written, and a second sync would succeed without them.
        """
        self._check()
        if not self._dirty:
            return
        try:
            with storage_errors(self.path, "syncing records"):
                os.fdatasync(self._descriptor)
                if not self._named:
                    sync_directory(self.path.parent)
                    self._named = True
        except StorageError:
            self._abandon()
            raise
        self._dirty = False

    def seal(self) -> Sealed:
        """Finish the segment: durable, under its final name, with index segment and manifest beside it.

        Raises ``DiskFull`` or ``StorageError``: mending finishes it then.
        """
        self.sync()
        self._close()
        return seal(self.path, self._contents, self.size, self._hasher.hexdigest())

    @property
    def unsynced(self) -> bool:
        """Whether records were appended that no sync has confirmed."""
        return self._dirty

    def discard(self) -> None:
        """Close and delete the file."""
        self._close()
        with storage_errors(self.path, "deleting an empty WARC file"):
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with contextlib.suppress(OSError):  # nothing is left to write: what counts was synced
                os.close(descriptor)


def seal(path: Path, contents: Contents, size: int, sha256: str) -> Sealed:
    """Give the synced WARC file at *path* its final name, its index segment and its manifest, in this order.

    Each step may be repeated: a crash in between leaves what mending completes to the same bytes.
    """
    directory, stem = path.parent, names.stem_of(path.name)
    final = directory / f"{stem}{names.WARC_SUFFIX}"
    index_path = directory / f"{stem}{names.INDEX_SUFFIX}"
    manifest_path = directory / f"{stem}{names.MANIFEST_SUFFIX}"
    index, manifest = contents.index(), contents.manifest(size, sha256)
    with storage_errors(path, "sealing a WARC file"):
        path.replace(final)
        if index is not None:
            write_durably(index_path, index)
        # The names first: a manifest must never be found where the file it speaks of still has another name.
        sync_directory(directory)
        write_durably(manifest_path, manifest.to_bytes())
        sync_directory(directory)
    return Sealed(stem, final, manifest, index_path if index is not None else None, manifest_path)


def write_durably(path: Path, data: bytes) -> None:
    """Put *data* at *path*, whole or not at all; the directory is the caller's to sync."""
    partial = path.with_name(path.name + ".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(path)
