"""What no page needs and parsers choke on is taken out first, in time that grows with the page's length alone.

libxml2 looks through all attributes of an element for each further one: 40,000 take seconds, 400,000 minutes. Whatever
walks a tree by recursion ends at some depth. And some of what is looked for on a page costs the square of how often it
is there; the largest real pages, live blogs of years, have some 100,000 tags.
"""

from __future__ import annotations

import re
from itertools import islice

from lxml.etree import XPath
from lxml.html import HtmlElement

MOST_ATTRIBUTES = 200  # of one element; real ones have a few dozen
LONG_TAG = 4_000  # characters without a value; shorter tags hold no more attributes than can be borne
MOST_VALUES = 4_000  # of attributes, on a whole page; fewer can be borne even in one tag
MOST_DEPTH = 400  # browsers nest no deeper than 512 (Blink, kMaximumHTMLParserDOMTreeDepth)
MOST_TAGS = 250_000
MOST_HEADINGS = {("h1",): 50, ("h2", "h3", "h4", "h5", "h6"): 3_000}
MOST_NESTED = 10  # of one name inside one another, of those below: each is read with all that is in it
NESTED = ("aside", "blockquote", "figcaption", "figure", "footer", "form", "p", "time", *sum(MOST_HEADINGS, ()))
LEAST_DEPTH = 32  # of a page in which it is worth looking for such; most are flatter

_AT_LEAST_DEPTH = XPath("/*" * LEAST_DEPTH)
# An element at that depth which has others in it; the path is followed by libxml2, level by level.
_AT_MOST_DEPTH = XPath("/*" * MOST_DEPTH + "[*]")
# A tag, quoted values and all. It takes whatever it looks at, so that no character is looked at twice.
_TAG = re.compile(r"""<[a-zA-Z](?:[^>"'=]++|=\s*+"[^"]*+"|=\s*+'[^']*+'|[="'])*+""")
# The start of a tag that is very long without a value, and of one with very many.
_LONG = re.compile(rf"""<[a-zA-Z][^>"'=]{{{LONG_TAG},}}+""")
_CROWDED = re.compile(
    rf"""<[a-zA-Z][^>"'=]*+(?:(?:=\s*+"[^"]*+"|=\s*+'[^']*+'|[="'])[^>"'=]*+){{{MOST_ATTRIBUTES},}}+"""
)
_HEADING = re.compile("<[hH][1-6]")
_ATTRIBUTE = re.compile(r"""[^\s=/"'<>]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?""")


def tamed(text: str) -> str:
    """Return the markup *text* with no more than ``MOST_ATTRIBUTES`` in a tag, cut behind ``MOST_TAGS`` tags."""
    text = _with_fewer(_LONG, text)
    if text.count("=") > MOST_VALUES:
        text = _with_fewer(_CROWDED, text)
    if len(text) > 3 * MOST_TAGS and text.count("<") > MOST_TAGS:
        at = -1
        for _ in range(MOST_TAGS + 1):
            at = text.index("<", at + 1)
        text = text[:at]
    return text


def _with_fewer(crowded: re.Pattern[str], text: str) -> str:
    """Return *text* with fewer attributes in the tags that begin as *crowded* says."""
    kept: list[str] = []
    at = 0
    for start in crowded.finditer(text):
        tag = _TAG.match(text, start.start())
        if tag is not None and tag.start() >= at:
            kept += text[at : tag.start()], _fewer_attributes(tag)
            at = tag.end()
    return "".join(kept) + text[at:] if kept else text


def _fewer_attributes(tag: re.Match[str]) -> str:
    for number, attribute in enumerate(_ATTRIBUTE.finditer(tag[0], 1)):
        if number == MOST_ATTRIBUTES:
            return tag[0][: attribute.end()]
    return tag[0]


def may_have_many_headings(text: str) -> bool:
    """Tell whether there may be more headings in the markup *text* than ``MOST_HEADINGS``; cheaply, so not surely."""
    return next(islice(_HEADING.finditer(text), min(MOST_HEADINGS.values()), None), None) is not None


def flatten(root: HtmlElement, *, headings: bool = True) -> None:
    """Make plain text of what is nested deeper than ``MOST_DEPTH``; headings past ``MOST_HEADINGS`` are paragraphs.

    What is nested in more than ``MOST_NESTED`` of its own name is a ``div``. Without *headings* there are known to be
    too few of them to look.
    """
    if _AT_LEAST_DEPTH(root):
        _flatten_deep(root)
    for tags, most in MOST_HEADINGS.items() if headings else ():
        for heading in islice(root.iter(*tags), most, None):
            heading.tag = "p"


def _flatten_deep(root: HtmlElement) -> None:
    deep: list[HtmlElement] = _AT_MOST_DEPTH(root)  # type: ignore[assignment]  # elements, as the path says
    for element in deep:
        text = " ".join("".join(element.itertext()).split())
        for child in list(element):
            element.remove(child)
        element.text = text
    nested = [
        element
        for element in root.iter(*NESTED)
        if next(islice(element.iterancestors(element.tag), MOST_NESTED - 1, None), None) is not None
    ]
    for element in nested:
        element.tag = "div"
