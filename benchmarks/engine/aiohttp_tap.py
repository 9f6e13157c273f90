"""The engine not chosen, two: Scrapy's aiohttp handler with a tap in aiohttp's connector.

It reaches into private parts of aiohttp (``TCPConnector._factory``, ``ResponseHandler``, ``ClientRequest.send``) and of
Scrapy (the handler's module and its ``_session``, both private and marked experimental). ``request.meta["tap"]`` is the
tap, on success and on failure. See ``docs/decisions/0001-engine.md``.
"""

from __future__ import annotations

from contextvars import ContextVar

from aiohttp import ClientRequest, ClientSession, DummyCookieJar, TCPConnector
from aiohttp.client_proto import ResponseHandler
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler, _ClientResponse


class Tap:
    """The bytes of one exchange."""

    def __init__(self) -> None:
        self.request = bytearray()
        self.response = bytearray()


_current: ContextVar[Tap] = ContextVar("tap")


class Tee:
    """A transport that notes what is written to it."""

    def __init__(self, transport, protocol: TappedProtocol) -> None:
        self._transport, self._protocol = transport, protocol

    def write(self, data) -> None:
        if self._protocol.tap is not None:
            self._protocol.tap.request += data
        self._transport.write(data)

    def writelines(self, pieces) -> None:
        self.write(b"".join(pieces))

    def __getattr__(self, name: str):
        return getattr(self._transport, name)


class TappedProtocol(ResponseHandler):
    tap: Tap | None = None

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self.transport = Tee(transport, self)

    def data_received(self, data: bytes) -> None:
        if data and self.tap is not None:
            self.tap.response += data  # what follows the response is not told apart: the parser keeps where it ends
        super().data_received(data)


class TappedRequest(ClientRequest):
    async def send(self, conn):
        tap = _current.get()
        tap.request.clear()  # a request sent again on another connection starts anew
        tap.response.clear()
        conn.protocol.tap = tap
        return await super().send(conn)


class AiohttpTapHandler(AiohttpDownloadHandler):
    """The handler: ``DOWNLOAD_HANDLERS = {"http": …AiohttpTapHandler}``."""

    def __init__(self, crawler) -> None:
        super().__init__(crawler)
        connector = TCPConnector(limit=self._pool_size_total, limit_per_host=self._pool_size_per_host)
        connector._factory = lambda: TappedProtocol(loop=connector._loop)
        self._plain_session = self._session
        self._session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            request_class=TappedRequest,
            response_class=_ClientResponse,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )

    async def download_request(self, request):
        request.meta["tap"] = tap = Tap()
        _current.set(tap)
        return await super().download_request(request)

    async def close(self) -> None:
        await self._plain_session.close()
        await super().close()
