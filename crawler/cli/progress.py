"""Progress on standard error, when that is a terminal; nothing otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from crawler.cli.terminal import printable
from crawler.reports.words import span

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response


ENOUGH_TO_TELL = 20  # answers, before a rate says anything of what waits


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
    """How a crawl does: time, pages, rate, queue and how long that takes, bytes, the host asked last; which site rests.

    What waits takes at least that long: pages lead to more pages.

    ``with`` it; :meth:`watch` gives it the crawl to look at.
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Bar | None = None
        self._answers = self._bytes = 0
        self._host = ""
        self._scheduler: Any = None  # until the spider is opened
        self._stopping = ""

    def watch(self, crawler: Crawler) -> None:
        """Show how *crawler* does, and say when it is being stopped."""
        if not self._shown:
            return
        from scrapy import signals

        from crawler.interruption import HURRY

        crawler.signals.connect(self._hurried, signal=HURRY, weak=False)
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import Progress as Bar
        from rich.progress import ProgressColumn, SpinnerColumn, TimeElapsedColumn
        from rich.text import Text

        describe = self.describe

        class State(ProgressColumn):
            """What is the case now: a site may rest for minutes, in which nothing else happens."""

            def render(self, _: object) -> Text:
                return Text(printable(describe()), no_wrap=True, overflow="ellipsis")

        self._bar = Bar(
            SpinnerColumn(),
            TimeElapsedColumn(),
            State(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._bar.add_task("crawl")
        self._began_s = time.monotonic()
        crawler.signals.connect(self._opened, signal=signals.spider_opened, weak=False)
        crawler.signals.connect(self._answered, signal=signals.response_received, weak=False)
        self._bar.start()

    def _opened(self, spider: Spider) -> None:
        scheduler: Any = spider.crawler.engine.scheduler
        self._scheduler = scheduler if hasattr(scheduler, "turns") else None  # another's spider has one of Scrapy's own

    def _answered(self, response: Response) -> None:
        from crawler.known import ARCHIVED

        if ARCHIVED in response.flags:
            return
        capture = response.meta.get("capture")
        self._bytes += capture.place.length if capture else 0
        self._answers += 1
        self._host = response.url.split("/")[2]

    def _hurried(self, within_s: float) -> None:
        self._stopping = "stopping"
        with suppress(OSError), self.aside():  # nobody may be there any more
            left = f"what is under way gets {within_s:.0f} s; once more cuts it off" if within_s else "cut off"
            sys.stderr.write(f"newswarc: stopping: {left}\n")

    def describe(self) -> str:
        """Return how the crawl does, in one line. It is called from a thread of the bar's own."""
        scheduler = self._scheduler
        if scheduler is None:
            return self._stopping or "starting"
        rate = self._answers / max(0.1, time.monotonic() - self._began_s)
        waiting = scheduler.turns.waiting
        parts = [
            f"{self._answers:,} answers ({rate:.1f}/s)",
            f"{scheduler.turns.under_way:,} under way",
            f"{waiting:,} waiting",
            f"{span(waiting / rate)} left at least" if waiting and self._answers >= ENOUGH_TO_TELL else "",
            f"{scheduler.unread:,} articles to read" if scheduler.unread else "",
            f"{self._bytes / 1e6:.1f} MB" if self._bytes >= 1e6 else f"{self._bytes / 1e3:.0f} kB",
            self._host,
            *(f"{site} rests {rest_s:.0f} s: {why}" for site, (rest_s, why) in scheduler.politeness.resting().items()),
            self._stopping,
        ]
        return ", ".join(part for part in parts if part)

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
