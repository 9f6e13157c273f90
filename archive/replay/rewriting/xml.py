"""XML: SVG, XHTML, feeds, style sheets of XSL, and whatever else a browser shows.

Its tags are read as leniently as HTML's, so that nothing a browser accepts is passed over; case counts, prefixes of
names do not, and entities that the document declares are known. In feeds, which browsers show as text and readers
follow, addresses that stand as text lead into the archive too, and so do those in the HTML that entries hold.
"""

from __future__ import annotations

import re

from archive.replay.rewriting.attributes import ASIDE, ASIDE_PREFIX, Rules
from archive.replay.rewriting.characters import encoded, expanded, xml_decoded
from archive.replay.rewriting.css import rewritten_css
from archive.replay.rewriting.html import Html
from archive.replay.rewriting.links import Links
from archive.replay.rewriting.markup import ATTRIBUTE, TAG

_OTHER = re.compile(
    r"""<!--(?:.*?-->|.*)|<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)|<\?(?P<instruction>.*?)(?:\?>|\Z)
    |<!DOCTYPE(?:[^"'\[>]|"[^"]*+"|'[^']*+')*+(?:\[(?P<subset>(?:[^"'\]<]|"[^"]*+"|'[^']*+'|<!--.*?-->|<\?.*?\?>
    |<!(?:[^>"']|"[^"]*+"|'[^']*+')*+>)*+)\][\t\n\r ]*+)?+>""".replace("\n    ", ""),
    re.DOTALL,
)
_ENTITY = re.compile(r"""<!ENTITY\s+([^\s%]+)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_PSEUDO_HREF = re.compile(r"""(\shref\s*=\s*)(?:"([^"]*)"|'([^']*)')""")
_ENCODING = re.compile(r"""(<\?xml\s[^>]*?encoding\s*=\s*)(?:"[^"]*"|'[^']*')""")
_NUMBER = re.compile(r"&#(?:(?!0*38;)[0-9]+|x(?!0*26;)[0-9a-fA-F]+);")
_ADDRESS = re.compile(r"\s*(https?://[^\s<]+)\s*\Z", re.IGNORECASE)

MAX_ENTITIES = 100  # more than that declares no document that is meant to be read

_FEEDS = {"rss", "feed", "rdf"}
_ADDRESS_TEXTS = {"link", "url", "comments", "docs", "icon", "logo", "uri", "commentrss", "origlink"}
_HTML_TEXTS = {"description", "encoded", "summary", "content"}


