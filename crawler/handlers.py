"""Scrapy's door to the wire: a download handler that leaves every exchange, whole or cut, in ``request.meta``.

It keeps to Scrapy's public ``DownloadHandlerProtocol`` and needs an asyncio loop, with or without Twisted's reactor on
top. What Scrapy's own handlers do and this one does not: the ``headers_received`` and ``bytes_received`` signals, and
turning responses that are too large, too slow or cut into failures: they arrive, marked with a flag.
"""

from __future__ import annotations

import logging
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from archive.examine import MAX_DECODED_BYTES, SNIFFED_BYTES, may_be_read
from archive.exchange import Exchange
from archive.http1 import Head, payload_chunks
from archive.payload import read_head
from crawler import wire
from crawler.addresses import Guard
from crawler.interruption import HURRY
from crawler.wire.request import BindAddress

log = logging.getLogger(__name__)

FLAGS = {"disconnect": "dataloss", "length": "truncated", "time": "truncated"}  # by the exchange's truncation
MAX_BODY_BYTES = MAX_DECODED_BYTES  # of a larger one nothing is read; Scrapy holds bodies in memory
CAPPED = "body-capped"  # the flag of a response whose body is only the beginning of what was kept
LEFT_OUT = "body-left-out"  # the flag of a response that was kept, and whose body nobody can read


class AddressRefusedError(IgnoreRequest):
    """The URL leads to a private or special address. Not retried; nothing was sent."""


class UnsendableRequestError(IgnoreRequest):
    """The request cannot be put on the wire: another scheme, credentials or line breaks in the URL. Not retried."""


class TlsRefusedError(IgnoreRequest):
    """The server's certificate is not accepted. Not retried."""


class WireDownloadHandler:
    """Fetches requests with a :class:`~crawler.wire.WireClient`.

    ``request.meta["exchange"]`` is the :class:`~archive.exchange.Exchange`, on success and on failure alike; who
    takes it closes it. It is absent when nothing could be attempted. Read from ``meta``: ``raw``, ``download_timeout``,
    ``download_maxsize`` (here: of the whole response, head included), ``proxy``, ``bindaddress``; written:
    ``download_latency``, seconds to the first byte of the answer, connecting included.

    The response's body is the payload: transfer coding removed, content coding kept. It is held in memory, so of a
    large one only the first 64 MiB are handed over, with the flag ``body-capped``. With ``meta["raw"]``, for whoever
    reads pages and style sheets alone, the response is a plain :class:`~scrapy.http.Response`, whatever its type, and
    comes without a body, with the flag ``body-left-out``, when its Content-Type and its first bytes tell that it is
    none of them (:func:`archive.examine.may_be_read`). The exchange has all of it in either case.
    """

    lazy = False

    def __init__(
        self,
        client: wire.WireClient,
        *,
        timeout_s: float,
        max_bytes: int,
        bind_address: str | BindAddress | None = None,
        tells: bool = False,
    ) -> None:
        """*tells*: what is refused is logged, for nobody else says so."""
        self._client = client
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._bind_address = bind_address
        self._tells = tells
        self._told: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        ca_file = settings.get("NEWSWARC_CA_FILE")
        options = wire.WireOptions(
            guard=cls.guard(crawler),
            ca_file=Path(ca_file) if ca_file else None,
            trust_proxy=settings.getbool("NEWSWARC_TRUST_PROXY"),
            concurrent=settings.getint("CONCURRENT_REQUESTS"),
            # Scrapy's slots count by host and this client by scheme, host and port: never the narrower of the two.
            concurrent_per_route=settings.getint("CONCURRENT_REQUESTS"),
        )
        handler = cls(
            wire.WireClient(options),
            timeout_s=settings.getfloat("DOWNLOAD_TIMEOUT"),
            max_bytes=settings.getint("DOWNLOAD_MAXSIZE"),
            bind_address=settings.get("DOWNLOAD_BIND_ADDRESS"),
            tells=not settings.getbool("NEWSWARC_CALLER_TELLS_ERRORS"),
        )
        crawler.signals.connect(handler.hurry, signal=HURRY)
        return handler

    @classmethod
    def guard(cls, crawler: Crawler) -> Guard:
        """Return what judges addresses; a test's own handler gives another."""
        return Guard(crawler.settings.getbool("NEWSWARC_ALLOW_PRIVATE"))

    def hurry(self, within_s: float) -> None:
        """Let what is under way end within that time; what came is kept, and marked."""
        self._client.hurry(within_s)

    async def download_request(self, request: Request) -> Response:
        meta = request.meta
        stale: Exchange | None = meta.pop("exchange", None)
        if stale is not None:
            stale.close()
        try:
            exchange = await self._client.fetch(
                request.method,
                request.url.partition("#")[0],  # a fragment never leaves the client (RFC 9110, 7.1)
                _header_pairs(request),
                request.body,
                timeout_s=float(meta.get("download_timeout") or self._timeout_s),
                max_bytes=int(meta.get("download_maxsize", self._max_bytes)) or None,
                proxy=_proxy(request),
                bind_address=_bind_address(meta.get("bindaddress") or self._bind_address),
            )
        except wire.WireError as error:
            meta["exchange"] = error.exchange
            if isinstance(error, wire.AddressRefused):
                self._tell(error)
            raise _for_scrapy(error) from error
        except ValueError as error:
            raise UnsendableRequestError(str(error)) from error
        meta["exchange"] = exchange
        timings_ms = exchange.timings_ms
        meta["download_latency"] = sum(timings_ms.get(k, 0.0) for k in ("dns", "connect", "tls", "first_byte")) / 1000
        return build_response(exchange, raw=bool(meta.get("raw")))

    def _tell(self, error: wire.AddressRefused) -> None:
        """Say that a site is refused, once: Scrapy says nothing of requests that are ignored."""
        site = str(error).partition("://")[2].partition("/")[0]
        if self._tells and site not in self._told:
            self._told.add(site)
            log.warning("%s (NEWSWARC_ALLOW_PRIVATE = True allows it)", error)

    async def close(self) -> None:
        await self._client.close()


