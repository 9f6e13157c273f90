"""Range requests (RFC 9110, 14) and conditional ones (13) over a payload that never changes."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from archive.replay.asked import Answer
from archive.replay.stored import Stored

_RANGES = re.compile(r"\s*bytes\s*=\s*(.*)", re.IGNORECASE | re.DOTALL)
_ONE = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
_PIECE_BYTES = 1 << 18


class Unsatisfiable(ValueError):
    """No part of the range lies within the payload: 416."""


def wanted(value: str | None, size: int) -> tuple[int, int] | None:
    """Return start and end (exclusive) of the one range asked for; None when all is to be sent.

    Several ranges, and what is no range of bytes, are ignored, as RFC 9110 (14.2) allows: the answer is the whole.
    Raises ``Unsatisfiable``.
    """
    match = _RANGES.fullmatch(value or "")
    if match is None or "," in match[1]:
        return None
    one = _ONE.fullmatch(match[1].strip())
    if one is None or not (one[1] or one[2]):
        return None
    if not one[1]:  # the last so many bytes
        if not int(one[2]) or not size:
            raise Unsatisfiable
        return max(0, size - int(one[2])), size
    start, end = int(one[1]), int(one[2]) + 1 if one[2] else size
    if start >= size or end <= start:
        raise Unsatisfiable
    return start, min(end, size)


def holds(if_range: str | None, etag: str, modified: str) -> bool:
    """Tell whether ``If-Range`` allows a part: what the client holds is of this very payload."""
    if not if_range:
        return True
    value = if_range.strip()
    if value.startswith(('"', "W/")):
        return value == etag
    try:
        return parsedate_to_datetime(value) == parsedate_to_datetime(modified)
    except (ValueError, TypeError):
        return False


def matches(if_none_match: str | None, etag: str) -> bool:
    """Tell whether the client has it already."""
    if not if_none_match:
        return False
    held = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in held or etag.removeprefix("W/") in held


def answer(stored: Stored, headers: list[tuple[str, str]], status: int, part: tuple[int, int] | None) -> Answer:
    """Return the payload, or its *part*, in pieces where it is long."""
    size = len(stored)
    start, end = part or (0, size)
    if part is not None:
        status = 206
        headers = [*headers, ("Content-Range", f"bytes {start}-{end - 1}/{size}")]
    if end - start <= _PIECE_BYTES or isinstance(stored.payload, bytes):
        return Answer(status, headers, stored.read(start, end - start))
    pieces = (stored.read(at, min(_PIECE_BYTES, end - at)) for at in range(start, end, _PIECE_BYTES))
    return Answer(status, headers, pieces, end - start)
