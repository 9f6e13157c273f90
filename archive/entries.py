"""What a WARC file holds for index and catalogue: its captures and its articles, read back out of the records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import BinaryIO

from archive.article import Article
from archive.capture import HEAD_BYTES, Capture, bracketed, media_type
from archive.catalog.rows import article_row
from archive.errors import MalformedRecord
from archive.place import Place
from archive.scan import Scanned, scan

ENTERED_AT_ONCE = 500  # articles a transaction: their texts are held in memory until it ends

Told = Callable[[int, str], None]  # the offset of damage, and what it is


def _untold(offset: int, message: str) -> None:
    """Whoever is not told does without the damaged records."""


def records_in(stream: BinaryIO, told: Told = _untold) -> Iterator[Scanned]:
    """Yield the records that can be read and read again; tell of all others. A record is closed when the next comes."""
    reading = scan(stream)
    for record in reading:
        with record:
            for problem in record.problems:
                told(problem.offset, problem.message)
            if record.readable:
                yield record
    for problem in reading.problems:
        told(problem.offset, problem.message)


def capture_of(record: Scanned, key: str, told: Told = _untold) -> Capture | None:
    """Return the capture that *record* of the file *key* is; None when it is none."""
    try:
        return Capture.from_record(
            record.fields, record.block.read(0, HEAD_BYTES), Place(key, record.offset, record.length)
        )
    except MalformedRecord as error:
        told(record.offset, str(error))
        return None


def article_of(record: Scanned, key: str, told: Told = _untold) -> tuple[str, Article, Place] | None:
    """Return the article that *record* holds, with the record's id and place; None when it holds none."""
    if record.type != "conversion" or media_type(record.fields.get("Content-Type")) != "application/json":
        return None
    place = Place(key, record.offset, record.length)
    try:
        article = Article.from_json(json.loads(record.block.read()))
        article_row(record.id, article, place)  # fails on values of the wrong type
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        told(record.offset, f"its article cannot be read: {error}")
        return None
    return bracketed(record.id), article, place
