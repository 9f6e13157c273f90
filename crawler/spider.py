"""The spider of a publication: its arguments and settings. What is particular to one stands in ``spiders/``."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import date
from typing import Any, ClassVar, cast, get_args

import scrapy

from archive.references import resolve
from crawler.account import Account
from crawler.attending import Attendant
from crawler.frontier import Order
from crawler.leads import Bounds, Leads
from crawler.priorities import CONTACT, KNOWN
from crawler.publication import ArgumentError, load

log = logging.getLogger(__name__)


class PublicationSpider(scrapy.Spider):
    """Crawls one publication: every page it is led to, each once, by the frontier.

    Arguments: *since* and *until*, days (``2026-11-01``) between which articles were published; *max_pages*; *order*,
    ``newest`` or ``oldest``, which articles come first; and *requisites*, whether what articles need to be shown again
    is archived too. All others are the publication's own.
    What became of each page is sent as ``item_scraped``, a :class:`~crawler.results.PageResult`: when its article is
    read if it has one.
    """

    module: ClassVar[str]  # the dotted name of the module that holds the publication

    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Scrapy's is not a ClassVar
        "SCHEDULER": "crawler.scheduler.FrontierScheduler",
        "DOWNLOADER": "crawler.downloader.DirectDownloader",
        "RETRY_ENABLED": False,  # the frontier tries again, in this run or the next
        "REDIRECT_ENABLED": False,  # where a redirect leads is a page of its own, which others may lead to as well
        "DOWNLOADER_MIDDLEWARES": {
            "crawler.contact.ContactMiddleware": CONTACT,
            "crawler.known.KnownMiddleware": KNOWN,
        },
        "EXTENSIONS": {
            "crawler.examiner.Examiner": None,
            "crawler.follower.Follower": 0,
            "crawler.extractor.Extractor": 0,
            "crawler.reports.tally.Tally": 0,
        },
    }

    def __init__(
        self,
        since: str | None = None,
        until: str | None = None,
        max_pages: str | int | None = None,
        requisites: str | bool = False,
        order: str | None = None,
        name: str | None = None,
        **own: str,
    ) -> None:
        super().__init__(name)
        self.own_arguments = dict(own)
        self.publication = load(self.module, own)
        self.max_pages = _count("max_pages", max_pages)
        self.requisites = str(requisites).lower() in ("1", "true", "yes", "on")
        self.order = _order(order)
        self.account: Account | None = None  # of what became of its pages, once it is closed
        self._since, self._until = _day("since", since), _day("until", until)
        if self._since and self._until and self._since > self._until:
            raise ArgumentError(f"since={since} is after until={until}: there is no day between them")

    @classmethod
    def from_crawler(cls, crawler: scrapy.crawler.Crawler, *args: Any, **kwargs: Any) -> PublicationSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        settings = crawler.settings
        spider.job = settings.get("NEWSWARC_JOB")
        spider.leads = Leads(
            spider.publication,
            Bounds(spider._since, spider._until, settings.getint("DEPTH_LIMIT") or None, spider.order),
        )
        spider.attendant = Attendant(crawler, spider)
        return spider

    leads: Leads
    attendant: Attendant
    job: str | None  # that this run is of; None when it was started without one

    @property
    def crawl_arguments(self) -> dict[str, str]:
        """What makes this crawl another than the spider's others: a crawl with the same arguments goes on with it."""
        settings = self.crawler.settings
        named = {
            "since": self._since,
            "until": self._until,
            "requisites": self.requisites or None,
            "recrawl": settings.getbool("NEWSWARC_RECRAWL") or None,
            "depth": settings.getint("DEPTH_LIMIT") or None,
            "order": self.order,
        }
        own = {name: " ".join(map(_spelled, value.split())) for name, value in self.own_arguments.items()}
        return own | {name: str(value) for name, value in named.items() if value is not None}

    async def start(self) -> AsyncIterator[Any]:
        """Nothing: the frontier was given the publication's seeds when it was made."""
        nothing: tuple[Any, ...] = ()
        for none in nothing:
            yield none


def spider_class(module: str) -> type[PublicationSpider]:
    """Return the spider of the publication in *module*, a dotted name; its own name is the last part of that."""
    name = module.rpartition(".")[2]
    return type(f"{name.title().replace('_', '')}Spider", (PublicationSpider,), {"name": name, "module": module})


def _spelled(word: str) -> str:
    """Return *word*, an address in the one spelling that it has where it is asked for."""
    return (resolve(word, word) or word) if word.startswith(("http://", "https://")) else word


def _day(name: str, text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentError(f"{name}={text!r} is no day; write it like 2026-11-21") from error


def _order(text: str | None) -> Order | None:
    if not text:
        return None
    if text in get_args(Order):
        return cast("Order", text)
    raise ArgumentError(f"order={text!r} is none; it may be {' or '.join(get_args(Order))}")


def _count(name: str, value: str | int | None) -> int | None:
    if value in (None, ""):
        return None
    try:
        count = int(value)
    except ValueError as error:
        raise ArgumentError(f"{name}={value!r} is no number") from error
    if count < 1:
        raise ArgumentError(f"{name}={value!r}: it must be 1 or more")
    return count
