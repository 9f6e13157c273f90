"""Whether a page declares itself one article: in JSON-LD, OpenGraph or microdata, as far as they can be believed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from archive.schema_org import ARTICLE_TYPES, types

MAX_BLOCKS = 50  # of JSON-LD, a page has one to ten
MAX_BLOCK_LENGTH = 1 << 20  # characters; whole live blogs are described in some 300,000
MAX_MARKED = 20  # elements looked at in microdata: a page with more than one article is a listing

_LISTING_TYPES = frozenset(("collectionpage", "searchresultspage", "profilepage"))
_WORTH_READING = re.compile(
    r"article|blogposting|\bReport\b|collectionpage|searchresultspage|profilepage", re.IGNORECASE
)
_BEFORE_VALUE = re.compile(r"\s*+(?:/[/*]\s*+)?+(?:<!(?:--|\[CDATA\[)(?:\*/)?+\s*+)?+")  # as some wrap scripts
_DECODER = json.JSONDecoder(strict=False)  # not strict: bare line breaks and tabs inside strings
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"?+|[{}]', re.DOTALL)


def declares_article(
    tree: LexborHTMLParser, meta: Mapping[str, str], data: Sequence[str], *, url: str, canonical: str | None
) -> bool:
    """Tell whether the page at *url* declares itself one article.

    *meta* holds its meta elements by name, *data* its blocks of JSON-LD. A site's front page is never one, whatever
    its template says. What is said of the page beats what is said of an object on it: a collection that names
    articles is none, and one that describes several is one only if the page's own address is among them.
    """
    if _is_front(url):
        return False
    described, named = _described(data)
    if named & _LISTING_TYPES:
        return False
    if described:
        headlines = {_headline(item) for item in described} - {""}
        own = {_place(address) for address in (url, canonical) if address}
        if len(described) == 1 or len(headlines) == 1:
            return True
        return any(_place(address) in own for item in described for address in _addresses(item))
    if named & ARTICLE_TYPES:  # in JSON-LD too broken for more
        return True
    if meta.get("og:type", "").strip().lower() in {"article", "newsarticle"} or "article:published_time" in meta:
        return True
    marked = [
        node
        for node in tree.css("[itemtype*='article' i],[itemtype*='posting' i]")[:MAX_MARKED]
        if _is_marked_article(node.attributes.get("itemtype")) and node.css_first("h1")
    ]
    return len(marked) == 1


def _headline(item: Mapping[str, Any]) -> str:
    told = item.get("headline") or item.get("name")
    return " ".join(told.lower().split()) if isinstance(told, str) else ""


def _is_marked_article(itemtype: str | None) -> bool:
    return any(name.rstrip("/").rpartition("/")[2].lower() in ARTICLE_TYPES for name in (itemtype or "").split())


def _is_front(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path in {"", "/"} and not parts.query


def _described(data: Sequence[str]) -> tuple[list[Mapping[str, Any]], set[str]]:
    """Return the articles that the JSON-LD describes, and the types of all that it describes.

    Only what stands for itself counts, at the top or as the main entity of what does, not what is part of something.
    """
    articles: list[Mapping[str, Any]] = []
    named: set[str] = set()
    for block in data[:MAX_BLOCKS]:
        if not _WORTH_READING.search(block):
            continue
        value = _loaded(block)
        if value is None:
            named |= _outermost_types(block)
        for item in _top(value, 0):
            kinds = types(item)
            named |= kinds
            if kinds & ARTICLE_TYPES:
                articles.append(item)
    return articles, named


def _loaded(block: str) -> Any:
    if len(block) > MAX_BLOCK_LENGTH:
        return None
    for text in (block, _TRAILING_COMMA.sub(r"\1", block)):
        before = _BEFORE_VALUE.match(text)
        try:
            return _DECODER.raw_decode(text, before.end() if before else 0)[0]  # what wraps scripts may follow it
        except (ValueError, RecursionError):
            continue
    return None


def _top(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list) and depth < 3:
        for item in value:
            yield from _top(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        if depth < 3:
            for key in ("@graph", "mainEntity"):
                yield from _top(value.get(key), depth + 1)


def _outermost_types(block: str) -> set[str]:
    """Return the types of the outermost objects of JSON that nothing reads."""
    found: set[str] = set()
    depth, after = 0, ""
    for token in _TOKEN.finditer(block[:MAX_BLOCK_LENGTH]):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
        else:
            if after == "@type" and depth == 1:
                found |= types({"@type": token[1]})
            after = token[1]
            continue
        after = ""
    return found


def _addresses(item: Mapping[str, Any]) -> Iterator[str]:
    for key in ("url", "@id", "mainEntityOfPage"):
        value = item.get(key)
        if isinstance(value, dict):
            value = value.get("@id") or value.get("url")
        if isinstance(value, str):
            yield value


def _place(address: str) -> str:
    """Return an address without scheme, ``www``, query, fragment and last slash."""
    place = address.strip().partition("#")[0].partition("?")[0].rpartition("://")[2]
    return place.removeprefix("www.").rstrip("/").lower()
