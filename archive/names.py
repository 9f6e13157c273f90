"""The names of an archive's files: one stem for a WARC, its index segment and its manifest, and the keys made of it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["captures", "articles"]

CAPTURES_PREFIX = "warc/"
ARTICLES_PREFIX = "articles/"
INDEX_PREFIX = "index/"
MANIFEST_PREFIX = "manifest/"
CRAWLS_PREFIX = "crawls/"  # what crawls did: read by people, derived from nothing
ORIGINALS_PREFIX = "originals/"  # files that were imported and cannot be read record by record, as they were given

LOCAL_ORIGINAL = "original-"  # before the name of a file that is imported, while it waits in a session directory
OPEN_SUFFIX = ".open"  # after .warc.gz, while the file is being written
WARC_SUFFIX = ".warc.gz"
PLAIN_WARC_SUFFIX = ".warc"  # of imported files alone
INDEX_SUFFIX = ".cdxj"
MANIFEST_SUFFIX = ".json"

_ARTICLES = "-articles"
_HOST_LENGTH = 40
# The form that WARC 1.1, annex C recommends: prefix, time stamp, serial, crawl host; and what no other crawler has.
_STEM = re.compile(r"newswarc-(\d{4})(\d\d)(\d\d)\d{9}-\d{5,}-[a-z0-9-]+")
_PLAIN = "-plain"
_IMPORTED_SHA256 = 32  # hex digits of it: 128 bits, and the manifest has them all
_IMPORTED = re.compile(rf"imported-(\d{{4}})(\d\d)(\d\d)\d{{9}}-[a-z0-9-]+-[0-9a-f]{{{_IMPORTED_SHA256}}}(?:{_PLAIN})?")


@dataclass(frozen=True, slots=True)
class Keys:
    """The storage keys of one segment's files. Articles have no index segment."""

    warc: str
    index: str | None
    manifest: str


def clean_host(name: str) -> str:
    """Return *name* as it may stand in a file name: ``[a-z0-9-]``, at most 40 characters, never empty."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_HOST_LENGTH].strip("-") or "host"


def new_stem(kind: Kind, serial: int, host: str, at: datetime) -> str:
    """Return a stem no other writer has: time in milliseconds, serial number, host, and 48 random bits."""
    stem = f"newswarc-{_stamp(at)}-{serial:05d}-{clean_host(host)}-{secrets.token_hex(6)}"
    return stem + (_ARTICLES if kind == "articles" else "")


def imported_stem(origin: str, sha256: str, at: datetime, *, plain: bool) -> str:
    """Return the stem of a WARC file of other tools, which its bytes alone decide: the same file has the same name.

    *origin* says what wrote it, in whatever words its own records have; *at* is the date of its first record; *plain*
    says that it is not compressed.
    """
    stem = f"imported-{_stamp(at)}-{clean_host(origin)}-{sha256[:_IMPORTED_SHA256]}"
    return stem + (_PLAIN if plain else "")


def is_imported(stem: str) -> bool:
    return _IMPORTED.fullmatch(stem) is not None


def _stamp(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc.year:04d}{utc:%m%d%H%M%S}{utc.microsecond // 1000:03d}"


def kind_of(stem: str) -> Kind:
    return "articles" if stem.endswith(_ARTICLES) else "captures"


def created_day(stem: str) -> tuple[str, str, str]:
    """Return year, month and day out of *stem*. Raises ``ValueError`` when it is none of ours."""
    match = _STEM.fullmatch(stem) or _IMPORTED.fullmatch(stem)
    if match is None:
        raise ValueError(f"not the name of a segment: {stem!r}")
    return match[1], match[2], match[3]


def keys(stem: str) -> Keys:
    """Return the storage keys of the segment *stem*. Raises ``ValueError`` when it is none of ours."""
    day = "/".join(created_day(stem))
    articles = kind_of(stem) == "articles"
    suffix = PLAIN_WARC_SUFFIX if stem.endswith(_PLAIN) and is_imported(stem) else WARC_SUFFIX
    warc = f"{ARTICLES_PREFIX if articles else CAPTURES_PREFIX}{day}/{stem}{suffix}"
    return Keys(warc, None if articles else index_key(warc), manifest_key(warc))


def original_key(stem: str, suffix: str) -> str:
    """Return the key of an imported file's own bytes, where its segment is a copy that can be read record by record."""
    return f"{ORIGINALS_PREFIX}{'/'.join(created_day(stem))}/{stem}{suffix}"


def index_key(warc_key: str) -> str:
    """Return the key of the index segment of a WARC: ``index/…/<stem>.cdxj`` for ``warc/…/<stem>.warc.gz``.

    The file may have another program's name. Raises ``ValueError`` for what does not lie in ``warc/``: articles have no
    segment, since other replay tools would serve a conversion record in place of its page.
    """
    if not warc_key.removeprefix(CAPTURES_PREFIX) or not warc_key.startswith(CAPTURES_PREFIX):
        raise ValueError(f"no WARC file of captures: {warc_key}")
    return INDEX_PREFIX + _beside(warc_key) + INDEX_SUFFIX


def manifest_key(warc_key: str) -> str:
    """Return the key of the manifest of a WARC, of captures or of articles."""
    return MANIFEST_PREFIX + _beside(warc_key) + MANIFEST_SUFFIX


def _beside(warc_key: str) -> str:
    return warc_key.partition("/")[2].removesuffix(".gz").removesuffix(".warc")


def stem_of(name: str) -> str:
    """Return the stem of a WARC file's name, with or without its ``.open``."""
    return name.removesuffix(OPEN_SUFFIX).removesuffix(WARC_SUFFIX).removesuffix(PLAIN_WARC_SUFFIX)
