"""Pages in, results out: in order, a bounded number under way, each page in a process that may die."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

from archive.article import Article, Extractor
from archive.capture import iso
from archive.errors import ExtractionFailed
from archive.examine import Examination, examine
from archive.extraction.learned import LeftOut
from archive.learning import Learning
from archive.pages import StoredPage
from archive.version import VERSION
from archive.workers import Workers

# A page that takes long holds back those behind it, which are done meanwhile and wait for their turn.
AHEAD = 64  # pages a worker
AHEAD_BYTES = 32 << 20  # of payloads; one page is always under way
UNREADABLE = "unreadable"  # the kind of a page that was given up
NO_PAGE = "other"  # of what is no HTML, whatever its type says


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one page. *problem* says what could not be read; *failed*: it was given up, and nothing was."""

    page: StoredPage
    article: Article
    problem: str | None
    failed: bool
    left_out: tuple[LeftOut, ...] = ()  # when it was asked for


def results(
    pages: Iterable[StoredPage],
    workers: Workers,
    learning: Learning | None = None,
    *,
    learn: bool = False,
    explain: bool = False,
) -> Iterator[Result]:
    """Yield one result for each page, in the order of *pages*, which are taken as there is room.

    They are read with what *learning* knows of their hosts, and with *learn* add to it; *explain* asks what was left
    out of each text. Raises ``WorkersUnavailable``.
    """
    under_way: deque[tuple[StoredPage, Future[Examination]]] = deque()
    waiting_bytes = 0
    for page in pages:
        while under_way and (
            len(under_way) >= AHEAD * workers.count or waiting_bytes + len(page.payload) > AHEAD_BYTES
        ):
            oldest, future = under_way.popleft()
            waiting_bytes -= len(oldest.payload)
            yield _result(oldest, future, learning if learn else None)
        future = workers.submit(
            examine,
            page.payload,
            url=page.url,
            content_type=page.content_type,
            content_encoding=page.content_encoding,
            captured_at=page.captured_at,
            want_article=True,
            want_requisites=False,
            learned=learning.known(page.url) if learning and page.url else None,
            explain=explain,
        )
        under_way.append((page, future))
        waiting_bytes += len(page.payload)
    while under_way:
        yield _result(*under_way.popleft(), learning if learn else None)


def _result(page: StoredPage, future: Future[Examination], learning: Learning | None) -> Result:
    try:
        found = future.result()
    except ExtractionFailed as error:
        found = Examination(problem=error.reason)
    if learning and page.url:
        learning.add(page.url, found.seen)
    failed = found.article is None and found.problem is not None
    article = found.article or Article(
        url=page.url or "", page_kind=UNREADABLE if failed else NO_PAGE, extractor=Extractor(version=VERSION)
    )
    article = replace(
        article, captured_at=iso(page.captured_at), record_id=page.record_id, payload_digest=page.payload_digest
    )
    return Result(page, article, found.problem, failed, found.left_out)
