"""The part of a page that is the address's own article, where a page holds several.

Endless scrolling appends the next article to the page one reads; a copy made by a browser then has both.
"""

from __future__ import annotations

from lxml.html import HtmlElement

from archive.extraction.page import path_of
from archive.extraction.prose import clean, letters

LEAST_PROSE = 200  # characters of paragraphs under a headline that make it an article of its own


def own_article(root: HtmlElement, url: str, titles: list[str]) -> HtmlElement | None:
    """Return the own article of *url* among several, ``None`` when the page holds one or none.

    Told by the addresses inside each (headline, share buttons), then by *titles* the page's data give, then by order.
    """
    holders = []
    for heading in root.iter("h1"):
        holder = _holder(heading)
        if holder is not None and _prose(holder) >= LEAST_PROSE:
            holders.append((heading, holder))
    if len(holders) < 2:
        return None
    path = path_of(url).rstrip("/")
    if path.strip("/"):
        named = [(_mentions(holder, path), -order, holder) for order, (_, holder) in enumerate(holders)]
        most = max(named, key=lambda entry: entry[:2])
        if most[0]:
            return most[2]
    wanted = {letters(title) for title in titles}
    for heading, holder in holders:
        if letters(heading.text_content()) in wanted:
            return holder
    # By order only where the first headline of the page has its text in paragraphs: else it is not among these.
    return holders[0][1] if next(root.iter("h1")) is holders[0][0] else None


def _holder(heading: HtmlElement) -> HtmlElement | None:
    best = None
    for ancestor in heading.iterancestors():
        if ancestor.tag in {"body", "html"} or sum(1 for _ in ancestor.iter("h1")) > 1:
            break
        best = ancestor
    return best


def _prose(holder: HtmlElement) -> int:
    return sum(len(clean(p.text_content())) for p in holder.iter("p"))


def _mentions(holder: HtmlElement, path: str) -> int:
    """Return how many attributes in *holder* hold the address's path, to its end."""
    count = 0
    for element in holder.iter():
        for value in element.attrib.values():
            at = value.find(path)
            if at >= 0 and not value[at + len(path) : at + len(path) + 1].isalnum():
                count += 1
    return count
