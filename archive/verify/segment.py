"""Verification of one segment of an archive: its WARC file, and what manifest and index segment say of it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, replace
from datetime import datetime
from typing import BinaryIO

from archive import names
from archive.article import Article
from archive.capture import HEAD_BYTES, Capture
from archive.digests import stream_sha256
from archive.entries import article_of
from archive.errors import MalformedRecord, ObjectDamaged, ObjectMissing
from archive.manifest import Contents, Manifest
from archive.place import Place
from archive.rebuild.differences import first_unlike
from archive.scan import Scanned
from archive.storage import Storage
from archive.verify.file import check_file
from archive.verify.references import References
from archive.verify.report import Finding, Report
from archive.verify.rules import RULES

_READ_BYTES = 1 << 20


class SegmentCheck:
    """Reads one WARC file once, and holds against it what else is stored of it.

    *captures* and *articles* are what a catalogue should know of it.
    """

    def __init__(self, storage: Storage, stem: str, report: Report, references: References, now: datetime) -> None:
        self.storage, self.report, self.references, self.now = storage, report, references, now
        self.keys = names.keys(stem)
        self.captures: list[Capture] = []
        self.articles: list[tuple[str, Article, Place]] = []
        self._contents: Contents | None = Contents(stem)
        self._told = report  # of what is wrong in the WARC file

    def run(self) -> None:
        """Check the segment. Raises ``StorageError`` when the store fails, not when it holds something wrong."""
        stored = self._stored(self.keys.manifest, "manifest-missing")
        manifest = self._manifest(stored) if stored is not None else None
        index = self._stored(self.keys.index, "index-missing") if self.keys.index else None
        imported = manifest is not None and manifest.imported is not None
        self._told = Report(self.report.name) if imported else self.report
        try:
            size, sha256 = self._warc(imported=imported)
        except (ObjectMissing, ObjectDamaged) as error:
            missing = isinstance(error, ObjectMissing)
            self._add("warc-missing" if missing else "object-unreadable", str(error), self.keys.warc)
            return
        if manifest is not None:
            self._whole(manifest, size, sha256)
            self._faults_of_import(manifest, sha256)
            self._original(manifest)
        if self._contents is None:
            return  # the records are damaged, which is told; what they would give is not known
        derived = self._contents.manifest(size, sha256)
        if manifest is not None and manifest.imported is not None:
            derived = replace(derived, imported=manifest.imported)
        if manifest is not None and stored != derived.to_bytes():
            self._add("manifest-differs", _unlike(manifest, derived), self.keys.manifest)
        lines = self._contents.index()
        if index is not None and lines is not None and index != lines:
            self._add("index-differs", first_unlike(index, lines), str(self.keys.index))

    def _faults_of_import(self, manifest: Manifest, sha256: str) -> None:
        """Tell the faults of a file of other tools: each, unless they are those that it was imported with."""
        if self._told is self.report:
            return
        self.report.records += self._told.records
        grave = {code for code in self._told.codes() if RULES[code].severity != "info"}
        if sha256 != manifest.sha256:
            for finding in self._told.findings:
                self.report.add(finding)
        elif grave:
            count = self._told.counts["error"] + self._told.counts["warning"]
            message = f"it was imported with {count} faults ({', '.join(sorted(grave))}) and has not changed since"
            self._add("imported-faults", message, self.keys.warc)

    def _original(self, manifest: Manifest) -> None:
        """Check the bytes of an imported file that lie beside the segment made of it."""
        imported = manifest.imported
        if imported is None or imported.original is None:
            return
        try:
            with self.storage.open(imported.original) as stream:
                sha256 = stream_sha256(stream)
        except (ObjectMissing, ObjectDamaged) as error:
            self._add("original-differs", str(error), self.keys.warc)
            return
        if sha256 != imported.sha256:
            message = f"it has sha256 {sha256}, the manifest says {imported.sha256}"
            self._add("original-differs", message, imported.original)

    def _warc(self, *, imported: bool) -> tuple[int, str]:
        """Verify the WARC file's records; return its size and its SHA-256 in hex."""
        key = self.keys.warc
        self.report.files += 1
        with self.storage.open(key) as opened:
            stream = _Hashing(opened)
            each = self._take_imported if imported else self._take
            links = check_file(stream, key, self._told, self.now, each=each, alone=False)
            while stream.read(_READ_BYTES):
                pass
        self.references.end_of_file(links.types(), [] if imported else links.outside())
        return stream.size, stream.sha256

    def _take_imported(self, record: Scanned) -> None:
        """Take in a record of other tools as its import did."""
        for finding in self.references.take(record, self.keys.warc, imported=True):
            self._told.add(finding)
        if not record.readable:
            return
        place = Place(self.keys.warc, record.offset, record.length)
        head = record.block.read(0, HEAD_BYTES)
        assert self._contents is not None
        try:
            self._contents.add(self._contents.read(record.fields, head, place))
            capture = Capture.from_record(record.fields, head, place)
        except MalformedRecord:
            return
        if capture is not None:
            self.captures.append(capture)

    def _take(self, record: Scanned) -> None:
        key = self.keys.warc
        place = Place(key, record.offset, record.length)
        if record.problems:
            self._contents = None
        for finding in self.references.take(record, key):
            self.report.add(finding)
        article = self._article(record)
        head = record.block.read(0, HEAD_BYTES)
        try:
            if self._contents is not None:
                self._contents.add(self._contents.read(record.fields, head, place))
            capture = Capture.from_record(record.fields, head, place)
        except MalformedRecord:
            self._contents = None  # the field that is missing is told by its own rule
            return
        if self.keys.index is not None and capture is not None:
            self.captures.append(capture)
        elif self.keys.index is None and article is not None:
            self.articles.append(article)

    def _article(self, record: Scanned) -> tuple[str, Article, Place] | None:
        """Return the article that *record* holds, and tell when it is none of what the record refers to."""

        def told(offset: int, message: str) -> None:
            self.report.add(Finding("article-form", message, self.keys.warc, offset, record.id))

        found = article_of(record, self.keys.warc, told)
        refers_to = record.fields.get("WARC-Refers-To")
        if found is not None and refers_to and found[1].record_id != refers_to:
            told(record.offset, f"its article is of {found[1].record_id}, the record refers to {refers_to}")
        return found

    def _stored(self, key: str, missing: str) -> bytes | None:
        try:
            return self.storage.read(key)
        except ObjectMissing:
            self._add(missing, f"{key} is not there", self.keys.warc)
        except ObjectDamaged as error:
            self._add("object-unreadable", str(error), key)
        return None

    def _manifest(self, stored: bytes) -> Manifest | None:
        try:
            return Manifest.from_bytes(stored)
        except ValueError as error:
            self._add("manifest-form", str(error), self.keys.manifest)
            return None

    def _whole(self, manifest: Manifest, size: int, sha256: str) -> None:
        if manifest.size != size:
            self._add("warc-size", f"it has {size} bytes, its manifest says {manifest.size}", self.keys.warc)
        if manifest.sha256 != sha256:
            self._add("warc-sha256", f"it has sha256 {sha256}, its manifest says {manifest.sha256}", self.keys.warc)

    def _add(self, code: str, message: str, file: str) -> None:
        self.report.add(Finding(code, message, file))


class _Hashing(io.RawIOBase, BinaryIO):
    """A stream that is read once, from beginning to end, and digested on the way."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream, self._hash, self.size = stream, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self._hash.update(piece)
        self.size += len(piece)
        return piece

    def seekable(self) -> bool:
        return False

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _unlike(stored: Manifest, derived: Manifest) -> str:
    old, new = asdict(stored), asdict(derived)
    wrong = [f"{name} is {old[name]!r}, the WARC gives {new[name]!r}" for name in new if old[name] != new[name]]
    return "; ".join(wrong) or "its values are right, but its bytes are not those that were written"
