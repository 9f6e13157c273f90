"""The text of elements: blocks of prose with the links in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml.etree import Comment, Entity, ProcessingInstruction, iterwalk
from lxml.html import HtmlElement

INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")  # soft hyphens, zero-width spaces and joiners of layout
CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
NOT_LETTERS = re.compile(r"[\W_]+")

BLOCK_TAGS = frozenset(
    """address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr html li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905 - a list of forty strings is harder to read
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
CELLS = frozenset(("td", "th"))
BREAK = "\x00"  # stands for a line break among collected pieces: no page's text holds it
BAR = " | "
UNREAD_TAGS = frozenset(
    """audio button canvas datalist embed head iframe input link map math meta noscript object option picture script
    select source style svg template textarea title video""".split()  # noqa: SIM905 - as above
)


INLINE, BLOCK, SILENT, ANCHOR, LINE_BREAK = range(5)
KINDS: dict[object, int] = {
    **dict.fromkeys(BLOCK_TAGS, BLOCK),
    **dict.fromkeys(UNREAD_TAGS, SILENT),
    **dict.fromkeys((Comment, ProcessingInstruction, Entity), SILENT),  # what lxml has for the tags of these
    "a": ANCHOR,
    "br": LINE_BREAK,
}


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
    line = " ".join(text.split())
    return line if line.isprintable() else " ".join(CONTROL.sub(" ", INVISIBLE.sub("", line)).split())


def letters(text: str) -> str:
    """Return the letters and digits of *text* without case: what two renderings of it have in common."""
    return NOT_LETTERS.sub("", text).casefold()


def text_of(element: HtmlElement) -> str:
    """Return all the visible text of an element on one line, blocks and breaks parted by a space."""
    return " ".join(block.text.replace("\n", " ") for block in blocks(element))


def blocks(element: HtmlElement, skip: Iterable[HtmlElement] = ()) -> list[Block]:
    """Return the blocks of prose under *element* in reading order.

    Two line breaks in a row part paragraphs, as older systems wrote them; one alone stays a line break in its
    paragraph. A row of a table of data is one block, its cells parted by a bar. Elements in *skip* are passed over,
    the text after them is not.
    """
    return _Reader(set(skip)).read(element)


class _Reader:
    """Collects inline text until a block element begins or ends."""

    def __init__(self, skip: set[HtmlElement]) -> None:
        self._skip = skip
        self._blocks: list[Block] = []
        self._pieces: list[str] = []
        self._anchors: list[tuple[str, int, int]] = []  # href, and the pieces it spans
        self._open: list[tuple[str, int]] = []  # the anchors the reader is inside of, and where they began
        self._breaks = 0

    def read(self, top: HtmlElement) -> list[Block]:
        owners = [top]  # the block elements the reader is inside of
        skip, row = self._skip, None
        walker = iterwalk(top, events=("start", "end"))
        for event, element in walker:
            kind = KINDS.get(element.tag, INLINE)
            if event == "start":
                if kind == SILENT or (skip and element in skip):
                    walker.skip_subtree()
                    continue
                if kind == BLOCK:
                    if row is None:
                        if self._pieces or self._breaks:
                            self._flush(owners[-1])
                        if element.tag == "tr" and _is_data(element):
                            row = element
                        owners.append(element)
                    elif element.tag in CELLS and element.getprevious() is not None:
                        self._pieces.append(BAR)
                elif kind == ANCHOR:
                    if self._breaks > 1:
                        self._flush(owners[-1])
                    self._open.append((element.get("href") or "", len(self._pieces)))
                elif kind == LINE_BREAK:
                    self._breaks += 1
                text = element.text
            else:
                if element is owners[-1]:
                    if self._pieces or self._breaks:
                        self._flush(element)
                    row = None
                    if element is not top:
                        owners.pop()
                elif kind == ANCHOR and self._open and not (skip and element in skip):
                    href, began = self._open.pop()
                    if href and began < len(self._pieces):
                        self._anchors.append((href, began, len(self._pieces)))
                if element is top:
                    break
                text = element.tail
            if text and (self._pieces or not text.isspace()):
                if self._breaks:
                    self._break(text, owners[-1])
                self._pieces.append(text)
        self._flush(top)
        return self._blocks

    def _break(self, text: str, owner: HtmlElement) -> None:
        """Turn the line breaks before *text* into a new block, or into one in this block."""
        if text.isspace():
            return
        if self._breaks > 1:
            self._flush(owner)
        elif self._pieces:
            self._pieces.append(BREAK)
        self._breaks = 0

    def _flush(self, owner: HtmlElement) -> None:
        self._breaks = 0
        pieces = self._pieces
        if not pieces:
            return
        text = _lines(pieces)
        if text and not self._anchors and not self._open:
            self._blocks.append(Block(text, owner))
        elif text:
            spans = [*self._anchors, *((href, began, len(pieces)) for href, began in self._open if href)]
            spans.sort(key=lambda span: span[1])
            links = [
                (href, title)
                for href, began, end in spans
                if (title := clean("".join(pieces[began:end]).replace(BREAK, " ")))
            ]
            self._blocks.append(Block(text, owner, links, sum(len(title) for _, title in links)))
        # A link around several blocks is a link in each of them.
        self._pieces, self._anchors, self._open = [], [], [(href, 0) for href, _ in self._open]


def _lines(pieces: list[str]) -> str:
    """Return collected text, each line of it clean, without empty ones."""
    text = "".join(pieces)
    if BREAK not in text:
        return clean(text)
    return "\n".join(line for line in map(clean, text.split(BREAK)) if line)


def _is_data(row: HtmlElement) -> bool:
    """Tell whether a table's row holds data: several cells with words in them and no blocks; else it is layout."""
    cells = [cell for cell in row if cell.tag in CELLS]
    return len(cells) > 1 and not any(
        inner.tag in BLOCK_TAGS or inner.tag in ("br", "img") for cell in cells for inner in cell.iterdescendants()
    )
