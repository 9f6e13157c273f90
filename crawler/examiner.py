"""What a response holds: the extension that has strangers' pages parsed in guarded worker processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.article import Article
from archive.capture import Capture, iso
from archive.errors import ExtractionFailed, WorkersUnavailable
from archive.examine import SNIFFED_BYTES, Examination, examine, may_be_read
from archive.learning import Learning
from archive.walls import IN_PLACE, UNAVAILABLE_FOR_LEGAL_REASONS
from archive.workers import Workers
from crawler import config
from crawler.handlers import CAPPED, MAX_BODY_BYTES
from crawler.interruption import HURRY
from crawler.publishers import publisher_modules

_CUT_OFF = "kept, but not read: the run was interrupted"


class Examiner:
    """Examines responses in worker processes. ``crawler.get_extension(Examiner)`` finds it.

    A page that crashes, hangs or floods the parser costs its own article only: the examination then says so in
    ``problem``, and the capture, already on disk, is untouched.
    """

    def __init__(self, crawler: Crawler, workers: Workers) -> None:
        self.crawler, self.workers = crawler, workers
        self._cut_off = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        options = config.current()
        examiner = cls(
            crawler,
            Workers(
                options.workers,
                memory_bytes=options.worker_memory_bytes,
                time_limit_s=options.worker_time_limit_s,
                publishers=publisher_modules(crawler.settings.getlist("SPIDER_MODULES")),
            ),
        )
        crawler.signals.connect(examiner.spider_closed, signal=signals.spider_closed)
        crawler.signals.connect(examiner.hurry, signal=HURRY)
        return examiner

    def hurry(self, within_s: float) -> None:
        """End at once when no time is left; what is not read now is read when the page is archived again."""
        if within_s == 0 and not self._cut_off.is_set():
            self._cut_off.set()
            asyncio.get_running_loop().run_in_executor(None, self.workers.kill)

    async def examine(
        self,
        response: Response,
        capture: Capture,
        *,
        want_article: bool,
        want_requisites: bool,
        learning: Learning | None = None,
    ) -> Examination:
        """Return what *response*, kept as *capture*, holds: the article, and what is needed to show the page again.

        The article is read with what *learning* knows of its host, and adds to it.

        What is no page and no style sheet holds nothing, and costs nothing.
        """
        content_type, content_encoding = _text(response, "Content-Type"), _text(response, "Content-Encoding")
        if not may_be_read(content_type, content_encoding, response.body[:SNIFFED_BYTES]):
            return Examination()
        if CAPPED in response.flags:
            return Examination(problem=f"kept, but too large to be read: more than {MAX_BODY_BYTES >> 20} MiB")
        if self._cut_off.is_set():
            return Examination(problem=_CUT_OFF)
        future = self.workers.submit(
            examine,
            response.body,
            url=response.url,
            content_type=content_type,
            content_encoding=content_encoding,
            captured_at=capture.captured_at,
            want_article=want_article,
            want_requisites=want_requisites,
            learned=learning.known(response.url) if learning else None,
            robots=[value.decode("latin-1") for value in response.headers.getlist("X-Robots-Tag")],
        )
        try:
            found = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self._cut_off.is_set() and future.cancelled():
                return Examination(problem=_CUT_OFF)
            raise
        except (ExtractionFailed, WorkersUnavailable) as error:
            assert self.crawler.stats is not None
            self.crawler.stats.inc_value("examine/failed")
            reason = error.reason if isinstance(error, ExtractionFailed) else str(error)
            return Examination(problem=f"kept, but its article could not be read: {reason}")
        if found.article is not None:
            if learning:
                learning.add(response.url, found.seen)
            found = replace(found, article=completed(found.article, capture))
        return found

    async def spider_closed(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.workers.close)


def completed(article: Article, capture: Capture) -> Article:
    """Return *article* with what only its *capture* knows."""
    return replace(
        article,
        record_id=capture.record_id,
        payload_digest=capture.payload_digest,
        captured_at=iso(capture.captured_at),
        page_kind=_kind(article.page_kind, capture.status or 0),
    )


def _kind(shown: str, status: int) -> str:
    """Return what a page is that came with *status*: an error, unless it says more of itself."""
    if status < 400 or shown in IN_PLACE:
        return shown
    return "legal" if status == UNAVAILABLE_FOR_LEGAL_REASONS else "error"


def _text(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
