"""The Scrapy download handler, inside real crawls, and the start-up self-test."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import types
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerRunner, Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import HtmlResponse, Response
from scrapy.settings import Settings

from archive.exchange import Exchange
from crawler import selftest
from crawler.handlers import (
    CAPPED,
    LEFT_OUT,
    AddressRefusedError,
    TlsRefusedError,
    UnsendableRequestError,
    WireDownloadHandler,
)
from crawler.selftest import SelfTestFailed, check_engine, check_handlers, check_scrapy, run_selftest
from tests.servers.answers import ANSWERS, TEXT, scripts
from tests.servers.authority import Authority
from tests.servers.raw_site import RawSite, Script, running, script

HANDLERS = {
    "http": "crawler.handlers.WireDownloadHandler",
    "https": "crawler.handlers.WireDownloadHandler",
    **dict.fromkeys(("data", "file", "ftp", "s3")),
}
SETTINGS: dict[str, Any] = {
    "TWISTED_REACTOR_ENABLED": False,
    "DOWNLOAD_HANDLERS": HANDLERS,
    "NEWSWARC_ALLOW_PRIVATE": True,
    "LOG_LEVEL": "CRITICAL",
    "TELNETCONSOLE_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "COMPRESSION_ENABLED": False,
    "RETRY_ENABLED": False,
    "COOKIES_ENABLED": False,
}
Seen = dict[str, tuple[Response | Exception, Exchange | None]]


class Fetcher(Spider):
    """Fetches *requests* and keeps what came of each, and its exchange, under its URL."""

    name = "fetcher"

    def __init__(self, requests: list[Request], **more: Any) -> None:
        super().__init__(**more)
        self.requests = requests
        self.seen: Seen = {}

    async def start(self) -> AsyncIterator[Request]:
        for request in self.requests:
            yield request.replace(callback=self.arrived, errback=self.failed, dont_filter=True)

    def arrived(self, response: Response) -> None:
        assert response.request is not None
        self.seen[response.request.url] = (response, response.request.meta.get("exchange"))

    def failed(self, failure: Any) -> None:
        self.seen[failure.request.url] = (failure.value, failure.request.meta.get("exchange"))


def crawl(requests: list[Request], **settings: Any) -> tuple[Seen, dict[str, Any]]:
    """Fetch *requests* in one crawl; return what was seen, and the statistics. Exchanges are left open."""

    async def run() -> tuple[Seen, dict[str, Any]]:
        runner = AsyncCrawlerRunner(Settings({**SETTINGS, **settings}))
        crawler = runner.create_crawler(Fetcher)
        await runner.crawl(crawler, requests=requests)
        assert isinstance(crawler.spider, Fetcher)
        assert crawler.stats is not None
        return crawler.spider.seen, crawler.stats.get_stats()

    return asyncio.run(run())


def one(request: Request, **settings: Any) -> tuple[Response | Exception, Exchange | None]:
    seen, _ = crawl([request], **settings)
    ((response, exchange),) = seen.values()
    if exchange is not None:
        exchange.close()
    return response, exchange


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_crawl_gets_every_answer_with_its_exchange(tls: bool, authority: Authority):
    context = authority.server_context("127.0.0.1") if tls else None
    with running(RawSite(scripts(), context=context)) as site:
        seen, _ = crawl(
            [
                Request(site.url(f"/{name}"), meta={"handle_httpstatus_all": True, "dont_redirect": True})
                for name in ANSWERS
            ],
            NEWSWARC_CA_FILE=str(authority.ca_file),
        )
        assert len(seen) == len(ANSWERS)
        for name, answer in ANSWERS.items():
            result, exchange = seen[site.url(f"/{name}")]
            assert exchange is not None
            assert exchange.request == site.received(f"/{name}")[0]
            assert exchange.response.read() == answer.archived
            assert exchange.truncated == answer.truncated
            exchange.close()
            if answer.failure:
                assert isinstance(result, DownloadFailedError)
                continue
            assert isinstance(result, Response)
            assert (result.status, result.body) == (answer.status, answer.payload)
            assert result.flags == (["dataloss"] if answer.truncated else [])
            assert str(result.ip_address) == "127.0.0.1"
            assert result.protocol == answer.protocol.upper()
            assert isinstance(result.certificate, bytes) == tls


def test_repeated_and_odd_headers_reach_scrapy(authority: Authority):
    with running(RawSite(scripts())) as site:
        cookies, _ = one(Request(site.url("/odd-case-and-repeats")))
        latin, _ = one(Request(site.url("/latin-1-reason"), meta={"handle_httpstatus_all": True}))
    assert isinstance(cookies, Response)
    assert isinstance(latin, Response)
    assert cookies.headers.getlist("Set-Cookie") == [b"a=1", b"b=2"]
    assert latin.headers["X-Caf\xe9".encode("latin-1")] == b"\xe9"


def test_the_response_class_follows_the_content_unless_raw_is_asked_for():
    with running(RawSite(scripts())) as site:
        page, _ = one(Request(site.url("/plain")))
        raw, exchange = one(Request(site.url("/plain"), meta={"raw": True}))
    assert isinstance(page, HtmlResponse)
    assert type(raw) is Response
    assert raw.body == page.body == TEXT
    assert exchange is not None
    assert raw.request is not None
    assert raw.request.meta["download_latency"] >= exchange.timings_ms["first_byte"] / 1000


@pytest.mark.parametrize(
    ("target", "meta", "flag"),
    [("/endless", {"download_maxsize": 5000}, "truncated"), ("/stuck", {"download_timeout": 0.5}, "truncated")],
)
def test_a_cut_response_arrives_flagged(target: str, meta: dict[str, Any], flag: str):
    sent = {
        "/endless": Script([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000], "forever"),
        "/stuck": script(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun", "hang"),
    }
    with running(RawSite(sent)) as site:
        response, exchange = one(Request(site.url(target), meta=meta))
    assert isinstance(response, Response)
    assert response.flags == [flag]
    assert exchange is not None
    assert exchange.truncated == ("length" if target == "/endless" else "time")


def test_the_settings_cap_size_and_time():
    with running(RawSite(scripts())) as site:
        cut, _ = one(Request(site.url("/binary")), DOWNLOAD_MAXSIZE=1000)
        whole, _ = one(Request(site.url("/binary")), DOWNLOAD_MAXSIZE=0)
    assert isinstance(cut, Response)
    assert isinstance(whole, Response)
    assert cut.flags == ["truncated"]
    assert whole.body == ANSWERS["binary"].payload
    with running(RawSite({"/": script(b"", "hang")})) as site:
        error, exchange = one(Request(site.url("/")), DOWNLOAD_TIMEOUT=0.5)
    assert isinstance(error, DownloadTimeoutError)
    assert exchange is not None
    assert exchange.truncated == "time"


def typed(content_type: str, body: bytes) -> Script:
    return script(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n%s" % (content_type.encode(), body), "close")


def test_a_raw_response_that_nobody_can_read_comes_without_its_body():
    film = b"\0\0\0\x18ftypmp42" * 5000
    sent = {"/film": typed("video/mp4", film), "/page": typed("video/mp4", b"<!doctype html><p>not found")}
    with running(RawSite(sent)) as site:
        seen, _ = crawl([Request(site.url(target), meta={"raw": True}) for target in sent])
        whole, _ = one(Request(site.url("/film")))
    film_response, exchange = seen[site.url("/film")]
    page_response, other = seen[site.url("/page")]
    assert isinstance(film_response, Response)
    assert isinstance(page_response, Response)
    assert isinstance(whole, Response)
    assert exchange is not None
    assert other is not None
    with exchange.response as kept:
        assert kept.read().endswith(film)
    other.close()
    assert (film_response.body, film_response.flags) == (b"", [LEFT_OUT])
    assert (page_response.body, page_response.flags) == (b"<!doctype html><p>not found", [])
    assert (whole.body, whole.flags) == (film, [])


@pytest.mark.parametrize("coding", ["plain", "chunked"])
def test_a_large_body_is_handed_over_in_part_and_kept_whole(coding: str, monkeypatch: pytest.MonkeyPatch):
    sent = ANSWERS[coding].sent
    for limit, body, flags in [(len(TEXT), TEXT, []), (1000, TEXT[:1000], [CAPPED])]:
        monkeypatch.setattr("crawler.handlers.MAX_BODY_BYTES", limit)
        for raw in (True, False):
            with running(RawSite(scripts())) as site:
                seen, _ = crawl([Request(site.url(f"/{coding}"), meta={"raw": raw})])
            ((response, exchange),) = seen.values()
            assert isinstance(response, Response)
            assert exchange is not None
            with exchange.response as kept:
                assert kept.read() == sent
            assert (response.body, response.flags) == (body, flags)


@pytest.mark.parametrize(
    ("url", "settings", "error"),
    [
        ("{site}/", {"NEWSWARC_ALLOW_PRIVATE": False}, AddressRefusedError),
        ("http://a..b/", {}, CannotResolveHostError),
        ("http://127.0.0.1:1/", {}, DownloadConnectionRefusedError),
        ("http://user:secret@127.0.0.1/", {}, UnsendableRequestError),
        ("{site}/no-byte", {}, DownloadFailedError),
        ("{site}/not-http", {}, DownloadFailedError),
        ("{site}/long-head", {}, DownloadCancelledError),
        ("{secure}/", {}, TlsRefusedError),
        ("{site}/", {"proxy": "socks5://127.0.0.1:1"}, UnsendableRequestError),
    ],
)
def test_failures_have_the_names_scrapy_knows(url: str, settings: dict[str, Any], error: type, authority: Authority):
    long_head = script(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, "close")
    proxy = settings.pop("proxy", None) if "proxy" in settings else None
    with (
        running(RawSite({**scripts(), "/long-head": long_head})) as site,
        running(RawSite(scripts(), context=authority.server_context("other.test"))) as secure,
    ):
        url = url.format(site=site.url(""), secure=secure.url(""))
        result, exchange = one(Request(url, meta={"proxy": proxy} if proxy else {}), **settings)
    assert type(result) is error
    assert str(result)
    assert (exchange is None) == (error is UnsendableRequestError)
    assert "secret" not in str(result)


def test_refusals_are_not_retried_and_lost_connections_are():
    count = 0

    def answer(_: bytes) -> Script:
        nonlocal count
        count += 1
        return script(b"", "close") if count < 3 else script(ANSWERS["plain"].sent)

    with running(RawSite(answer=answer)) as site:
        response, _ = one(Request(site.url("/")), RETRY_ENABLED=True)
        assert isinstance(response, Response)
        assert (response.body, count) == (TEXT, 3)
        seen, stats = crawl([Request(site.url("/"))], RETRY_ENABLED=True, NEWSWARC_ALLOW_PRIVATE=False)
    ((error, exchange),) = seen.values()
    assert isinstance(error, AddressRefusedError)
    assert exchange is not None
    exchange.close()
    assert "retry/count" not in stats


def test_an_exchange_left_by_an_earlier_try_is_not_taken_for_the_present_one():
    async def twice(url: str) -> None:
        crawler = Crawler(Spider, Settings(SETTINGS))
        handler = WireDownloadHandler.from_crawler(crawler)
        request = Request(url, meta={"raw": True})
        try:
            await handler.download_request(request)
            first: Exchange = request.meta["exchange"]
            await handler.download_request(request)
            with pytest.raises(ValueError, match="closed"):
                first.response.read()
            request = request.replace(url="http://user@127.0.0.1/")
            with pytest.raises(UnsendableRequestError):
                await handler.download_request(request)
            assert "exchange" not in request.meta
        finally:
            await handler.close()

    with running(RawSite(scripts())) as site:
        asyncio.run(twice(site.url("/plain")))


@pytest.mark.parametrize("where", ["url", "middleware"])
def test_proxy_credentials_reach_the_proxy_and_not_the_exchange(where: str):
    with running(RawSite({"http://127.0.0.1:9/": script(ANSWERS["plain"].sent)})) as proxy:
        _, exchange = one(
            Request("http://127.0.0.1:9/", meta={"proxy": f"http://user:pass@127.0.0.1:{proxy.port}"}),
            HTTPPROXY_ENABLED=where == "middleware",
        )
        (received,) = proxy.received("http://127.0.0.1:9/")
    assert b"\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n" in received
    assert exchange is not None
    assert b"Proxy-Authorization" not in exchange.request
    assert exchange.proxy == f"127.0.0.1:{proxy.port}"


def test_the_handler_works_on_twisteds_asyncio_reactor_too(tmp_path: Path):
    """In a process of its own: a reactor cannot be taken back."""
    program = tmp_path / "program.py"
    program.write_text(
        """
