"""Stored pages of publications, each with what is to be read from it: words of our own in a publication's markup.

``pages/<module>/<case>.html`` is the page as it came; ``<case>.json`` beside it names its address, the time of its
capture, its content type and the rules that read it, and under "article" the fields of the article. Its text stands
there as "paragraphs".
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import lxml.html

from archive.article import Article
from archive.charsets import decode
from archive.extraction import Page, extract
from archive.extraction.prose import blocks
from archive.rules import PageRules, Publisher

PAGES = Path(__file__).parent / "pages"
FIELDS = (
    "page_kind",
    "article_id",
    "canonical_url",
    "title",
    "authors",
    "published",
    "modified",
    "publisher",
    "section",
    "tags",
    "language",
    "paywalled",
    "paragraphs",
    "related",
    "images",
    "links",
)

FOREIGN = (
    "The reservoir above the mill was drained in September, and what had stood under water for sixty years stood dry.",
    "There was a road with its curbs, a row of stumps that had been an orchard, and the lower half of a chapel.",
    "Those who had been children there walked the road with their grandchildren and were asked where the shop was.",
    "It was filled again before the first frost. The chapel went last.",
)


@dataclass(frozen=True)
class Case:
    """One stored page, or another *body* in its place."""

    path: Path
    body: bytes | None = None

    @property
    def name(self) -> str:
        return f"{self.module}-{self.path.stem}"

    @property
    def module(self) -> str:
        return self.path.parent.name

    @property
    def expected(self) -> dict[str, Any]:
        return _expected(self.path)

    @property
    def page(self) -> Page:
        captured_at = datetime.fromisoformat(self.expected["captured_at"])
        return Page(
            self.body or self.path.read_bytes(), self.expected["url"], self.expected["content_type"], captured_at
        )

    @property
    def publisher(self) -> Publisher:
        publisher: Publisher = importlib.import_module(f"spiders.{self.module}").PUBLISHER
        return publisher

    def crowded(self) -> Case:
        """Return the case with another article's text right after the element that holds all of its own."""
        page = self.page
        root = lxml.html.document_fromstring(decode(page.body, page.content_type))
        own = [b.element for b in blocks(root) if b.text in self.expected["article"]["paragraphs"]]
        lines = [[element, *element.iterancestors()] for element in own]
        home = next(element for element in lines[0] if all(element in line for line in lines))
        other = lxml.html.fragment_fromstring("".join(f"<p>{text}</p>" for text in FOREIGN), create_parent="div")
        (root.find("body") if home.tag in {"body", "html"} else home.getparent()).insert(
            len(home) if home.tag in {"body", "html"} else home.getparent().index(home) + 1, other
        )
        encoding = "utf-8" if "charset" in page.content_type else "gb18030"
        return replace(self, body=lxml.html.tostring(root, encoding=encoding, doctype="<!DOCTYPE html>"))

    def read(self, rules: Sequence[PageRules] | None = None) -> Article:
        """Return the article of the page, read with its publisher's rules or those given."""
        return extract(self.page, self.publisher.rules if rules is None else rules)


@functools.cache
def _expected(path: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return expected


@functools.cache
def read(case: Case) -> dict[str, Any]:
    """Return the fields of the article that a case gives."""
    return shown(case.read())


def shown(article: Article) -> dict[str, Any]:
    """Return an article as cases have it: the text as paragraphs, and which rules read it."""
    fields = article.to_json()
    fields["paragraphs"] = article.text.split("\n\n") if article.text else []
    return {name: fields[name] for name in FIELDS} | {"rules": article.extractor.rules}


def cases() -> list[Case]:
    """Return every stored page, found by walking the folder."""
    return [Case(path) for path in sorted(PAGES.glob("*/*.html"))]
