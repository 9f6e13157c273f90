"""Articles that are not where they were: 404 or 410, or sent on to a front page or a section.

A failed fetch is none: a server that answers 500, a block page or a time-out says nothing of the article. Each is told
once, in the run in which it was first found gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import methodcaller

from archive.archive import Archive
from archive.capture import Capture, iso
from archive.catalog.history import IsListing
from archive.catalog.identity import identity_of, normalised
from archive.standing import GONE_STATUSES, is_front
from crawler.frontier import Observed
from crawler.frontier.telling import Telling
from crawler.reports.observing import short

REDIRECTS = (301, 302, 303, 307, 308)
MAX_HOPS = 20


def vanished(archive: Archive, telling: Telling, is_listing: IsListing) -> Iterator[Observed]:
    """Yield the articles that were found gone by their status, or by where they lead, in the runs that are told of."""

    def lists(url: str) -> bool:
        return is_listing(url) or telling.lists_articles(url)

    told: set[str] = set()  # identities: one article may have had several addresses
    for page in telling.perhaps_gone([*sorted(GONE_STATUSES), *REDIRECTS]):
        article = archive.ask_catalog(methodcaller("shown_at", page.url), None)
        if article is None or (article.captured_at or "") >= telling.started:
            continue  # it never was one; or it stands elsewhere: a publisher's number keeps it one article
        capture: Capture | None = archive.ask_catalog(methodcaller("capture", page.record_id), None)
        how: str | None = f"it answers {page.status}"
        if page.status not in GONE_STATUSES:
            how = leads_nowhere(archive, telling, page.record_id, lists)
        if how is None or capture is None:
            continue
        ask = methodcaller("standing_before", capture.url, capture.captured_at, lists)
        if identity_of(article) in told or archive.ask_catalog(ask, None) == "gone":
            continue  # it was told when it was found
        told.add(identity_of(article))
        detail = {
            "captured_at": iso(capture.captured_at),
            "kind": article.page_kind,
            "published": article.published,
            "how": how,
            "last_seen": article.captured_at,
        }
        yield Observed("vanished", page.url, short(article.title) if article.title else None, json.dumps(detail))


def leads_nowhere(archive: Archive, telling: Telling, record_id: str, is_listing: IsListing) -> str | None:
    """Return how a redirect tells that its page is gone; None when it does not, as when the page has moved."""
    final = destination(archive, telling, record_id)
    if final is None:
        return None
    url, status = final
    if status in GONE_STATUSES:
        return f"it leads to {url}, which answers {status}"
    if is_front(url):
        return f"it leads to the front page, {url}"
    return f"it leads to a section, {url}" if is_listing(url) else None


def destination(archive: Archive, telling: Telling, record_id: str) -> tuple[str, int] | None:
    """Return the last page that the redirect of that capture leads to, and its status; None if it was not captured."""
    for _ in range(MAX_HOPS):
        capture: Capture | None = archive.ask_catalog(methodcaller("capture", record_id), None)
        if capture is None or capture.redirect is None:
            return None
        page = telling.page(normalised(capture.redirect)) or telling.page(capture.redirect)
        if page is None or page.record_id == record_id:
            return None
        if page.status not in REDIRECTS:
            return page.url, page.status
        record_id = page.record_id
    return None
