"""Session directories: where one running writer keeps its segments until they are published.

A session directory is locked for as long as its writer lives. The lock is the kernel's (``flock``), so it ends with the
process, however it ended: a directory whose lock can be taken was left behind by a crash.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from archive.errors import DiskFull, StorageRefused
from archive.files import is_full, make_directory, storage_errors, sync_directory

_LOCK = "lock"


@contextlib.contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Keep others from taking a directory for a left-over between its creation and its lock."""
    with parent.with_name(parent.name + ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Session:
    """A locked session directory. ``with`` or :meth:`release` gives the lock back; :meth:`remove` deletes it too."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, parent: Path) -> Self:
        """Make and lock a new session directory in *parent*.

        Raises ``StorageRefused`` when the place cannot be written to, ``DiskFull`` when there is no room.
        """
        name = f"{datetime.now(UTC):%Y%m%d%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        path = parent / name
        try:
            make_directory(parent)
            with _alone(parent):
                path.mkdir()
                session = cls._lock(path)
            sync_directory(parent)
        except OSError as error:
            if is_full(error):
                raise DiskFull(
                    f"{parent}: no room left to start an archive session; free some and run again"
                ) from error
            raise StorageRefused(
                f"{parent}: cannot be written to ({error.strerror}); choose another archive or mend its permissions"
            ) from error
        if session is None:
            raise StorageRefused(f"{path}: could not be locked; an archive's state needs a file system with flock")
        return session

    @classmethod
    def _lock(cls, path: Path) -> Self | None:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have removed the directory between our open and our lock.
            if os.stat(path / _LOCK).st_ino == os.fstat(descriptor).st_ino:
                return cls(path, descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        return None

    @classmethod
    def abandoned(cls, parent: Path) -> list[Self]:
        """Return, locked, every session directory in *parent* whose writer is no more; the caller releases each.

        Raises ``DiskFull`` or ``StorageError`` when they cannot be locked.
        """
        if not parent.is_dir():
            return []
        with storage_errors(parent, "looking for what a crash left"), _alone(parent):
            locked = [cls._lock(path) for path in sorted(parent.iterdir()) if path.is_dir()]
        return [session for session in locked if session is not None]

    def files(self) -> list[Path]:
        """What the session holds besides its lock, sorted by name."""
        return sorted(path for path in self.path.iterdir() if path.name != _LOCK)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> bool:
        """Delete the directory when nothing is left in it, and release the lock. Tells whether it is gone."""
        empty = not self.files()
        if empty:
            (self.path / _LOCK).unlink(missing_ok=True)
            self.path.rmdir()
        self.release()
        return empty

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
