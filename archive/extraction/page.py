"""A page as it came, and its parsed tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from urllib.parse import urljoin, urlsplit

import lxml.etree
import lxml.html
from lxml.html import HtmlElement

from archive.charsets import decode, parseable
from archive.extraction.taming import flatten, may_have_many_headings, tamed

# lxml.html looks for the class of each element in Python; one class for all is found ten times faster.
ONE_CLASS = lxml.etree.ElementDefaultClassLookup(element=HtmlElement)
# An address that urljoin gives back as it is, in all its parts; most are.
WHOLE = re.compile(r"https?://[a-zA-Z0-9.-]+(?:/[\w./%~+,@:!-]*)?(?:\?[\w./%~+,@:!&=-]+)?", re.ASCII)
# An address whose path is plain to see; most are.
PATH = re.compile(r"(?:https?://[a-zA-Z0-9.-]+(?=/))?(/(?!/)[\w./%~+,;@:!-]*)(?:[?#][!-~]*)?\Z", re.ASCII)
XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,300}\?>")


@dataclass(frozen=True, slots=True)
class Page:
    """One captured page. *body* is decoded from its content coding; *captured_at* is UTC-aware."""

    body: bytes
    url: str
    content_type: str | None  # the header's value, with its parameters
    captured_at: datetime


def text_of(page: Page) -> str:
    """Return a page's text, decoded from its charset."""
    return XML_DECLARATION.sub("", decode(page.body, page.content_type), count=1)


def parse(html: str) -> HtmlElement | None:
    """Return the tree of a page's text, or ``None`` when there is nothing in it to parse.

    Trees of any depth and size are read (``huge_tree``): whoever calls this with strangers' pages bounds time and
    memory from outside.
    """
    text = parseable(tamed(html))
    if text.isspace() or not text:
        return None
    parser = lxml.html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    parser.set_element_class_lookup(ONE_CLASS)
    try:
        root = lxml.html.document_fromstring(text, parser=parser)
    except (lxml.etree.LxmlError, ValueError):
        return None
    if not isinstance(root, HtmlElement):
        return None
    flatten(root, headings=may_have_many_headings(html))
    return root


def finder(path: str) -> Callable[[HtmlElement], list[HtmlElement]]:
    """Return a function that finds the elements at an XPath, which is read once."""
    expression = lxml.etree.XPath(path)
    return lambda element: cast("list[HtmlElement]", expression(element))


def base_url(root: HtmlElement, url: str) -> str:
    """Return what relative links of the page are resolved against: its ``base``, else its own address."""
    for base in root.iter("base"):
        href = (base.get("href") or "").strip()
        if href:
            return absolute(url, href) or url
    return url


def absolute(base: str, href: str | None) -> str | None:
    """Return *href* resolved against *base*, or ``None`` when it leads to no web page."""
    if not href:
        return None
    if WHOLE.fullmatch(href):
        return href
    try:
        resolved = urljoin(base, href.strip())
    except ValueError:
        return None
    return resolved if resolved.lower().startswith(("http://", "https://")) else None


def path_of(href: str | None) -> str:
    """Return the path of an address, empty when it cannot be read."""
    plain = PATH.match(href or "")
    if plain is not None:
        return plain[1]
    try:
        return urlsplit(href or "").path
    except ValueError:
        return ""
