"""How publishers' rules find elements in a page: by class name or XPath; and what they read from them.

classed, found          elements by class name, elements that an XPath expression finds
text_of, texts, meta    the text of an element on one line, texts of several, contents of meta elements
links, picture_in       what anchors lead to, as related articles; the address of a picture
boxes, paths, texts_at  rules: elements by class name or by XPath, the texts of elements
pictures                the rule for pictures whose captions are told by the publisher's own markup
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable

from lxml.etree import XPath
from lxml.html import HtmlElement

from archive.article import Image, Link
from archive.references import resolve
from archive.rules import Elements, ListRule, PageView

CREDIT = re.compile(r"^(.*?)[\s(|/]*(?:photograph|photo|foto|ảnh|фото)\s*:\s*([^)]+)\)?$", re.IGNORECASE)
BRACKETED = re.compile(r"^(.*?)\s*\(((?:AFP|AP|Reuters|dpa)\b[^)]*)\)$")  # an agency after the caption


def text_of(element: HtmlElement | None) -> str:
    """Return the text of an element on one line; empty when there is none."""
    return " ".join(element.text_content().split()) if element is not None else ""


def texts(elements: Iterable[HtmlElement]) -> list[str]:
    """Return the texts of elements in order, each once, without empty ones."""
    return list(dict.fromkeys(text for text in map(text_of, elements) if text))


def classed(scope: HtmlElement, *names: str) -> list[HtmlElement]:
    """Return the elements in *scope* that have one of these class names, in page order."""
    return found(scope, _by_class(names))


def found(scope: HtmlElement, expression: str) -> list[HtmlElement]:
    """Return the elements that an XPath expression finds from *scope*, in page order."""
    result = _compiled(expression)(scope)
    return [element for element in result if isinstance(element, HtmlElement)] if isinstance(result, list) else []


def meta(view: PageView, *names: str) -> list[str]:
    """Return the contents of the meta elements of these names or properties, spelled as the page has them."""
    elements = found(view.root, "//meta[@content]")
    held = [element for element in elements if {element.get("name"), element.get("property")} & set(names)]
    return [content for element in held if (content := " ".join((element.get("content") or "").split()))]


def links(anchors: Iterable[HtmlElement], base: str) -> list[Link]:
    """Return what anchors lead to, by their text; those without either are left out."""
    pairs = ((resolve(base, anchor.get("href") or ""), text_of(anchor)) for anchor in anchors)
    return [Link(url, title) for url, title in pairs if url and title]


def picture_in(holder: HtmlElement, base: str) -> str | None:
    """Return the address of the first picture in an element; of one that is loaded late, the one to be shown."""
    named = (image.get(name) or "" for image in holder.iter("img") for name in ("data-src", "src"))
    return next((url for reference in named if (url := resolve(base, reference))), None)


def boxes(*names: str) -> Elements:
    """Return the rule that finds the elements with one of these class names."""
    return paths(_by_class(names))


def paths(*expressions: str) -> Elements:
    """Return the rule that finds what these XPath expressions do, one after the other."""

    def find(view: PageView) -> list[HtmlElement]:
        return [element for expression in expressions for element in found(view.article, expression)]

    return find


def texts_at(expression: str) -> ListRule:
    """Return the rule that gives the texts of what an XPath expression finds."""

    def read(view: PageView) -> list[str]:
        return texts(found(view.article, expression))

    return read


def pictures(holders: str, caption: str) -> Callable[[PageView], list[Image]]:
    """Return the rule for the pictures in the elements that *holders*, an XPath expression, finds.

    The caption is what *caption* finds first in such an element; its end tells whose picture it is.
    """

    def read(view: PageView) -> list[Image]:
        images: dict[str, Image] = {}
        for holder in found(view.article, holders):
            url = picture_in(holder, view.base)
            text = next(iter(texts(found(holder, caption))), "")
            told = CREDIT.match(text) or BRACKETED.match(text)
            if url:
                images.setdefault(url, Image(url, (told[1] if told else text) or None, told[2] if told else None))
        return list(images.values())

    return read


def _by_class(names: Iterable[str]) -> str:
    tests = (f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')" for name in names)
    return f".//*[{' or '.join(tests)}]"


@functools.lru_cache(maxsize=1024)
def _compiled(expression: str) -> XPath:
    return XPath(expression)
