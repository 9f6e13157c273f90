"""From what is asked for to the captures and articles that it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from archive import cdxj
from archive.archive import Archive
from archive.capture import Capture
from archive.catalog.search import Hit
from archive.errors import NotArchived
from archive.export.chosen import Chosen
from archive.export.permit import may_go_out
from archive.export.requisites import add_requisites
from archive.workers import Workers


@dataclass(frozen=True, slots=True)
class Filters:
    """What ``newswarc articles`` takes. All None: everything."""

    query: str | None = None
    publisher: str | None = None
    author: str | None = None
    section: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    limit: int | None = None

    @property
    def everything(self) -> bool:
        return not any(value is not None for value in asdict(self).values())

    def words(self) -> str:
        """Return what is asked for in one line, for the record that says what a file is a part of."""
        named = {name: value for name, value in asdict(self).items() if value is not None}
        return ", ".join(f"{name} {value}" for name, value in named.items())


def choose(
    archive: Archive,
    filters: Filters,
    urls: tuple[str, ...],
    chosen: Chosen,
    *,
    with_articles: bool,
    workers: Workers | None = None,
) -> int:
    """Put into *chosen* what goes out; return how many captures may not.

    All captures, without filters or *urls*; the captures of *urls*; the captures that articles were extracted from
    which *filters* find. Where a revisit is among them, the capture that it stands for is, too. *with_articles*: the
    conversion records of the chosen captures as well. With *workers*, which parse pages, what they need to be shown is
    chosen, too. Raises ``NotArchived`` for a URL that has no capture.
    """
    kept_back = 0

    def add(capture: Capture) -> bool:
        nonlocal kept_back
        if may_go_out(archive, capture):
            return chosen.add(capture)
        kept_back += 1
        return False

    for capture in _captures(archive, filters, urls):
        add(capture)
    if workers is not None and not (filters.everything and not urls):
        add_requisites(archive, chosen.captures(), workers, add)
    for capture in chosen.captures():
        original = archive.original(capture) if capture.record_type == "revisit" else None
        if original is not None:
            add(original)
    if with_articles:
        for capture in chosen.captures():
            for place in archive.catalog.conversions(capture.record_id):
                chosen.add_article(place)
    return kept_back


def _captures(archive: Archive, filters: Filters, urls: tuple[str, ...]) -> Iterator[Capture]:
    for url in urls:
        found = list(archive.captures(url))
        if not found:
            raise NotArchived(f"{url}: not in {archive.storage.location}; archive it with: newswarc archive {url}")
        yield from found
    if not filters.everything:
        for hit in hits(archive, filters, ()):
            capture = archive.catalog.capture(hit.article.record_id or "")
            if capture is not None:
                yield capture
    elif not urls:
        for line in archive.index.lines(b"", b"\xff"):
            yield cdxj.parse(line)


def hits(archive: Archive, filters: Filters, urls: tuple[str, ...], *, by_partition: bool = False) -> Iterator[Hit]:
    """Yield the articles that *filters* find, newest first, of those at *urls* alone when there are any.

    *by_partition*: by publisher and year first. Raises ``QueryError`` as ``Catalog.articles`` does.
    """
    asked: dict[str, Any] = asdict(filters)
    wanted = {url.partition("#")[0] for url in urls}
    for hit in archive.catalog.each(**asked, by_partition=by_partition, urls=sorted(wanted)):
        capture = archive.catalog.capture(hit.article.record_id or "")
        if capture is None or may_go_out(archive, capture):
            yield hit
