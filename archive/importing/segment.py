"""A file of other tools made a segment in a session directory, sealed like those that are written here.

The file is copied as it is, in one pass that digests it; a second pass reads the copy. Where its records cannot be
read one by one (one gzip member around all of them, zstd), a third writes the segment from them: the same headers and
blocks, each a gzip member; the file's own bytes are kept beside it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from archive import names
from archive.capture import HEAD_BYTES, Capture
from archive.errors import MalformedRecord
from archive.files import storage_errors, sync_directory
from archive.importing.accounts import Account
from archive.importing.origin import READ_BYTES, UNPACKING_ERRORS, ZSTD_SUFFIX, Looked, Origin, unpacked_zstd
from archive.manifest import Contents, Imported, Manifest
from archive.place import Place
from archive.scan import Scanned, scan
from archive.scan.record import UNREADABLE
from archive.segment import write_durably
from archive.warc import COMPRESSION_LEVEL

Moved = Callable[[int], None]  # how many bytes further the work is
_GZIP_WINDOW_BITS = 31


@dataclass(slots=True)
class Sealed:
    """A segment ready to be published, and the captures in it that no index line can stand for."""

    stem: str
    index_path: Path
    manifest: Manifest
    unindexed: list[Capture] = field(default_factory=list)


def copied(stream: BinaryIO, target: Path, moved: Moved) -> Origin:
    """Write what can be read of *stream* to *target*, durably; return what it is."""
    looked = Looked()
    with storage_errors(target, "copying a file to import"), target.open("xb") as out:
        while piece := stream.read(READ_BYTES):
            looked.take(piece)
            out.write(piece)
            moved(len(piece))
        out.flush()
        os.fsync(out.fileno())
    return looked.origin()


def looked_at(stream: BinaryIO) -> Origin:
    """Return what *stream* is, without keeping it."""
    looked = Looked()
    while piece := stream.read(READ_BYTES):
        looked.take(piece)
    return looked.origin()


def seal(copy: Path, origin: Origin, account: Account, imported: Imported, moved: Moved) -> Sealed | None:
    """Make of *copy*, a file in a session directory, a sealed segment; None when no record in it can be read.

    What is wrong in it goes to *account*. Raises ``DiskFull`` or ``StorageError``.
    """
    keys = names.keys(origin.stem)
    folder = copy.parent
    path = folder / keys.warc.rpartition("/")[2]
    survey = None if origin.suffix == ZSTD_SUFFIX else _surveyed(copy, origin.stem, account, moved)
    size, sha256 = origin.size, origin.sha256
    if survey is None or survey.alone < survey.read:
        original = names.original_key(origin.stem, origin.suffix)
        imported = replace(imported, original=original)
        kept = folder / f"{names.LOCAL_ORIGINAL}{original.rpartition('/')[2]}"
        with storage_errors(kept, "keeping an imported file"):
            copy.replace(kept)
            size, sha256 = _repacked(kept, path, origin, survey is None, account)
        account.original = original
        silent = Account(account.source)  # its faults are told already, where they lie in the file that was given
        survey = _surveyed(path, origin.stem, silent, lambda _: None)
    else:
        with storage_errors(copy, "naming an imported file"):
            copy.replace(path)
    if not survey.read:
        survey.contents.lines.close()
        return None
    imported = replace(imported, faults=account.fault_count)
    manifest = replace(survey.contents.manifest(size, sha256), imported=imported)
    index_path = folder / f"{origin.stem}{names.INDEX_SUFFIX}"
    with storage_errors(folder, "sealing an imported file"):
        with index_path.open("xb") as out:
            out.writelines(survey.contents.lines)
            out.flush()
            os.fsync(out.fileno())
        survey.contents.lines.close()
        sync_directory(folder)  # the names first, as in archive.segment.seal
        write_durably(folder / f"{origin.stem}{names.MANIFEST_SUFFIX}", manifest.to_bytes())
        sync_directory(folder)
    account.records, account.captures = survey.contents.records, survey.captures
    account.software, account.warc = manifest.software, manifest.key
    return Sealed(origin.stem, index_path, manifest, survey.unindexed)


@dataclass(slots=True)
class _Survey:
    contents: Contents
    read: int = 0  # records that are whole, of which
    alone: int = 0  # these can be read one by one
    captures: int = 0
    unindexed: list[Capture] = field(default_factory=list)


def _surveyed(path: Path, stem: str, account: Account, moved: Moved) -> _Survey:
    survey = _Survey(Contents(stem))
    key = names.keys(stem).warc
    with storage_errors(path, "reading a file to import"), path.open("rb") as stream:
        reading = scan(stream)
        at = 0
        for record in reading:
            with record:
                _told(record, account)
                survey.read += _whole(record)
                survey.alone += record.readable
                if record.readable:
                    _take(survey, record, key, account)
            moved(reading.offset - at)
            at = reading.offset
        for problem in reading.problems:
            account.fault(problem.offset, problem.message)
    return survey


def _told(record: Scanned, account: Account) -> None:
    """Tell what is lost or cannot be trusted; faults of form that lose nothing are for ``newswarc verify``."""
    if not _whole(record):
        for problem in record.problems:
            account.fault(problem.offset, problem.message, record.id or None)
        return
    stored, computed = record.fields.get("WARC-Block-Digest"), record.block_digest
    if stored and computed and stored != computed:
        what = f"its block hashes to {computed}, its header says {stored}: kept, and never shown"
        account.fault(record.offset, what, record.id or None)


def _whole(record: Scanned) -> bool:
    """Tell whether all of *record* is there, if only among others in one gzip member."""
    codes = {problem.code for problem in record.problems}
    return record.content_length == len(record.block) and codes.isdisjoint(UNREADABLE)


def _take(survey: _Survey, record: Scanned, key: str, account: Account) -> None:
    place = Place(key, record.offset, record.length)
    try:
        entry = survey.contents.read(record.fields, record.block.read(0, HEAD_BYTES), place)
    except MalformedRecord as error:
        account.fault(record.offset, str(error).partition(": ")[2], record.id or None)
        return
    survey.contents.add(entry)
    if entry.capture is not None:
        survey.captures += 1
        if entry.line is None:
            survey.unindexed.append(entry.capture)


def _repacked(source: Path, target: Path, origin: Origin, first: bool, account: Account) -> tuple[int, str]:
    """Write the whole records of *source* to *target*, each as a gzip member; return its size and SHA-256.

    *first*: nobody has read it yet, so what is wrong in it is told here.
    """
    hasher, size = hashlib.sha256(), 0
    with source.open("rb") as file, target.open("xb") as out:
        stream = unpacked_zstd(file) if origin.suffix == ZSTD_SUFFIX else file
        with _unpacking(account, first):
            reading = scan(stream)
            for record in reading:
                with record:
                    if first:
                        _told(record, account)
                    if not _whole(record):
                        continue
                    for piece in _member(record):
                        out.write(piece)
                        hasher.update(piece)
                        size += len(piece)
            for problem in reading.problems if first else ():
                account.fault(problem.offset, problem.message)
        out.flush()
        os.fsync(out.fileno())
    return size, hasher.hexdigest()


@contextmanager
def _unpacking(account: Account, first: bool) -> Iterator[None]:
    try:
        yield
    except UNPACKING_ERRORS as error:
        if first:
            account.fault(0, f"zstd data that cannot be unpacked to the end: {error}")


def _member(record: Scanned) -> Iterator[bytes]:
    """Yield *record*, header and block as they stood, as one gzip member."""
    compressor = isal_zlib.compressobj(COMPRESSION_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW_BITS)
    yield compressor.compress(record.header)
    for piece in record.block.chunks():
        yield compressor.compress(piece)
    yield compressor.compress(b"\r\n\r\n")
    yield compressor.flush()
