"""Pages of the system before 2015 (Bitrix, windows-1251): an element with an id, and in it parts with class names."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from archive.elements import classed, found, text_of
from archive.rules import PageView, path_of
from spiders.moscow_times import addresses
from spiders.moscow_times.addresses import ARCHIVE_PATH, ARTICLE_PATH, LEGACY_PATH
from spiders.moscow_times.pages import BYLINE

CONTENT = "//*[@id='content']"
SEPARATOR = re.compile(r"\s*,\s*|\s+and\s+")


def recognises(view: PageView) -> bool:
    """Tell whether a page is of the systems before the present one: none of its names, an address of their form."""
    path = path_of(view.url)
    if ARTICLE_PATH.search(path) or ARCHIVE_PATH.search(path):
        return False
    return not view.root.xpath("//*[@y-use or @y-name or @data-page-id or contains(@class, 'article__')]")


def article_id(url: str) -> str | None:
    """Return the identity of an article of that system: its domain .ru is the Russian edition's now."""
    return addresses.article_id(url) if LEGACY_PATH.search(path_of(url)) else None


def authors(view: PageView) -> list[str]:
    """Return all authors of the line under the headline, whose class name is spelled so."""
    lines = [BYLINE.sub("", text_of(line)) for line in classed(view.article, "autors")]
    return [name for line in lines for name in SEPARATOR.split(line) if name]


def body(view: PageView) -> list[HtmlElement]:
    """Return the text."""
    return [part for content in found(view.article, CONTENT) for part in classed(content, "text")]


def drop(view: PageView) -> list[HtmlElement]:
    """Return pictures with their captions and credits, and the buttons that lead from one to the next."""
    return classed(view.article, "photo_nav", "phototext", "photoautors")
