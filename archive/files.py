"""Durable file operations, and what the operating system's refusals mean."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from archive.errors import DiskFull, StorageError


def sync_directory(path: Path) -> None:
    """Make the names in *path* durable: a file's own fsync does not cover its directory entry."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Make *path* and those above it that are missing, each name durable. Raises ``OSError``."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        if path == path.parent:
            break
        path = path.parent
    for directory in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another writer was quicker; its name is synced here too
            directory.mkdir()
        sync_directory(directory.parent)


def is_full(error: OSError) -> bool:
    """Tell whether *error* means that no more bytes fit: disk, quota, or file size limit."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn the operating system's refusals into ``DiskFull`` or ``StorageError``, naming *path* and what was done."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"{path}: no room left while {doing}; free some and run the same command again") from error
        raise StorageError(f"{path}: {doing} failed: {error.strerror or error}") from error


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte of *data*: a write may take only a part, as on a disk that is nearly full."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
