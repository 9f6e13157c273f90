"""Where an export goes: to a temporary name first, to its own once it is whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archive.errors import ArchiveError
from archive.files import storage_errors, sync_directory


class NotWritable(ArchiveError):
    """The output cannot be written where it was asked for. Name another place."""


class Output:
    """The file or directory *path*; nothing of that name is there until all of it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")

    @contextlib.contextmanager
    def file(self) -> Iterator[BinaryIO]:
        """Give a seekable file that takes the place of *path* at the end, durably; it is removed on any error.

        Raises ``NotWritable``, ``DiskFull`` or ``StorageError``.
        """
        if self.path.is_dir():
            raise NotWritable(f"{self.path} is a directory; name a file with --output")
        if self.path.exists() and not self.path.is_file():  # /dev/null, a pipe
            with self.path.open("wb") as out:
                yield out
            return
        try:
            made: BinaryIO = self._temporary.open("w+b")
        except OSError as error:
            raise NotWritable(f"{self.path}: cannot be written ({error.strerror})") from error
        with self._removed_on_error():
            with made, storage_errors(self.path, "writing an export"):
                yield made
                made.flush()
                os.fsync(made.fileno())
            with storage_errors(self.path, "naming an export"):
                self._temporary.replace(self.path)
                sync_directory(self.path.parent)

    @contextlib.contextmanager
    def directory(self) -> Iterator[Path]:
        """Give a directory that takes the place of *path* at the end, which must not exist or be empty."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise NotWritable(f"{self.path} is there already, and no empty directory; name another with --output")
        try:
            self._temporary.mkdir()
        except OSError as error:
            raise NotWritable(f"{self.path}: cannot be made ({error.strerror})") from error
        with self._removed_on_error(), storage_errors(self.path, "writing an export"):
            yield self._temporary
            self._temporary.replace(self.path)
            sync_directory(self.path.parent)

    @contextlib.contextmanager
    def _removed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._temporary.is_dir():
                shutil.rmtree(self._temporary, ignore_errors=True)
            else:
                self._temporary.unlink(missing_ok=True)
            raise
