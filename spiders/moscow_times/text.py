"""The text of elements."""

from __future__ import annotations

from lxml.html import HtmlElement


def text_of(element: HtmlElement | None) -> str:
    """Return the text of an element on one line; empty when there is none."""
    return " ".join(element.text_content().split()) if element is not None else ""
