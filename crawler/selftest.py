"""What newswarc relies on in Scrapy, tried out at each start: a silent change there would cost pages, not an error.

It takes a few milliseconds: the settings are looked at, a response and a failure go through Scrapy's middleware
manager and a request through our downloader, and one exchange over loopback is compared with what the socket saw.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor

from scrapy import Request, Spider, signals
from scrapy.core.downloader.handlers import DownloadHandlerProtocol
from scrapy.core.downloader.middleware import DownloaderMiddlewareManager
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Response
from scrapy.logformatter import LogFormatter
from scrapy.settings import BaseSettings
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.misc import load_object

from archive.exchange import Exchange
from crawler.addresses import Guard
from crawler.downloader import DirectDownloader
from crawler.handlers import WireDownloadHandler
from crawler.wire import WireClient, WireOptions

_ASYNCIO_REACTOR = "AsyncioSelectorReactor"
_ANSWER = (
    b"HTTP/1.1 200 \xfcberpr\xfcft\r\nx-ODD: 1\r\nX-Odd: 2\r\nSet-Cookie: a\r\nX-Odd:3\r\n"
    b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n4;ext=1\r\nself\r\n4\ntest\n0\r\nTrailer: x\r\n\r\n"
)
_TIMEOUT_S = 10.0


class SelfTestFailed(Exception):
    """Something that exact capture rests on is not as it must be; the message names it. Nothing was fetched."""


def check_scrapy(settings: BaseSettings) -> None:
    """Try out everything, for a crawl with *settings*. May be called inside a running loop.

    Raises ``SelfTestFailed``.
    """
    check_engine()
    check_handlers(settings)
    direct = issubclass(load_object(settings["DOWNLOADER"]), DirectDownloader)
    with ThreadPoolExecutor(1, "newswarc-selftest") as thread:  # a loop of its own, whatever runs in this thread
        thread.submit(lambda: asyncio.run(run_selftest(direct=direct))).result()


def check_engine() -> None:
    """Refuse a Twisted reactor that is not asyncio's: the wire client lives on an asyncio loop."""
    reactor_module = sys.modules.get("twisted.internet.reactor")
    name = type(reactor_module).__name__
    if reactor_module is not None and name != _ASYNCIO_REACTOR:
        raise SelfTestFailed(
            f"newswarc needs asyncio, but Twisted's {name} is loaded; "
            "leave TWISTED_REACTOR_ENABLED off, or install AsyncioSelectorReactor before anything else"
        )


def check_handlers(settings: BaseSettings) -> None:
    """Refuse settings under which http or https would be fetched past the archive, or other schemes at all."""
    for part in ("lazy", "download_request", "close"):
        if part not in DownloadHandlerProtocol.__annotations__ and not hasattr(DownloadHandlerProtocol, part):
            raise SelfTestFailed(f"Scrapy's DownloadHandlerProtocol no longer has {part!r}")
    handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
    for scheme in ("http", "https"):
        path = handlers.get(scheme)
        if path is None or not issubclass(load_object(path), WireDownloadHandler):
            raise SelfTestFailed(
                f"DOWNLOAD_HANDLERS has {path!r} for {scheme}: its exchanges would not be archived; "
                "it must be crawler.handlers.WireDownloadHandler"
            )
    foreign = sorted(scheme for scheme, path in handlers.items() if path and scheme not in {"http", "https"})
    if foreign:
        raise SelfTestFailed(
            f"DOWNLOAD_HANDLERS serves {', '.join(foreign)}, which cannot be archived: set them to None"
        )


async def run_selftest(*, direct: bool = False) -> None:
    """Try out the middleware manager and one exchange; *direct*: our downloader too. Raises ``SelfTestFailed``."""
    await _check_middleware_manager()
    if direct:
        await _check_downloader()
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await _check_loopback()
    except (OSError, DownloadFailedError) as error:
        raise SelfTestFailed(f"no exchange over loopback: {error or type(error).__name__}") from error


