"""Labelled digests: ``sha256:`` and the value, as WARC records carry them.

We write SHA-256 in lower-case hex. The value must be a ``token`` (WARC 1.1, 5.8), which base32 with its ``=`` padding
is not; warcio and FastWARC call base32 without padding wrong; both read hex as what it is, and pywb compares digests as
text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import string
from collections.abc import Iterable
from functools import partial
from typing import BinaryIO

ALGORITHM = "sha256"

_READ_BYTES = 1 << 20

_SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64, "blake3": 32}  # bytes
_HEX = frozenset(string.hexdigits)


def digest(data: bytes | Iterable[bytes]) -> str:
    """Return the labelled digest of *data*, whole or in pieces: ``sha256:`` and 64 hex digits."""
    return f"{ALGORITHM}:{sha256_hex([data] if isinstance(data, bytes) else data)}"


def sha256_hex(pieces: Iterable[bytes]) -> str:
    """Return the SHA-256 of *pieces* together, in hex, as manifests and storage carry it."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()


def stream_sha256(stream: BinaryIO) -> str:
    """Return the SHA-256, in hex, of what can still be read of *stream*."""
    return sha256_hex(iter(partial(stream.read, _READ_BYTES), b""))


EMPTY = digest(b"")


def parse_digest(label: str) -> tuple[str, bytes]:
    """Return the algorithm (``sha1``, ``sha256``, …: lower case, no hyphen) and the raw digest behind *label*.

    The value may be hex, base32 or base64 (either alphabet), with or without padding: the length says which, and so
    every spelling met in archives is understood. Raises ``ValueError`` for an unknown algorithm, or a value that is
    no digest of that algorithm's size.
    """
    name, colon, value = label.strip().partition(":")
    algorithm = _plain(name)
    size = _SIZES.get(algorithm)
    if not colon or size is None:
        raise ValueError(f"a digest of an unknown algorithm: {label!r}")
    value = value.strip().rstrip("=")
    try:
        if len(value) == size * 2 and _HEX.issuperset(value):
            return algorithm, bytes.fromhex(value)
        if len(value) == -(-size * 8 // 5):
            return algorithm, base64.b32decode(value.upper() + "=" * (-len(value) % 8))
        if len(value) == -(-size * 8 // 6):
            plain = value.replace("-", "+").replace("_", "/")
            return algorithm, base64.b64decode(plain + "=" * (-len(value) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"not a {algorithm} digest: {label!r}") from error
    raise ValueError(f"not a {algorithm} digest, which has {size} bytes: {label!r}")


def _plain(algorithm: str) -> str:
    return algorithm.strip().lower().replace("-", "").replace("_", "")


def knows(algorithm: str) -> bool:
    """Tell whether the size and the spellings of a digest of *algorithm* are known here."""
    return _plain(algorithm) in _SIZES


def same_digest(one: str, other: str) -> bool:
    """Tell whether two labels give the same algorithm and value, whatever their encoding.

    Labels of an unknown algorithm, or whose value cannot be read, are the same when their text is.
    """
    try:
        return parse_digest(one) == parse_digest(other)
    except ValueError:
        return one.strip() == other.strip()


class Digester:
    """Computes the digest that a label names, so that the two can be held against each other."""

    def __init__(self, label: str) -> None:
        """Prepare for *label*. Raises ``ValueError`` when :func:`parse_digest` does, or the algorithm is not here."""
        self.algorithm, self.expected = parse_digest(label)
        self._hash = hashlib.new(self.algorithm, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    @property
    def matches(self) -> bool:
        """Whether what was fed so far has the digest of the label."""
        return self._hash.digest() == self.expected

    def label(self) -> str:
        """Return the digest of what was fed so far: the algorithm and lower-case hex."""
        return f"{self.algorithm}:{self._hash.hexdigest()}"
