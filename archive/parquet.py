"""Articles as one Parquet table, in row groups, so that any number of them fits in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO

from archive.article import Article
from archive.errors import ArchiveError

GROUP_ROWS = 1000


class ParquetMissing(ArchiveError):
    """pyarrow is not installed."""


def require_parquet() -> None:
    """Raise ``ParquetMissing`` when pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401, PLC0415 - an optional dependency
    except ImportError as error:
        raise ParquetMissing("parquet needs pyarrow: pip install 'newswarc[parquet]'") from error


def write_parquet(articles: Iterable[tuple[Article, Mapping[str, Any]]], out: BinaryIO) -> None:
    """Write *articles*, each with its ``source`` and ``problem``, to *out*.

    Lists and nested values keep their types. Raises ``ParquetMissing`` without pyarrow.
    """
    require_parquet()
    import pyarrow as pa  # noqa: PLC0415 - an optional dependency
    from pyarrow import parquet  # noqa: PLC0415 - as above

    text = pa.string()
    link = pa.struct([("url", text), ("title", text)])
    schema = pa.schema(
        [
            ("url", text),
            ("schema", pa.int16()),
            *((name, text) for name in ("canonical_url", "title")),
            ("authors", pa.list_(text)),
            *((name, text) for name in ("published", "modified", "publisher", "section")),
            ("tags", pa.list_(text)),
            *((name, text) for name in ("language", "description", "text", "image")),
            ("images", pa.list_(pa.struct([("url", text), ("caption", text), ("credit", text)]))),
            ("links", pa.list_(link)),
            ("related", pa.list_(link)),
            ("paywalled", pa.bool_()),
            *((name, text) for name in ("page_kind", "article_id", "captured_at", "record_id", "payload_digest")),
            ("text_digest", text),
            ("extractor", pa.struct([(name, text) for name in ("name", "version", "rules", "learned")])),
            ("sources", pa.map_(text, text)),
            ("alternates", pa.list_(pa.struct([("url", text), ("kind", text), ("language", text)]))),
            *((name, text) for name in ("genre", "next_page")),
            ("source", pa.struct([("path", text), ("record_id", text)])),
            ("problem", text),
        ]
    )
    with parquet.ParquetWriter(out, schema) as writer:
        for rows in _groups(articles):
            writer.write_table(pa.Table.from_pylist(rows, schema))


def lines_to_parquet(lines: BinaryIO, out: BinaryIO) -> None:
    """Write what stands in *lines*, JSON lines of articles with ``source`` and ``problem``, to *out*."""
    write_parquet(_read(lines), out)


def _read(lines: BinaryIO) -> Iterator[tuple[Article, Mapping[str, Any]]]:
    for line in lines:
        item = json.loads(line)
        yield Article.from_json(item), {name: item[name] for name in ("source", "problem")}


def _groups(articles: Iterable[tuple[Article, Mapping[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    rows = ({**article.to_json(), **extra} for article, extra in articles)
    while group := [{**row, "sources": list(row["sources"].items())} for row in islice(rows, GROUP_ROWS)]:
        yield group