class _Probe:
    """A middleware as ours are: asynchronous, and a failure in it must fail the request."""

    def __init__(self) -> None:
        self.seen: Exception | None = None

    async def process_response(self, request: Request, response: Response) -> Response:  # noqa: ARG002 - Scrapy's names
        await asyncio.sleep(0)
        raise SelfTestFailed("as it should")

    async def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002 - Scrapy's names
        await asyncio.sleep(0)
        self.seen = exception


async def _check_middleware_manager() -> None:
    probe = _Probe()
    manager = DownloaderMiddlewareManager(probe, crawler=Crawler(Spider))
    request = Request("http://selftest.invalid/")
    failure = DownloadFailedError("selftest")

    async def succeed(request: Request) -> Response:
        return Response(request.url)

    async def fail(_: Request) -> Response:
        raise failure

    try:
        await manager.download_async(succeed, request)
    except SelfTestFailed:
        pass
    else:
        raise SelfTestFailed("Scrapy no longer awaits process_response: a page that cannot be archived would go on")
    with contextlib.suppress(DownloadFailedError):
        await manager.download_async(fail, request)
    if probe.seen is not failure:
        raise SelfTestFailed("Scrapy no longer awaits process_exception: cut exchanges would be lost")


class _ProbeHandler:
    """A download handler that answers without a wire."""

    lazy = False

    async def download_request(self, request: Request) -> Response:
        await asyncio.sleep(0)
        return Response(request.url)

    async def close(self) -> None:
        pass


async def _check_downloader() -> None:
    """See that what :mod:`crawler.downloader` leaves of Scrapy's downloader is still all that it needs."""
    told: list[Request] = []

    def downloaded(request: Request) -> None:
        told.append(request)

    handlers = {"http": f"{__name__}.{_ProbeHandler.__name__}", **dict.fromkeys(("https", "data", "file", "ftp", "s3"))}
    settings = {"DOWNLOAD_HANDLERS": handlers, "DOWNLOADER_MIDDLEWARES_BASE": {}, "CONCURRENT_REQUESTS": 1}
    request = Request("http://selftest.invalid/")
    try:
        crawler = Crawler(Spider, settings)
        crawler.spider, crawler.logformatter = Spider("selftest"), LogFormatter()
        crawler.signals.connect(downloaded, signal=signals.response_downloaded)
        downloader = DirectDownloader(crawler)
        fetched = downloader.fetch(request)
        full = downloader.needs_backout()
        await maybe_deferred_to_future(fetched)
        arrived: list[Response] = []
        got = await downloader.get(request, arrived.append)
    except Exception as error:
        raise SelfTestFailed(f"Scrapy's Downloader is not what DirectDownloader is made of: {error!r}") from error
    if not full or downloader.needs_backout():
        raise SelfTestFailed("Scrapy's Downloader no longer goes by active: CONCURRENT_REQUESTS would not be kept")
    if arrived != [got]:
        raise SelfTestFailed("Scrapy's middlewares no longer lead to the handler: a site's slot would stay taken")
    if told != [request, request]:
        raise SelfTestFailed("Scrapy no longer sends response_downloaded: nobody would hear of answers")


async def _check_loopback() -> None:
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + _ANSWER)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    handler = WireDownloadHandler(
        WireClient(WireOptions(Guard(allow_private=True))), timeout_s=_TIMEOUT_S, max_bytes=1 << 20
    )
    request = Request(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a%2Fb?c", headers={"X-Self": "test"})
    try:
        async with server:
            response = await handler.download_request(request)
    finally:
        await handler.close()
    exchange: Exchange = request.meta["exchange"]
    with exchange.response:
        if exchange.response.read() != _ANSWER or exchange.interim != 1:
            raise SelfTestFailed("the response kept is not what the socket sent")
    if [exchange.request] != received:
        raise SelfTestFailed("the request kept is not what the socket received")
    if (response.status, response.body) != (200, b"selftest"):
        raise SelfTestFailed(f"the response handed to Scrapy is wrong: {response.status}, {response.body[:40]!r}")
