"""What a run asked of each host and what came: counted while it goes on, for no record of it is kept elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.known import ARCHIVED
from crawler.publication import site_of
from crawler.robots import RobotsMiddleware
from crawler.session import ArchiveSession

if TYPE_CHECKING:
    from crawler.scheduler import FrontierScheduler
    from crawler.spider import PublicationSpider

MOST_HOSTS = 5_000  # counted one by one; what articles show may lie on any number
OTHERS = "(other hosts)"


@dataclass(slots=True)
class Host:
    """What was asked of one host in this run. *stored_bytes*: as they lie in the archive."""

    requests: int = 0
    stored_bytes: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


class Tally:
    """Counts the answers of a run. ``crawler.get_extension(Tally)`` finds it.

    An answer out of the archive, for a page that need not be asked for, is none.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.started = datetime.now(UTC)
        self.hosts: dict[str, Host] = {}
        self.kinds: dict[str, Host] = {}  # by kind of page
        self.frontier_path: Path | None = None  # once the spider is opened
        self._scheduler: FrontierScheduler | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        tally = cls(crawler)
        crawler.signals.connect(tally.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(tally.response_received, signal=signals.response_received)
        return tally

    def spider_opened(self, spider: Spider) -> None:
        assert spider.crawler.engine is not None
        self._scheduler = cast("FrontierScheduler", spider.crawler.engine.scheduler)
        self.frontier_path = self._scheduler.frontier.path

    def response_received(self, response: Response) -> None:
        if ARCHIVED in response.flags:
            return
        meta = response.request.meta if response.request is not None else {}
        page, capture = meta.get("page"), meta.get("capture")
        kind = page.kind if page is not None else "robots" if meta.get("robots_fetch") else "other"
        host = site_of(response.url)
        if host not in self.hosts and len(self.hosts) >= MOST_HOSTS:
            host = OTHERS
        for counted in (self.hosts.setdefault(host, Host()), self.kinds.setdefault(kind, Host())):
            counted.requests += 1
            counted.stored_bytes += capture.place.length if capture is not None else 0
            counted.statuses[response.status] += 1

    # ---- when the run has ended

    @property
    def spider(self) -> PublicationSpider:
        return cast("PublicationSpider", self.crawler.spider)

    @property
    def job(self) -> str:
        """The name under which its reports stand."""
        return getattr(self.spider, "job", None) or self.spider.name

    @property
    def shipped(self) -> list[str]:
        """The storage keys of the WARC files that the run published."""
        session = self.crawler.get_extension(ArchiveSession)
        return session.recorder.shipped if session is not None else []

    def rests(self) -> Counter[str]:
        return self._scheduler.politeness.rested if self._scheduler is not None else Counter()

    def robots(self) -> dict[str, dict[str, Any]]:
        """Return by host what its robots.txt said, and what that meant."""
        robots = self.crawler.get_downloader_middleware(RobotsMiddleware)
        if robots is None:
            return {}
        return {
            site_of(f"{origin}/"): {
                "outcome": rules.outcome,
                "reason": rules.reason,
                "status": rules.status,
                "url": rules.robots_url,
                "record_id": rules.record,
                "crawl_delay_s": rules.crawl_delay_s(robots.agent),
            }
            for origin, rules in robots.known()
        }
