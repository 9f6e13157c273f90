"""HTTP messages in stored blocks and in exchanges, and what they carry.

A payload is the entity body: transfer coding removed, content coding kept. Section numbers are those of the WARC 1.1
standard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.capture import media_type
from archive.digests import Digester, digest
from archive.errors import MalformedMessage
from archive.exchange import Exchange
from archive.http1 import MAX_HEAD_BYTES, Head, payload_chunks, read_request_head, read_response_head
from archive.spool import Spool

if TYPE_CHECKING:
    from archive.scan.record import Scanned

_HEAD_READ_BYTES = 8 * 1024  # most heads are shorter; the few others are read again


def read_head(message: Spool, read: Callable[[bytes], Head | None] = read_response_head) -> Head | None:
    """Return the head that *message* begins with; None when it ends, or ``MAX_HEAD_BYTES`` end, before the head does.

    Raises ``MalformedMessage`` when it is no HTTP message.
    """
    opening = message.read(0, _HEAD_READ_BYTES)
    head = read(opening)
    if head is None and len(opening) == _HEAD_READ_BYTES:
        head = read(message.read(0, MAX_HEAD_BYTES))
    return head


# ---- of exchanges


@dataclass(frozen=True, slots=True)
class Payload:
    """What a response carries, behind its *head*."""

    head: Head
    digest: str


def response_payload(exchange: Exchange) -> Payload | None:
    """Return what the response of *exchange* carries; None when its head is incomplete or no HTTP.

    Of a truncated response it is the part that came (5.15: the payload ends where the block does).
    """
    try:
        head = read_head(exchange.response)
    except MalformedMessage:
        return None
    if head is None:
        return None
    return Payload(head, digest(payload_chunks(head, exchange.response.chunks(head.size))))


def request_payload_digest(request: bytes) -> str | None:
    """Return the digest of a request's entity body (6.5 defines it as its payload); None when it has none."""
    try:
        head = read_request_head(request)
    except MalformedMessage:
        return None
    if head is None or head.size == len(request):
        return None
    return digest(payload_chunks(head, [request[head.size :]]))


# ---- of stored records


@dataclass(frozen=True, slots=True)
class Message:
    """The HTTP message that a block is. *head* is None where none can be read; *fault* and *cut* say why."""

    kind: str  # "request" or "response"
    head: Head | None = None
    fault: str = ""  # what keeps it from being HTTP, in words
    cut: bool = False  # it ends inside its head

    @property
    def method(self) -> str:
        """Of a request; else empty."""
        return self.head.method if self.head else ""


def read_message(record: Scanned) -> Message | None:
    """Return the HTTP message in the block of *record*; None when it claims to hold none, or is empty.

    Where Content-Type is absent the URI decides: the block of a request or response to http is an HTTP message
    (WARC 1.1, 6.3.2 and 6.5.2).
    """
    if record.type not in {"request", "response", "revisit"} or not len(record.block):
        return None
    content_type = (record.fields.get("Content-Type") or "").strip()
    if content_type or record.type == "revisit":
        is_http = media_type(content_type) == "application/http"
    else:
        is_http = (record.fields.get("WARC-Target-URI") or "").lower().lstrip("<").startswith(("http:", "https:"))
    if not is_http:
        return None
    kind, read = ("request", read_request_head) if record.type == "request" else ("response", read_response_head)
    try:
        head = read_head(record.block, read)
    except MalformedMessage as error:
        return Message(kind, fault=str(error))
    return Message(kind, head, cut=head is None)


def payload(record: Scanned, message: Message | None) -> Iterator[bytes] | None:
    """Return the payload of *record* in pieces, transfer coding removed; None when it is not in this record.

    *message* is what :func:`read_message` gives. The payload of a revisit is its original's (6.7), that of a segment
    is the whole record's (5.9); warcinfo and metadata have none (4).
    """
    if "WARC-Segment-Number" in record.fields:
        return None
    if record.type in {"resource", "conversion"}:
        return record.block.chunks()  # 6.4, 6.8: it is the block
    if record.type not in {"request", "response"}:
        return None
    if message is None:
        return record.block.chunks()  # other schemes: not specified (6.3.3), and the block is what writers digest
    return payload_chunks(message.head, record.block.chunks(message.head.size)) if message.head else None


def digest_like(label: str, pieces: Iterable[bytes]) -> str | None:
    """Return *label* when *pieces* have that digest, else the one they have, in hex.

    None when *label* is no digest, or of an algorithm that cannot be computed here.
    """
    try:
        digester = Digester(label)
    except ValueError:
        return None
    for piece in pieces:
        digester.update(piece)
    return label if digester.matches else digester.label()
