"""From the location a user names to the storage behind it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from archive.errors import LocationError
from archive.storage import Storage
from archive.storage.keys import is_reserved, key_fault
from archive.storage.local import LocalStorage
from archive.storage.options import S3Options

# Amazon's naming rules, widened by the capitals and underscores that old buckets and other services have.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")
_HELP = "give a directory or s3://bucket/prefix"


def open_storage(location: str, *, s3: S3Options | None = None) -> Storage:
    """Return the storage at *location*: a directory, ``file:///directory`` or ``s3://bucket/prefix``.

    Nothing is read or written yet, and a directory need not exist. Raises ``LocationError`` when the location cannot
    be understood or the S3 configuration is unusable.
    """
    if not location.strip():
        raise LocationError(f"no archive location; {_HELP}")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in location):
        raise LocationError(f"{location!r}: holds a control character; {_HELP}")
    if location.lower().startswith("s3:"):
        bucket, prefix = parse_s3(location)
        # boto3 takes a while to load: only who needs it pays.
        from archive.storage.s3 import S3Storage  # noqa: PLC0415

        return S3Storage(bucket, prefix, s3 or S3Options())
    return LocalStorage(_directory(location))


def parse_s3(location: str) -> tuple[str, str]:
    """Return bucket and prefix (without slashes at its ends, possibly empty) of ``s3://bucket/prefix``.

    Raises ``LocationError``; the message does not repeat what stands before an ``@``, which may be a secret.
    """
    if not location.lower().startswith("s3://"):
        raise LocationError(f"{_shown(location)}: an S3 location has two slashes: s3://bucket/prefix")
    bucket, _, prefix = location[len("s3://") :].partition("/")
    if "@" in bucket or ":" in bucket:
        raise LocationError(
            f"{_shown(location)}: credentials and endpoints do not belong into the location; set AWS_ACCESS_KEY_ID,"
            " AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL_S3, or newswarc.toml"
        )
    if not _BUCKET.fullmatch(bucket):
        raise LocationError(f"{location}: {bucket!r} is not the name of a bucket; write s3://bucket/prefix")
    prefix = prefix.strip("/")
    if prefix:
        fault = key_fault(prefix)
        if fault:
            raise LocationError(f"{location}: the prefix cannot be used: {fault}")
        if is_reserved(prefix):
            raise LocationError(f"{location}: {prefix} is the working area of an archive, not an archive")
    return bucket, prefix


def _directory(location: str) -> Path:
    if location.lower().startswith("file:"):
        parts = urlsplit(location)
        if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/") or parts.query or parts.fragment:
            raise LocationError(f"{location}: not a directory on this machine; write file:///directory")
        path = unquote(parts.path)
        if "\0" in path:
            raise LocationError(f"{location}: holds a control character; {_HELP}")
        directory = Path(path)
    elif _SCHEME.match(location):
        raise LocationError(f"{_shown(location)}: not a place an archive can lie in; {_HELP}")
    else:
        try:
            directory = Path(location).expanduser()
        except RuntimeError as error:  # "~nobody": no such user
            raise LocationError(f"{location}: {error}") from error
    if directory.exists() and not directory.is_dir():
        raise LocationError(f"{location}: is a file, not a directory; {_HELP}")
    return directory


def _shown(location: str) -> str:
    """Return *location* without what may be a password in it."""
    return re.sub(r"(:/*)[^/]*@", r"\1…@", location)
