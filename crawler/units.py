"""Durations and sizes as people write them: ``90s``, ``10m``, ``1h``, ``7d``, ``2w``; ``500MB``, ``2GB``, ``64KiB``."""

from __future__ import annotations

import math
import re
from datetime import timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {
    "": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9, "t": 10**12, "tb": 10**12,
    "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}  # fmt: skip
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", re.IGNORECASE | re.ASCII)
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE | re.ASCII)

DURATIONS = "a duration such as 90s, 10m, 1h, 7d, 2w"
SIZES = "a size such as 500MB or 2GB"


def duration(text: str) -> timedelta:
    """Return the duration that *text* names, more than nothing.

    Raises ``ValueError``, whose text says what is expected.
    """
    found = _DURATION.fullmatch(text)
    try:
        length = timedelta(seconds=float(found[1]) * _SECONDS[found[2].lower()]) if found else timedelta(0)
    except OverflowError:
        length = timedelta(0)
    if length <= timedelta(0):
        raise ValueError(f"{text!r} is not {DURATIONS}")
    return length


def size(text: str) -> int:
    """Return the bytes that *text* names, at least one; ``1GB`` is 10^9 bytes, ``1GiB`` 2^30. Raises ``ValueError``."""
    found = _SIZE.fullmatch(text)
    count = float(found[1]) * _BYTES.get(found[2].lower(), 0) if found else 0
    if not 1 <= count < math.inf:
        raise ValueError(f"{text!r} is not {SIZES}")
    return int(count)
