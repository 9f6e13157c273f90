"""Sets of pages with what people found in them, in the layouts they come in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One page and its gold. ``None`` means that the gold says nothing of a field; empty, that the page has none."""

    name: str
    publication: str
    language: str
    url: str
    html: bytes
    captured_at: datetime
    text: str  # summary, sub-headings and paragraphs, parted by blank lines
    paragraphs: str  # the paragraphs alone
    title: str | None = None
    authors: tuple[str, ...] | None = None
    published: str | None = None
    topics: tuple[str, ...] | None = None


def load(folder: Path) -> list[Sample]:
    """Return the samples of a folder in a layout that is known.

    ``index.jsonl`` beside pages (a line a page: ``url``, ``file``, ``crawl_date``, ``gold``), or the ScrapingHub
    article extraction benchmark's ``ground-truth.json`` beside ``html/*.html.gz``.

    Raises ``SystemExit`` when it is neither.
    """
    if (folder / "index.jsonl").is_file():
        return list(_indexed(folder))
    if (folder / "ground-truth.json").is_file():
        return list(_scrapinghub(folder))
    raise SystemExit(f"{folder}: neither index.jsonl nor ground-truth.json is there; no layout that is known")


def _indexed(folder: Path) -> Iterator[Sample]:
    for line in (folder / "index.jsonl").read_text("utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        gold = row["gold"]
        body = gold["body"]
        paragraphs = [text for section in body["sections"] for text in section["paragraphs"]]
        whole = [*body["summary"]]
        for section in body["sections"]:
            whole += [*section["headline"], *section["paragraphs"]]
        yield Sample(
            row["id"],
            row["publisher"],
            row["language"][0],
            row["url"],
            gzip.decompress((folder / row["file"]).read_bytes()),
            datetime.fromisoformat(row["crawl_date"]).replace(tzinfo=UTC),
            "\n\n".join(whole),
            "\n\n".join(paragraphs),
            gold.get("title"),
            tuple(gold["authors"]) if "authors" in gold else None,
            gold.get("publishing_date"),
            tuple(gold["topics"]) if "topics" in gold else None,
        )


def _scrapinghub(folder: Path) -> Iterator[Sample]:
    for key, row in json.loads((folder / "ground-truth.json").read_text("utf-8")).items():
        text = row.get("articleBody") or ""
        html = gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes())
        yield Sample(key[:8], key, "en", row.get("url") or "", html, datetime.now(UTC), text, text)
