"""Articles as tables and texts: JSON lines, CSV, Parquet, a folder of Markdown files."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from archive.article import Article
from archive.catalog.rows import sorted_at
from archive.catalog.search import Hit
from archive.formats import COLUMNS, csv_line, line, markdown, row, to_json
from archive.parquet import write_typed

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # what readers of partitioned Parquet take for null
_SLUG_LENGTH = 60


def write_jsonl(hits: Iterable[Hit], out: BinaryIO) -> int:
    """Write one article JSON object a line; return how many."""
    count = 0
    for hit in hits:
        out.write((to_json(hit.article.to_json()) + "\n").encode())
        count += 1
    return count


def write_csv(hits: Iterable[Hit], out: BinaryIO) -> int:
    """Write a table with one header line, in which no cell is a formula (RFC 4180); return how many articles."""
    out.write(csv_line(COLUMNS).encode())
    count = 0
    for hit in hits:
        out.write(csv_line(row(hit.article).values()).encode())
        count += 1
    return count


def write_parquet(hits: Iterable[Hit], out: BinaryIO) -> int:
    """Write one typed table; return how many articles. Raises ``ParquetMissing`` without pyarrow."""
    return write_typed((hit.article for hit in hits), out)


def write_partitions(hits: Iterable[Hit], folder: Path) -> int:
    """Write ``publisher=…/year=…/part-0.parquet`` into *folder*, of *hits* in that order; return how many articles.

    Year and publisher are in the names alone, as readers of partitioned tables expect.
    """
    count = 0
    for (publisher, year), some in groupby((hit.article for hit in hits), _partition):
        inside = folder / f"publisher={publisher}" / f"year={year}"
        inside.mkdir(parents=True, exist_ok=True)
        number = sum(1 for _ in inside.iterdir())
        with (inside / f"part-{number}.parquet").open("wb") as out:
            count += write_typed(some, out, without=("publisher",))
    if not count:
        with (folder / "part-0.parquet").open("wb") as out:
            write_typed((), out)
    return count


def _partition(article: Article) -> tuple[str, str]:
    year = sorted_at(article)[:4]
    publisher = quote(article.publisher or "", safe=" -_'(),+&") if article.publisher else NO_VALUE
    return publisher[:200], year or NO_VALUE


def write_markdown(hits: Iterable[Hit], folder: Path) -> int:
    """Write each article as a file of its own with front matter into *folder*; return how many.

    ``<publisher>/<year>/<date>-<title>-<digest>.md``: the digest is of the article's identity, so names are unique, and
    stay the same when it is exported again.
    """
    count = 0
    for hit in hits:
        path = folder / _file_name(hit)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(_file(hit.article)), encoding="utf-8", errors="replace", newline="\n")
        count += 1
    return count


def _file_name(hit: Hit) -> Path:
    article = hit.article
    when = sorted_at(article)
    digest = hashlib.sha256(hit.identity.encode("utf-8", "replace")).hexdigest()[:10]
    name = "-".join(filter(None, (when[:10], slug(article.title), digest)))
    return Path(slug(article.publisher) or "unknown", when[:4] or "undated", f"{name}.md")


def slug(text: str | None) -> str:
    """Return *text* as it may stand in a file name anywhere: ``[a-z0-9-]``, at most 60 characters, maybe empty."""
    plain = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_LENGTH].strip("-")


def _file(article: Article) -> Iterator[str]:
    """Yield front matter, in which each value is JSON and so YAML as well, and the article."""
    yield "---\n"
    for name, value in _front(article).items():
        if value not in (None, [], ""):
            yield f"{name}: {json.dumps(value, ensure_ascii=False).translate(_BREAKS)}\n"
    yield "---\n\n"
    yield markdown(article)


# Line ends to YAML, none to JSON.
_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029", 0x7F: "\\u007f"}


def _front(article: Article) -> dict[str, Any]:
    return {
        "title": line(article.title),
        "authors": [line(name) for name in article.authors],
        "date": article.published,
        "modified": article.modified,
        "publisher": article.publisher and line(article.publisher),
        "section": article.section and line(article.section),
        "tags": [line(tag) for tag in article.tags],
        "language": article.language,
        "description": line(article.description),
        "url": article.url,
        "canonical_url": article.canonical_url,
        "captured_at": article.captured_at,
        "record_id": article.record_id,
        "payload_digest": article.payload_digest,
        "text_digest": article.text_digest,
    }
