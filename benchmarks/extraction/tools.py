"""The extractors compared, each as one function: a page in, its fields out. Imported only when they are run."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sets import Sample


@dataclass(slots=True)
class Found:
    """What a tool found; fields a tool does not give stay ``None``."""

    text: str = ""
    title: str | None = None
    authors: list[str] | None = None
    published: str | None = None
    topics: list[str] | None = None


Tool = Callable[[Sample], Found]


def newswarc() -> Tool:
    importlib.import_module("trafilatura")  # loaded with the first page that needs it: not a page's time

    from archive.extraction import Page, extract

    def run(sample: Sample) -> Found:
        article = extract(Page(sample.html, sample.url, "text/html", sample.captured_at))
        return Found(article.text, article.title, article.authors, article.published, article.tags)

    return run


def trafilatura() -> Tool:
    from trafilatura import bare_extraction

    def run(sample: Sample) -> Found:
        document: Any = bare_extraction(sample.html, url=sample.url, with_metadata=True)
        if document is None:
            return Found()
        authors = [name.strip() for name in (document.author or "").split(";") if name.strip()]
        topics = [*(document.tags or []), *(document.categories or [])]
        return Found(document.text or "", document.title, authors, document.date, topics)

    return run


def newspaper4k() -> Tool:
    import newspaper

    def run(sample: Sample) -> Found:
        page = newspaper.Article(sample.url or "https://news.example/", language="en", fetch_images=False)
        page.download(input_html=sample.html.decode("utf-8", "replace"))
        page.parse()
        at = page.publish_date
        published = at.isoformat() if isinstance(at, datetime) else None
        return Found(
            page.text,
            page.title,
            list(page.authors),
            published,
            sorted({*(page.tags or ()), *(page.meta_keywords or ())}),
        )

    return run


def readability() -> Tool:
    import lxml.html
    from readability import Document

    def run(sample: Sample) -> Found:
        document = Document(sample.html)
        tree = lxml.html.fromstring(document.summary(html_partial=True))
        return Found("\n\n".join(" ".join(tree.itertext()).split("\n")), document.short_title())

    return run


def goose3() -> Tool:
    from goose3 import Goose

    goose = Goose({"enable_image_fetching": False})

    def run(sample: Sample) -> Found:
        page = goose.extract(raw_html=sample.html.decode("utf-8", "replace"), url=sample.url or None)
        at = page.publish_datetime_utc
        return Found(page.cleaned_text, page.title, list(page.authors), at.isoformat() if at else None, list(page.tags))

    return run


def resiliparse() -> Tool:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding
    from resiliparse.parse.html import HTMLTree

    def run(sample: Sample) -> Found:
        tree = HTMLTree.parse(bytes_to_str(sample.html, detect_encoding(sample.html)))
        text = extract_plain_text(tree, main_content=True, preserve_formatting=True, list_bullets=False, links=False)
        return Found(text, tree.title)

    return run


TOOLS: dict[str, Callable[[], Tool]] = {
    "newswarc": newswarc,
    "trafilatura": trafilatura,
    "newspaper4k": newspaper4k,
    "readability-lxml": readability,
    "goose3": goose3,
    "resiliparse": resiliparse,
}
