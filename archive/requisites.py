"""What a page needs to be shown again: the images, styles, scripts, fonts and icons it names.

Pure functions from the bytes of a page or style sheet to absolute addresses, in document order, each once, without
fragments. A page is read as a browser without scripts reads it (``noscript`` is markup); the many attributes in which
lazy loaders hide an image are read too.

What counts is what ``wget --page-requisites`` takes, with these differences: audio and video only on request (one film
outweighs a year of pages), frames only of the page's own site (foreign ones are advertisements and embedded posts),
and the pictures that ``og:image`` and its kin name, since a library shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.charsets import decode
from archive.css import css_addresses, decode_css
from archive.references import refresh_target, resolve, srcset_urls

Kind = Literal[
    "image", "stylesheet", "script", "font", "icon", "manifest", "frame", "media", "print"
]  # print: a page's print version
Attributes = dict[str, str | None]

MAX_REQUISITES = 2_000  # a page of a news site has 50 to 400; ten thousand are an attack or a mistake

_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp", ".ico", ".jxl")
_FONT_SUFFIXES = (".woff2", ".woff", ".ttf", ".otf", ".eot")
# Where lazy loaders keep addresses: lazysizes, lozad, WordPress plug-ins, Flickity, news sites' own.
_LAZY: tuple[str, ...] = (
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-lazy",
    "data-lazyload",
    "data-echo",
    "data-img-src",
)
_LAZY += (
    "data-image-src",
    "data-hi-res-src",
    "data-full-src",
    "data-default-src",
    "data-flickity-lazyload",
    "data-url",
)
_LAZY_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set", "data-flickity-lazyload-srcset", "data-bgset")
_BACKGROUNDS = ("background", "data-bg", "data-background", "data-background-image")
_ON_ANY_ELEMENT = {"style", *_BACKGROUNDS, *_LAZY_SETS}
_META_IMAGES = {"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"}
_PRELOADS: dict[str, Kind] = {"image": "image", "style": "stylesheet", "script": "script", "font": "font"}
_TEMPLATE = re.compile(r"[{}<>]|\[\[|%7B", re.IGNORECASE)  # filled in by a script: "/img_{width}.jpg"


@dataclass(frozen=True, slots=True)
class Requisite:
    """Something a page or style sheet needs; *url* is absolute, http or https."""

    url: str
    kind: Kind


@dataclass(slots=True)
class PageNeeds:
    """What one look at a page gives: its requisites, whether some were *cut* off, and where its meta refresh leads."""

    requisites: list[Requisite] = field(default_factory=list)
    cut: bool = False
    refresh: str | None = None


def page_requisites(
    body: bytes, url: str, content_type: str | None = None, *, media: bool = False, limit: int = MAX_REQUISITES
) -> list[Requisite]:
    """Return what the page *body*, its content coding undone, needs; with *media* its audio and video too.

    At most *limit* of them. A stranger's page can hold the parser for long: call this in a worker.
    """
    return page_needs(body, url, content_type, media=media, limit=limit).requisites


def page_needs(
    body: bytes, url: str, content_type: str | None = None, *, media: bool = False, limit: int = MAX_REQUISITES
) -> PageNeeds:
    """As :func:`page_requisites`, and the target of a meta refresh, from one parse."""
    # "replace": a lone surrogate, out of UTF-7, has no form in UTF-8.
    parser = LexborHTMLParser(decode(body, content_type).encode("utf-8", "replace"))
    reader = _PageReader(url, media, _Gatherer(_base(parser, url), limit))
    root = parser.root
    if root is not None:
        for node in root.traverse():
            reader.read(node)
    return PageNeeds(list(reader.gatherer.found.values()), reader.gatherer.cut, reader.refresh)


def css_requisites(
    body: bytes, url: str, charset: str | None = None, *, limit: int = MAX_REQUISITES
) -> list[Requisite]:
    """Return what the style sheet needs: the sheets it imports, its fonts and images. *charset* is the header's."""
    gatherer = _Gatherer(url, limit)
    gatherer.add_css(decode_css(body, charset))
    return list(gatherer.found.values())


