"""The wire client: one request, one response, every byte of both kept."""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from archive.exchange import Exchange
from archive.spool import SPOOL_AT_BYTES, Spool
from crawler import addresses
from crawler.addresses import Guard
from crawler.wire import errors
from crawler.wire.connection import Connection
from crawler.wire.dialing import Dialer, NotConnected
from crawler.wire.pool import Pool
from crawler.wire.proxy import Proxy, TunnelRefused
from crawler.wire.reception import Reception
from crawler.wire.request import IDEMPOTENT, BindAddress, PreparedRequest, Route, prepare
from crawler.wire.tls import client_context, explain


@dataclass(frozen=True, slots=True)
class WireOptions:
    """What a client needs to know once.

    *concurrent* and *concurrent_per_route* bound the exchanges that run at a time; *idle_s* is how long a connection
    is kept for another; *ca_file* names certificate authorities accepted beside the system's.
    """

    guard: Guard
    ca_file: Path | None = None
    trust_proxy: bool = False
    concurrent: int = 64
    concurrent_per_route: int = 16
    idle_s: float = 30.0
    spool_at_bytes: int = SPOOL_AT_BYTES


class WireClient:
    """An HTTP/1.1 client that keeps what crosses the wire.

    The request is kept as sent (only a proxy's credentials are left out), the response as received (only interim 1xx
    responses are left out), whatever its framing, and also when it is cut. A close-delimited body under TLS counts as
    complete when the connection closes, with or without close_notify: many servers send none.
    """

    def __init__(self, options: WireOptions) -> None:
        self._options = options
        self._dialer = Dialer(options.guard, trust_proxy=options.trust_proxy, tls_context=lambda: self._tls_context)
        self._pool = Pool(
            concurrent=options.concurrent,
            concurrent_per_route=options.concurrent_per_route,
            idle_s=options.idle_s,
        )
        self._limits: set[asyncio.Timeout] = set()  # of the exchanges under way
        self._latest = math.inf  # loop time at which the last of them ends

    @cached_property
    def _tls_context(self) -> ssl.SSLContext:
        return client_context(self._options.ca_file)  # reads the system's authorities: 20 ms, so only when needed

    async def fetch(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[bytes, bytes]] = (),
        body: bytes = b"",
        *,
        timeout_s: float,
        max_bytes: int | None,
        proxy: str | Proxy | None = None,
        bind_address: BindAddress | None = None,
    ) -> Exchange:
        """Make one exchange. The caller closes it, whether it is returned or comes with an error.

        *timeout_s* covers all: waiting for a turn, resolving, connecting, TLS, and the last byte. *max_bytes* caps
        the response, head included. A response whose head is complete is returned even when the rest is cut by
        either, or by a lost connection: ``truncated`` says so. A kept connection that turns out dead before the
        first byte of an answer is replaced once, for idempotent methods.

        Raises a ``WireError`` that carries the exchange when there is no response head, ``ValueError`` for a
        request that cannot be sent (see :func:`crawler.wire.request.prepare`), and ``StorageError`` when there was no
        room for what came.
        """
        loop = asyncio.get_running_loop()
        if isinstance(proxy, str):
            proxy = Proxy.from_url(proxy)
        try:
            request = prepare(method, url, headers, body, proxy=proxy, bind_address=bind_address)
        except addresses.ResolveFailed as error:
            now = datetime.now(UTC)
            raise errors.ResolveFailed(str(error), Exchange(url, method, b"", Spool(), now, now)) from error
        attempt = _Attempt(request, Spool(spool_at_bytes=self._options.spool_at_bytes), max_bytes)
        try:
            try:
                async with asyncio.timeout_at(min(loop.time() + timeout_s, self._latest)) as limit:
                    self._limits.add(limit)
                    try:
                        await self._perform(attempt)
                    finally:
                        self._limits.discard(limit)
            except TimeoutError as error:
                attempt.reception.cut("time")
                if attempt.reception.head is None:
                    where = attempt.stage if not attempt.sent else "waiting for the response head"
                    message = f"{url}: {timeout_s:g} s ran out while {where}"
                    raise errors.TimedOut(message, attempt.exchange()) from error
        except BaseException as error:
            if not isinstance(error, errors.WireError):
                attempt.exchange().close()
            raise
        return attempt.result()

    async def _perform(self, attempt: _Attempt) -> None:
        request, route = attempt.request, attempt.request.route
        async with self._pool.turn(route):
            try:
                attempt.stage = "resolving"
                await self._dialer.judge(route)
                connection = self._pool.take(route)
                if connection is not None:
                    await self._exchange(attempt, connection)
                    if not attempt.connection_was_dead or request.method not in IDEMPOTENT:
                        return
                    attempt.start_over(Spool(spool_at_bytes=self._options.spool_at_bytes))
                connection = await self._connect(attempt, route)
            except addresses.ResolveFailed as error:
                raise errors.ResolveFailed(str(error), attempt.exchange()) from error
            except addresses.AddressRefused as error:
                raise errors.AddressRefused(str(error), attempt.exchange()) from error
            await self._exchange(attempt, connection)

    async def _connect(self, attempt: _Attempt, route: Route) -> Connection:
        attempt.stage = "connecting"
        try:
            connection = await self._dialer.dial(route, attempt.timings_ms)
        except NotConnected as error:
            refused = isinstance(error.__cause__, ConnectionRefusedError)
            raise errors.ConnectFailed(str(error), attempt.exchange(), refused=refused) from error
        except TunnelRefused as error:
            raise errors.ConnectFailed(str(error), attempt.exchange()) from error
        except ssl.SSLError as error:
            certificate = isinstance(error, ssl.SSLCertVerificationError)
            message = f"TLS with {route.authority} failed: {explain(error)}"
            raise errors.TlsFailed(message, attempt.exchange(), certificate=certificate) from error
        except OSError as error:
            message = f"{route.authority} closed the connection during the handshake: {error}"
            raise errors.ConnectFailed(message, attempt.exchange()) from error
        self._pool.adopt(connection)
        return connection

    async def _exchange(self, attempt: _Attempt, connection: Connection) -> None:
        attempt.begin(connection)
        try:
            await connection.perform(attempt.request.sent, attempt.reception)
        except BaseException:  # cancelled: nobody will read what may still come
            connection.abort()
            raise
        if attempt.reception.reusable and not attempt.request.closes:
            self._pool.put(attempt.request.route, connection)
        else:
            connection.close()

    def hurry(self, within_s: float) -> None:
        """Give every exchange, under way or yet to come, at most *within_s* from now; it then ends as out of time."""
        self._latest = min(self._latest, asyncio.get_running_loop().time() + within_s)
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(min(limit.when() or self._latest, self._latest))

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()


