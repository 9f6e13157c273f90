"""Articles as one Parquet table, in row groups, so that any number of them fits in memory."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
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

    extra = [("source", pa.struct([("path", pa.string()), ("record_id", pa.string())])), ("problem", pa.string())]
    schema = pa.schema([*_columns(pa), *extra])
    with parquet.ParquetWriter(out, schema) as writer:
        for rows in _groups(articles):
            writer.write_table(pa.Table.from_pylist(rows, schema))


def write_typed(articles: Iterable[Article], out: BinaryIO, *, without: Collection[str] = ()) -> int:
    """Write *articles* to *out* with times as times, *without* some columns; return how many there were.

    ``captured_at`` is a time in UTC; ``published`` and ``modified`` stay as the page says, ``published_at`` and
    ``modified_at`` are these in UTC, of a day alone its beginning. Raises ``ParquetMissing`` without pyarrow.
    """
    require_parquet()
    import pyarrow as pa  # noqa: PLC0415 - an optional dependency
    from pyarrow import parquet  # noqa: PLC0415 - as above

    moment = pa.timestamp("us", tz="UTC")
    columns = [(name, moment if name == "captured_at" else kind) for name, kind in _columns(pa)]
    columns += [("published_at", moment), ("modified_at", moment)]
    schema = pa.schema([column for column in columns if column[0] not in without])
    count = 0
    with parquet.ParquetWriter(out, schema) as writer:
        for rows in _groups((article, _times(article)) for article in articles):
            writer.write_table(pa.Table.from_pylist(rows, schema))
            count += len(rows)
    return count


def _times(article: Article) -> dict[str, datetime | None]:
    told = {"captured_at": article.captured_at, "published_at": article.published, "modified_at": article.modified}
    return {name: _moment(written) for name, written in told.items()}


def _moment(written: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(written or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _columns(pa: Any) -> list[tuple[str, Any]]:
    """Return the columns of an article, lists and nested values with their types; *pa* is pyarrow."""
    text = pa.string()
    link = pa.struct([("url", text), ("title", text)])
    return [
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
    ]


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
