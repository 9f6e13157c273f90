"""What a service can do: found out by trying, because several accept a condition or checksum and ignore it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from archive.errors import ObjectMissing, StorageError
from archive.storage.keys import RESERVED
from archive.storage.s3.bucket import Bucket
from archive.storage.s3.calling import Answer
from archive.storage.s3.multipart import abort_stale_uploads, base64_sha256

log = logging.getLogger(__name__)

_NOT_UNDERSTOOD = (400, 405, 411, 501)  # what services answer to a header they do not take
_REMOVE_PATIENCE_S = 3.0
_WRONG_CHECKSUM = (400, 403, 422)  # what services answer to a checksum that is not the body's


@dataclass(slots=True)
class Abilities:
    """What puts may rely on."""

    conditional: bool = True  # If-None-Match: * answered with 412 when there is an object
    checksums: bool = True  # a wrong x-amz-checksum-sha256 is refused
    shortcomings: list[str] = field(default_factory=list)


def probe(bucket: Bucket) -> Abilities:
    """Put a small object twice, once more with a wrong checksum, look at it, and remove it.

    Unfinished uploads of crashed writers are aborted on the way. Raises ``StorageRefused`` or ``StorageUnavailable``
    when the bucket cannot be written to or read from at all.
    """
    found = Abilities()
    bucket.require()  # some services make a bucket that is written to
    key = f"{RESERVED}/probe-{secrets.token_hex(8)}"
    data = secrets.token_bytes(32)
    try:
        _try_conditional(bucket, key, data, found)
        _try_checksum(bucket, key, data, found)
        stored = bucket.head(key)
        if stored is None:
            raise ObjectMissing(bucket.location, key)
        if found.checksums and stored.sha256 is None:
            found.shortcomings.append(
                f"{bucket.location}: the service does not tell the checksum of what it stored; every object is read"
                " back after it was written"
            )
    finally:
        _remove(bucket, key, found)
    try:
        for left in abort_stale_uploads(bucket):
            log.warning("%s: aborted an unfinished upload of %s, left by a crash", bucket.location, left)
    except StorageError as error:
        found.shortcomings.append(f"unfinished uploads of crashed writers cannot be found and freed: {error}")
    return found


def _try_conditional(bucket: Bucket, key: str, data: bytes, found: Abilities) -> None:
    # A 412 to the first put means that its own answer was lost and it was tried again: conditions work.
    first = _status(bucket, key, data, (412, *_NOT_UNDERSTOOD), if_absent=True)
    if first in _NOT_UNDERSTOOD:
        found.conditional = False
        _status(bucket, key, data, ())
    else:
        found.conditional = _status(bucket, key, data, (412, *_NOT_UNDERSTOOD), if_absent=True) == 412
    if not found.conditional:
        found.shortcomings.append(
            f"{bucket.location}: the service does not support If-None-Match on writes; objects are looked for before"
            " they are written, and two writers that choose the same name are not kept apart"
        )


def _try_checksum(bucket: Bucket, key: str, data: bytes, found: Abilities) -> None:
    right = _status(bucket, key, data, _NOT_UNDERSTOOD, checksum=base64_sha256(data))
    if right == 200:
        wrong = _status(bucket, key, data, (*_WRONG_CHECKSUM, *_NOT_UNDERSTOOD), checksum=base64_sha256(data + b"?"))
        if wrong in _WRONG_CHECKSUM:
            return
    found.checksums = False
    found.shortcomings.append(
        f"{bucket.location}: the service does not check SHA-256 checksums of uploads; every object is read back after"
        " it was written"
    )


def _status(
    bucket: Bucket,
    key: str,
    data: bytes,
    answers: Collection[int],
    *,
    if_absent: bool = False,
    checksum: str | None = None,
) -> int:
    """Put the probe object; return 200, or the one of *answers* that came. Other failures are raised."""
    extra = {"IfNoneMatch": "*"} if if_absent else {}
    if checksum:
        extra["ChecksumSHA256"] = checksum
    try:
        bucket.caller.call(
            "try the bucket",
            lambda: bucket.caller.client.put_object(
                Bucket=bucket.name,
                Key=bucket.full(key),
                Body=data,
                **extra,  # type: ignore[arg-type]  # mypy takes every keyword for any of them
            ),
            answers=answers,
        )
    except Answer as answer:
        return answer.status
    return 200


def _remove(bucket: Bucket, key: str, found: Abilities) -> None:
    try:
        bucket.delete(key, patience_s=_REMOVE_PATIENCE_S)
    except StorageError as error:
        found.shortcomings.append(f"{bucket.location}: {key}, made to try the service, cannot be deleted: {error}")
