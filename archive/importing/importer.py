"""One file after the other into the archive: copied, surveyed, sealed, catalogued, published."""

from __future__ import annotations

import fcntl
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import BinaryIO

from archive import cdxj, names
from archive.archive import Archive
from archive.capture import iso
from archive.errors import ObjectMissing, StorageError
from archive.files import make_directory, storage_errors
from archive.importing.accounts import Account
from archive.importing.origin import Origin
from archive.importing.segment import Sealed, copied, looked_at, seal
from archive.importing.sources import NotImportable, Source
from archive.manifest import Imported, Manifest
from archive.sessions import Session
from archive.upload import publish
from archive.version import VERSION

Progress = Callable[[str, int], None]  # the file being read, and how many bytes further

_INCOMING = f"{names.LOCAL_ORIGINAL}incoming"
_CATALOGUED_AT_ONCE = 2000


class Importer:
    """Imports into *archive*. What an earlier import left when it was killed is finished or cleared away first.

    Any number may work on one archive at once. Each needs as much room in the local state as the file it is at.
    """

    def __init__(self, archive: Archive, *, stdin: BinaryIO | None = None, progress: Progress | None = None) -> None:
        self.archive, self._stdin = archive, stdin
        self._progress = progress or (lambda *_: None)
        archive.recover()

    def take(self, source: Source) -> Account:
        """Import *source*; its account says what was done. Articles are not extracted here.

        Raises ``DiskFull`` or ``StorageError`` when the archive cannot take it; nothing of it is in there then, or all
        of it, and the same call goes on.
        """
        account = Account(source.name)
        try:
            if source.path != "-" and source.member is None:
                with source.opened() as stream:
                    known = self._known(looked_at(stream))
                if known is not None:
                    return _as_known(account, known)
            return self._import(source, account)
        except NotImportable as error:
            account.error = str(error)
        except OSError as error:
            account.error = f"{source.name}: cannot be read ({error.strerror or error})"
        return account

    def _import(self, source: Source, account: Account) -> Account:
        session = Session.create(self.archive.sessions_dir)
        try:
            with source.opened(self._stdin) as stream:
                origin = copied(stream, session.path / _INCOMING, partial(self._progress, source.name))
            with self.alone(origin.sha256):
                return self._take_copy(session, origin, source, account)
        finally:
            _clear(session)

    def _take_copy(self, session: Session, origin: Origin, source: Source, account: Account) -> Account:
        known = self._known(origin)
        if known is not None:
            return _as_known(account, known)
        account.size, account.sha256 = origin.size, origin.sha256
        by, at = f"newswarc/{VERSION}", iso(datetime.now(UTC))
        imported = Imported(source.short_name, at, by, origin.size, origin.sha256)
        sealed = seal(session.path / _INCOMING, origin, account, imported, partial(self._progress, source.name))
        if sealed is None:
            account.error = _nothing_read(account, source)
            return account
        self._enter(sealed)
        publish(session.path, self.archive.storage)
        account.outcome = "imported"
        return account

    def _enter(self, sealed: Sealed) -> None:
        """Enter the captures of a sealed segment into the catalogue, a bounded number at a time."""
        with sealed.index_path.open("rb") as lines:
            captures = itertools.chain((cdxj.parse(line) for line in lines), sealed.unindexed)
            while some := list(itertools.islice(captures, _CATALOGUED_AT_ONCE)):
                self.archive.ask_catalog(lambda catalog, some=some: catalog.add(some, []), None)  # type: ignore[misc]

    def _known(self, origin: Origin) -> Manifest | None:
        """Return the manifest of the file when it is in the archive already."""
        try:
            stored = self.archive.storage.read(names.keys(origin.stem).manifest)
        except ObjectMissing:
            return None
        try:
            manifest = Manifest.from_bytes(stored)
        except ValueError as error:
            raise StorageError(f"{names.keys(origin.stem).manifest}: {error}; run: newswarc verify") from error
        same = manifest.imported is not None and manifest.imported.sha256 == origin.sha256
        return manifest if same else None

    @contextmanager
    def alone(self, sha256: str) -> Iterator[None]:
        """Have others on this machine wait who are at the file with that digest."""
        folder = self.archive.state_dir / "importing"
        path = folder / f"{sha256[:2]}.lock"
        with storage_errors(path, "locking an import"):
            make_directory(folder)
            lock = path.open("ab")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _as_known(account: Account, manifest: Manifest) -> Account:
    assert manifest.imported is not None
    account.outcome, account.warc, account.software = "known", manifest.key, manifest.software
    account.size, account.sha256 = manifest.imported.size, manifest.imported.sha256
    account.original = manifest.imported.original
    account.records.update(manifest.records)
    account.captures = sum(manifest.records.get(kind, 0) for kind in ("response", "revisit", "resource"))
    return account


def _nothing_read(account: Account, source: Source) -> str:
    why = account.faults[0].what if account.faults else "there is no record in it"
    return f"{source.name}: nothing in it can be read ({why}); not imported"


def _clear(session: Session) -> None:
    """Remove what was not sealed; what was is left to be published by the next run."""
    sealed = {path.name.partition(".")[0] for path in session.path.glob(f"*{names.MANIFEST_SUFFIX}")}
    for path in session.files():
        if path.name.removeprefix(names.LOCAL_ORIGINAL).partition(".")[0] not in sealed:
            path.unlink()
    session.remove()
