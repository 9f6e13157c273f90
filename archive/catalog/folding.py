"""Names as they are compared."""

from __future__ import annotations

import functools
import unicodedata


@functools.lru_cache(maxsize=4096)  # few publishers, sections and authors fill many rows
def fold(text: str | None) -> str | None:
    """Return *text* for comparison: letter case and accents do not count."""
    if text is None:
        return None
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in apart if not unicodedata.combining(char)).split())
