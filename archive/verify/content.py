"""Checks of a record's block: its digests, and the HTTP message in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archive.digests import Digester
from archive.errors import MalformedMessage
from archive.http1 import (
    MAX_HEAD_BYTES,
    Dechunker,
    Head,
    body_length,
    find_head_end,
    payload_chunks,
    read_response_head,
)
from archive.scan import Scanned
from archive.verify import tables
from archive.verify.record import Breach


@dataclass(slots=True)
class Message:
    """The HTTP message of a block. *head* is None where there is none to read."""

    kind: str  # "request" or "response"
    head: Head | None = None
    method: str = ""  # of a request
    fault: str = ""  # what keeps it from being HTTP, in words
    cut: bool = False  # it ends inside its head


def read_message(record: Scanned) -> Message | None:
    """Return the HTTP message that *record* says its block is; None when it says otherwise, or has no block."""
    media_type = (record.fields.get("Content-Type") or "").partition(";")[0].strip().lower()
    if media_type != "application/http" or record.type not in {"request", "response", "revisit"} or not record.block:
        return None
    opening = record.block.read(0, MAX_HEAD_BYTES)
    message = Message("request" if record.type == "request" else "response")
    method = b""
    if message.kind == "request":
        size = find_head_end(opening)
        line, _, rest = opening[: max(size, 0)].partition(b"\n")
        method, _, target = line.strip().partition(b" ")
        if size < 0:
            message.cut = True
            return message
        if not target or b" HTTP/" not in target.upper():
            message.fault = f"its request line is {line[:80]!r}"
            return message
        # The fields of requests and responses have one grammar; the reader wants a status line before them.
        status_line = b"HTTP/1.1 200".ljust(len(line) - 1) + b"\r" if line.endswith(b"\r") else b"HTTP/1.1 200"
        opening = status_line + b"\n" + rest
        head_shift = size
    try:
        message.head = read_response_head(opening)
    except MalformedMessage as error:
        message.fault = str(error)
        return message
    if message.head is None:
        message.cut = True
    elif message.kind == "request":
        message.head = Head(message.head.version, None, "", message.head.headers, head_shift)
        message.method = method.decode("latin-1").upper()
    return message


def payload(record: Scanned, message: Message | None) -> Iterator[bytes] | None:
    """Return the payload of *record* in pieces; None when it is not in the record, or cannot be told."""
    if record.type in {"resource", "conversion"}:
        return record.block.chunks()
    if record.type not in {"request", "response"}:
        return None  # a revisit's payload is its original's, a continuation's that of the whole
    if message is None:
        # 6.3.3: not specified for other schemes; the whole block is what writers digest.
        return record.block.chunks()
    return payload_chunks(message.head, record.block.chunks(message.head.size)) if message.head else None


def check_content(record: Scanned, message: Message | None) -> Iterator[Breach]:
    """Yield every breach in the block of *record*, which is as long as its header says."""
    yield from _digests(record, message)
    if message is not None:
        yield from _http(record, message)


def _digests(record: Scanned, message: Message | None) -> Iterator[Breach]:
    fields = record.fields
    if (label := fields.get("WARC-Block-Digest")) and (found := _differs(label, record.block.chunks())):
        yield "block-digest", f"WARC-Block-Digest is {label}, the block gives {found}"
    label = fields.get("WARC-Payload-Digest")
    if not label or "WARC-Segment-Number" in fields:  # 5.9: in segments it is that of the logical record
        return
    pieces = payload(record, message)
    if pieces is None or not (found := _differs(label, pieces)):
        return
    told = f"WARC-Payload-Digest is {label}, the payload gives {found}"
    if message is not None and message.head is not None:
        as_it_stands = record.block.chunks(message.head.size)
        if message.head.tokens("Transfer-Encoding")[-1:] == ["chunked"] and not _differs(label, as_it_stands):
            yield "payload-digest-chunked", f"{told}; it is that of the body with its chunks"
            return
    if fields.get("WARC-Truncated"):
        yield "payload-digest-truncated", told
    else:
        yield "payload-digest", told


def _differs(label: str, pieces: Iterable[bytes]) -> str:
    """Return the digest of *pieces* when it is not that of *label*; empty when it is, or cannot be computed."""
    try:
        digester = Digester(label)
    except ValueError:
        return ""  # the form of the label is the business of another rule
    for piece in pieces:
        digester.update(piece)
    return "" if digester.matches else digester.label()


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
        if profile in tables.IDENTICAL_PAYLOAD and (truncated or "").lower() != "length":
            if len(record.block) == message.head.size and message.head.status not in {204, 304}:
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
