"""What a page says about itself for machines: JSON-LD, OpenGraph, other meta elements, microdata."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml.html import HtmlElement

from archive.extraction.page import finder
from archive.extraction.prose import clean, text_of
from archive.schema_org import ARTICLE_TYPES, types

Data = Mapping[str, Any]

WITH_PROPERTIES = finder("//*[@itemprop]")
DEEPEST = 12  # levels of nesting followed in JSON-LD; real pages use four
MOST_OBJECTS = 2_000  # of one page; an index page may list hundreds of items
COMMENT_BEGINS = re.compile(r"\A(?://)?\s*(?:<!--|<!\[CDATA\[)")


@dataclass(slots=True)
class Structured:
    """The machine-readable facts of a page: all JSON-LD objects, flattened, and the first value of each meta name."""

    objects: list[Data] = field(default_factory=list)
    meta: dict[str, list[str]] = field(default_factory=dict)  # lower-case name or property → contents in order
    props: dict[str, list[HtmlElement]] = field(default_factory=dict)  # itemprop → elements in order

    def first(self, *names: str) -> str | None:
        """Return the content of the first of *names* that the page has and that is not empty."""
        for name in names:
            for value in self.meta.get(name, ()):
                if value:
                    return value
        return None

    def every(self, *names: str) -> list[str]:
        """Return all non-empty contents of *names*."""
        return [value for name in names for value in self.meta.get(name, ()) if value]

    def microdata(self, name: str) -> list[str]:
        """Return the values of an ``itemprop``: its content or datetime where it has one, else its text."""
        found = []
        for element in self.props.get(name, ()):
            value = clean(element.get("content") or element.get("datetime") or text_of(element))
            if value:
                found.append(value)
        return found


def read(root: HtmlElement, *, microdata: bool = True) -> Structured:
    """Read the JSON-LD, the meta elements and, unless there is known to be none, the microdata of a page."""
    found = Structured()
    for script in root.iter("script"):
        if "ld+json" in (script.get("type") or "").lower():
            for top in _loads(script.text or ""):
                _flatten(top, found.objects, 0)
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().lower()
        content = clean(html.unescape(meta.get("content") or ""))
        if name and content:
            found.meta.setdefault(name, []).append(content)
    for element in WITH_PROPERTIES(root) if microdata else ():
        for name in (element.get("itemprop") or "").split():
            found.props.setdefault(name, []).append(element)
    return found


def _loads(text: str) -> list[Any]:
    """Return the values in a JSON-LD block, mended where the fault is a common one; nothing when it is not."""
    text = _without_comment_marks(text.strip()).removesuffix(";")
    try:
        return [json.loads(text, strict=False)]  # not strict: bare line breaks and tabs inside strings
    except (ValueError, RecursionError):
        pass
    mended = [_without_last_commas(text)]
    if "&quot;" in text or "&#34;" in text:
        mended.append(_without_last_commas(html.unescape(text)))
    for attempt in mended:
        try:
            return [json.loads(attempt, strict=False)]
        except (ValueError, RecursionError):
            continue
    return _one_after_other(mended[0])


def _without_comment_marks(text: str) -> str:
    """Return a script without the comment or CDATA section that hides it from old browsers."""
    text = COMMENT_BEGINS.sub("", text, count=1)
    bare = text.rstrip().removesuffix(";").rstrip()
    if bare.endswith(("-->", "]]>")):
        text = bare[:-3].rstrip().removesuffix("//")
    return text.strip()


def _one_after_other(text: str) -> list[Any]:
    """Return the values that stand one after the other in a single block, up to the first fault."""
    decoder = json.JSONDecoder(strict=False)
    found: list[Any] = []
    at = 0
    while len(found) < MOST_OBJECTS and (not found or text.startswith(("{", "["), at)):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(value)
        while at < len(text) and text[at] in " \r\n\t,":
            at += 1
    return found


def _without_last_commas(text: str) -> str:
    return re.sub(r",\s*([}\]])", r"\1", text)


def _flatten(value: Any, into: list[Data], depth: int) -> None:
    if depth > DEEPEST or len(into) >= MOST_OBJECTS:
        return
    if isinstance(value, list):
        for item in value:
            _flatten(item, into, depth + 1)
    elif isinstance(value, dict):
        if "@type" in value:
            into.append(value)
        for key in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart", "itemListElement", "item", "liveBlogUpdate"):
            inner = value.get(key)
            if isinstance(inner, dict | list):
                _flatten(inner, into, depth + 1)


def articles(objects: Sequence[Data]) -> list[Data]:
    """Return the objects that describe an article, in page order."""
    return [item for item in objects if types(item) & ARTICLE_TYPES]


def strings(value: Any) -> list[str]:
    """Return the texts in a value: itself, those of a list, or the ``name`` of an object."""
    return list(_strings(value, 0))


def _strings(value: Any, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        return
    if isinstance(value, str):
        text = clean(html.unescape(value))
        if text:
            yield text
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, depth + 1)
    elif isinstance(value, dict):
        yield from _strings(value.get("name") or value.get("@value"), depth + 1)


def string(item: Data | None, *keys: str) -> str | None:
    """Return the first text under *keys*, or ``None``."""
    for key in keys:
        for text in strings(item.get(key)) if item else ():
            return text
    return None


def address(value: Any) -> str | None:
    """Return the URL in a value: a string, an object with ``url`` or ``@id``, or the first of a list."""
    if isinstance(value, list):
        return next((found for found in map(address, value) if found), None)
    if isinstance(value, dict):
        value = value.get("contentUrl") or value.get("url") or value.get("@id")
        return address(value) if isinstance(value, list | dict) else (value if isinstance(value, str) else None)
    return html.unescape(value.strip()) if isinstance(value, str) and value.strip() else None


def breadcrumbs(objects: Sequence[Data]) -> list[str]:
    """Return the names along the page's BreadcrumbList, outermost first."""
    for item in objects:
        if "breadcrumblist" not in types(item) or not isinstance(item.get("itemListElement"), list):
            continue
        steps = [step for step in item["itemListElement"] if isinstance(step, dict)]
        names = []
        for step in sorted(steps, key=_position):
            inner = step.get("item")
            name = string(step, "name") or (string(inner, "name") if isinstance(inner, dict) else None)
            if name:
                names.append(name)
        if names:
            return names
    return []


def _position(step: Data) -> int:
    try:
        return int(step.get("position") or 0)
    except (TypeError, ValueError):
        return 0
