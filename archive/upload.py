"""Sealed segments from a session directory into storage: WARC, index segment, and the manifest last.

A manifest beside its files says that the segment is sealed; a manifest in storage says that it is published whole. The
local files go once that is so, the manifest last, so whatever moment a process dies at, the next one finds the
manifest and ends the work.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from archive.errors import (
    DiskFull,
    ObjectConflict,
    ObjectDamaged,
    ObjectMissing,
    StorageError,
    StorageRefused,
    StorageUnavailable,
)
from archive.files import sync_directory
from archive.manifest import Manifest
from archive.names import LOCAL_ORIGINAL, MANIFEST_SUFFIX, ORIGINALS_PREFIX, keys, original_key
from archive.storage import Storage

log = logging.getLogger(__name__)

RETRY_S = 30.0  # between two tries to publish while the store is out of reach


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A finished file: where it lies, the key it goes to, and what its manifest says of it."""

    path: Path
    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SealedSet:
    """A manifest, as its bytes, and the files it vouches for."""

    manifest_path: Path
    manifest_key: str
    manifest: bytes
    files: tuple[SealedFile, ...]


def read_set(manifest_path: Path) -> SealedSet:
    """Return what the manifest at *manifest_path* vouches for.

    Raises ``ObjectDamaged`` when it cannot be read as a manifest, or speaks of files that are not its own.
    """
    stem = manifest_path.name.removesuffix(MANIFEST_SUFFIX)
    try:
        data = manifest_path.read_bytes()
        manifest = Manifest.from_bytes(data)
        own = keys(stem)
    except ValueError as error:
        raise ObjectDamaged(f"{manifest_path}: {error}; its files are kept where they are") from error
    except OSError as error:
        raise StorageRefused(f"{manifest_path}: cannot be read ({error.strerror})") from error
    parts = [(manifest.key, manifest.size, manifest.sha256)]
    if manifest.index:
        parts.append((manifest.index.key, manifest.index.size, manifest.index.sha256))
    known = {own.warc, own.index}
    if manifest.imported and manifest.imported.original:
        original = manifest.imported.original
        parts.append((original, manifest.imported.size, manifest.imported.sha256))
        if original.startswith(original_key(stem, "")):
            known.add(original)
    if {key for key, _, _ in parts} - known:
        raise ObjectDamaged(f"{manifest_path}: names files of another segment; its files are kept where they are")
    folder = manifest_path.parent
    files = tuple(SealedFile(folder / local_name(key), key, size, sha256) for key, size, sha256 in parts)
    return SealedSet(manifest_path, own.manifest, data, files)


def local_name(key: str) -> str:
    """Return the name of the file for *key* in a session directory."""
    name = key.rpartition("/")[2]
    return f"{LOCAL_ORIGINAL}{name}" if key.startswith(ORIGINALS_PREFIX) else name


def sealed_manifests(directory: Path) -> list[Path]:
    """Return the manifests of sealed segments in *directory*, oldest first."""
    try:
        return sorted(
            path for kind in ("newswarc", "imported") for path in directory.glob(f"{kind}-*{MANIFEST_SUFFIX}")
        )
    except FileNotFoundError:
        return []


def publish(directory: Path, storage: Storage, *, published: Callable[[str], None] | None = None) -> list[str]:
    """Ship every sealed segment in *directory* to *storage*, delete it here, and return the keys of the WARC files.

    May be run again after any interruption, also while other segments are still being written beside. *published* is
    called with the WARC's key each time a segment is whole in storage, before its local files go.

    A segment whose bytes no longer match its manifest, or whose key holds other bytes, is kept and reported, and
    the others are shipped; then the first such error is raised, with a note for each further one. When the store is out
    of reach or refuses, that is raised at once. All are ``StorageError``.
    """
    shipped: list[str] = []
    failures: list[StorageError] = []
    for manifest_path in sealed_manifests(directory):
        try:
            sealed = read_set(manifest_path)
            _ship(sealed, storage)
            if published:
                published(sealed.files[0].key)
            _remove(sealed)
        except (StorageUnavailable, StorageRefused, DiskFull):
            raise
        except StorageError as error:
            log.error("%s: not published: %s", manifest_path, error)
            failures.append(error)
        else:
            shipped.append(sealed.files[0].key)
    if failures:
        first, *others = failures
        for other in others:
            first.add_note(f"also: {other}")
        raise first
    return shipped


def _ship(sealed: SealedSet, storage: Storage) -> None:
    for file in sealed.files:
        if not file.path.exists():
            # Deleted by an earlier run that died before it deleted the manifest; then storage has it.
            _require(file, storage)
            continue
        size = file.path.stat().st_size
        if size != file.size:
            raise ObjectDamaged(f"{file.path}: {size} bytes, its manifest says {file.size}; kept where it is")
        storage.put(file.key, file.path, sha256=file.sha256)
    try:
        storage.put(sealed.manifest_key, sealed.manifest, sha256=hashlib.sha256(sealed.manifest).hexdigest())
    except ObjectConflict:
        if not _same_import(storage.read(sealed.manifest_key), sealed.manifest):
            raise


