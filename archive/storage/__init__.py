"""Where finished files lie: one protocol, a directory or an S3-compatible bucket, the same keys in both.

Keys are relative POSIX paths (``warc/2026/11/21/….warc.gz``): no empty, ``.`` or ``..`` segments, no backslash, no
control character. Objects are written once; an equal object already there is success, another one is
:class:`~archive.errors.ObjectConflict`.
"""

from __future__ import annotations

from builtins import list as list_  # the protocol has a method of that name
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Stat:
    """An object in storage; *sha256* is hex, and None where the store does not know it without reading."""

    key: str
    size: int
    sha256: str | None = None


class Storage(Protocol):
    """A place for finished files. Every method raises subclasses of ``StorageError`` alone."""

    location: str  # as the user names it: "/archives/mt", "s3://bucket/prefix"

    def put(self, key: str, source: Path | bytes, *, sha256: str, replace: bool = False) -> None:
        """Store *source* under *key*, durable and confirmed when this returns.

        *sha256* is the hex digest of the whole source; the store checks it where it can, and we check the store.
        With *replace* an object already there gives way (for rebuilt index segments and manifests only).
        """

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return *length* bytes from *start*, fewer at the end. Callers check record digests themselves."""

    def open(self, key: str) -> BinaryIO:
        """Return a readable, seekable binary stream over the object; the caller closes it."""

    def stat(self, key: str) -> Stat | None:
        """Return what is known of the object, or None when there is none."""

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """Yield every object whose key starts with *prefix*, in byte order of keys."""

    def delete(self, key: str) -> None:
        """Remove a derived object (index segment); absent is success. Captures are never deleted."""

    def probe(self) -> list_[str]:
        """Try the store (reachable, writable, conditional writes, checksums); return its shortcomings as sentences.

        Raises ``StorageRefused`` or ``StorageUnavailable`` when it cannot be written to at all.
        """
