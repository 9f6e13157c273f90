"""Verification of a whole archive: every WARC file, and manifests, index segments and catalogue against them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from archive import names
from archive.catalog import Catalog
from archive.digests import stream_sha256
from archive.errors import IndexDamaged, ObjectDamaged, ObjectMissing
from archive.index.merged import MERGED_LIST, MERGED_PREFIX, Merged
from archive.rebuild.differences import unlike_rows
from archive.rebuild.unread import Unread
from archive.storage import Storage
from archive.verify.references import References
from archive.verify.report import Finding, Report
from archive.verify.segment import SegmentCheck

Progress = Callable[[str, int, int], None]  # the file done with, and how many bytes are done of how many

_SUFFIXES = {
    names.CAPTURES_PREFIX: names.WARC_SUFFIX,
    names.ARTICLES_PREFIX: names.WARC_SUFFIX,
    names.INDEX_PREFIX: names.INDEX_SUFFIX,
    names.MANIFEST_PREFIX: names.MANIFEST_SUFFIX,
}


def verify_archive(
    storage: Storage,
    *,
    deep: bool = False,
    catalog: Catalog | None = None,
    progress: Progress | None = None,
    strict: bool = False,
    listener: Callable[[Finding], None] | None = None,
    now: datetime | None = None,
) -> Report:
    """Verify the archive in *storage*: every byte of every WARC file, manifest and index segment is read.

    From the records, manifest and index segment are made again and compared byte for byte; revisits, articles and
    other references are resolved across files. With *deep*, *catalog* too is held against one made from the records.
    Memory grows with the number of records, by some 500 bytes each, not with their size.

    Raises ``StorageError`` when the store cannot be read; whatever is in it is reported.
    """
    report = Report(storage.location, strict, listener=listener)
    whole = _Whole(storage, report, now or datetime.now(UTC))
    if not (deep and catalog is not None):
        whole.run(progress, None)
        return report
    with (
        tempfile.TemporaryDirectory(prefix="newswarc-verify-") as folder,
        Catalog(Path(folder) / "catalog.sqlite") as fresh,
    ):
        whole.run(progress, fresh)
        whole.compare(catalog, fresh)
    return report


class _Whole:
    def __init__(self, storage: Storage, report: Report, now: datetime) -> None:
        self.storage, self.report, self.now = storage, report, now
        self.references = References()
        self.warcs: set[str] = set()

    def run(self, progress: Progress | None, catalog: Catalog | None) -> None:
        sizes = {found.key: found.size for found in self.storage.list()}
        stems: dict[str, None] = {}  # in order of keys
        merged = []
        for key in sizes:
            if key.startswith(MERGED_PREFIX):
                merged.append(key)
            elif (stem := _stem(key)) is not None:
                if not key.startswith(names.ORIGINALS_PREFIX):
                    stems[stem] = None
            elif not key.startswith(names.CRAWLS_PREFIX):
                self._add("object-stray", f"{key} belongs to no segment", key)
        if not stems:
            self._add("archive-empty", "there is no segment in it", self.storage.location)
        total, done = sum(sizes.get(names.keys(stem).warc, 0) for stem in stems), 0
        for stem in sorted(stems):
            check = SegmentCheck(self.storage, stem, self.report, self.references, self.now)
            self.warcs.add(check.keys.warc)
            check.run()
            if catalog is not None:
                catalog.add(check.captures, check.articles)
            done += sizes.get(check.keys.warc, 0)
            if progress is not None:
                progress(check.keys.warc, done, total)
        for finding in self.references.finish():
            self.report.add(finding)
        if merged:
            self._merged(merged, sizes)

    def _merged(self, keys: list[str], sizes: dict[str, int]) -> None:
        """Check that the merged index is what its list says, and of segments that are there."""
        try:
            stored = self.storage.read(MERGED_LIST)
            listed = Merged.from_bytes(stored)
            if listed.to_bytes() != stored:
                raise ValueError("the list's bytes are not those that were written")
            if not listed.fits(sizes):
                raise ValueError("its segments are not those there are")
            with self.storage.open(listed.key) as stream:
                sha256 = stream_sha256(stream)
            if sha256 != listed.sha256:
                raise ValueError(f"{listed.key} has sha256 {sha256}")
        except (ObjectMissing, ObjectDamaged, ValueError) as error:
            self._add("merged-differs", f"{error}; make it again with: newswarc index merge", MERGED_LIST)
            return
        for key in keys:
            if key not in {MERGED_LIST, listed.key}:
                self._add("object-stray", f"{key} is no merged index in use", key)

    def compare(self, catalog: Catalog, fresh: Catalog) -> None:
        """Hold *catalog* against *fresh*, made from the records of every file that was read."""
        name = str(catalog.path)
        unread = Unread(self.storage, catalog.path.parent, self.warcs)
        try:
            catalog.check()
            for row, message in unlike_rows(unread.without(catalog.dump()), fresh.dump()):
                code = "catalog-behind" if message == "was missing" else "catalog-differs"
                self._add(code, f"{row} {message}", name)
        except IndexDamaged as error:
            self._add("catalog-differs", str(error), name)

    def _add(self, code: str, message: str, file: str) -> None:
        self.report.add(Finding(code, message, file))


def _stem(key: str) -> str | None:
    """Return the stem of the segment that *key* belongs to; None when it is no key of a segment."""
    if key.startswith(names.ORIGINALS_PREFIX):
        stem = key.rpartition("/")[2].partition(".")[0]
        return stem if names.is_imported(stem) else None
    folder, slash, _ = key.partition("/")
    suffix = _SUFFIXES.get(folder + slash)
    if key.endswith(names.PLAIN_WARC_SUFFIX) and folder + slash == names.CAPTURES_PREFIX:
        suffix = names.PLAIN_WARC_SUFFIX
    if suffix is None or not key.endswith(suffix):
        return None
    stem = key.rpartition("/")[2].removesuffix(suffix)
    try:
        keys = names.keys(stem)
    except ValueError:
        return None
    return stem if key in {keys.warc, keys.index, keys.manifest} else None
