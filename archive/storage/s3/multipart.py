"""Objects too large for one request: parts with a checksum each, completed only if nothing stands there yet."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from archive.errors import ObjectDamaged, StorageError, StorageRefused, StorageUnavailable
from archive.storage.s3.bucket import Bucket, content_type
from archive.storage.s3.calling import Answer

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

log = logging.getLogger(__name__)

MAX_PARTS = 10_000  # S3's limit
STALE_S = 86_400.0  # no part of ours takes a day: an upload that old was left behind by a crash
_BEGINNINGS = 3  # an upload that vanished (aborted by another process) is begun again that often
_ABORT_PATIENCE_S = 10.0  # what cannot be aborted now is aborted by the next start


def base64_sha256(data: bytes) -> str:
    """Return the checksum of *data* as S3 spells it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode("ascii")


def part_size(size: int, part_bytes: int) -> int:
    """Return the size of parts for an object of *size* bytes: *part_bytes*, or more when there would be too many."""
    return max(part_bytes, -(-size // MAX_PARTS))


def opened(source: Path | bytes) -> BinaryIO:
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def parts_of(source: Path | bytes, part_bytes: int) -> Iterator[bytes]:
    with opened(source) as file:
        while part := file.read(part_bytes):
            yield part


def composite_checksum(source: Path | bytes, part_bytes: int) -> str:
    """Return the checksum S3 keeps for an object uploaded in parts: the digest of their digests, and their number."""
    digests = [hashlib.sha256(part).digest() for part in parts_of(source, part_bytes)]
    return f"{base64_sha256(b''.join(digests))}-{len(digests)}"


class MultipartUpload:
    """Sends one object to *bucket* in parts."""

    def __init__(
        self, bucket: Bucket, key: str, *, sha256: str, part_bytes: int, if_absent: bool, checksums: bool
    ) -> None:
        self._bucket, self._key, self._sha256 = bucket, key, sha256
        self._part_bytes, self._if_absent, self._checksums = part_bytes, if_absent, checksums
        self._client, self._call = bucket.caller.client, bucket.caller.call
        self._begun: list[str] = []  # upload ids neither completed nor aborted, as far as we know

    def send(self, source: Path | bytes) -> bool:
        """Upload *source*; False when another object took the key meanwhile. No upload stays open behind it.

        Raises ``ObjectDamaged`` when *source* does not hash to the digest promised.
        """
        self._tidy(strict=True)  # what a process that was killed while it sent this object left behind
        try:
            for _ in range(_BEGINNINGS):
                with contextlib.suppress(_Vanished):
                    return self._send_once(source)
            raise StorageUnavailable(f"{self._bucket.location}: uploads of {self._key} vanish before they are complete")
        finally:
            self._tidy(strict=False)  # also after success: a beginning whose answer was lost left a second upload

    def _tidy(self, *, strict: bool) -> None:
        """Abort every unfinished upload of this key. Only an unreachable service stops us, and only when *strict*."""
        patience_s = None if strict else _ABORT_PATIENCE_S
        try:
            while self._begun:
                self._bucket.abort_upload(self._key, self._begun.pop(), patience_s=patience_s)
            abort_uploads(self._bucket, self._key, patience_s=patience_s)
        except StorageRefused as error:
            log.info("unfinished uploads cannot be found or freed: %s", error)
        except StorageError as error:
            if strict:
                raise
            log.warning("an unfinished upload is left to the next start: %s", error)

    def _send_once(self, source: Path | bytes) -> bool:
        upload_id = self._begin()
        whole = hashlib.sha256()
        parts: list[CompletedPartTypeDef] = []
        for number, part in enumerate(parts_of(source, self._part_bytes), start=1):
            whole.update(part)
            parts.append(self._send_part(upload_id, number, part))
        if whole.hexdigest() != self._sha256:
            raise ObjectDamaged(
                f"{self._key}: {source if isinstance(source, Path) else 'the bytes given'} hash to sha256"
                f" {whole.hexdigest()}, not {self._sha256}; not stored"
            )
        return self._complete(upload_id, parts)

    def _begin(self) -> str:
        extra: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if self._checksums else {}
        begun = self._call(
            f"begin the upload of {self._key}",
            lambda: self._client.create_multipart_upload(
                Bucket=self._bucket.name,
                Key=self._bucket.full(self._key),
                ContentType=content_type(self._key),
                Metadata={"sha256": self._sha256},
                **extra,
            ),
        )
        upload_id = begun.get("UploadId")
        if not upload_id:
            raise StorageRefused(f"{self._bucket.location}: no upload was begun; is the endpoint an S3 service?")
        self._begun.append(upload_id)
        return upload_id

    def _send_part(self, upload_id: str, number: int, part: bytes) -> CompletedPartTypeDef:
        extra: dict[str, Any] = {"ChecksumSHA256": base64_sha256(part)} if self._checksums else {}
        try:
            sent = self._call(
                f"put part {number} of {self._key}",
                lambda: self._client.upload_part(
                    Bucket=self._bucket.name,
                    Key=self._bucket.full(self._key),
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=part,
                    **extra,
                ),
                answers=(404,),
            )
        except Answer as answer:
            raise _Vanished from answer
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": sent.get("ETag", "")}
        if self._checksums:
            done["ChecksumSHA256"] = extra["ChecksumSHA256"]
        return done

    def _complete(self, upload_id: str, parts: list[CompletedPartTypeDef]) -> bool:
        extra: dict[str, Any] = {"IfNoneMatch": "*"} if self._if_absent else {}
        while True:
            try:
                self._call(
                    f"complete the upload of {self._key}",
                    lambda: self._client.complete_multipart_upload(
                        Bucket=self._bucket.name,
                        Key=self._bucket.full(self._key),
                        UploadId=upload_id,
                        MultipartUpload={"Parts": parts},
                        **extra,  # noqa: B023 - called before it changes
                    ),
                    answers=(404, 412, 501),
                )
            except Answer as answer:
                if answer.status == 501 and extra:  # conditional PUT but no conditional completion; we looked before
                    extra = {}
                    continue
                if answer.status == 404 and self._bucket.head(self._key) is None:
                    raise _Vanished from answer
                return False  # completed by a try whose answer was lost, or by another writer: the caller compares
            self._begun.remove(upload_id)
            return True


class _Vanished(Exception):
    """The service does not know the upload any more."""


def abort_uploads(bucket: Bucket, key: str, *, patience_s: float | None = None) -> None:
    """Abort every unfinished upload of exactly *key*: a key belongs to one writer."""
    for found, upload_id in list(bucket.open_uploads(key, patience_s=patience_s)):
        if found == key:
            bucket.abort_upload(key, upload_id, patience_s=patience_s)


def abort_stale_uploads(bucket: Bucket, *, older_than_s: float = STALE_S) -> list[str]:
    """Abort uploads of our own files begun *older_than_s* ago; return their keys. Others' are left alone."""
    aborted = []
    for key, upload_id in list(bucket.open_uploads("", older_than_s=older_than_s)):
        if "/newswarc-" in key:
            bucket.abort_upload(key, upload_id)
            aborted.append(key)
    return aborted
