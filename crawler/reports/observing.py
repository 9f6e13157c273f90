"""What a fresh reading of an article shows beside what the archive held of it before.

    new         it was never read before
    changed     title, authors, text … are others: an edit was observed
    touched     its time of last change is another, and nothing shows what was changed
    returned    it is there again after it was gone
    vanished    a page says that it is not there any more (a soft 404); other vanished ones are found at a run's end
    repeated    only paragraphs differ that by now stand on several pages of the site, which is told at a run's end
    hidden      a block page, consent wall, stub, error page or list stood in its place, which says nothing of it
    unread      the earlier capture can no longer be read as this one was, so they cannot be compared

Like is compared with like: what two extractors read differently is no change. So when readings differ and come of
different extractors, both captures are read again, the same way, before anything is called a change.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from operator import methodcaller
from typing import Any

from archive.archive import Archive
from archive.article import Article
from archive.catalog.history import Earlier, IsListing
from archive.catalog.identity import form_of
from archive.extraction.learned import fingerprint, is_of_the_text
from archive.standing import SHOWN_KINDS, is_front, says_it_is_gone
from archive.versions import Changes, Rewritten, alike, changes
from crawler.frontier import Observed
from crawler.publication import Publication

LONGEST = 400  # characters of a title or paragraph that are kept: the archive has the whole
MOST_PARAGRAPHS = 12  # of each way of changing
MOST_LISTED = 20  # authors or tags
MOST_MARKS = 1_000  # fingerprints of paragraphs
CONTEXT = 120  # characters of a paragraph before what was rewritten in it
MORE = "… "

Reread = Callable[[Article, Article], Awaitable[tuple[Article | None, Article | None]]]  # both, the same way


def earlier(archive: Archive, article: Article, is_listing: IsListing) -> Earlier:
    """Return what the archive held of *article* before; a catalogue that cannot be used holds nothing."""
    return archive.ask_catalog(methodcaller("earlier", article, is_listing), Earlier())


def listings_of(publication: Publication) -> IsListing:
    """Return what tells whether an address is that of a front page or section of *publication*."""

    def is_listing(url: str) -> bool:
        return is_front(url) or (publication.owns(url) and publication.kind(url) == "section")

    return is_listing


async def observe(article: Article, before: Earlier, reread: Reread) -> list[Observed]:
    """Return what *article*, just read, shows beside *before*. *reread* reads both captures again."""
    if form_of(article) is not None:  # its print version: an edit is told once
        return []
    shown = article.page_kind in SHOWN_KINDS
    if before.article is None:
        return [_observed("new", article, {})] if shown else []
    seen = {"last_seen": before.article.captured_at}
    if not shown:
        if not says_it_is_gone(article):
            return [_observed("hidden", before.article, {"by": article.page_kind, **seen}, article)]
        if before.standing == "gone":
            return []
        how = "its page says that it is not there"
        return [_observed("vanished", before.article, {"how": how, **seen}, article)]
    found = []
    if before.standing == "gone":
        found.append(_observed("returned", article, {}))
    if article.payload_digest is not None and before.article.payload_digest == article.payload_digest:
        return found
    return found + await _compared(before.article, article, reread)


async def _compared(before: Article, after: Article, reread: Reread) -> list[Observed]:
    difference = changes(before, after)
    if difference and not alike(before, after):
        old, new = await reread(before, after)
        if old is None or new is None or not {old.page_kind, new.page_kind} <= SHOWN_KINDS:
            return [_observed("unread", after, {"before": before.captured_at})]
        difference = changes(old, new)
    if not difference:
        return []
    what = "touched" if difference.only_modified else "changed"
    return [_observed(what, after, {"before": before.captured_at, **told(difference)})]


def told(difference: Changes) -> dict[str, Any]:
    """Return *difference* as it stands in a report: of long texts the beginning, of many paragraphs the first."""
    text = difference.text
    ways: dict[str, list[Any]] = {
        "added": [short(one) for one in text.added[:MOST_PARAGRAPHS]],
        "removed": [short(one) for one in text.removed[:MOST_PARAGRAPHS]],
        "changed": [_around(one) for one in text.changed[:MOST_PARAGRAPHS]],
        "moved": [short(one) for one in text.moved[:MOST_PARAGRAPHS]],
    }
    return {
        "fields": {name: {"before": _cut(old), "after": _cut(new)} for name, (old, new) in difference.fields.items()},
        "paragraphs": {way: len(getattr(text, way)) for way in ways},
        "text": {way: some for way, some in ways.items() if some},
        "marks": {way: [fingerprint(one) for one in getattr(text, way)[:MOST_MARKS]] for way in ("added", "removed")},
    }


def without_furniture(detail: dict[str, Any], repeated: frozenset[int]) -> bool:
    """Take paragraphs out of *detail* that by now are known to stand on several pages of the site; tell what is left.

    The first pages of a redesigned site are read before anything of it is known.
    """
    marks: dict[str, list[int | None]] = detail.pop("marks", {})
    for way, kept in marks.items():
        told = chain(detail["text"].get(way, ()), repeat(""))
        furniture = [mark in repeated and not is_of_the_text(line) for mark, line in zip(kept, told, strict=False)]
        if any(furniture):
            shown = detail["text"].pop(way)
            if left := [one for one, is_furniture in zip(shown, furniture, strict=False) if not is_furniture]:
                detail["text"][way] = left
            detail["paragraphs"][way] -= sum(furniture)
    return bool(detail.get("fields")) or any(detail.get("paragraphs", {}).values())


def _around(one: Rewritten) -> dict[str, str]:
    """Return a paragraph before and after, from a little before the first word that differs."""
    pairs = zip(one.before, one.after, strict=False)
    same = next((at for at, (old, new) in enumerate(pairs) if old != new), 0)
    start = one.before.rfind(" ", 0, same - CONTEXT) + 1 if same > CONTEXT + len(MORE) else 0
    cut = (f"{MORE if start else ''}{short(text[start:])}" for text in (one.before, one.after))
    return dict(zip(("before", "after"), cut, strict=True))


def _observed(what: str, article: Article, detail: dict[str, Any], seen: Article | None = None) -> Observed:
    at = (seen or article).captured_at
    url = (seen or article).url
    detail = {"captured_at": at, "kind": article.page_kind, "published": article.published, **detail}
    return Observed(what, url, short(article.title) if article.title else None, json.dumps(detail, ensure_ascii=True))


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [short(str(one)) for one in value[:MOST_LISTED]]
    return short(value) if isinstance(value, str) else value


def short(text: str) -> str:
    """Return *text*, or its beginning when it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
