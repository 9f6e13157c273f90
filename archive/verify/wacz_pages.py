"""The lists of pages in a WACZ package, line by line."""

from __future__ import annotations

import hashlib
import json

from archive.capture import parse_iso


def address_digest(url: str) -> bytes:
    """Return what an address is remembered by: some addresses are long, and there may be millions."""
    return hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=12).digest()


def page_fault(line: bytes, number: int, shown: set[bytes]) -> tuple[str, str] | None:
    """Return what is wrong with a line of a list of pages, of which the first says what it is."""
    try:
        page = json.loads(line)
    except ValueError as error:
        return "wacz-page", f"no JSON ({error})"
    if not isinstance(page, dict):
        return "wacz-page", "no object"
    if number == 1 and "format" in page:
        return None if page["format"] == "json-pages-1.0" else ("wacz-page", f"its format is {page['format']!r}")
    if number == 1:
        return "wacz-page", "the first line is no header with a format"
    url = page.get("url")
    if not isinstance(url, str) or not isinstance(page.get("ts"), str):
        return "wacz-page", "a page without url or ts"
    try:
        parse_iso(page["ts"])
    except ValueError:
        return "wacz-page", f"its ts is {page['ts'][:40]!r}"
    if address_digest(url) not in shown:
        return "wacz-page-unknown", f"{url[:200]} was not captured"
    return None