def _same_import(stored: bytes, offered: bytes) -> bool:
    """Tell whether two manifests are of one imported file, which two machines took in at once: the first one counts."""
    try:
        one, other = Manifest.from_bytes(stored), Manifest.from_bytes(offered)
    except ValueError:
        return False
    return bool(one.imported and other.imported) and replace(one, imported=None) == replace(other, imported=None)


def _require(file: SealedFile, storage: Storage) -> None:
    found = storage.stat(file.key)
    if found is None:
        raise ObjectMissing(f"neither {file.path.parent} nor {storage.location}", file.key)
    if found.size != file.size or (found.sha256 or file.sha256) != file.sha256:
        raise ObjectDamaged(f"{storage.location}: {file.key} is not what {file.path.parent} has the manifest of")


def _remove(sealed: SealedSet) -> None:
    """Delete the local files, the manifest last, each step durable before the next."""
    folder = sealed.manifest_path.parent
    try:
        for file in sealed.files:
            file.path.unlink(missing_ok=True)
        sync_directory(folder)
        sealed.manifest_path.unlink()
        sync_directory(folder)
    except OSError as error:
        raise StorageRefused(f"{folder}: published files cannot be removed ({error.strerror})") from error


class Uploader:
    """Publishes *directory* in the background, so that an outage of the store does not stop the capturing.

    :meth:`wake` after each sealed segment; :meth:`check` before capturing more; :meth:`close` at the end. While the
    store is out of reach, files gather in *directory* up to *budget_bytes* and are tried again every *retry_s*
    seconds. What cannot be shipped stays there for the next start.
    """

    def __init__(
        self,
        directory: Path,
        storage: Storage,
        *,
        budget_bytes: int | None = None,
        retry_s: float = RETRY_S,
        published: Callable[[str], None] | None = None,
    ) -> None:
        self.directory, self.storage = directory, storage
        self.budget_bytes, self.retry_s = budget_bytes, retry_s
        self.shipped: list[str] = []  # keys of WARC files
        self._published = published
        self._error: StorageError | None = None
        self._surprise: Exception | None = None
        self._turn = threading.Condition()
        self._wanted = False
        self._closing = False
        # A daemon: a process that must end does not wait for a store that does not answer.
        self._thread = threading.Thread(target=self._run, name="newswarc-upload", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that a segment was sealed."""
        with self._turn:
            self._wanted = True
            self._turn.notify_all()

    def check(self) -> None:
        """Raise what forbids to go on capturing: ``DiskFull`` when more waits than the budget allows.

        Also raises what a store that refuses or damaged files made fail: those do not mend by waiting.
        """
        if self._surprise:
            raise self._surprise
        error = self._error
        if error is not None and not isinstance(error, StorageUnavailable):
            raise error
        if self.budget_bytes is not None:
            waiting = self.waiting_bytes()
            if waiting > self.budget_bytes:
                raise DiskFull(
                    f"{self.directory}: {waiting} bytes wait for {self.storage.location}, the budget is"
                    f" {self.budget_bytes}; they are kept, and shipped by the next run"
                    + (f" ({error})" if error else "")
                )

    def waiting_bytes(self) -> int:
        """Return the size of the sealed files not yet published."""
        return sum(_size(file.path) for sealed in self._waiting() for file in sealed.files)

    def _waiting(self) -> Iterator[SealedSet]:
        for manifest_path in sealed_manifests(self.directory):
            try:
                yield read_set(manifest_path)
            except StorageError:  # reported by publish(); or published since
                continue

    def close(self, *, wait_s: float | None = None) -> list[str]:
        """Publish what is left, end the thread, and return the keys of all WARC files shipped.

        Raises the last error when not everything could be shipped, ``StorageUnavailable`` when that took longer than
        *wait_s*. May be called again.
        """
        with self._turn:
            self._closing = self._wanted = True
            self._turn.notify_all()
        self._thread.join(wait_s)
        if self._surprise:
            raise self._surprise
        if self._thread.is_alive():
            raise StorageUnavailable(
                f"{self.directory}: not everything is in {self.storage.location} yet; it is kept, and shipped by the"
                " next run" + (f" ({self._error})" if self._error else "")
            )
        if isinstance(self._error, StorageUnavailable | StorageRefused):
            raise type(self._error)(
                f"{self._error}; captures are kept in {self.directory}, the next run ships them"
            ) from self._error
        if self._error:
            raise self._error
        return self.shipped

    def _run(self) -> None:
        try:
            while self._next():
                self._publish()
        except Exception as error:  # noqa: BLE001 - a bug ends the thread, and is raised where it is seen
            self._surprise = error

    def _next(self) -> bool:
        """Wait for something to do; False when closing and all was tried once more."""
        with self._turn:
            if not (self._wanted or self._closing):
                self._turn.wait(self.retry_s if self._error else None)
            if self._closing and not self._wanted:
                return False
            self._wanted = False
            return True

    def _publish(self) -> None:
        def keep(key: str) -> None:
            self.shipped.append(key)
            if self._published:
                self._published(key)

        try:
            publish(self.directory, self.storage, published=keep)
        except StorageError as error:
            if self._error is None and not self._closing:  # once an outage; the last error is raised
                log.warning("%s waits for %s: %s", self.directory, self.storage.location, error)
            self._error = error
        else:
            self._error = None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