class _Attempt:
    """One exchange in the making."""

    def __init__(self, request: PreparedRequest, spool: Spool, max_bytes: int | None) -> None:
        self.request = request
        self.reception = Reception(request.method, max_bytes, spool)
        self.stage = "waiting for a turn"
        self.sent = False
        self.timings_ms: dict[str, float] = {}
        self._max_bytes = max_bytes
        self._connection: Connection | None = None
        self._forerunner: Exchange | None = None
        self._reused = False
        self._clock = asyncio.get_running_loop().time
        self._asked_at = self._started_at = self._clock()
        self._started = datetime.now(UTC)

    def begin(self, connection: Connection) -> None:
        """The request is about to be sent on *connection*."""
        self._connection = connection
        self._reused = connection.exchanges > 0
        self._started_at = self._clock()
        self._started = datetime.now(UTC)
        self.sent = True

    @property
    def connection_was_dead(self) -> bool:
        """Return whether a kept connection ended without a byte in answer."""
        return self._reused and self.reception.failure == "lost" and not self.reception.received_anything

    def start_over(self, spool: Spool) -> None:
        """Begin again on another connection; what was sent in vain is kept as the exchange's *forerunner*."""
        self._forerunner = self.exchange()
        self._connection = None
        self.reception = Reception(self.request.method, self._max_bytes, spool)
        self.sent = False

    def exchange(self) -> Exchange:
        """Return the exchange as far as it came."""
        connection, reception = self._connection, self.reception
        now = self._clock()
        ended_at = (connection.last_byte_at if connection and connection.last_byte_at else now) if self.sent else now
        timings_ms = self.timings_ms
        if self.sent and connection and connection.first_byte_at:
            timings_ms["first_byte"] = (connection.first_byte_at - self._started_at) * 1000
        timings_ms["total"] = (ended_at - self._asked_at) * 1000
        proxy = self.request.route.proxy
        return Exchange(
            url=self.request.url,
            method=self.request.method,
            request=self.request.kept if self.sent else b"",
            response=reception.spool,
            started=self._started,
            ended=self._started + timedelta(seconds=ended_at - self._started_at),
            protocol="http/1.0" if reception.head and reception.head.version == "1.0" else "http/1.1",
            peer=connection.peer if connection else None,
            tls=connection.tls if connection else None,
            truncated=reception.truncated,
            proxy=str(proxy) if proxy else None,
            interim=reception.interim,
            timings_ms=dict(timings_ms),
            forerunner=self._forerunner,
        )

    def result(self) -> Exchange:
        """Return the exchange; raise the error that fits when it has no response head."""
        reception = self.reception
        exchange = self.exchange()
        message = f"{self.request.url}: {reception.problem}"
        if reception.failure == "lost":
            raise errors.ConnectionLost(message, exchange)
        if reception.failure == "malformed":
            raise errors.MalformedResponse(message, exchange)
        if reception.failure == "head-too-large":
            raise errors.HeadTooLarge(message, exchange)
        return exchange
