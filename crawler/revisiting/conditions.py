"""Conditional requests: what a page had when it was archived, so that its server may answer that it has it still.

The validators stand in the head of the earlier capture (RFC 9110, 8.8), and are sent back to the letter (13.1).
"""

from __future__ import annotations

from typing import NamedTuple

from archive.archive import Archive
from archive.capture import Capture
from archive.payload import read_head
from archive.reference import Payload, payload_of


class Shown(NamedTuple):
    """A page as the archive has it, and the headers of a request for what has changed since; none: it has none."""

    payload: Payload
    conditions: dict[str, str]


def shown(archive: Archive, capture: Capture, *, conditional: bool) -> Shown:
    """Return what *capture* shows. Raises ``ArchiveError`` when it cannot be read: nothing may refer to it then."""
    payload = payload_of(archive.read(archive.written_place(capture)))
    return Shown(payload, _conditions(archive, capture) if conditional else {})


def _conditions(archive: Archive, capture: Capture) -> dict[str, str]:
    """Return the headers that ask whether what *capture* itself was sent with still goes."""
    with archive.read(capture.place).block as block:
        head = read_head(block)
    if head is None:
        return {}
    named = {"If-None-Match": head.get("ETag"), "If-Modified-Since": head.get("Last-Modified")}
    return {name: value.strip() for name, value in named.items() if value and value.strip().isprintable()}
