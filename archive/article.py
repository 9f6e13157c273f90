"""An article as extracted from one capture, and its JSON form (schema 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from archive.digests import digest

SCHEMA = 1


@dataclass(slots=True)
class Image:
    url: str
    caption: str | None = None
    credit: str | None = None


@dataclass(slots=True)
class Link:
    """A link: in the text with its anchor text, or to a related article with its title."""

    url: str
    title: str | None = None


@dataclass(slots=True)
class Alternate:
    """The same article elsewhere, as its page says: its AMP or print form, or its edition in another language.

    One with the page's own address says what the page itself is.
    """

    url: str
    kind: str  # "amp", "print", "language"
    language: str | None = None  # BCP 47


@dataclass(slots=True)
class Extractor:
    name: str = "newswarc"
    version: str = ""
    rules: str | None = None  # the publisher rules used, "moscow_times/2015"
    learned: str | None = None  # a digest of what was known of the host from its earlier pages


@dataclass(slots=True)
class Article:
    """One article as one capture showed it. The field names are the JSON contract; ``None`` and empty mean unknown."""

    url: str
    schema: int = SCHEMA
    canonical_url: str | None = None
    title: str | None = None
    authors: list[str] = field(default_factory=list)
    published: str | None = None  # ISO 8601: with offset when the page gives one, a date alone when only that
    modified: str | None = None
    publisher: str | None = None
    section: str | None = None
    tags: list[str] = field(default_factory=list)
    language: str | None = None  # BCP 47
    description: str | None = None
    text: str = ""  # paragraphs parted by one blank line
    image: str | None = None
    images: list[Image] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    related: list[Link] = field(default_factory=list)
    paywalled: bool | None = None
    page_kind: str = "article"
    article_id: str | None = None
    captured_at: str | None = None  # ISO 8601, UTC, microseconds, Z
    record_id: str | None = None  # the response record's, as in WARC-Record-ID
    payload_digest: str | None = None
    text_digest: str | None = None
    extractor: Extractor = field(default_factory=Extractor)
    sources: dict[str, str] = field(default_factory=dict)  # field name → where it came from
    alternates: list[Alternate] = field(default_factory=list)
    genre: str | None = None  # what it is besides news: "opinion", "interview", "review"; see archive.extraction.genres
    next_page: str | None = None  # of an article that goes on at another address
    robots_directives: list[str] = field(
        default_factory=list
    )  # "noarchive", "googlebot: noindex" (archive/directives.py)
    page_evidence: list[str] = field(default_factory=list)  # by what a page was told that stands in an article's place

    def to_json(self) -> dict[str, Any]:
        """Return the schema 1 object, every field present."""
        return asdict(self)

    def storable(self) -> Article:
        """Return the article without halves of surrogate pairs: a page may name them, but they have no form in UTF-8.

        A question mark stands in the place of each.
        """
        try:
            _texts(self).encode()
        except UnicodeEncodeError:
            text = json.dumps(self.to_json(), ensure_ascii=False)
            return Article.from_json(json.loads(text.encode(errors="replace")))
        return self

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Article:
        """Read a schema 1 object; keys of later schemas are ignored.

        Raises ``ValueError`` when it has no ``url``.
        """
        if not isinstance(data.get("url"), str):
            raise ValueError("article JSON has no url")
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["images"] = [Image(**item) for item in values.get("images") or []]
        for name in ("links", "related"):
            values[name] = [Link(**item) for item in values.get(name) or []]
        values["alternates"] = [Alternate(**item) for item in values.get("alternates") or []]
        if values.get("extractor"):
            own = {f.name for f in fields(Extractor)}
            values["extractor"] = Extractor(**{k: v for k, v in values["extractor"].items() if k in own})
        return cls(**values)


def _texts(article: Article) -> str:
    """Return every text in an article, in one."""
    plain = [getattr(article, f.name) for f in fields(article)]
    listed = [item for value in plain if isinstance(value, list) for item in value]
    inner = [getattr(item, f.name) for item in listed if not isinstance(item, str) for f in fields(item)]
    return " ".join(text for text in (*plain, *listed, *inner) if isinstance(text, str))


def text_digest(text: str) -> str:
    """Return ``sha256:`` and the hex digest of *text* in UTF-8: equal digests mean an equal text."""
    return digest(text.encode())
