"""An archive in a directory: whole, durable files that are never overwritten."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import stat
import time
from builtins import list as list_
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archive.errors import (
    DiskFull,
    ObjectConflict,
    ObjectDamaged,
    ObjectMissing,
    StorageError,
    StorageRefused,
    StorageUnavailable,
)
from archive.files import is_full, make_directory, sync_directory
from archive.storage import Stat
from archive.storage.keys import RESERVED, check_key, is_reserved

log = logging.getLogger(__name__)

_TEMPORARY = ".newswarc-incoming-"  # hidden, so that other tools that walk the directory pass it by too
_STALE_S = 86_400  # no copy takes a day
_READ_BYTES = 1 << 20
# A file system without hard links answers one of these (FAT, some network and FUSE file systems); EMLINK: too many;
# EPERM also when the kernel protects files of other owners (fs.protected_hardlinks).
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_REFUSED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EEXIST}
)


class LocalStorage:
    """The directory *root*, made when the first object is put."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.location = str(root)
        self._swept = False

    # ---- writing

    def put(self, key: str, source: Path | bytes, *, sha256: str, replace: bool = False) -> None:
        """Store *source* under *key*, durable and confirmed when this returns.

        A file on the same file system is hard-linked, not copied: the caller may delete it afterwards, but must not
        change it. Raises ``ObjectDamaged`` when *source* does not hash to *sha256*, ``ObjectConflict``, ``DiskFull``,
        ``StorageRefused`` and ``StorageUnavailable``; nothing is visible under *key* then but what was there before.
        """
        sha256 = sha256.lower()
        with self._translated(key, source):
            target = self._path(key)
            if not replace and self._already_there(key, target, sha256):
                return
            make_directory(target.parent)
            if replace or not (isinstance(source, Path) and self._linked(key, source, target, sha256)):
                self._copied(key, source, target, sha256, replace=replace)
            sync_directory(target.parent)

    def _linked(self, key: str, source: Path, target: Path, sha256: str) -> bool:
        """Give the file *source* its second name, if that can be done here; a symbolic link has to be copied."""
        if not stat.S_ISREG(source.lstat().st_mode):
            return False
        self._check(key, str(source), self._settled_sha256(source), sha256)
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            self._settle(key, target, sha256)
        except OSError as error:
            if error.errno == errno.EXDEV or error.errno in _NO_LINKS:
                return False
            raise
        return True

    def _copied(self, key: str, source: Path | bytes, target: Path, sha256: str, *, replace: bool) -> None:
        temporary = self._scratch(target.parent) / (_TEMPORARY + secrets.token_hex(8))
        try:
            self._write(source, temporary)
            name = str(source) if isinstance(source, Path) else "the bytes given"
            self._check(key, name, self._settled_sha256(temporary), sha256)
            if replace:
                os.replace(temporary, target)
            elif not self._published(temporary, target):
                self._settle(key, target, sha256)
        finally:
            temporary.unlink(missing_ok=True)

    def _scratch(self, beside: Path) -> Path:
        """Return a directory for unfinished files on the file system of *beside*."""
        scratch = self.root / RESERVED / "incoming"
        make_directory(scratch)
        if scratch.stat().st_dev != beside.stat().st_dev:
            return beside  # another file system is mounted inside the archive
        if not self._swept:
            self._swept = True
            for left in scratch.glob(_TEMPORARY + "*"):  # by a process that was killed
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - left.stat().st_mtime > _STALE_S:
                        left.unlink()
        return scratch

    @staticmethod
    def _check(key: str, name: str, found: str, promised: str) -> None:
        if found != promised:
            raise ObjectDamaged(f"{key}: {name} hash to sha256 {found}, not {promised}; not stored")

    def _already_there(self, key: str, target: Path, sha256: str) -> bool:
        if not target.exists():
            return False
        self._settle(key, target, sha256)
        sync_directory(target.parent)  # whoever wrote it may have died before this
        return True

    def _settle(self, key: str, target: Path, sha256: str) -> None:
        """Accept the file at *target* when it holds the bytes offered; raise ``ObjectConflict`` when not."""
        stored = self._settled_sha256(target)
        if stored != sha256:
            raise ObjectConflict(self.location, key, stored=stored, offered=sha256)

    @staticmethod
    def _settled_sha256(path: Path) -> str:
        """Make the bytes of the file durable, and return the digest of what is read back."""
        with path.open("rb") as file:
            os.fsync(file.fileno())
            return hashlib.file_digest(file, "sha256").hexdigest()

    @staticmethod
    def _write(source: Path | bytes, temporary: Path) -> None:
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(temporary.open("xb"))
            if isinstance(source, bytes):
                out.write(source)
                return
            incoming = stack.enter_context(source.open("rb"))
            while piece := incoming.read(_READ_BYTES):
                out.write(piece)

    @staticmethod
    def _published(temporary: Path, target: Path) -> bool:
        """Give the finished file its name, unless the name is taken; tells which."""
        try:
            os.link(temporary, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # No hard links here. Rename would overwrite, so look first; names are unique to a writer, so nobody
            # else makes this one in between.
            if target.exists():
                return False
            os.rename(temporary, target)
        return True

    def delete(self, key: str) -> None:
        """Remove a derived object; absent is success."""
        with self._translated(key):
            target = self._path(key)
            try:
                target.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return
            sync_directory(target.parent)

    # ---- reading

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return *length* bytes from *start*, fewer at the end. Raises ``ObjectMissing``, ``StorageRefused``."""
        with self._translated(key), self._path(key).open("rb") as file:
            file.seek(start)
            return file.read(-1 if length is None else length)

    def open(self, key: str) -> BinaryIO:
        """Return the open file; the caller closes it. Raises ``ObjectMissing``, ``StorageRefused``."""
        with self._translated(key):
            return self._path(key).open("rb")

    def stat(self, key: str) -> Stat | None:
        """Return the object's size, or None when there is none; a directory keeps no digests."""
        with self._translated(key):
            try:
                found = self._path(key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            return Stat(key, found.st_size) if stat.S_ISREG(found.st_mode) else None

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """Yield every object whose key starts with *prefix*, in byte order of keys, directory by directory.

        Symbolic links are not followed to directories, nor to files outside the archive.
        """
        directory, _, _ = prefix.rpartition("/")
        if directory:
            check_key(self.location, directory)
        with self._translated(directory or self.location):
            start = self._path(directory) if directory else self.root
            yield from self._walk(start, directory + "/" if directory else "", prefix)

    def _walk(self, directory: Path, above: str, prefix: str) -> Iterator[Stat]:
        try:
            with os.scandir(directory) as entries:
                found = [(entry, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return
        # "a-b" stands before "a/c" in byte order: a directory takes its place with its slash.
        for entry, is_directory in sorted(found, key=lambda pair: os.fsencode(pair[0].name) + b"/" * pair[1]):
            key = above + entry.name
            if is_reserved(key) or entry.name.startswith(_TEMPORARY):
                continue
            if is_directory:
                if (key + "/").startswith(prefix) or prefix.startswith(key + "/"):
                    yield from self._walk(directory / entry.name, key + "/", prefix)
            elif key.startswith(prefix) and self._is_ours(entry):
                with contextlib.suppress(FileNotFoundError):  # deleted since
                    yield Stat(key, entry.stat().st_size)

    def _is_ours(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_file():
            return False
        return not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(self.root.resolve())

    # ---- the place itself

    def probe(self) -> list_[str]:
        """Put a small object, read it back and delete it; return the directory's shortcomings as sentences."""
        data = secrets.token_bytes(16)
        key = f"{RESERVED}/probe-{secrets.token_hex(8)}"
        self.put(key, data, sha256=hashlib.sha256(data).hexdigest())
        shortcomings = []
        with self._translated(key):
            path = self._path(key)
            second = path.with_name(path.name + "-link")
            try:
                os.link(path, second)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                shortcomings.append(
                    f"{self.location}: the file system has no hard links; finished files are copied, and two writers"
                    " that choose the same name are not kept apart"
                )
            finally:
                second.unlink(missing_ok=True)
        if self.read(key) != data:
            raise ObjectDamaged(f"{self.location}: {key} reads back other bytes than were written")
        self.delete(key)
        return shortcomings

    def close(self) -> None:
        """Nothing is held open."""

    def _path(self, key: str) -> Path:
        """Return the path of *key*. Raises ``StorageRefused`` when it, or a symbolic link on it, leads outside."""
        path = self.root / check_key(self.location, key)
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise StorageRefused(f"{self.location}: {key} leads out of the archive by a symbolic link; remove the link")
        return path

    @contextlib.contextmanager
    def _translated(self, key: str, source: Path | bytes | None = None) -> Iterator[None]:
        """Turn what the operating system says into our errors; with *source*, something is being stored."""
        try:
            yield
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                raise self._meaning(error, key) from error
            if source is None:
                raise ObjectMissing(self.location, key) from error
            if isinstance(source, Path) and not source.exists():
                raise ObjectMissing(str(source.parent), source.name) from error
            raise StorageUnavailable(f"{self.location}: a directory went away while {key} was stored") from error

    def _meaning(self, error: OSError, key: str) -> StorageError:
        reason = error.strerror or str(error)
        if is_full(error):
            return DiskFull(f"{self.location}: no room left for {key} ({reason}); free some and run again")
        if error.errno in _REFUSED:
            return StorageRefused(f"{self.location}: {key}: {reason}; choose another archive or mend its permissions")
        return StorageUnavailable(f"{self.location}: {key}: {reason}")