def build_response(exchange: Exchange, *, raw: bool = False) -> Response:
    """Return the Scrapy response for *exchange*, which has a whole response head.

    How much of the body it has is told at :class:`WireDownloadHandler`.
    """
    head = read_head(exchange.response)
    assert head is not None
    headers = Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers])
    flags = [FLAGS[exchange.truncated]] if exchange.truncated else []
    start = _payload(exchange, head, SNIFFED_BYTES)
    if raw and start and not may_be_read(head.get("Content-Type"), head.get("Content-Encoding"), start):
        body = b""
        flags.append(LEFT_OUT)
    else:
        body = _payload(exchange, head, MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            body = body[:MAX_BODY_BYTES]
            flags.append(CAPPED)
    response_class = Response
    if not raw:
        response_class = responsetypes.from_args(headers=headers, url=exchange.url, body=body)
    assert head.status is not None
    return response_class(
        url=exchange.url,
        status=head.status,
        headers=headers,
        body=body,
        flags=flags,
        certificate=exchange.tls.certificate if exchange.tls else None,
        ip_address=ip_address(exchange.peer) if exchange.peer else None,
        protocol=f"HTTP/{head.version}",
    )


def _payload(exchange: Exchange, head: Head, limit_bytes: int) -> bytes:
    """Return the payload's first *limit_bytes*, or all of a shorter one."""
    if head.get("Transfer-Encoding") is None:
        return exchange.response.read(head.size, limit_bytes)
    pieces, size = [], 0
    for piece in payload_chunks(head, exchange.response.chunks(head.size)):
        pieces.append(piece)
        size += len(piece)
        if size >= limit_bytes:
            break
    return b"".join(pieces)[:limit_bytes]


def _header_pairs(request: Request) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, values in request.headers.items() for value in values]


def _proxy(request: Request) -> wire.Proxy | None:
    url: str | None = request.meta.get("proxy")
    if not url:
        return None
    # Scrapy's HttpProxyMiddleware takes the credentials out of the URL and leaves them in this header.
    return wire.Proxy.from_url(url, authorization=request.headers.get(b"Proxy-Authorization"))


def _bind_address(value: str | BindAddress | None) -> BindAddress | None:
    if isinstance(value, str):
        return (value, 0)
    return (value[0], value[1]) if value else None


def _for_scrapy(error: wire.WireError) -> Exception:
    """Return what Scrapy's middlewares know *error* by: those worth another try are what RetryMiddleware retries."""
    message = str(error)
    match error:
        case wire.ResolveFailed():
            return CannotResolveHostError(message)
        case wire.AddressRefused():
            return AddressRefusedError(message)
        case wire.ConnectFailed(refused=True):
            return DownloadConnectionRefusedError(message)
        case wire.TlsFailed(certificate=True):
            return TlsRefusedError(message)
        case wire.TimedOut():
            return DownloadTimeoutError(message)
        case wire.HeadTooLarge():
            return DownloadCancelledError(message)  # what Scrapy says of its own size limit; not retried
        case _:
            return DownloadFailedError(message)
