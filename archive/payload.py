"""What a message carries: its entity body, transfer coding removed, content coding kept, and the digest of that.

Section numbers are those of the WARC 1.1 standard.
"""

from __future__ import annotations

from dataclasses import dataclass

from archive.digests import digest
from archive.errors import MalformedMessage
from archive.exchange import Exchange
from archive.http1 import Head, find_head_end, payload_chunks, read_response_head
from archive.spool import Spool

_HEAD_READ_BYTES = 1 << 16  # longer heads are rare, and are then read again with more


@dataclass(frozen=True, slots=True)
class Payload:
    """The entity body of a response: transfer coding removed, content coding kept."""

    head: Head
    digest: str


def response_payload(exchange: Exchange) -> Payload | None:
    """Return what the response of *exchange* carries; None when its head is incomplete or no HTTP.

    Of a truncated response it is the part that came (5.15: the payload ends where the block does).
    """
    try:
        head = _response_head(exchange.response)
    except MalformedMessage:
        return None
    if head is None:
        return None
    return Payload(head, digest(payload_chunks(head, exchange.response.chunks(head.size))))


def _response_head(response: Spool) -> Head | None:
    size = _HEAD_READ_BYTES
    while True:
        data = response.read(0, size)
        head = read_response_head(data)
        if head is not None or len(data) < size:
            return head
        size *= 4


def request_payload_digest(request: bytes) -> str | None:
    """Return the digest of a request's entity body (6.5 defines it as its payload); None when it has none."""
    size = find_head_end(request)
    if size < 0 or size == len(request):
        return None
    # The fields of a request and of a response have one grammar: the reader only needs a status line before them.
    _, _, after_request_line = request[:size].partition(b"\n")
    head = read_response_head(b"HTTP/1.1 200\r\n" + after_request_line)
    return digest(payload_chunks(head, [request[size:]])) if head else None
