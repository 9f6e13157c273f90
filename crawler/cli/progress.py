"""Progress on standard error, when that is a terminal; nothing otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class FileProgress:
    """Bytes read of all there are, and the file being read. ``with`` it, and call it as work goes on."""

    def __init__(self, doing: str, *, shown: bool) -> None:
        self._bar: Bar | None = None
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (
                TextColumn(doing),
                BarColumn(),
                DownloadColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.description}"),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=None)

    def __call__(self, file: str, done_bytes: int, total_bytes: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=file, completed=done_bytes, total=total_bytes)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


class Progress:
    """Pages done of *total*, responses so far, time. ``with`` it; :meth:`aside` prints beside the bar."""

    def __init__(self, *, total: int, shown: bool) -> None:
        self._responses = 0
        self._bar: Bar | None = None
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("archiving"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("pages, {task.fields[responses]} responses"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._bar.add_task("pages", total=total, responses=0)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def page_done(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._task)

    def response(self) -> None:
        self._responses += 1
        if self._bar is not None:
            self._bar.update(self._task, responses=self._responses)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something is printed on the same terminal."""
        if self._bar is None:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()


class CrawlProgress:
    """Pages done, rate, queue, bytes, the host asked last. ``with`` it; :meth:`watch` gives it the crawl to look at."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._bar: Bar | None = None
        self._answers = 0

    def watch(self, crawler: Crawler) -> None:
        """Show how *crawler* does, whenever it gets a response."""
        if not self._shown:
            return
        from rich.console import Console
        from rich.progress import Progress as Bar
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
        from scrapy import signals

        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("starting")
        self._crawler = crawler
        self._began_s = time.monotonic()
        self._bytes = 0
        crawler.signals.connect(self._answered, signal=signals.response_received, weak=False)
        self._bar.start()

    def _answered(self, response: Response) -> None:
        assert self._bar is not None
        capture = response.meta.get("capture")
        self._bytes += capture.place.length if capture else 0
        scheduler: Any = self._crawler.engine.scheduler if self._crawler.engine else None
        if not hasattr(scheduler, "waiting"):
            return
        self._answers += 1
        rate = self._answers / max(0.1, time.monotonic() - self._began_s)
        unread = f", {scheduler.unread:,} articles to read" if scheduler.unread else ""
        host = response.url.split("/")[2]
        self._bar.update(
            self._task,
            description=f"{self._answers:,} pages ({rate:.1f}/s), {scheduler.waiting:,} waiting{unread},"
            f" {self._bytes / 1e6:.1f} MB, {host}",
        )

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take it away while something is printed on the same terminal."""
        if self._bar is None:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