class Xml:
    """Rewrites one document."""

    def __init__(self, links: Links, *, scripts: bool = False, insert: str = "") -> None:
        self._links = links
        self._html = Html(links, scripts=scripts, insert=insert)
        self.rules: Rules = self._html.rules
        self._insert = insert
        self._entities: dict[str, str] = {}
        self._feed: bool | None = None  # unknown before the first tag
        self._inside = ""  # local name of the element that was opened last

    def document(self, text: str) -> str:
        """Return the document, which is to be sent in UTF-8."""
        return self.part(_ENCODING.sub(r'\1"utf-8"', text, count=1))

    def part(self, text: str) -> str:
        """Return a part of a document, as a declared entity holds one."""
        pieces: list[str] = []
        position = done = 0
        while (opening := text.find("<", position)) >= 0:
            if self._inside and opening > position:
                done = self._text(text, position, opening, pieces, done)
            if tag := TAG.match(text, opening):
                position = tag.end()
                done = self._tag(tag, text, pieces, done)
            elif other := _OTHER.match(text, opening):
                position = other.end()
                done = self._other(other, text, pieces, done)
            else:  # an end, or an error, behind which a browser reads nothing
                position = opening + 1
        if not pieces:
            return text
        pieces.append(text[done:])
        return "".join(pieces)

    def _tag(self, tag: re.Match[str], text: str, pieces: list[str], done: int) -> int:
        name = tag["name"].rpartition(":")[2].lower()
        if tag["end"]:
            self._inside = ""
            return done
        if self._feed is None:
            self._feed = name in _FEEDS
        start, end = tag.span("attributes")
        found = list(ATTRIBUTE.finditer(text, start, end + 1)) if start != end else []
        attributes = {each[1].rpartition(":")[2].lower(): self._value(each) for each in reversed(found)}
        for each in found:
            prefix, _, local = each[1].lower().rpartition(":")
            if prefix == "xmlns" or local == "xmlns" or prefix == "xml" or each.lastindex == 1:
                continue
            if prefix and local == "href":
                local = "xlink:href"
            group = each.lastindex or 1
            value = self._value(each)
            new = self._changed(name, local, value, attributes)
            if new is None or new == value:
                continue
            if new == ASIDE:
                pieces += (text[done : each.start()], ASIDE_PREFIX + local.replace(":", "-"))
                done = each.end(1)
            else:
                quote = "'" if group == 3 else '"'
                edge = quote if group == 4 else ""
                pieces += (text[done : each.start(group)], edge, encoded(new, quote), edge)
                done = each.end(group)
        self._inside = "" if text[end - 1 : end] == "/" else name
        if self._insert and name == "head":
            pieces += (text[done : tag.end()], self._insert)
            done = tag.end()
        return done

    def _value(self, attribute: re.Match[str]) -> str:
        raw = attribute[attribute.lastindex or 1] if attribute.lastindex != 1 else ""
        return xml_decoded(raw, self._entities)

    def _changed(self, element: str, name: str, value: str, attributes: dict[str, str]) -> str | None:
        if self._feed:  # a reader follows all of these, whatever element they stand on
            return self._links.to(value, "") if name in {"href", "src", "url"} and element != "guid" else None
        if "{" in value and name != "style":  # a template of XSL: what stands before its first part that is computed
            fixed, _, rest = value.partition("{")
            fixed_host = re.match(r"\s*(?:https?:)?//[^/{]+/", fixed, re.IGNORECASE)
            target = self._links.to(fixed, "") if fixed_host else None
            return None if target is None else f"{target}{{{rest}"
        return self.rules.changed(element, name, value, attributes)

    def _text(self, text: str, start: int, end: int, pieces: list[str], done: int) -> int:
        raw = text[start:end]
        if self._inside == "style":
            value = xml_decoded(raw, self._entities)
            new = rewritten_css(value, self._links)
        elif self._feed and self._inside in _ADDRESS_TEXTS:
            value = xml_decoded(raw, self._entities)
            new = self._links.to(value, "") or value if _ADDRESS.match(value) else value
        elif self._feed and self._inside in _HTML_TEXTS and "&lt;" in raw:
            value = xml_decoded(raw, self._entities)
            new = Html(self._links).part(value)
        else:
            return done
        if new == value:
            return done
        pieces += (text[done:start], new.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        return end

    def _other(self, other: re.Match[str], text: str, pieces: list[str], done: int) -> int:
        if (cdata := other["cdata"]) is not None:
            start, end = other.span("cdata")
            if self._inside == "style":
                new = rewritten_css(cdata, self._links)
            elif self._feed and self._inside in _HTML_TEXTS:
                new = Html(self._links).part(cdata)
            elif self._feed and self._inside in _ADDRESS_TEXTS and _ADDRESS.match(cdata):
                new = self._links.to(cdata, "") or cdata
            else:
                return done
            if new == cdata:
                return done
            pieces += (text[done:start], new.replace("]]>", "]]]]><![CDATA[>"))
            return end
        if (instruction := other["instruction"]) is not None:
            if not instruction.startswith("xml-stylesheet"):
                return done
            start, end = other.span("instruction")
            pieces += (text[done:start], _PSEUDO_HREF.sub(self._instruction, instruction))
            return end
        if other["subset"] is not None:
            start, end = other.span("subset")
            declared = {
                entity[1]: entity[2] or entity[3] or "" for entity in reversed(list(_ENTITY.finditer(other["subset"])))
            }
            self._entities = expanded(dict(list(declared.items())[:MAX_ENTITIES]))
            pieces += (text[done:start], _ENTITY.sub(self._entity, other["subset"]))
            return end
        return done

    def _instruction(self, match: re.Match[str]) -> str:
        target = self._links.to(xml_decoded(match[2] or match[3] or "", self._entities), "cs_")
        return match[0] if target is None else f'{match[1]}"{encoded(target)}"'

    def _entity(self, match: re.Match[str]) -> str:
        """Markup in an entity is rewritten where it is declared; addresses alone are where they are used."""
        value = match[2] if match[2] is not None else match[3]
        plain = _NUMBER.sub(lambda number: xml_decoded(number[0], {}), value)
        if "<" not in plain:
            return match[0]
        feed, inside = self._feed, self._inside
        new = self.part(plain)
        self._feed, self._inside = feed, inside
        if new == plain:
            return match[0]
        new = new.replace('"', "&#34;").replace("%", "&#37;")
        return f'<!ENTITY {match[1]} "{new}">'
