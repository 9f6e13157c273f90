"""What a crash left of a segment becomes a segment again: every whole record is kept, nothing else.

A record is whole when its gzip member inflates, its structure is sound and its block hashes to its own digest. All
other bytes are copied to the quarantine, durably and with an account, before they leave the file. Each step can be
killed and done again; the end is always the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from archive import names
from archive.capture import HEAD_BYTES
from archive.digests import digest, sha256_hex, stream_sha256
from archive.errors import MalformedRecord
from archive.files import make_directory, storage_errors, sync_directory
from archive.manifest import Contents
from archive.member import GZIP_HEADER
from archive.place import Place
from archive.scan import Scanned, scan
from archive.segment import Sealed, seal, write_durably

_COPY_BYTES = 1 << 20
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a file from *offset* on."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of one left-over segment.

    *healed* counts gzip headers in which a byte without meaning had changed (time, system) and was set right. *moved*
    tells that records now lie elsewhere than when they were written: damage before them was taken out.
    """

    path: Path
    kept: int  # records
    damaged_bytes: int
    quarantined: tuple[Path, ...]
    healed: int
    moved: bool
    sealed: Sealed | None  # None when no record was left that is worth a file

    def __str__(self) -> str:
        kept = f"{self.kept} whole records kept" if self.sealed else "no capture in it was whole"
        what = f"{self.path.name}: {kept}"
        if not self.quarantined:
            return f"{what}, nothing damaged"
        return f"{what}; {self.damaged_bytes} damaged bytes are in {', '.join(map(str, self.quarantined))}"


@dataclass(slots=True)
class _Survey:
    contents: Contents
    sound: list[Span] = field(default_factory=list)
    damaged: list[Span] = field(default_factory=list)
    healed: list[int] = field(default_factory=list)  # offsets of members whose gzip header is not as it was written
    faults: list[tuple[int, str]] = field(default_factory=list)  # offset, what is wrong there

    @property
    def kept_size(self) -> int:
        return sum(span.length for span in self.sound)


def mend_session(directory: Path, quarantine: Path) -> list[Mended]:
    """Mend and seal every segment that a dead writer left unfinished in *directory*; sealed ones are not touched.

    Raises ``DiskFull`` or ``StorageError``; it may be called again.
    """
    mended = []
    with storage_errors(directory, "mending a session"):
        for path in sorted(directory.iterdir()):
            if names.is_imported(_imported_stem(path)) or path.name.startswith(names.LOCAL_ORIGINAL):
                if not path.with_name(_imported_stem(path) + names.MANIFEST_SUFFIX).exists():
                    path.unlink()  # the file it was copied from is where it was, and is imported again
                continue
            open_file = path.name.endswith(names.WARC_SUFFIX + names.OPEN_SUFFIX)
            manifest = path.with_name(names.stem_of(path.name) + names.MANIFEST_SUFFIX)
            if open_file or (path.name.endswith(names.WARC_SUFFIX) and not manifest.exists()):
                mended.append(mend_open(path, quarantine))
        for path in sorted(directory.glob(f"*{_PART}")):
            path.unlink()
    return mended


def _imported_stem(path: Path) -> str:
    return path.name.removeprefix(names.LOCAL_ORIGINAL).partition(".")[0]


def mend_open(path: Path, quarantine: Path) -> Mended:
    """Mend the segment at *path*, open or not wholly sealed, and seal it as its writer would have.

    Damaged bytes go to ``<stem>-<offset>.bytes`` in *quarantine*, with a ``.json`` beside each that says what is wrong.
    A file without any record but its warcinfo is removed. Raises ``DiskFull`` or ``StorageError``.
    """
    stem = names.stem_of(path.name)
    with storage_errors(path, "mending a WARC file"):
        with path.open("r+b", buffering=0) as file:  # what is set right through the descriptor is then read as such
            survey = _survey(file, stem)
            quarantined = tuple(_quarantine(file, span, survey, stem, quarantine) for span in survey.damaged)
            moved = bool(survey.damaged) and survey.damaged[0].offset < survey.kept_size
            for offset in survey.healed:
                os.pwrite(file.fileno(), GZIP_HEADER, offset)
            if not moved:
                os.ftruncate(file.fileno(), survey.kept_size)
            os.fsync(file.fileno())
            sha256 = _rewrite(file, survey, path) if moved else _sha256(file, survey.sound)
        sealed = None
        if survey.contents.empty:
            for leftover in (path, path.with_name(stem + names.INDEX_SUFFIX)):
                leftover.unlink(missing_ok=True)
            sync_directory(path.parent)
        else:
            sealed = seal(path, survey.contents, survey.kept_size, sha256)
    damaged_bytes = sum(span.length for span in survey.damaged)
    return Mended(path, len(survey.sound), damaged_bytes, quarantined, len(survey.healed), moved, sealed)


