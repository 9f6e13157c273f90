"""One spider run in this process, from start to a sealed and published archive."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

os.environ["SCRAPY_SETTINGS_MODULE"] = "crawler.settings"  # outside the checkout Scrapy would find no settings at all

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.project import get_project_settings

from archive.drift import Drift
from crawler.account import Account
from crawler.extractor import Extractor
from crawler.interruption import Interruption
from crawler.reports.tally import Tally
from crawler.session import PUBLISH_INTERRUPTED_S, ArchiveSession


@dataclass(slots=True)
class Finished:
    """How a run ended. *error* is what stopped it: the store's failure, or what kept it from starting."""

    interrupted: bool = False
    error: BaseException | None = None
    stats: dict[str, Any] = field(default_factory=dict)
    account: Account | None = None  # of a spider that has a frontier
    hosts: Sequence[str] = ()  # of which articles were read
    drifted: Sequence[Drift] = ()  # how the articles of these are read no longer
    tally: Tally | None = None  # of a spider that has a frontier


def run_spider(
    name: str,
    *,
    settings: Mapping[str, Any],
    arguments: Mapping[str, Any],
    on_item: Callable[[Any, bool], None],
    on_response: Callable[[], None] = lambda: None,
    on_crawler: Callable[[Crawler], None] = lambda _: None,
) -> Finished:
    """Run the spider *name* to its end; *on_item* gets each item, *on_response* is called at each response.

    *on_crawler* is given Scrapy's crawler before it starts.

    The second argument of *on_item* says that an error has ended the run, as of the store: it is told at its end.
    SIGINT, SIGTERM or SIGHUP ends it cleanly (see :mod:`crawler.interruption`).
    """
    project = get_project_settings()
    ours = {"LOG_INSTALL_ROOT_HANDLER": False, "NEWSWARC_CALLER_TELLS_ERRORS": True}
    project.setdict({**ours, **settings}, priority="cmdline")
    process = AsyncCrawlerProcess(project)
    logging.getLogger("scrapy").setLevel(logging.NOTSET)  # it was set to DEBUG: records are made that nobody reads
    crawler = process.create_crawler(name)
    finished = Finished()
    session: ArchiveSession | None = None

    def item_scraped(item: Any) -> None:
        try:
            session = crawler.get_extension(ArchiveSession)
            on_item(item, session is not None and session.error is not None)
        except Exception as error:  # noqa: BLE001 - Scrapy would log and forget it: a closed pipe, a full disk
            finished.error = finished.error or error
            _stop(crawler)

    crawler.signals.connect(item_scraped, signal=signals.item_scraped, weak=False)
    crawler.signals.connect(_ignoring_arguments(on_response), signal=signals.response_received, weak=False)
    on_crawler(crawler)
    task = process.crawl(crawler, **arguments)
    with Interruption(crawler) as interruption:
        with contextlib.suppress(KeyboardInterrupt):
            process.start(install_signal_handlers=False)
        with contextlib.suppress(RuntimeError):  # it has no extensions yet when it could not start
            session = crawler.get_extension(ArchiveSession)
        if session is not None:
            # When the run was given up at once, or never began, no spider was closed.
            session.close(PUBLISH_INTERRUPTED_S if interruption.count else None)
            finished.error = session.error or finished.error
    finished.interrupted = interruption.count > 0
    if task.done() and not task.cancelled() and not isinstance(task.exception(), KeyboardInterrupt):
        finished.error = _ended(task.exception()) or finished.error
    finished.account = getattr(crawler.spider, "account", None)
    with contextlib.suppress(RuntimeError):
        extractor = crawler.get_extension(Extractor)
        finished.hosts = sorted(extractor.hosts) if extractor is not None else ()
    with contextlib.suppress(RuntimeError):
        finished.tally = crawler.get_extension(Tally)
    with contextlib.suppress(RuntimeError):  # nor statistics, when its spider could not be made
        if crawler.stats is not None:
            finished.stats = dict(crawler.stats.get_stats())
    return finished


def _ended(error: BaseException | None) -> BaseException | None:
    """Return what kept a crawl from starting: Scrapy then closes an engine that was never open, and fails again."""
    if isinstance(error, RuntimeError) and str(error) == "Engine slot not assigned":
        return error.__context__ or error
    return error


def spider_names() -> list[str]:
    """Return the names of all spiders."""
    return get_spider_loader(get_project_settings()).list()


_stopping: set[asyncio.Task[None]] = set()  # a loop keeps no task alive


def _stop(crawler: Crawler) -> None:
    if crawler.engine is not None:
        stopping = crawler.engine.close_spider_async(reason="output_failed")
        _stopping.add(asyncio.get_running_loop().create_task(stopping))


def _ignoring_arguments(function: Callable[[], None]) -> Callable[..., None]:
    def called(**_: Any) -> None:
        function()

    return called
