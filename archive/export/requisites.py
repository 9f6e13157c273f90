"""What pages need to be shown again, out of the archive: styles, pictures, scripts, fonts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from archive.archive import Archive
from archive.capture import Capture
from archive.errors import ExtractionFailed, NotArchived, RecordError, StorageError
from archive.examine import Examination, examine_record
from archive.pages import HTML_TYPES
from archive.workers import Workers

AHEAD = 4  # pages a worker
PAGE_BYTES = 64 << 20  # of a record as stored
LEVELS = 3  # a page's style sheet, one that this imports, and what that shows
_PARSED = HTML_TYPES | {"text/css"}


def add_requisites(
    archive: Archive, captures: Iterable[Capture], workers: Workers, add: Callable[[Capture], bool]
) -> None:
    """Hand to *add* the captures that *captures* need: of each requisite the one nearest in time to its page.

    *add* tells whether a capture is new; what new style sheets need is added as well. Pages that cannot be parsed
    need nothing. Pages are parsed in *workers*.
    """
    found: list[Capture] = []
    wanted = captures
    for _ in range(LEVELS):
        for capture, examined in _examined(archive, wanted, workers):
            for requisite in examined.requisites:
                nearest = archive.index.closest(requisite.url, capture.captured_at)
                if nearest is not None and add(nearest) and nearest.mime in _PARSED:
                    found.append(nearest)
        if not found:
            return
        wanted, found = found, []


def _examined(archive: Archive, captures: Iterable[Capture], workers: Workers) -> Iterator[tuple[Capture, Examination]]:
    under_way: deque[tuple[Capture, Future[Examination]]] = deque()
    for capture in captures:
        if capture.mime in _PARSED and capture.status in {None, 200}:
            future = _begun(archive, capture, workers)
            if future is not None:
                under_way.append((capture, future))
        while len(under_way) >= AHEAD * workers.count:
            yield from _ended(*under_way.popleft())
    while under_way:
        yield from _ended(*under_way.popleft())


def _begun(archive: Archive, capture: Capture, workers: Workers) -> Future[Examination] | None:
    try:
        place = archive.written_place(capture)
        if place.length > PAGE_BYTES:
            return None
        reference = archive.reference(place)
    except (NotArchived, RecordError, StorageError):
        return None  # it is told when the record itself is copied
    return workers.submit(
        examine_record,
        reference,
        url=capture.url,
        captured_at=capture.captured_at,
        want_article=False,
        want_requisites=True,
    )


def _ended(capture: Capture, future: Future[Examination]) -> Iterator[tuple[Capture, Examination]]:
    try:
        yield capture, future.result()
    except ExtractionFailed:
        return
