"""Sitemaps (sitemaps.org) as publishers make them: sets of addresses, news sitemaps, indexes, lists in plain text.

Read by events, without a tree, so that memory goes with what is found. Wrong namespaces, capitals and broken XML are
nothing unusual: an element is known by its name and by the one it stands in, and an entry counts once it has its
address, however it ends. What other vocabularies add about images, videos and translations is passed over.
"""

from __future__ import annotations

import re
from typing import Any

import lxml.etree

from crawler.discovery.dates import iso
from crawler.discovery.found import MAX_TITLE_LENGTH, Gathering, Reading, joined
from crawler.discovery.markup import mended, root

MAX_ADDRESSES = 200_000  # sitemaps.org allows 50,000; some publishers have never split theirs

_FED = 1 << 20  # characters given to the parser at a time: between two of these it can be left off
_ADDRESS_LINE = re.compile(r"https?://\S+", re.IGNORECASE)
_OTHERS = ("image", "video", "xhtml")  # in the address of a vocabulary, or as its prefix where that is not declared
_ENTRIES = frozenset(("url", "sitemap"))
# What is read, by the element it stands in.
_READ = {
    ("url", "loc"): "loc",
    ("url", "lastmod"): "lastmod",
    ("sitemap", "loc"): "loc",
    ("sitemap", "lastmod"): "lastmod",
    ("news", "title"): "title",
    ("news", "publication_date"): "published",
}


def read_sitemap(text: str, url: str) -> Reading:
    """Return what the sitemap or index, *text* from its first element on, lists."""
    entries = _Entries(url, index=root(text)[0].lower().endswith("sitemapindex"))
    target: Any = entries  # the stubs want a protocol that takes bytes as well
    parser: Any = lxml.etree.XMLParser(target=target, recover=True, resolve_entities=False, no_network=True)
    data = mended(text).encode("utf-8", "replace")
    broken = None
    try:
        for start in range(0, len(data), _FED):
            parser.feed(data[start : start + _FED])
            if entries.full:
                break
        else:
            parser.close()
    except (lxml.etree.LxmlError, ValueError) as error:
        broken = str(error)
    entries.finish()
    if not entries.full:
        # Undeclared prefixes are errors, too, but no harm is done by them.
        errors = parser.feed_error_log.filter_from_level(lxml.etree.ErrorLevels.FATAL)
        broken = errors[0].message[:200] if len(errors) else broken
    return Reading(
        form="sitemap-index" if entries.index else "sitemap",
        links=entries.links.found(),
        sitemaps=entries.sitemaps.found(),
        problem=joined(
            f"broken XML ({broken}), read as far as it goes" if broken else None,
            entries.links.left_out("addresses"),
            entries.sitemaps.left_out("sitemaps"),
        ),
    )


def read_list(text: str, url: str) -> Reading | None:
    """Return what a sitemap in plain text, one address a line, lists; ``None`` when anything else stands in it.

    Other texts hold addresses, too: robots.txt does, behind "Sitemap:".
    """
    lines = text.split(maxsplit=MAX_ADDRESSES)
    rest = lines.pop() if len(lines) > MAX_ADDRESSES else None
    if not lines or not all(_ADDRESS_LINE.fullmatch(line) for line in lines):
        return None
    links = Gathering(url, MAX_ADDRESSES)
    for line in lines:
        links.add(line)
    links.full = links.full or rest is not None
    return Reading("sitemap", links.found(), problem=links.left_out("addresses"))


class _Entries:
    """What the parser tells its events to."""

    def __init__(self, url: str, *, index: bool) -> None:
        self.index = index
        self.links = Gathering(url, MAX_ADDRESSES)
        self.sitemaps = Gathering(url, MAX_ADDRESSES)
        self._within: list[str] = []
        self._entry: dict[str, str] = {}
        self._of = self.links  # where the entry belongs
        self._reading: str | None = None
        self._text: list[str] = []

    @property
    def full(self) -> bool:
        return self.links.full or self.sitemaps.full

    def start(self, tag: str, _: object) -> None:
        space, _, name = tag.rpartition("}" if tag.startswith("{") else ":")
        name = name.lower()
        if any(other in space for other in _OTHERS):
            name = f"{space}:{name}"
        self._reading = _READ.get((self._within[-1], name)) if self._within else None
        self._text.clear()
        if name in _ENTRIES:
            self.finish()  # the one before may never have ended
            self._of = self.sitemaps if self.index or name == "sitemap" else self.links
            self._reading = "loc"  # some put the address there, without an element of its own
        self._within.append(name)

    def data(self, text: str) -> None:
        if self._reading is not None:
            self._text.append(text)

    def end(self, _: str) -> None:
        name = self._within.pop() if self._within else ""
        if self._reading is not None:
            text = "".join(self._text).strip()
            if text:
                self._entry.setdefault(self._reading, text)
            self._reading = None
        if name in _ENTRIES:
            self.finish()

    def finish(self) -> None:
        """Add the entry that was read, if it has its address."""
        entry = self._entry
        if "loc" in entry:
            title = " ".join(entry.get("title", "").split())[:MAX_TITLE_LENGTH]
            self._of.add(
                entry["loc"],
                title=title or None,
                published=iso(entry.get("published")),
                modified=iso(entry.get("lastmod")),
            )
        entry.clear()

    def close(self) -> None:
        """Called by the parser at the end."""
