"""Crawls of small sites on this machine by the real Scrapy, in this process, so that a test can look into them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from scrapy import signals
from scrapy.crawler import AsyncCrawlerRunner, Crawler
from scrapy.settings import Settings

from crawler.account import Account
from crawler.results import PageResult
from crawler.scheduler import FrontierScheduler
from crawler.session import ArchiveSession
from crawler.spider import spider_class
from tests.servers.raw_site import RawSite, Script, script

ROBOTS = "/robots.txt"
TIME_LIMIT_S = 120  # a crawl that stalls fails its test


@dataclass
class Crawl:
    """A crawl of a site into the archive below *folder*, with Scrapy's *settings* and a spider's *arguments*."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    crawler: Crawler = field(init=False)
    results: list[PageResult] = field(default_factory=list)

    def run(self, site: RawSite, watch: Callable[[Crawl], None] = lambda _: None) -> Account:
        """Crawl *site* from its first page to the end; *watch* may connect to signals before. Return the account."""
        account = asyncio.run(self._run(site, watch))
        assert account is not None
        return account

    async def _run(self, site: RawSite, watch: Callable[[Crawl], None]) -> Account | None:
        settings = Settings()
        settings.setmodule("crawler.settings", priority="project")
        settings.setdict(
            {
                "NEWSWARC_ARCHIVE": str(self.folder / "archive"),
                "NEWSWARC_ALLOW_PRIVATE": True,
                "NEWSWARC_EXTRACT": False,
                "NEWSWARC_REST_S": 0.01,
                "NEWSWARC_CALLER_TELLS_ERRORS": True,
                "LOG_ENABLED": False,
                **self.settings,
            },
            priority="cmdline",
        )
        runner = AsyncCrawlerRunner(settings)
        self.crawler = runner.create_crawler(spider_class("spiders.generic"))
        self.results = []
        self.crawler.signals.connect(self._ended, signal=signals.item_scraped)
        watch(self)
        async with asyncio.timeout(TIME_LIMIT_S):
            await runner.crawl(self.crawler, start=site.url("/"), **self.arguments)
        return cast("Any", self.crawler.spider).account

    def _ended(self, item: PageResult) -> None:
        self.results.append(item)

    @property
    def scheduler(self) -> FrontierScheduler:
        assert self.crawler.engine is not None
        return cast("FrontierScheduler", self.crawler.engine.scheduler)

    @property
    def session(self) -> ArchiveSession:
        session = self.crawler.get_extension(ArchiveSession)
        assert session is not None
        return session


def asked(site: RawSite) -> Counter[str]:
    """Return how often each address of *site* was asked for, but robots.txt."""
    return Counter(request.target for request in site.requests if request.target not in (ROBOTS, "/sitemap.xml"))


def reply(body: str | bytes, kind: str = "text/html; charset=utf-8", status: str = "200 OK", *fields: str) -> Script:
    data = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(data)}", *fields, "", ""]
    return script("\r\n".join(head).encode() + data)


def page(links: Iterable[str] = (), title: str = "News") -> Script:
    """Return a page that is no article and links to *links*."""
    anchors = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return reply(f"<html><title>{title}</title><ul>{anchors}</ul></html>")


def article(number: int) -> str:
    """Return the target of an article, as the generic spider tells one."""
    return f"/2026/03/{1 + number % 28:02d}/what-happened-{number}"
