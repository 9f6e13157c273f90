"""Reading every WARC file, and settling index and catalogue by what it says."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from archive import cdxj, names
from archive.article import Article
from archive.capture import Capture
from archive.catalog import Catalog, put_in_place
from archive.digests import stream_sha256
from archive.entries import ENTERED_AT_ONCE, Told, article_of, capture_of, records_in
from archive.errors import DiskFull, IndexDamaged, ObjectMissing, StorageUnavailable
from archive.files import is_full
from archive.index import Index
from archive.index.merged import MERGED_LIST, Merged, is_segment, withdraw
from archive.manifest import IndexFile, Manifest
from archive.place import Place
from archive.rebuild.account import Damage, Difference, Rebuilt
from archive.rebuild.differences import first_unlike, unlike_rows
from archive.rebuild.unread import Unread
from archive.scan import Scanned
from archive.storage import Storage

_SUFFIXES = (names.WARC_SUFFIX, ".warc")
_SHOWN = 20  # differences of the catalogue named one by one

Progress = Callable[[str, int, int], None]  # the file done with, and how many bytes are done of how many


def rebuild(
    storage: Storage, workdir: Path, catalog_path: Path, progress: Progress | None = None, *, compare: bool = False
) -> Rebuilt:
    """Make every index segment and the catalogue anew; with *compare* only say what would change.

    Sound records of a damaged file are taken in, and the damage is told. Segments whose WARC is gone are removed.
    Writers may go on meanwhile. *workdir* holds the new catalogue while it is made.

    Raises ``StorageError`` when the store fails, or another rebuild is at work.
    """
    with _alone(workdir):
        return _Rebuild(storage, workdir, catalog_path, compare=compare).run(progress or (lambda *_: None))


class _Rebuild:
    def __init__(self, storage: Storage, workdir: Path, catalog_path: Path, *, compare: bool) -> None:
        self.storage, self.workdir, self.catalog_path, self.compare = storage, workdir, catalog_path, compare
        self.done = Rebuilt()
        self.scanned: set[str] = set()
        self.unread = Unread(storage, workdir, self.scanned)
        self.merged = storage.stat(MERGED_LIST) is not None

    def run(self, progress: Progress) -> Rebuilt:
        for stale in self.workdir.glob("catalog-*.rebuilding*"):
            stale.unlink()
        new = self.workdir / f"catalog-{secrets.token_hex(6)}.rebuilding"
        try:
            with Catalog(new) as catalog:
                self._read_all(catalog, progress)
                self._remove_orphans()
                self._check_merged()
                self._compare_catalogs(catalog)
            if not self.compare:
                put_in_place(new, self.catalog_path, self.unread.holds)
                if self.merged and self.storage.stat(MERGED_LIST) is None:
                    Index(self.storage, self.workdir / "cache").merge()
        finally:
            for left in self.workdir.glob(f"{new.name}*"):
                left.unlink()
        return self.done

    def _read_all(self, catalog: Catalog, progress: Progress) -> None:
        found = [
            stat
            for prefix in (names.CAPTURES_PREFIX, names.ARTICLES_PREFIX)
            for stat in self.storage.list(prefix)
            if stat.key.endswith(_SUFFIXES)
        ]
        total, size = sum(stat.size for stat in found), 0
        for stat in found:
            self.scanned.add(stat.key)
            if stat.key.startswith(names.CAPTURES_PREFIX):
                captures = list(self._captures(stat.key))
                self._settle_segment(stat.key, cdxj.segment(captures))
                catalog.add(captures, [])
                self.done.captures += len(captures)
            else:
                articles = self._articles(stat.key)
                while some := list(islice(articles, ENTERED_AT_ONCE)):
                    catalog.add([], some)
                    self.done.articles += len(some)
            self.done.warcs += 1
            size += stat.size
            progress(stat.key, size, total)

    def _records(self, key: str) -> Iterator[tuple[Scanned, Told]]:
        """Yield the records that can be read and read again, and whom to tell of what is wrong with them."""

        def told(offset: int, message: str) -> None:
            self.done.damage.append(Damage(key, offset, message))

        with self.storage.open(key) as stream:
            for record in records_in(stream, told):
                yield record, told

    def _captures(self, key: str) -> Iterator[Capture]:
        for record, told in self._records(key):
            self.done.records += 1
            if capture := capture_of(record, key, told):
                yield capture

    def _articles(self, key: str) -> Iterator[tuple[str, Article, Place]]:
        for record, told in self._records(key):
            self.done.records += 1
            if article := article_of(record, key, told):
                yield article

    # ---- settling the index

    def _settle_segment(self, warc: str, lines: bytes) -> None:
        key = names.index_key(warc)
        sha256 = hashlib.sha256(lines).hexdigest()
        stored = self._stored(key)
        if stored is None:
            self._change("segment", key, "was missing")
        elif stored != lines:
            self._change("segment", key, first_unlike(stored, lines))
        if stored != lines and not self.compare:
            self._withdraw_merged()
            self.storage.put(key, lines, sha256=sha256, replace=True)
        self._settle_manifest(names.manifest_key(warc), IndexFile(key, len(lines), sha256))

    def _settle_manifest(self, key: str, index: IndexFile) -> None:
        """Let the manifest speak of the segment as it is now; the rest of it is not ours to change."""
        stored = self._stored(key)
        if stored is None:
            return
        try:
            manifest = Manifest.from_bytes(stored)
        except ValueError as error:
            self.done.damage.append(Damage(key, 0, str(error)))
            return
        if manifest.index == index:
            return
        self._change("manifest", key, "told of another index segment")
        if not self.compare:
            text = replace(manifest, index=index).to_bytes()
            self.storage.put(key, text, sha256=hashlib.sha256(text).hexdigest(), replace=True)

    def _remove_orphans(self) -> None:
        for stat in list(self.storage.list(names.INDEX_PREFIX)):
            if not is_segment(stat.key):
                continue
            stem = stat.key.removeprefix(names.INDEX_PREFIX).removesuffix(names.INDEX_SUFFIX)
            warcs = {f"{names.CAPTURES_PREFIX}{stem}{suffix}" for suffix in _SUFFIXES}
            # One that was published since the list was taken is no orphan.
            if warcs & self.scanned or any(self.storage.stat(warc) for warc in warcs):
                continue
            self._change("segment", stat.key, "belongs to no WARC file")
            if not self.compare:
                self._withdraw_merged()
                self.storage.delete(stat.key)

    def _check_merged(self) -> None:
        """Look whether the merged file is one of the segments there are."""
        if not self.merged or self.storage.stat(MERGED_LIST) is None:
            return
        sizes = {stat.key: stat.size for stat in self.storage.list(names.INDEX_PREFIX)}
        try:
            merged = Merged.from_bytes(self.storage.read(MERGED_LIST))
            if not merged.fits(sizes):
                raise ValueError("its segments are no longer those there are")
            with self.storage.open(merged.key) as stream:
                if stream_sha256(stream) != merged.sha256:
                    raise ValueError("its bytes are not those that were written")
        except ValueError as error:
            self._change("merged", MERGED_LIST, str(error))
            if not self.compare:
                self._withdraw_merged()

    def _withdraw_merged(self) -> None:
        """Before any segment in it changes, look-ups must stop using the merged file."""
        if self.merged:
            withdraw(self.storage)

    def _stored(self, key: str) -> bytes | None:
        try:
            return self.storage.read(key)
        except ObjectMissing:
            return None

    def _change(self, what: str, name: str, message: str) -> None:
        self.done.differences.append(Difference(what, name, message))

    # ---- settling the catalogue

    def _compare_catalogs(self, new: Catalog) -> None:
        name = str(self.catalog_path)
        if not self.catalog_path.exists():
            self._change("catalogue", name, "was missing")
            return
        try:
            with Catalog(self.catalog_path) as old:
                rows = list(unlike_rows(self.unread.without(old.dump()), new.dump()))
        except IndexDamaged as error:
            self._change("catalogue", name, error.reason)
            return
        for row, message in rows[:_SHOWN]:
            self._change("catalogue", row, message)
        if len(rows) > _SHOWN:
            self._change("catalogue", name, f"and {len(rows) - _SHOWN} more rows")


@contextlib.contextmanager
def _alone(workdir: Path) -> Iterator[None]:
    """Keep a second rebuild away, and say what a failing disk means."""
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        with (workdir / "rebuild.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StorageUnavailable(f"{workdir}: another rebuild is at work; wait for it to end") from error
            yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"{workdir}: no room to rebuild: {error}") from error
        raise StorageUnavailable(f"{workdir}: {error}") from error
