"""HTML: what refers to something is rewritten, all else is copied as it is, errors and all.

No tree is built: a page of errors is one that browsers mend in their own ways, and it must reach them as it was. The
price is that in a few places only a tree tells what a browser will read as text and what as markup (``style`` within
``select`` in older browsers, unclosed elements within ``foreignObject``). What leads out of the archive there, the
policy that the page is sent with stops.
"""

from __future__ import annotations

import re

from archive.replay.rewriting.attributes import ASIDE, ASIDE_PREFIX, NEED_ALL, Rules
from archive.replay.rewriting.characters import decoded, encoded
from archive.replay.rewriting.css import rewritten_css
from archive.replay.rewriting.links import Links
from archive.replay.rewriting.markup import (
    ATTRIBUTE,
    BEFORE_CONTENT,
    BREAKOUT,
    DULL,
    DULL_FOREIGN,
    INTEGRATION,
    RAW_TEXT,
    TAG,
    raw_text_end,
)

MAX_SRCDOC_DEPTH = 4  # documents within attributes of documents; each level doubles its ampersands

_FONT_BREAKS = {"color", "face", "size"}
_FOREIGN_STYLE = re.compile(r"(<!\[CDATA\[)?([^<]*+(?:<(?!/|!\[CDATA\[)[^<]*+)*+)", re.ASCII)


