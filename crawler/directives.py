"""Pages that ask not to be archived (:mod:`archive.directives`): recorded, and obeyed where it is the policy."""

from __future__ import annotations

from dataclasses import replace

from scrapy.exceptions import IgnoreRequest

from archive.codings import decode_content
from archive.directives import of_headers, of_markup
from archive.errors import ContentUndecodable, MalformedMessage
from archive.exchange import Exchange
from archive.http1 import Head, payload_chunks
from archive.payload import read_head

HEAD_BYTES = 32_768  # of a page, looked at before it is kept: all of nearly every head, and half a millisecond less
RECORDED_AS = "robots-directives"  # in the metadata record of the exchange


class ArchivingRefused(IgnoreRequest):
    """The page asks not to be archived, and that is obeyed: of its answer only the head was kept."""

    def __init__(self, url: str, directives: list[str]) -> None:
        super().__init__(f"{url}: it asks not to be archived, which is obeyed: {', '.join(directives)}")
        self.directives = directives


def directives_of(exchange: Exchange) -> list[str]:
    """Return what the response of *exchange* asks for, in its head and in the meta elements of a page."""
    try:
        head = read_head(exchange.response)
        if head is None:
            return []
        found = of_headers(head.get_all("X-Robots-Tag"))
        if "html" in (head.get("Content-Type") or "").lower():
            found += of_markup(_start(exchange, head))
    except MalformedMessage:
        return []
    return list(dict.fromkeys(found))


def without_body(exchange: Exchange) -> Exchange:
    """Return *exchange* with no more of its response than the head, and marked so."""
    head = read_head(exchange.response)
    assert head is not None
    exchange.response.truncate(head.size)
    return replace(exchange, truncated="unspecified")


def _start(exchange: Exchange, head: Head) -> str:
    start = b""
    for piece in payload_chunks(head, [exchange.response.read(head.size, HEAD_BYTES)]):
        start += piece
    try:
        start = decode_content(start, head.get("Content-Encoding") or "", limit_bytes=HEAD_BYTES)
    except ContentUndecodable as error:  # as it is when only its start is given
        start = error.partial
    return start[:HEAD_BYTES].decode("latin-1")
