"""Where a record lies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A record's bytes: the storage key of its WARC file, and the span of its gzip member there.

    *key* is the final key (``warc/2026/11/21/….warc.gz``) even while the segment still carries its ``.open`` name.
    """

    key: str
    offset: int
    length: int
