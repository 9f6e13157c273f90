"""What may be written to a terminal, and how."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import Any


def printable(text: str) -> str:
    """Return *text* on one line, with nothing in it that a terminal would act on.

    Control, format (bidirectional overrides among them), surrogate and unassigned characters become ``\\u…`` escapes.
    """
    return "".join(
        char if char.isprintable() or char == "\u00ad" else char.encode("unicode_escape").decode()
        for char in unicodedata.normalize("NFC", text)
    )


def print_json(value: dict[str, Any]) -> None:
    """Write one JSON object as one line on standard output, and flush it: a reader may be waiting for it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=not _writes_unicode()) + "\n")
    sys.stdout.flush()


def print_line(text: str) -> None:
    """Write one printable line on standard output."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(printable(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
