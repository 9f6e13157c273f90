"""What a record's block holds: an HTTP message, and the payload in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archive.digests import Digester
from archive.errors import MalformedMessage
from archive.http1 import MAX_HEAD_BYTES, Head, find_head_end, payload_chunks, read_response_head

if TYPE_CHECKING:
    from archive.scan.record import Scanned

_STATUS_LINE = b"HTTP/1.1 200\r\n"


@dataclass(slots=True)
class Message:
    """The HTTP message that a block is. *head* is None where none can be read; *fault* and *cut* say why."""

    kind: str  # "request" or "response"
    head: Head | None = None
    method: str = ""  # of a request
    fault: str = ""  # what keeps it from being HTTP, in words
    cut: bool = False  # it ends inside its head


def read_message(record: Scanned) -> Message | None:
    """Return the HTTP message in the block of *record*; None when it claims to hold none, or is empty.

    Where Content-Type is absent the URI decides: the block of a request or response to http is an HTTP message
    (WARC 1.1, 6.3.2 and 6.5.2).
    """
    if record.type not in {"request", "response", "revisit"} or not len(record.block):
        return None
    media_type = (record.fields.get("Content-Type") or "").partition(";")[0].strip().lower()
    if not media_type and record.type != "revisit":
        uri = (record.fields.get("WARC-Target-URI") or "").lower().lstrip("<")
        media_type = "application/http" if uri.startswith(("http:", "https:")) else ""
    if media_type != "application/http":
        return None
    opening = record.block.read(0, MAX_HEAD_BYTES)
    return _request(opening) if record.type == "request" else _response(opening)


def _response(opening: bytes) -> Message:
    try:
        head = read_response_head(opening)
    except MalformedMessage as error:
        return Message("response", fault=str(error))
    return Message("response", head, cut=head is None)


def _request(opening: bytes) -> Message:
    size = find_head_end(opening)
    if size < 0:
        return Message("request", cut=True)
    line, _, rest = opening[:size].lstrip(b"\r\n").partition(b"\n")
    method, _, target = line.strip().partition(b" ")
    if b" HTTP/" not in target.upper():
        return Message("request", fault=f"its request line is {line[:80]!r}")
    # The fields of requests and of responses have one grammar; the reader only wants a status line before them.
    head = read_response_head(_STATUS_LINE + rest)
    if head is not None:
        head = replace(head, size=size, status=None, version=target.rpartition(b"/")[2].decode("latin-1"))
    return Message("request", head, method=method.decode("latin-1").upper())


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
