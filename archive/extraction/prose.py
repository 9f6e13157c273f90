"""The text of elements: blocks of prose with the links in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml.html import HtmlElement

INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")  # soft hyphens, zero-width spaces and joiners of layout
CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
SPACE = re.compile(r"\s+")
NOT_LETTERS = re.compile(r"[\W_]+")

BLOCK_TAGS = frozenset(
    """address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr html li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905 - a list of forty strings is harder to read
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
SILENT = frozenset(
    """audio button canvas datalist embed head iframe input link map math meta noscript object option picture script
    select source style svg template textarea title video""".split()  # noqa: SIM905 - as above
)


@dataclass(slots=True)
class Block:
    """One paragraph, heading or list item as text, with the links in it and the element it stands in."""

    text: str
    element: HtmlElement
    links: list[tuple[str, str]] = field(default_factory=list)  # href as written, anchor text
    linked: int = 0  # characters of the text that are anchor text

    @property
    def tag(self) -> str:
        return str(self.element.tag)


def clean(text: str) -> str:
    """Return *text* on one line: runs of white space as one space, control and layout characters gone."""
    return SPACE.sub(" ", CONTROL.sub(" ", INVISIBLE.sub("", text))).strip()


def letters(text: str) -> str:
    """Return the letters and digits of *text* without case: what two renderings of it have in common."""
    return NOT_LETTERS.sub("", text).casefold()


def text_of(element: HtmlElement) -> str:
    """Return all the visible text of an element on one line, blocks and breaks parted by a space."""
    return " ".join(block.text.replace("\n", " ") for block in blocks(element))


def blocks(element: HtmlElement, skip: Iterable[HtmlElement] = ()) -> list[Block]:
    """Return the blocks of prose under *element* in reading order.

    Two line breaks in a row part paragraphs, as older systems wrote them; one alone stays a line break in its
    paragraph. Elements in *skip* are passed over, the text after them is not.
    """
    return list(_Reader(set(skip)).read(element))


class _Reader:
    """Collects inline text until a block element begins or ends."""

    def __init__(self, skip: set[HtmlElement]) -> None:
        self._skip = skip
        self._pieces: list[str] = []
        self._anchors: list[tuple[str, list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []  # the anchors the reader is inside of
        self._breaks = 0

    def read(self, top: HtmlElement) -> Iterator[Block]:
        # An explicit stack: pages nest deeper than the interpreter recurses.
        stack: list[tuple[str, HtmlElement, HtmlElement]] = [("enter", top, top)]
        while stack:
            step, element, owner = stack.pop()
            if step == "text":
                yield from self._flush_on_double_break(owner)
                self._add(element.text or "")
                continue
            if step == "tail":
                if element.tail and element.tail.strip():
                    yield from self._flush_on_double_break(owner)
                self._add(element.tail or "")
                continue
            if step == "leave":
                if element.tag in BLOCK_TAGS:
                    yield from self._flush(element)
                elif element.tag == "a" and self._open:
                    self._open.pop()
                continue
            if not isinstance(element.tag, str) or element.tag in SILENT or element in self._skip:
                continue
            if element.tag == "br":
                self._breaks += 1
                continue
            if element.tag in BLOCK_TAGS:
                yield from self._flush(owner)
                owner = element
            stack.append(("leave", element, owner))
            for child in reversed(element):
                stack.append(("tail", child, owner))
                stack.append(("enter", child, owner))
            if element.tag == "a":
                yield from self._flush_on_double_break(owner)
                self._begin(element.get("href") or "")
            if element.text and element.text.strip():
                stack.append(("text", element, owner))
            else:
                self._add(element.text or "")
        yield from self._flush(top)

    def _add(self, text: str) -> None:
        if not text:
            return
        text = SPACE.sub(" ", CONTROL.sub(" ", INVISIBLE.sub("", text)))
        if self._breaks == 1 and self._pieces and text.strip():
            self._pieces.append("\n")
        if text.strip():
            self._breaks = 0
        self._pieces.append(text)
        for _, anchor in self._open:
            anchor.append(text)

    def _begin(self, href: str) -> None:
        anchor = (href, list[str]())
        self._open.append(anchor)
        if href:
            self._anchors.append(anchor)

    def _flush_on_double_break(self, owner: HtmlElement) -> Iterator[Block]:
        if self._breaks > 1:
            yield from self._flush(owner)

    def _flush(self, owner: HtmlElement) -> Iterator[Block]:
        self._breaks = 0
        if not self._pieces and not self._anchors:
            return
        lines = "".join(self._pieces).split("\n")
        text = "\n".join(line for line in (SPACE.sub(" ", part).strip() for part in lines) if line)
        anchors = [(href, SPACE.sub(" ", "".join(pieces)).strip()) for href, pieces in self._anchors]
        self._pieces, self._anchors = [], []
        still_open, self._open = self._open, []
        for href, _ in still_open:  # a link around several blocks is a link in each of them
            self._begin(href)
        if text:
            links = [(href, title) for href, title in anchors if title]
            yield Block(text, owner, links, sum(len(title) for _, title in links))
