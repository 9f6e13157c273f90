"""WARC files of an archive in a directory, kept open: a record is one ``pread``."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import OrderedDict
from dataclasses import dataclass

from archive.archive import Archive
from archive.errors import StorageError
from archive.place import Place
from archive.storage.local import LocalStorage

_KEPT = 64
_LOOK_S = 2.0  # how long it is believed that a file is still there under its name


@dataclass(slots=True)
class _Open:
    descriptor: int
    path: str
    inode: tuple[int, int]
    looked_at: float


class OpenFiles:
    """Gives the stored bytes of records of *archive*. Several threads may share one."""

    def __init__(self, archive: Archive, storage: LocalStorage) -> None:
        self._archive, self._storage = archive, storage
        self._files: OrderedDict[str, _Open] = OrderedDict()
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._files)

    def stored(self, place: Place) -> bytes:
        """Return the bytes at *place*. Raises as :meth:`Archive.stored` does."""
        with self._lock:  # a descriptor must not be closed, and given to another file, before it is read
            file = self._file(place.key)
            if file is not None:
                try:
                    data = os.pread(file.descriptor, place.length, place.offset)
                except OSError:
                    data = b""
                if len(data) == place.length:
                    return data
        return self._archive.stored(place)

    def _file(self, key: str) -> _Open | None:
        file = self._files.get(key)
        now = time.monotonic()
        if file is not None:
            if now - file.looked_at < _LOOK_S:
                self._files.move_to_end(key)
                return file
            if _inode(file.path) == file.inode:
                file.looked_at = now
                return file
            os.close(self._files.pop(key).descriptor)
        try:
            with self._storage.open(key) as stream:  # the storage knows which keys may be opened, and where they lie
                descriptor = os.dup(stream.fileno())
                path = str(stream.name)
        except (StorageError, OSError, AttributeError, ValueError):
            return None
        found = os.fstat(descriptor)
        file = self._files[key] = _Open(descriptor, path, (found.st_dev, found.st_ino), now)
        if len(self._files) > _KEPT:
            os.close(self._files.popitem(last=False)[1].descriptor)
        return file

    def close(self) -> None:
        with self._lock:
            _close(self._files)


def _close(files: OrderedDict[str, _Open]) -> None:
    while files:
        os.close(files.popitem()[1].descriptor)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
