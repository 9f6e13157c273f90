"""The storage protocol over a bucket: every write confirmed, every whole read checked."""

from __future__ import annotations

import hashlib
import logging
import threading
from builtins import list as list_
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archive.errors import ObjectConflict, ObjectDamaged, ObjectMissing, StorageRefused, StorageUnavailable
from archive.storage import Stat
from archive.storage.keys import check_key, is_reserved, key_fault
from archive.storage.options import S3Options
from archive.storage.ranges import open_ranges
from archive.storage.s3.bucket import Bucket, Head
from archive.storage.s3.faults import FEW_TRIES
from archive.storage.s3.multipart import MultipartUpload, base64_sha256, composite_checksum, part_size, parts_of
from archive.storage.s3.probing import Abilities, probe

log = logging.getLogger(__name__)

_READ_BYTES = 8 << 20


class S3Storage:
    """The objects under *prefix* in *bucket*. Safe to share between threads.

    The first write tries the service once (:meth:`probe`) and says in the log what it lacks.
    """

    def __init__(self, bucket: str, prefix: str, options: S3Options) -> None:
        self._options = options
        self._bucket = Bucket(bucket, prefix, options)
        self.location = self._bucket.location
        self._abilities: Abilities | None = None
        self._probing = threading.Lock()

    # ---- writing

    def put(self, key: str, source: Path | bytes, *, sha256: str, replace: bool = False) -> None:
        """Store *source* under *key*; when this returns, the service has confirmed size and SHA-256.

        Raises ``ObjectDamaged`` when *source* does not hash to *sha256* or the service holds other bytes afterwards,
        ``ObjectConflict``, ``StorageRefused`` and ``StorageUnavailable``.
        """
        check_key(self.location, key)
        sha256 = sha256.lower()
        abilities = self._probed()
        try:
            size = _size(source)
            if size > self._options.part_bytes:
                self._put_parts(key, source, size, sha256, abilities, replace=replace)
            else:
                data = source if isinstance(source, bytes) else source.read_bytes()
                self._put_whole(key, data, sha256, abilities, replace=replace)
        except FileNotFoundError as error:
            raise ObjectMissing(str(Path(str(source)).parent), Path(str(source)).name) from error
        except OSError as error:  # the service's are translated where it is called: this is the source
            raise StorageRefused(f"{source!r} cannot be read ({error.strerror}); mend its permissions") from error

    def _put_whole(self, key: str, data: bytes, sha256: str, abilities: Abilities, *, replace: bool) -> None:
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise ObjectDamaged(f"{key}: the bytes to store hash to sha256 {found}, not {sha256}; not stored")
        if not (replace or abilities.conditional) and self._settled(key, data, sha256):
            return
        checksum = base64_sha256(data)
        stored = self._bucket.put(
            key,
            data,
            sha256=sha256,
            if_absent=abilities.conditional and not replace,
            checksum=checksum if abilities.checksums else None,
        )
        if stored:
            self._confirm(key, len(data), sha256, checksum, abilities)
        elif not self._settled(key, data, sha256):
            raise StorageUnavailable(f"{self.location}: {key} was there and is gone again; try again")

    def _put_parts(
        self, key: str, source: Path | bytes, size: int, sha256: str, abilities: Abilities, *, replace: bool
    ) -> None:
        # Looked for first: a 412 would come only after all parts have been sent.
        if not replace and self._settled(key, source, sha256):
            return
        part_bytes = part_size(size, self._options.part_bytes)
        upload = MultipartUpload(
            self._bucket,
            key,
            sha256=sha256,
            part_bytes=part_bytes,
            if_absent=abilities.conditional and not replace,
            checksums=abilities.checksums,
        )
        if upload.send(source):
            self._confirm(key, size, sha256, composite_checksum(source, part_bytes), abilities)
        elif not self._settled(key, source, sha256):
            raise StorageUnavailable(f"{self.location}: {key} was there and is gone again; try again")

    def _confirm(self, key: str, size: int, sha256: str, checksum: str, abilities: Abilities) -> None:
        """Look at what was just stored; read it back when the service's own checksum does not prove it."""
        head = self._bucket.head(key)
        if head is None:
            raise StorageUnavailable(f"{self.location}: {key} was stored, and is not there; try again")
        if head.size != size:
            raise ObjectDamaged(f"{self.location}: {key}: {size} bytes were stored, {head.size} are there")
        if abilities.checksums and head.checksum == checksum:
            return
        found = self._hash(key, head)
        if found != sha256:
            raise ObjectDamaged(f"{self.location}: {key}: stored with sha256 {sha256}, reads back as {found}")

    def _settled(self, key: str, source: Path | bytes, sha256: str) -> bool:
        """Tell whether an object stands under *key*, when it holds the bytes of *source*.

        Raises ``ObjectConflict`` when it holds others. The writer's word in the metadata proves nothing here: the
        service's own checksum does, or the bytes themselves.
        """
        head = self._bucket.head(key)
        if head is None:
            return False
        size = _size(source)
        if head.size != size:
            stored = head.sha256 or head.promised or f"unknown, {head.size} bytes"
            raise ObjectConflict(self.location, key, stored=stored, offered=f"{sha256}, {size} bytes")
        part_bytes = part_size(size, self._options.part_bytes)
        if head.checksum and "-" in head.checksum and head.checksum == composite_checksum(source, part_bytes):
            found = _hash_source(source)
        else:
            found = head.sha256 or self._hash(key, head)
        if found != sha256:
            raise ObjectConflict(self.location, key, stored=found, offered=sha256)
        return True

    def _hash(self, key: str, head: Head) -> str:
        """Return the digest of the bytes the service hands out."""
        found = hashlib.sha256()
        for start in range(0, head.size, _READ_BYTES):
            data, _ = self._bucket.get(key, start, min(_READ_BYTES, head.size - start), etag=head.etag)
            found.update(data)
        return found.hexdigest()

    def delete(self, key: str) -> None:
        """Remove a derived object; absent is success."""
        self._bucket.delete(check_key(self.location, key))

    # ---- reading

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return *length* bytes from *start*, fewer at the end.

        A whole object is checked against its SHA-256; a part cannot be: callers check record digests. Raises
        ``ObjectMissing``, ``ObjectDamaged``, ``StorageRefused``, ``StorageUnavailable``.
        """
        check_key(self.location, key)
        if start < 0 or (length is not None and length < 0):
            raise StorageRefused(f"{self.location}: {key}: no bytes {start}+{length}")
        if length == 0:
            if self._bucket.head(key) is None:
                raise ObjectMissing(self.location, key)
            return b""
        if start or length is not None:
            return self._bucket.get(key, start, length)[0]
        promised = computed = ""
        for _ in range(FEW_TRIES):  # a bit may have changed on the way only
            data, head = self._bucket.get(key, 0, None)
            promised, computed = head.sha256 or head.promised or "", hashlib.sha256(data).hexdigest()
            if not promised or promised == computed:
                return data
        raise ObjectDamaged(f"{self.location}: {key}: stored with sha256 {promised}, reads back as {computed}")

    def open(self, key: str) -> BinaryIO:
        """Return a buffered stream that asks for ranges as it is read; the caller closes it.

        Raises ``ObjectMissing``, now or when the object is deleted meanwhile, and as :meth:`read` does.
        """
        head = self._bucket.head(check_key(self.location, key))
        if head is None:
            raise ObjectMissing(self.location, key)
        etag = head.etag

        def fetch(start: int, length: int) -> bytes:
            data, _ = self._bucket.get(key, start, length, etag=etag)
            if len(data) != length:
                raise ObjectDamaged(f"{self.location}: {key}: {length} bytes at {start} asked for, {len(data)} came")
            return data

        return open_ranges(fetch, head.size)

    def stat(self, key: str) -> Stat | None:
        """Return size and SHA-256: the service's own, or for an object sent in parts the one its writer gave."""
        head = self._bucket.head(check_key(self.location, key))
        return None if head is None else Stat(key, head.size, head.sha256 or head.promised)

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """Yield every object whose key starts with *prefix*, in byte order of keys.

        All are asked for before the first is yielded: some services list directory by directory, where ``a/c``
        comes before ``a-b``.
        """
        found = [
            item for item in self._bucket.list(prefix) if not is_reserved(item.key) and key_fault(item.key) is None
        ]
        yield from sorted(found, key=lambda item: item.key.encode())

    # ---- the place itself

    def probe(self) -> list_[str]:
        """Try what the service can do, and return what it lacks; puts take the detours this calls for."""
        with self._probing:
            self._abilities = None
        return list(self._probed().shortcomings)

    def _probed(self) -> Abilities:
        with self._probing:
            if self._abilities is None:
                self._abilities = probe(self._bucket)
                if self._abilities.shortcomings:
                    log.warning("%s", " ".join(self._abilities.shortcomings))
            return self._abilities

    def close(self) -> None:
        """Give the connections back."""
        self._bucket.caller.client.close()


def _size(source: Path | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _hash_source(source: Path | bytes) -> str:
    found = hashlib.sha256()
    for piece in parts_of(source, _READ_BYTES):
        found.update(piece)
    return found.hexdigest()