def _base(parser: LexborHTMLParser, url: str) -> str:
    for node in parser.css("base[href]"):
        return resolve(url, node.attributes["href"] or "") or url  # the first one counts (HTML Standard, 4.2.3)
    return url


class _Gatherer:
    """Collects addresses: each once, at most *limit*."""

    def __init__(self, base: str, limit: int) -> None:
        self.base, self.limit = base, limit
        self.found: dict[str, Requisite] = {}
        self._seen: set[str] = set()  # references as they stand; pages repeat them
        self.cut = False

    def add(self, reference: str | None, kind: Kind) -> None:
        if not reference or reference in self._seen:
            return
        self._seen.add(reference)
        url = resolve(self.base, reference)
        if url is None or url in self.found:
            return
        if len(self.found) >= self.limit:
            self.cut = True
        else:
            self.found[url] = Requisite(url, kind)

    def add_all(self, srcset: str | None) -> None:
        for reference in srcset_urls(srcset or ""):
            self.add(reference, "image")

    def add_css(self, text: str) -> None:
        for reference, use in css_addresses(text):
            if use == "import":
                self.add(reference, "stylesheet")
            else:
                self.add(reference, "font" if use == "font" or _path(reference).endswith(_FONT_SUFFIXES) else "image")


class _PageReader:
    """Knows which attribute of which element holds what."""

    def __init__(self, url: str, media: bool, gatherer: _Gatherer) -> None:
        self.gatherer = gatherer
        self.refresh: str | None = None
        self._url, self._media = url, media
        self._host = (urlsplit(url).hostname or "").removeprefix("www.")
        self._by_tag: dict[str, Callable[[LexborNode, Attributes], None]] = {
            "img": self._image,
            "source": self._source,
            "link": self._link,
            "script": self._script,
            "style": self._style,
            "meta": self._meta,
            "video": self._video,
            "audio": self._video,
            "track": self._video,
            "input": self._input,
            "image": self._svg_image,
            "use": self._svg_image,
            "feimage": self._svg_image,
            "iframe": self._frame,
            "frame": self._frame,
            "object": self._object,
            "embed": self._object,
        }

    def read(self, node: LexborNode) -> None:
        attributes: Attributes = node.attributes
        handle = self._by_tag.get((node.tag or "").lower())
        if handle:
            handle(node, attributes)
        for name in attributes.keys() & _ON_ANY_ELEMENT:
            self._any_element(name, attributes[name])

    def _any_element(self, name: str, value: str | None) -> None:
        if not value:
            return
        if name in _LAZY_SETS:
            if not _TEMPLATE.search(value):
                self.gatherer.add_all(value)
        elif "(" in value:  # some loaders want url(…) in a data attribute, too
            self.gatherer.add_css(value)
        elif name == "background" or (name != "style" and _plausible(value)):
            self.gatherer.add(value, "image")

    def _image(self, _: LexborNode, attributes: Attributes) -> None:
        self.gatherer.add(attributes.get("src"), "image")
        self.gatherer.add_all(attributes.get("srcset"))
        self._lazy(attributes, "image")

    def _lazy(self, attributes: Attributes, kind: Kind) -> None:
        for name in _LAZY:
            value = attributes.get(name)
            if value and _plausible(value):
                self.gatherer.add(value, kind)

    def _source(self, node: LexborNode, attributes: Attributes) -> None:
        if node.parent is not None and node.parent.tag in {"video", "audio"}:
            self._video(node, attributes)
        else:  # of a picture; lazy loaders give it a src, too
            self._image(node, attributes)

    def _link(self, _: LexborNode, attributes: Attributes) -> None:
        relations = set((attributes.get("rel") or "").lower().split())
        href = attributes.get("href")
        if "stylesheet" in relations:
            self.gatherer.add(href, "stylesheet")
        elif relations & {"icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon", "fluid-icon"}:
            self.gatherer.add(href, "icon")
        elif "manifest" in relations:
            self.gatherer.add(href, "manifest")
        elif "modulepreload" in relations:
            self.gatherer.add(href, "script")
        elif "image_src" in relations:
            self.gatherer.add(href, "image")
        elif "preload" in relations:
            self.gatherer.add_all(attributes.get("imagesrcset"))
            purpose = (attributes.get("as") or "").lower()
            if purpose in _PRELOADS:
                self.gatherer.add(href, _PRELOADS[purpose])
            elif purpose in {"audio", "video", "track"} and self._media:
                self.gatherer.add(href, "media")

    def _script(self, _: LexborNode, attributes: Attributes) -> None:
        self.gatherer.add(attributes.get("src"), "script")
        self._lazy(attributes, "script")  # consent managers and page-speed plug-ins hold scripts back so

    def _style(self, node: LexborNode, _: Attributes) -> None:
        self.gatherer.add_css(node.text())

    def _meta(self, node: LexborNode, attributes: Attributes) -> None:
        name = (attributes.get("property") or attributes.get("name") or "").lower()
        if name in _META_IMAGES:
            self.gatherer.add(attributes.get("content"), "image")
        elif name == "msapplication-tileimage":
            self.gatherer.add(attributes.get("content"), "icon")
        elif (attributes.get("http-equiv") or "").strip().lower() == "refresh":
            self._refresh(node, attributes.get("content") or "")

    def _refresh(self, node: LexborNode, content: str) -> None:
        # In noscript it is for readers without scripts, and often leads to a page that says so.
        if self.refresh is None and (node.parent is None or node.parent.tag != "noscript"):
            target = resolve(self.gatherer.base, refresh_target(content) or "")
            self.refresh = target if target != self._url else None  # a front page that reloads itself

    def _video(self, _: LexborNode, attributes: Attributes) -> None:
        self.gatherer.add(attributes.get("poster"), "image")
        poster = attributes.get("data-poster")
        if poster and _plausible(poster):
            self.gatherer.add(poster, "image")
        if self._media:
            self.gatherer.add(attributes.get("src"), "media")
            self._lazy(attributes, "media")

    def _input(self, _: LexborNode, attributes: Attributes) -> None:
        if (attributes.get("type") or "").lower() == "image":
            self.gatherer.add(attributes.get("src"), "image")

    def _svg_image(self, _: LexborNode, attributes: Attributes) -> None:
        self.gatherer.add(attributes.get("href") or attributes.get("xlink:href"), "image")

    def _frame(self, _: LexborNode, attributes: Attributes) -> None:
        for name in ("src", "data-src", "data-lazy-src"):
            url = resolve(self.gatherer.base, attributes.get(name) or "")
            if url and self._own_site(url):
                self.gatherer.add(url, "frame")

    def _object(self, _: LexborNode, attributes: Attributes) -> None:
        reference = attributes.get("data") or attributes.get("src") or ""
        if (attributes.get("type") or "").lower().startswith("image/") or _path(reference).endswith(_IMAGE_SUFFIXES):
            self.gatherer.add(reference, "image")
        elif self._media:
            self.gatherer.add(reference, "media")

    def _own_site(self, url: str) -> bool:
        """Tell whether *url* is on the page's host, or on one above or below it (www left out)."""
        host = (urlsplit(url).hostname or "").removeprefix("www.")
        return host == self._host or host.endswith("." + self._host) or self._host.endswith("." + host)


def _plausible(value: str) -> bool:
    """Tell an address from the other things that stand in data attributes: numbers, JSON, templates, names."""
    value = value.strip()
    return ("/" in value or _path(value).endswith(_IMAGE_SUFFIXES)) and " " not in value and not _TEMPLATE.search(value)


def _path(reference: str) -> str:
    return re.split("[?#]", reference, maxsplit=1)[0].strip().lower()
