"""In what two catalogues, or two index segments, differ."""

from __future__ import annotations

import json
from collections.abc import Iterator


def unlike_rows(old: Iterator[str], new: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield the rows in which two dumps differ, each with what is different."""
    mine, theirs = next(old, None), next(new, None)
    while mine is not None or theirs is not None:
        if mine == theirs:
            mine, theirs = next(old, None), next(new, None)
            continue
        before, after = _row_name(mine), _row_name(theirs)
        if theirs is None or (mine is not None and before < after):
            yield " ".join(before), "is in no WARC file"
            mine = next(old, None)
        elif mine is None or after < before:
            yield " ".join(after), "was missing"
            theirs = next(new, None)
        else:
            was, is_now = json.loads(mine), json.loads(theirs)
            names = [name for name in is_now if was.get(name) != is_now[name]]
            yield " ".join(before), f"had another {', '.join(names)}"
            mine, theirs = next(old, None), next(new, None)


def _row_name(line: str | None) -> tuple[str, str]:
    if line is None:
        return ("", "")
    row = json.loads(line)
    return row["table"], row["record_id"]


def first_unlike(stored: bytes, lines: bytes) -> str:
    """Say where two segments part: the one that is stored, and the *lines* that its WARC file gives."""
    old, new = stored.splitlines(keepends=True), lines.splitlines(keepends=True)
    number = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return f"line {number + 1} is not what the WARC gives ({len(old)} lines there, {len(new)} derived)"
