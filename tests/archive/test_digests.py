"""Labelled digests: one spelling written, every spelling met in archives read."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.digests import digest, parse_digest

HELLO = hashlib.sha256(b"hello").digest()


def test_a_digest_is_the_same_whole_and_in_pieces_and_legal_in_a_warc_field():
    assert digest(b"hello") == digest([b"he", b"", b"llo"]) == f"sha256:{HELLO.hex()}"
    assert re.fullmatch(r"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+:[!#$%&'*+\-.0-9A-Z^_`a-z|~]+", digest(b""))  # token ":" token


@pytest.mark.parametrize(
    "label",
    [
        f"sha256:{HELLO.hex()}",
        f"SHA-256:{HELLO.hex().upper()}",
        f"sha256:{base64.b32encode(HELLO).decode()}",
        f"sha256:{base64.b32encode(HELLO).decode().rstrip('=').lower()}",
        f"sha256:{base64.b64encode(HELLO).decode()}",
        f"sha256: {base64.urlsafe_b64encode(HELLO).decode().rstrip('=')} ",
    ],
)
def test_every_spelling_of_a_digest_is_read_as_the_same_bytes(label: str):
    assert parse_digest(label) == ("sha256", HELLO)


@given(st.sampled_from(["md5", "sha1", "sha256", "sha384", "sha512"]), st.binary())
def test_every_algorithm_is_read_in_hex_and_base32(algorithm: str, data: bytes):
    raw = hashlib.new(algorithm, data).digest()
    assert parse_digest(f"{algorithm}:{raw.hex()}") == (algorithm, raw)
    assert parse_digest(f"{algorithm}:{base64.b32encode(raw).decode()}") == (algorithm, raw)


def test_blake3_is_read_though_it_cannot_be_computed_here():
    assert parse_digest("blake3:" + "ab" * 32) == ("blake3", b"\xab" * 32)


@pytest.mark.parametrize(
    "label", ["", "sha256", "sha256:", ":abc", "crc32:deadbeef", "sha256:abc", "sha1:" + "1" * 32, "sha256:" + "!" * 43]
)
def test_what_is_no_digest_is_refused(label: str):
    with pytest.raises(ValueError, match="digest"):
        parse_digest(label)


@given(st.text())
def test_any_text_is_a_digest_or_refused(label: str):
    try:
        algorithm, raw = parse_digest(label)
    except ValueError:
        return
    assert algorithm
    assert raw