class Html:
    """Rewrites one document, or a part of it."""

    def __init__(self, links: Links, *, scripts: bool = False, insert: str = "", depth: int = 0) -> None:
        self.rules = Rules(links, self._srcdoc)
        self._links = links
        self._scripts = scripts
        self._insert = insert
        self._depth = depth
        self._known: dict[tuple[str, str, str, str], str | None] = {}
        self._foreign: list[str] = []  # open svg and math, and what may hold HTML in them
        self.steps = 0  # tokens looked at: what the time depends on

    def document(self, text: str) -> str:
        """Return a whole document; *insert* goes before its head's content."""
        if not self._insert:
            return self.part(text)
        found = BEFORE_CONTENT.match(text)
        start = found.end() if found else 0
        return f"{self.part(text[:start])}{self._insert}{self.part(text[start:])}"

    def part(self, text: str) -> str:
        """Return a part of a document that begins and ends between two tags."""
        pieces: list[str] = []
        position = done = 0
        while True:
            in_foreign = bool(self._foreign) and self._foreign[-1] in INTEGRATION
            if dull := (DULL_FOREIGN if in_foreign else DULL).match(text, position):
                position = dull.end()
            tag = TAG.match(text, position)
            if not tag:  # the end, also one inside a tag or comment, which browsers drop
                break
            self.steps += 1
            position = tag.end()
            name = tag["name"].lower()
            if tag["end"]:
                if self._foreign:
                    self._close(name)
                continue
            start, end = tag.span("attributes")
            self_closing = False
            if start != end:
                done, self_closing = self._attributes(name, text, start, end, pieces, done)
            if in_foreign or name in {"svg", "math"}:
                self._open(name, text[start:end], self_closing=self_closing)
                if name == "style" and in_foreign and self._foreign and self._foreign[-1] in INTEGRATION:
                    position, done = self._foreign_style(text, position, pieces, done)
                    continue
                if not (in_foreign and not (self._foreign and self._foreign[-1] in INTEGRATION)):
                    continue
                if name in INTEGRATION["svg"] | INTEGRATION["math"]:
                    continue
            if name in RAW_TEXT or (name == "noscript" and self._scripts):
                content = position
                position = raw_text_end(text, name, content)
                if name == "style":
                    new = rewritten_css(text[content:position], self._links)
                elif name == "noscript":  # raw text to a browser that runs scripts; to others, markup
                    new = Html(self._links, depth=self._depth).part(text[content:position])
                else:
                    continue
                pieces += (text[done:content], new)
                done = position
            elif name == "plaintext":
                break
        if not pieces:
            return text
        pieces.append(text[done:])
        return "".join(pieces)

    # ---- tags

    def _attributes(
        self, element: str, text: str, start: int, end: int, pieces: list[str], done: int
    ) -> tuple[int, bool]:
        """Append what changes from *start* to *end*; return how far *text* is done, and if the tag closes itself."""
        found = list(ATTRIBUTE.finditer(text, start, end + 1))
        attributes: dict[str, str] = {}
        if element in NEED_ALL:
            for each in reversed(found):  # of two with one name the first counts
                attributes[each[1].lower()] = decoded(each[2] or each[3] or each[4] or "")
        for each in found:
            name = each[1].lower()
            raw = each[each.lastindex or 1] if each.lastindex != 1 else ""
            if attributes:
                new = self._changed(element, name, raw, attributes)
            else:
                key = (element, name, raw, self._links.base)  # a document in an attribute has a cache of its own
                if key in self._known:
                    new = self._known[key]
                else:
                    new = self._known[key] = self._changed(element, name, raw, attributes)
            if new is None:
                continue
            if new == ASIDE:
                pieces += (text[done : each.start()], ASIDE_PREFIX)
                done = each.start()
            elif each.lastindex != 1:
                group = each.lastindex or 1
                if group == 4:
                    pieces += (text[done : each.start(4)], '"', encoded(new), '"')
                else:
                    pieces += (text[done : each.start(group)], encoded(new, '"' if group == 2 else "'"))
                done = each.end(group)
        unquoted_slash = bool(found) and found[-1].end() == end
        return done, text[end - 1] == "/" and not unquoted_slash

    def _changed(self, element: str, name: str, raw: str, attributes: dict[str, str]) -> str | None:
        value = decoded(raw)
        new = self.rules.changed(element, name, value, attributes)
        return None if new == value else new

    def _srcdoc(self, value: str) -> str:
        if self._depth >= MAX_SRCDOC_DEPTH:
            return ""
        base, modifier = self._links.base, self._links.page_modifier
        self._links.page_modifier = "if_"
        inner = Html(self._links, scripts=self._scripts, insert=self._insert, depth=self._depth + 1)
        new = inner.document(value)
        self._links.base, self._links.page_modifier = base, modifier
        self.steps += inner.steps
        return new

    # ---- SVG and MathML

    def _open(self, name: str, attributes: str, *, self_closing: bool) -> None:
        foreign = self._foreign
        top = foreign[-1] if foreign and foreign[-1] in INTEGRATION else None
        if top is None:
            if not self_closing:
                foreign.append(name)
        elif name in BREAKOUT or (
            name == "font" and _FONT_BREAKS & {each[1].lower() for each in ATTRIBUTE.finditer(attributes)}
        ):
            while foreign and foreign[-1] in INTEGRATION:
                foreign.pop()
        elif not self_closing and name in {top, "svg", *INTEGRATION[top]}:
            if name == "annotation-xml" and "html" not in attributes.lower():
                return  # it holds HTML only if its encoding says so
            foreign.append(name)

    def _close(self, name: str) -> None:
        foreign = self._foreign
        if foreign[-1] == name:
            foreign.pop()
        elif name in {"p", "br"}:
            while foreign and foreign[-1] in INTEGRATION:
                foreign.pop()
        elif foreign[-1] in INTEGRATION and name in foreign:
            while foreign.pop() != name:
                pass

    def _foreign_style(self, text: str, position: int, pieces: list[str], done: int) -> tuple[int, int]:
        """In SVG the content of ``style`` is text with character references, or a CDATA section."""
        while (found := _FOREIGN_STYLE.match(text, position)) and found.end() > position:
            end = found.end()
            if found[1]:
                end = text.find("]]>", found.start(2))
                end = len(text) if end < 0 else end
            start = found.start(2)
            css = text[start:end]
            if not found[1] and "<" in css:  # markup: the tokenizer reads on
                end = css.index("<") + start
                css = text[start:end]
            value = css if found[1] else decoded(css)
            new = rewritten_css(value, self._links)
            if new != value:
                pieces += (text[done:start], new if found[1] else encoded(new, "'").replace("&#39;", "'"))
                done = end
            position = end + 3 if found[1] else end
            if not found[1] and not text.startswith("<![CDATA[", position):
                break
        return min(position, len(text)), done
