"""Storage keys: relative POSIX paths, the same in a directory and in a bucket."""

from __future__ import annotations

from archive.errors import StorageRefused

RESERVED = ".newswarc"  # the working area of an archive: never listed, written to by probes alone
KEY_BYTES = 1024  # S3 takes keys of up to 1,024 bytes of UTF-8
SEGMENT_BYTES = 255  # what common file systems take between two slashes


def key_fault(key: str) -> str | None:
    """Say in a few words why *key* cannot be a storage key, or return None when it can."""
    if not key:
        return "it is empty"
    if any(ord(char) < 0x20 or 0x7F <= ord(char) <= 0x9F for char in key):
        return "it holds a control character"
    if "\\" in key:
        return "it holds a backslash"
    if any(segment in {"", ".", ".."} for segment in key.split("/")):
        return "it is absolute, or has an empty, '.' or '..' segment"
    try:
        data = key.encode()
    except UnicodeEncodeError:
        return "it is not text that UTF-8 can write"
    if len(data) > KEY_BYTES:
        return f"it has {len(data)} bytes, the limit is {KEY_BYTES}"
    longest = max(map(len, data.split(b"/")))
    if longest > SEGMENT_BYTES:
        return f"a segment of it has {longest} bytes, the limit is {SEGMENT_BYTES}"
    return None


def check_key(location: str, key: str) -> str:
    """Return *key* when it is one.

    Raises ``StorageRefused`` for a key that could leave the archive or that not every store can hold.
    """
    fault = key_fault(key)
    if fault:
        raise StorageRefused(f"{location}: {key!r} cannot be a key: {fault}")
    return key


def is_reserved(key: str) -> bool:
    """Tell whether *key* belongs to the archive's working area, which is not archive."""
    return key == RESERVED or key.startswith(RESERVED + "/")
