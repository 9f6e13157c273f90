"""The appeal for donations, where it stands among the paragraphs of an article."""

from __future__ import annotations

import re
from itertools import pairwise

from lxml.html import HtmlElement

from archive.elements import text_of
from archive.rules import path_of

APPEAL_PATH = re.compile(r"^/contribute\d*(?:/|$)")
APPEAL = re.compile(  # sentences of the appeals of 2022 to 2025, in both editions
    r"^\W*a message from the moscow times|^dear readers\W*$|we have a small favou?r to ask|refuse to be silenced|"
    r"we are facing unprecedented challenges|these actions are direct attempts to silence|remind me (?:later|next)|"
    r"^as you may have heard, the moscow times|your support, no matter how small|by supporting the moscow times|"
    r"^not ready to support today|^support the moscow times!?$|^contribute today$|unjustly branded as a .foreign agent|"
    r"^once\s+monthly\s+annual$|^дорогие читатели\W*$|поддержите (?:the moscow times|нас)|напомнить позже",
    re.IGNORECASE,
)
LONGEST_APPEAL = 14  # blocks between its first and its last known sentence
HEADINGS = ("h2", "h3", "h4", "h5", "h6")


def appeal(article: HtmlElement) -> list[HtmlElement]:
    """Return the lines of an appeal that stands among the paragraphs, from its first known sentence to its last."""
    lines = [e for e in article.iter("p", *HEADINGS, "div", "a", "span") if _is_line(e)]
    known = [position for position, line in enumerate(lines) if APPEAL.search(text_of(line))]
    found = [lines[position] for position in known]
    for anchor in article.iter("a"):
        if APPEAL_PATH.search(path_of(anchor.get("href") or "")):
            parent = anchor.getparent()
            found.append(parent if parent is not None and parent.tag == "p" else anchor)
    for start, end in pairwise(known):
        if end - start <= LONGEST_APPEAL and lines[start].getparent() is lines[end].getparent():
            found.extend(line for line in lines[start:end] if line.getparent() is lines[start].getparent())
    if known and known[0] > 0:
        before = lines[known[0] - 1]
        if before.tag in HEADINGS and before.getnext() is lines[known[0]]:
            found.append(before)
    return found


def _is_line(element: HtmlElement) -> bool:
    inline = {"a", "b", "br", "em", "i", "span", "strong", "u"}
    return all(child.tag in inline for child in element) and bool(text_of(element))
