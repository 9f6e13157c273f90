"""Checks of a record's block: its digests, and the HTTP message in it."""

from __future__ import annotations

from collections.abc import Iterator

from archive.http1 import Dechunker, Head, body_length
from archive.payload import Message, digest_like, payload
from archive.scan import Scanned
from archive.verify import tables
from archive.verify.record import Breach


def check_content(record: Scanned, message: Message | None) -> Iterator[Breach]:
    """Yield every breach in the block of *record*, which is as long as its header says."""
    yield from _digests(record, message)
    if message is not None:
        yield from _http(record, message)


def _digests(record: Scanned, message: Message | None) -> Iterator[Breach]:
    label = record.fields.get("WARC-Block-Digest")
    if label and (found := digest_like(label, record.block.chunks())) not in {None, label}:
        yield "block-digest", f"WARC-Block-Digest is {label}, the block gives {found}"
    label = record.fields.get("WARC-Payload-Digest")
    pieces = payload(record, message) if label else None
    if not label or pieces is None or (found := digest_like(label, pieces)) in {None, label}:
        return
    told = f"WARC-Payload-Digest is {label}, the payload gives {found}"
    if message is not None and message.head is not None:
        as_it_stands = record.block.chunks(message.head.size)
        if message.head.tokens("Transfer-Encoding")[-1:] == ["chunked"] and digest_like(label, as_it_stands) == label:
            yield "payload-digest-chunked", f"{told}; it is that of the body with its chunks"
            return
    if record.fields.get("WARC-Truncated"):
        yield "payload-digest-truncated", told
    else:
        yield "payload-digest", told


def _http(record: Scanned, message: Message) -> Iterator[Breach]:
    truncated = record.fields.get("WARC-Truncated")
    if message.fault:
        yield "http-head", f"the block is no HTTP {message.kind}: {message.fault}"
    elif message.cut and not truncated:
        yield "http-head-cut", f"the HTTP {message.kind} ends inside its head, without WARC-Truncated"
    if message.head is None:
        return
    if record.type == "response":
        yield from _framing(record, message.head, truncated)
    elif record.type == "revisit":
        profile = (record.fields.get("WARC-Profile") or "").strip("<>")
        left_out = len(record.block) == message.head.size and message.head.status not in {204, 304}
        if profile in tables.IDENTICAL_PAYLOAD and left_out and (truncated or "").lower() != "length":
            yield "profile-truncated", "the payload is left out, without WARC-Truncated: length"


def _framing(record: Scanned, head: Head, truncated: str | None) -> Iterator[Breach]:
    there = len(record.block) - head.size
    framing = body_length(head, "GET")
    if framing.kind == "chunked":
        dechunker = Dechunker()
        for piece in record.block.chunks(head.size):
            dechunker.feed(piece)
        if dechunker.fault and not dechunker.begun:
            yield "http-body-long", "the head says chunked, the body is not"
        elif dechunker.fault and not truncated:
            yield "http-body-short", f"the chunks break off after {dechunker.consumed} bytes: {dechunker.fault}"
        elif not dechunker.finished and not truncated:
            yield "http-body-short", f"the chunked body of {there} bytes has no end, without WARC-Truncated"
        elif dechunker.finished and there > dechunker.consumed:
            yield "http-body-long", f"{there - dechunker.consumed} bytes after the last chunk"
    elif framing.kind == "length":
        if there < framing.length and not truncated:
            yield "http-body-short", f"the head says {framing.length} bytes, {there} are there, without WARC-Truncated"
        elif there > framing.length:
            yield "http-body-long", f"the head says {framing.length} bytes, {there} are there"
    elif framing.kind == "none" and there:
        yield "http-body-long", f"a body of {there} bytes, where status {head.status} has none"
