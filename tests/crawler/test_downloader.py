"""The downloader without queues, in real crawls: what is under way is counted right, however it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from scrapy import Request, Spider, signals
from scrapy.core.downloader import Downloader
from scrapy.crawler import AsyncCrawlerRunner, Crawler
from scrapy.exceptions import DownloadConnectionRefusedError, DownloadFailedError, IgnoreRequest
from scrapy.http import Response
from scrapy.settings import Settings
from twisted.internet.defer import Deferred

from crawler.downloader import DirectDownloader
from tests.crawler.test_handlers import SETTINGS
from tests.servers.raw_site import RawSite, Script, running, script

OK = script(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
HANGS = Script([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun"], "hang")
TORN = Script([b"HTTP/1.1 200"], "reset")
REFUSED = "http://127.0.0.1:9/"  # discard: nobody listens there
TIME_LIMIT_S = 60


class Refusing:
    """A middleware that refuses some requests before they are sent, replaces some, and answers others itself."""

    async def process_request(self, request: Request) -> Response | Request | None:
        await asyncio.sleep(0)
        if request.url.endswith("/instead"):
            return request.replace(url=request.url.replace("/instead", "/ok"))
        if request.url.endswith("/refused"):
            raise IgnoreRequest("refused")
        return Response(request.url, body=b"mine") if request.url.endswith("/mine") else None


class Within(Spider):
    """Runs a test within a crawl, as its start."""

    name = "within"

    def __init__(self, test: Callable[[Crawler], Awaitable[None]], **more: Any) -> None:
        super().__init__(**more)
        self.test = test
        self.error: BaseException | None = None

    async def start(self) -> AsyncIterator[Request]:
        nothing: tuple[Request, ...] = ()
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                await self.test(self.crawler)
        except BaseException as error:  # noqa: BLE001 - it is raised again, Scrapy would log it
            self.error = error
        for none in nothing:
            yield none


def within(test: Callable[[Crawler], Awaitable[None]], **more: Any) -> None:
    """Run *test* in a running crawl whose downloader is ours."""
    own = {
        "DOWNLOADER": "crawler.downloader.DirectDownloader",
        "DOWNLOADER_MIDDLEWARES": {f"{__name__}.Refusing": 50},
    }

    async def run() -> None:
        runner = AsyncCrawlerRunner(Settings({**SETTINGS, **own, **more}))
        crawler = runner.create_crawler(Within)
        await runner.crawl(crawler, test=test)
        assert isinstance(crawler.spider, Within)
        if crawler.spider.error is not None:
            raise crawler.spider.error

    asyncio.run(run())


def downloader_of(crawler: Crawler) -> DirectDownloader:
    assert crawler.engine is not None
    downloader = crawler.engine.downloader
    assert isinstance(downloader, DirectDownloader)
    return downloader


async def ended(fetched: Deferred[Any]) -> Any:
    return await fetched.asFuture(asyncio.get_running_loop())


def close(request: Request) -> None:
    exchange = request.meta.pop("exchange", None)
    if exchange is not None:
        exchange.close()


@pytest.mark.parametrize(
    ("target", "gives"),
    [
        ("/ok", b"ok"),
        ("/mine", b"mine"),
        ("/torn", DownloadFailedError),
        ("/refused", IgnoreRequest),
        (REFUSED, DownloadConnectionRefusedError),
    ],
)
def test_what_has_ended_is_under_way_no_more(target: str, gives: bytes | type[Exception]):
    async def test(crawler: Crawler) -> None:
        downloader = downloader_of(crawler)
        request = Request(target if target.startswith("http") else site.url(target))
        fetched = downloader.fetch(request)
        assert downloader.active == {request}
        seen: list[set[Request]] = []
        fetched.addBoth(lambda result: (seen.append(set(downloader.active)), result)[1])
        if isinstance(gives, bytes):
            assert (await ended(fetched)).body == gives
        else:
            with pytest.raises(gives):
                await ended(fetched)
        assert seen == [set()], "before anybody hears of it"
        close(request)

    with running(RawSite({"/ok": OK, "/torn": TORN})) as site:
        within(test)


@pytest.mark.parametrize("when", ["at once", "while it is sent"])
def test_what_is_cancelled_is_under_way_no_more(when: str):
    async def test(crawler: Crawler) -> None:
        downloader = downloader_of(crawler)
        request = Request(site.url("/hangs"))
        fetched = downloader.fetch(request)
        if when == "while it is sent":
            await site.until(lambda site: len(site.requests) == 1)
        fetched.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ended(fetched)
        assert downloader.active == set()
        close(request)

    with running(RawSite({"/hangs": HANGS})) as site:
        within(test)


def test_whoever_waits_for_an_answer_may_be_cancelled():
    """As robots.txt is when the page that waits for it is given up."""

    async def test(crawler: Crawler) -> None:
        assert crawler.engine is not None
        request = Request(site.url("/hangs"))
        waiting = asyncio.ensure_future(crawler.engine.download_async(request))
        await site.until(lambda site: len(site.requests) == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        while downloader_of(crawler).active:  # until the time limit: a coroutine is told of it a turn later
            await asyncio.sleep(0)
        close(request)

    with running(RawSite({"/hangs": HANGS})) as site:
        within(test)


def test_each_answer_off_the_wire_is_told_once_and_no_other():
    told: Counter[str] = Counter()

    def downloaded(response: Response, request: Request, spider: Spider) -> None:
        assert response.body == b"ok"
        assert spider.name == "within"
        told[request.url] += 1

    async def test(crawler: Crawler) -> None:
        crawler.signals.connect(downloaded, signal=signals.response_downloaded)
        downloader = downloader_of(crawler)
        requests = [Request(site.url(target)) for target in ("/ok", "/ok?2", "/mine", "/refused", "/torn")]
        fetched = [ended(downloader.fetch(request)) for request in requests]
        await asyncio.gather(*fetched, return_exceptions=True)
        for request in requests:
            close(request)

    with running(RawSite({"/ok": OK, "/ok?2": OK, "/torn": TORN})) as site:
        within(test)
        assert told == {site.url("/ok"): 1, site.url("/ok?2"): 1}


@pytest.mark.parametrize(
    ("target", "gives", "arrives"),
    [
        ("/ok", b"ok", True),
        ("/mine", b"mine", False),
        ("/instead", b"ok", True),
        ("/torn", DownloadFailedError, False),
        ("/refused", IgnoreRequest, False),
    ],
)
def test_what_is_got_directly_is_told_and_counted_as_the_engine_does(
    target: str, gives: bytes | type[Exception], arrives: bool
):
    received: list[tuple[str, bytes]] = []
    arrived: list[bytes] = []

    def note(response: Response, request: Request) -> None:
        received.append((request.url, response.body))

    async def test(crawler: Crawler) -> None:
        crawler.signals.connect(note, signal=signals.response_received)
        downloader = downloader_of(crawler)
        request = Request(site.url(target))
        getting = asyncio.ensure_future(downloader.get(request, lambda response: arrived.append(response.body)))
        await asyncio.sleep(0)
        assert downloader.active == {request}
        if isinstance(gives, bytes):
            response = await getting
            assert response.body == gives
            assert response.request is not None
            assert received == [(response.request.url, gives)]
            close(response.request)
        else:
            with pytest.raises(gives):
                await getting
            assert received == []
        assert downloader.active == set()
        assert arrived == ([b"ok"] if arrives else [])
        close(request)

    with running(RawSite({"/ok": OK, "/torn": TORN})) as site:
        within(test)


class Many(Spider):
    """Asks for *urls* as fast as it is let, and notes the most that was ever under way."""

    name = "many"

    def __init__(self, urls: list[str], **more: Any) -> None:
        super().__init__(**more)
        self.urls, self.most, self.got = urls, 0, 0

    async def start(self) -> AsyncIterator[Request]:
        for url in self.urls:
            yield Request(url, callback=self.came, errback=self.failed, dont_filter=True)

    def came(self, response: Response) -> None:
        self._ended(response.request)

    def failed(self, failure: Any) -> None:
        self._ended(failure.request)

    def _ended(self, request: Request | None) -> None:
        assert request is not None
        close(request)
        self.got += 1
        self.most = max(self.most, len(downloader_of(self.crawler).active))


@pytest.mark.parametrize("limit", [1, 4])
def test_no_more_is_under_way_than_allowed_and_none_is_forgotten(limit: int):
    """Of all the ways a request can end, none leaves its place taken."""
    targets = ["/ok", "/mine", "/refused", "/torn", "/missing"] * 12

    async def run() -> Many:
        own = {
            **SETTINGS,
            "DOWNLOADER": "crawler.downloader.DirectDownloader",
            "DOWNLOADER_MIDDLEWARES": {f"{__name__}.Refusing": 50},
            "CONCURRENT_REQUESTS": limit,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 1,  # not its business
        }
        runner = AsyncCrawlerRunner(Settings(own))
        crawler = runner.create_crawler(Many)
        under_way: list[int] = []

        def downloaded() -> None:
            under_way.append(len(downloader_of(crawler).active))

        crawler.signals.connect(downloaded, signal=signals.response_downloaded)
        await runner.crawl(crawler, urls=[site.url(target) for target in targets])
        assert isinstance(crawler.spider, Many)
        assert 0 < max(under_way) <= limit
        return crawler.spider

    with running(RawSite({"/ok": OK, "/torn": TORN})) as site:
        spider = asyncio.run(run())
    assert spider.got == len(targets)
    assert spider.most <= limit


def test_scrapys_own_downloader_is_what_it_is_made_of():
    """What it leaves out is all that it changes."""
    own = {name for name in vars(DirectDownloader) if not name.startswith("__")}
    assert own & set(vars(Downloader)) == {"fetch"}
