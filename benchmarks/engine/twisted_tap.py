"""The engine not chosen, one: Scrapy's Twisted HTTP/1.1 handler with a tap that keeps what crosses the wire.

It reaches into private classes of Scrapy (``_ScrapyAgent``, ``_LenientHTTP11ClientProtocol`` and its factory) and of
Twisted (``HTTP11ClientProtocol._finishResponse``, ``HTTPConnectionPool._factory``, ``Request.writeTo`` of
``_newclient``). ``request.meta["tap"]`` is the tap, on success and on failure. See ``docs/decisions/0001-engine.md``.
"""

from __future__ import annotations

from functools import partial

from scrapy.core.downloader.handlers import http11
from twisted.web.http_headers import Headers


class Tap:
    """The bytes of one exchange."""

    def __init__(self) -> None:
        self.request = bytearray()
        self.response = bytearray()


class TappedHeaders(Headers):
    """Request headers that carry the tap down through Twisted's agent, which hands on nothing else of ours."""

    tap: Tap

    def copy(self) -> TappedHeaders:
        return tapped(self, self.tap)


def tapped(headers: Headers, tap: Tap) -> TappedHeaders:
    copied = TappedHeaders(dict(headers.getAllRawHeaders()))
    copied.tap = tap
    return copied


class Tee:
    """A transport that notes what is written to it."""

    def __init__(self, transport, kept: bytearray) -> None:
        self._transport, self._kept = transport, kept

    def write(self, data: bytes) -> None:
        self._kept += data
        self._transport.write(data)

    def writeSequence(self, pieces) -> None:  # noqa: N802 - Twisted's name
        self.write(b"".join(pieces))

    def __getattr__(self, name: str):
        return getattr(self._transport, name)


class TappedProtocol(http11._LenientHTTP11ClientProtocol):
    _tap: Tap | None = None

    def request(self, request):
        self._tap = tap = request.headers.tap
        tap.request.clear()  # a request sent again on another connection starts anew
        tap.response.clear()
        write = request.writeTo
        request.writeTo = lambda transport: write(Tee(transport, tap.request))
        return super().request(request)

    def dataReceived(self, data):  # noqa: N802 - Twisted's name
        if self._tap is not None:
            self._tap.response += data
        super().dataReceived(data)

    def _finishResponse(self, rest):  # noqa: N802 - Twisted's name
        if rest and self._tap is not None:
            del self._tap.response[-len(rest) :]  # already the next response's
        self._tap = None
        super()._finishResponse(rest)


class TappedFactory(http11._LenientHTTP11ClientFactory):
    def buildProtocol(self, addr):  # noqa: ARG002, N802 - Twisted's names
        return TappedProtocol(self._quiescentCallback)


class TappedAgent(http11._ScrapyAgent):
    def _get_agent(self, request, timeout):
        agent = super()._get_agent(request, timeout)
        request.meta["tap"] = tap = Tap()
        agent.request = partial(_request, agent.request, tap)
        return agent


def _request(request, tap, method, uri, headers, body):
    return request(method, uri, tapped(headers, tap), body)


class TwistedTapHandler(http11.HTTP11DownloadHandler):
    """The handler: ``DOWNLOAD_HANDLERS = {"http": …TwistedTapHandler}``."""

    def __init__(self, crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = TappedFactory

    async def download_request(self, request):
        http11._ScrapyAgent = TappedAgent  # the handler looks it up in its module at each request
        return await super().download_request(request)
