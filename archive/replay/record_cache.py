"""Records of an archive in a bucket, kept on local disk: what is asked for again is not fetched again.

A record never changes, so its place names its copy. Copies are checked as records from the bucket are, by whoever reads
them; one that is no longer what it was is dropped by that.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import threading
from pathlib import Path

from archive.archive import Archive
from archive.place import Place

log = logging.getLogger(__name__)

CACHE_BYTES = 1 << 30
_SWEEP_EVERY = 64 << 20  # bytes written between two looks at how much there is


class RecordCache:
    """Gives the stored bytes of records of *archive*, from disk where they are there. Several threads may share one."""

    def __init__(self, archive: Archive, *, limit_bytes: int = CACHE_BYTES) -> None:
        self._archive, self._limit = archive, limit_bytes
        self._folder = archive.state_dir / "cache" / "records"
        self._written = 0
        self._usable = True
        self._lock = threading.Lock()

    def stored(self, place: Place) -> bytes:
        """Return the bytes at *place*. Raises as :meth:`Archive.stored` does."""
        path = self._path(place)
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            if len(data) == place.length:
                return data
        data = self._archive.stored(place)
        if self._usable and len(data) == place.length:
            self._keep(path, data)
        return data

    def drop(self, place: Place) -> None:
        """Forget the copy of *place*, which may be what is damaged."""
        with contextlib.suppress(OSError):
            self._path(place).unlink()

    def _path(self, place: Place) -> Path:
        name = hashlib.sha256(f"{place.key}\n{place.offset}\n{place.length}".encode()).hexdigest()
        return self._folder / name[:2] / name

    def _keep(self, path: Path, data: bytes) -> None:
        incoming = path.with_name(f"{path.name}.{secrets.token_hex(6)}.incoming")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            incoming.write_bytes(data)
            os.replace(incoming, path)
        except OSError as error:
            self._usable = False  # a full disk makes the server slower, and stops it not
            log.warning("%s: records are not kept here: %s", self._folder, error)
            with contextlib.suppress(OSError):
                incoming.unlink(missing_ok=True)
            return
        with self._lock:
            self._written += len(data)
            full, self._written = self._written >= _SWEEP_EVERY, self._written % _SWEEP_EVERY
        if full:
            self._sweep()

    def _sweep(self) -> None:
        """Remove what was written first, until there is room again."""
        found = []
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
        left = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if left <= self._limit * 3 // 4:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                left -= size