import json, sys
import scrapy
from scrapy.crawler import AsyncCrawlerProcess

class One(scrapy.Spider):
    name = "one"

    async def start(self):
        yield scrapy.Request(sys.argv[1])

    def parse(self, response):
        from twisted.internet import reactor
        exchange = response.meta["exchange"]
        print(json.dumps([type(reactor).__name__, response.status, len(response.body), len(exchange.response)]))
        exchange.close()

process = AsyncCrawlerProcess(json.loads(sys.argv[2]))
process.crawl(One)
process.start()
"""
    )
    settings = json.dumps({**SETTINGS, "TWISTED_REACTOR_ENABLED": True})
    with running(RawSite(scripts())) as site:
        done = subprocess.run(
            [sys.executable, program, site.url("/chunked"), settings],
            cwd=Path(__file__).parents[2],
            env={"PYTHONPATH": ".", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            timeout=60,
            check=True,
        )
    assert json.loads(done.stdout) == ["AsyncioSelectorReactor", 200, len(TEXT), len(ANSWERS["chunked"].sent)]


# --- the self-test


def test_the_self_test_passes_here_also_within_a_running_loop():
    check_scrapy(Settings(SETTINGS))

    async def within() -> None:
        check_scrapy(Settings(SETTINGS))
        await run_selftest()

    asyncio.run(within())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"http": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"}, "would not be archived"),
        ({"https": None}, "None for https"),
        ({"file": "scrapy.core.downloader.handlers.file.FileDownloadHandler"}, "serves file"),
    ],
)
def test_foreign_handlers_are_refused(changed: dict[str, Any], reason: str):
    with pytest.raises(SelfTestFailed, match=reason):
        check_handlers(Settings({**SETTINGS, "DOWNLOAD_HANDLERS": {**HANDLERS, **changed}}))


def test_a_reactor_that_is_not_asyncios_is_refused(monkeypatch: pytest.MonkeyPatch):
    check_engine()

    class EPollReactor(types.ModuleType):
        pass

    monkeypatch.setitem(sys.modules, "twisted.internet.reactor", EPollReactor("twisted.internet.reactor"))
    with pytest.raises(SelfTestFailed, match="needs asyncio, but Twisted's EPollReactor is loaded"):
        check_engine()


async def _swallowing(self: Any, download: Callable[..., Any], request: Request) -> Response:
    return Response(request.url)


async def _forgetting(self: Any, exception: Exception, request: Request) -> Response:
    raise exception


@pytest.mark.parametrize(
    ("method", "replacement", "reason"),
    [
        ("download_async", _swallowing, "no longer awaits process_response"),
        ("_process_exception", _forgetting, "no longer awaits process_exception"),
    ],
)
def test_a_scrapy_that_would_lose_pages_is_refused(
    method: str, replacement: Callable[..., Any], reason: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(selftest.DownloaderMiddlewareManager, method, replacement)
    with pytest.raises(SelfTestFailed, match=reason):
        check_scrapy(Settings(SETTINGS))


@pytest.mark.parametrize(
    ("kept", "reason"), [("response", "response kept is not what"), ("request", "request kept is not what")]
)
def test_a_client_that_does_not_keep_the_bytes_is_refused(kept: str, reason: str, monkeypatch: pytest.MonkeyPatch):
    original = WireDownloadHandler.download_request

    async def altered(self: WireDownloadHandler, request: Request) -> Response:
        response = await original(self, request)
        exchange: Exchange = request.meta["exchange"]
        if kept == "response":
            exchange.response.truncate(len(exchange.response) - 1)
        else:
            object.__setattr__(exchange, "request", exchange.request.lower())
        return response

    monkeypatch.setattr(WireDownloadHandler, "download_request", altered)
    with pytest.raises(SelfTestFailed, match=reason):
        check_scrapy(Settings(SETTINGS))
