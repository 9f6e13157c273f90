"""What a file to import is, by its bytes: its digest, what wrote it, and whether its records can be read one by one."""

from __future__ import annotations

import hashlib
import io
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, cast

from archive import names
from archive.capture import parse_iso
from archive.scan import Scanned, scan
from archive.warc_fields import read_fields

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

READ_BYTES = 1 << 20
UNPACKING_ERRORS = (zstd.ZstdError, EOFError)
_OPENING_BYTES = 4 << 20  # looked at for the first record
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# A skippable frame that holds the dictionary of all records (IIPC, WARC with Zstandard compression).
_ZSTD_DICTIONARY = b"\x5d\x2a\x4d\x18"
ZSTD_SUFFIX = ".warc.zst"
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """*suffix* is what the file's name should end in: ``.warc``, ``.warc.gz`` or ``.warc.zst``."""

    stem: str
    suffix: str
    sha256: str
    size: int


class Looked:
    """Takes a file's bytes as they pass; :meth:`origin` says what it is once all have."""

    def __init__(self) -> None:
        self._hasher = hashlib.sha256()
        self._opening = bytearray()
        self.size = 0

    def take(self, piece: bytes) -> None:
        self._hasher.update(piece)
        self.size += len(piece)
        if len(self._opening) < _OPENING_BYTES:
            self._opening += piece[: _OPENING_BYTES - len(self._opening)]

    def origin(self) -> Origin:
        opening = bytes(self._opening)
        suffix = suffix_of(opening)
        told, at = _first_record(opening, suffix)
        sha256 = self._hasher.hexdigest()
        stem = names.imported_stem(told, sha256, at, plain=suffix == names.PLAIN_WARC_SUFFIX)
        return Origin(stem, suffix, sha256, self.size)


def suffix_of(opening: bytes) -> str:
    if opening.startswith((_ZSTD, _ZSTD_DICTIONARY)):
        return ZSTD_SUFFIX
    return names.WARC_SUFFIX if opening.startswith(_GZIP) else names.PLAIN_WARC_SUFFIX


def _first_record(opening: bytes, suffix: str) -> tuple[str, datetime]:
    """Return in what words the file's first record says where it is from, and its date."""
    stream: BinaryIO = io.BytesIO(opening)
    told, at = "", _NO_DATE
    try:
        if suffix == ZSTD_SUFFIX:
            stream = unpacked_zstd(stream)
        record = next(scan(stream), None)
    except UNPACKING_ERRORS:
        return "warc", at
    if record is not None:
        with record:
            told = _told(record)
            try:
                at = parse_iso(record.fields.get("WARC-Date") or "")
            except ValueError:
                at = _NO_DATE
    return told or "warc", at


def _told(record: Scanned) -> str:
    """Return the file's name as it gave it to itself, or else what wrote it."""
    if record.type != "warcinfo":
        return ""
    name = (record.fields.get("WARC-Filename") or "").rpartition("/")[2]
    software = read_fields(record.block.read(0, 1 << 16)).get("software", "")
    return name.partition(".warc")[0] or software.partition(" ")[0]


def unpacked_zstd(stream: BinaryIO) -> BinaryIO:
    """Return the bytes that zstd frames in *stream* hold; a first frame with a dictionary is used for the others.

    Reading raises ``zstd.ZstdError`` or ``EOFError`` where they are damaged or cut.
    """
    start = stream.tell()
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
    dictionary = None
    if stream.read(4) == _ZSTD_DICTIONARY:
        raw = stream.read(int.from_bytes(stream.read(4), "little"))
        dictionary = zstd.ZstdDict(zstd.decompress(raw) if raw.startswith(_ZSTD) else raw)
    else:
        stream.seek(start)
    return cast("BinaryIO", zstd.ZstdFile(stream, zstd_dict=dictionary, options=options))