def _survey(file: BinaryIO, stem: str) -> _Survey:
    """Find the whole records of *file*; whatever lies outside of them is damaged."""
    survey = _Survey(Contents(stem))
    own_warcinfo: str | None = None
    end = kept = 0
    records = scan(file)
    for record in records:
        with record:
            fault = _fault(record)
            if fault is None and record.offset < end:
                fault = "overlaps the record before it"
            named = record.id if record.type == "warcinfo" else record.fields.get("WARC-Warcinfo-ID")
            own_warcinfo = own_warcinfo or (named if fault is None else None)
            if fault is None and record.offset != end and named != own_warcinfo:
                # Behind damage, what looks like a record may be a stranger's: a WARC file that was fetched can stand
                # byte for byte within the member that holds it. Ours name the warcinfo of this file, which nobody
                # could know before it was published.
                fault = "does not belong to this file"
            if fault is None:
                place = Place(survey.contents.keys.warc, kept, record.length)
                try:
                    entry = survey.contents.read(record.fields, record.block.read(0, HEAD_BYTES), place)
                except MalformedRecord as error:
                    fault = str(error)
            if fault is not None:
                survey.faults.append((record.offset, fault))
                continue
            survey.contents.add(entry)
            survey.sound.append(Span(record.offset, record.length))
            if record.gzip_header != GZIP_HEADER:
                survey.healed.append(record.offset)
            if record.offset > end:
                survey.damaged.append(Span(end, record.offset - end))
            kept += record.length
            end = record.offset + record.length
    size = os.fstat(file.fileno()).st_size
    if size > end:
        survey.damaged.append(Span(end, size - end))
    survey.faults += [(problem.offset, problem.message) for problem in records.problems]
    return survey


def _fault(record: Scanned) -> str | None:
    """Say what keeps *record* from being whole; None when it is."""
    if record.problems:
        return record.problems[0].message
    if record.length <= 0 or record.inner:
        return "does not stand alone in its gzip member"
    if (
        record.gzip_header[:3] != GZIP_HEADER[:3] or record.gzip_header[3] > 1
    ):  # 1: "probably text", which means nothing
        return "is no gzip member as segments have them"
    # Segments carry digests in our own spelling alone; a record without one is none that we wrote whole.
    if digest(record.block.chunks()) != record.fields.get("WARC-Block-Digest"):
        return "its block does not hash to its WARC-Block-Digest"
    return None


def _pieces(file: BinaryIO, span: Span) -> Iterator[bytes]:
    file.seek(span.offset)
    left = span.length
    while left and (piece := file.read(min(left, _COPY_BYTES))):
        yield piece
        left -= len(piece)


def _sha256(file: BinaryIO, spans: list[Span]) -> str:
    return sha256_hex(chain.from_iterable(_pieces(file, span) for span in spans))


def _rewrite(file: BinaryIO, survey: _Survey, path: Path) -> str:
    """Put the whole records of *file* alone in its place; return the SHA-256 of the new file."""
    _copy(file, survey.sound, path)
    sync_directory(path.parent)
    return _sha256(file, survey.sound)


def _copy(file: BinaryIO, spans: list[Span], target: Path) -> None:
    partial = target.with_name(target.name + _PART)
    with partial.open("wb") as out:
        for span in spans:
            for piece in _pieces(file, span):
                out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(target)


def _quarantine(file: BinaryIO, span: Span, survey: _Survey, stem: str, quarantine: Path) -> Path:
    """Keep the bytes of *span*, durably, in *quarantine*; the same bytes are never kept twice under another name."""
    sha256 = _sha256(file, [span])
    make_directory(quarantine)
    target = quarantine / f"{stem}-{span.offset}.bytes"
    if target.exists() and _file_sha256(target) != sha256:  # damage of an earlier mending at the same place
        target = quarantine / f"{stem}-{span.offset}-{sha256[:16]}.bytes"
    _copy(file, [span], target)
    account = {
        "segment": stem,
        "offset": span.offset,
        "length": span.length,
        "sha256": sha256,
        "faults": [
            {"offset": offset, "what": what} for offset, what in survey.faults if span.offset <= offset < span.end
        ],
    }
    write_durably(target.with_suffix(".json"), json.dumps(account, indent=1, sort_keys=True).encode() + b"\n")
    sync_directory(quarantine)
    return target


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return stream_sha256(file)
