"""One bucket and prefix: each operation of S3 that an archive needs, tried with patience, in the archive's keys."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from archive.errors import ObjectDamaged, ObjectMissing, StorageRefused, StorageUnavailable
from archive.storage import Stat
from archive.storage.options import S3Options
from archive.storage.s3.calling import Answer, Caller
from archive.storage.s3.faults import FEW_TRIES, TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

_CONTENT_TYPES = {".json": "application/json", ".jsonl": "application/jsonl", ".html": "text/html; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Head:
    """What the service knows of an object."""

    size: int
    etag: str
    checksum: str | None  # SHA-256 in base64 as the service keeps it: of the whole, or "…-3" of three parts' digests
    promised: str | None  # SHA-256 in hex as the writer said it

    @property
    def sha256(self) -> str | None:
        """The service's own digest of the whole object in hex; None when it has none."""
        if not self.checksum or "-" in self.checksum:
            return None
        with contextlib.suppress(ValueError):
            return base64.b64decode(self.checksum).hex()
        return None


class Bucket:
    """The bucket *name* under *prefix*. Methods take the archive's keys and raise ``StorageError`` alone."""

    def __init__(self, name: str, prefix: str, options: S3Options) -> None:
        self.name, self.prefix = name, prefix
        self.location = f"s3://{name}/{prefix}".rstrip("/")
        self.caller = Caller(self.location, options)
        self._known = False  # to exist: 404 to a HEAD does not say whether bucket or object is missing

    def full(self, key: str) -> str:
        """Return *key* as the bucket knows it."""
        return f"{self.prefix}/{key}" if self.prefix else key

    def head(self, key: str) -> Head | None:
        """Return what the service knows of the object, or None when there is none."""
        try:
            found = self.caller.call(
                f"look at {key}",
                lambda: self.caller.client.head_object(Bucket=self.name, Key=self.full(key), ChecksumMode="ENABLED"),
                answers=(404,),
            )
        except Answer:
            self.require()
            return None
        if "ETag" not in found:  # S3 always gives one
            raise StorageRefused(
                f"{self.location} at {self.caller.endpoint}: the answer is not S3's; check the endpoint"
            )
        return _head(found)

    def require(self) -> None:
        """Raise ``StorageRefused`` when there is no such bucket."""
        if self._known:
            return
        try:
            self.caller.call(
                "look at the bucket",
                lambda: self.caller.client.head_bucket(Bucket=self.name),
                answers=(403, 404),
            )
        except Answer as answer:
            if answer.status == 404:
                raise StorageRefused(
                    f"{self.location} at {self.caller.endpoint}: there is no bucket {self.name}; make it, or correct"
                    " its name"
                ) from answer
            # 403: it may only be used, not looked at.
        self._known = True

    def get(self, key: str, start: int, length: int | None, *, etag: str | None = None) -> tuple[bytes, Head]:
        """Return *length* bytes from *start* (fewer at the end), and what came with them.

        Raises ``ObjectMissing``; ``StorageUnavailable`` when *etag* is given and the object is another by now.
        """
        conditions: dict[str, Any] = {"IfMatch": etag} if etag else {}
        if start or length is not None:
            conditions["Range"] = f"bytes={start}-" + ("" if length is None else str(start + length - 1))

        def attempt() -> tuple[bytes, Head]:
            answer = self.caller.client.get_object(
                Bucket=self.name, Key=self.full(key), ChecksumMode="ENABLED", **conditions
            )
            with contextlib.closing(answer["Body"]) as body:
                return self._whole(key, start, length, answer, body.read()), _head(answer)

        try:
            return self.caller.call(f"read {key}", attempt, answers=(404, 412, 416))
        except Answer as answer:
            if answer.status == 416:  # nothing of the range exists
                return b"", Head(0, "", None, None)
            if answer.status == 412:
                raise StorageUnavailable(
                    f"{self.location}: {key} was replaced while being read; read it again"
                ) from answer
            if answer.code == "NoSuchBucket":
                self._known = False
            self.require()
            raise ObjectMissing(self.location, key) from answer

    def _whole(self, key: str, start: int, length: int | None, answer: GetObjectOutputTypeDef, data: bytes) -> bytes:
        """Return what was asked for out of an answer, or have it asked for again when it falls short."""
        span = answer.get("ContentRange", "")  # "bytes 0-99/1234"
        total = span.rpartition("/")[2]
        if not span:  # the service ignored the range and sent everything
            size = answer.get("ContentLength", len(data))
            if len(data) != size:
                raise self._short(key, size, len(data))
            return data[start:] if length is None else data[start : start + length]
        if not total.isdigit() or not span.startswith(f"bytes {start}-"):
            raise TryAgain(ObjectDamaged(f"{self.location}: {key}: asked from {start}, got {span!r}"), tries=FEW_TRIES)
        wanted = max(0, int(total) - start)
        if length is not None:
            wanted = min(wanted, length)
        if len(data) != wanted:
            raise self._short(key, wanted, len(data))
        return data

    def _short(self, key: str, wanted: int, got: int) -> TryAgain:
        return TryAgain(ObjectDamaged(f"{self.location}: {key}: {wanted} bytes asked for, {got} came"), tries=FEW_TRIES)

    def put(self, key: str, data: bytes, *, sha256: str, if_absent: bool, checksum: str | None) -> bool:
        """Store *data* in one request; False when *if_absent* and there is an object already (412).

        *checksum* is the base64 SHA-256 for the service to check, None for services that know none.
        """
        extra: dict[str, Any] = {}
        if if_absent:
            extra["IfNoneMatch"] = "*"
        if checksum:
            extra["ChecksumSHA256"] = checksum
        try:
            self.caller.call(
                f"put {key}",
                lambda: self.caller.client.put_object(
                    Bucket=self.name,
                    Key=self.full(key),
                    Body=data,
                    ContentType=content_type(key),
                    Metadata={"sha256": sha256},
                    **extra,
                ),
                answers=(412,),
            )
        except Answer:
            return False
        return True

    def delete(self, key: str, *, patience_s: float | None = None) -> None:
        """Remove the object; absent is success."""
        with contextlib.suppress(Answer):
            self.caller.call(
                f"delete {key}",
                lambda: self.caller.client.delete_object(Bucket=self.name, Key=self.full(key)),
                answers=(404,),
                patience_s=patience_s,
            )

    def list(self, prefix: str) -> Iterator[Stat]:
        """Yield key and size of every object under *prefix*, in the order the service has them."""
        full = self.full(prefix) if prefix or not self.prefix else self.prefix + "/"
        more: dict[str, Any] = {}
        while True:
            page = self.caller.call(
                f"list {prefix or 'everything'}",
                lambda more=more: self.caller.client.list_objects_v2(  # type: ignore[misc]  # mypy infers no default
                    Bucket=self.name, Prefix=full, **more
                ),
            )
            self._known = True
            for found in page.get("Contents", []):
                yield Stat(found["Key"][len(self.full("")) :], found["Size"])
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated") or not token:
                return
            more = {"ContinuationToken": token}

    # ---- multipart uploads

    def open_uploads(
        self, prefix: str, *, older_than_s: float = 0.0, patience_s: float | None = None
    ) -> Iterator[tuple[str, str]]:
        """Yield key and upload id of every upload under *prefix* neither completed nor aborted, begun that long ago."""
        full = self.full(prefix) if prefix or not self.prefix else self.prefix + "/"
        more: dict[str, Any] = {}
        before = datetime.now(UTC) - timedelta(seconds=older_than_s)
        while True:
            page = self.caller.call(
                "list unfinished uploads",
                lambda more=more: self.caller.client.list_multipart_uploads(  # type: ignore[misc]  # as above
                    Bucket=self.name, Prefix=full, **more
                ),
                patience_s=patience_s,
            )
            for upload in page.get("Uploads", []):
                if older_than_s <= 0 or upload["Initiated"] < before:
                    yield upload["Key"][len(self.full("")) :], upload["UploadId"]
            if not page.get("IsTruncated") or not page.get("NextKeyMarker"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page.get("NextUploadIdMarker", "")}

    def abort_upload(self, key: str, upload_id: str, *, patience_s: float | None = None) -> None:
        """Free what an unfinished upload occupies; one that is gone is success."""
        with contextlib.suppress(Answer):
            self.caller.call(
                f"abort the upload of {key}",
                lambda: self.caller.client.abort_multipart_upload(
                    Bucket=self.name, Key=self.full(key), UploadId=upload_id
                ),
                answers=(404,),
                patience_s=patience_s,
            )


def content_type(key: str) -> str:
    """Return the media type *key* is served with, for who looks at the bucket with a browser."""
    for suffix, media_type in _CONTENT_TYPES.items():
        if key.endswith(suffix):
            return media_type
    return "application/octet-stream"


def _head(answer: GetObjectOutputTypeDef | HeadObjectOutputTypeDef) -> Head:
    metadata: Mapping[str, str] = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
    # The types promise size and ETag; what answers at a wrong endpoint does not.
    return Head(
        answer.get("ContentLength", 0), answer.get("ETag", ""), answer.get("ChecksumSHA256"), metadata.get("sha256")
    )
