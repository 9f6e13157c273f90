"""Making a connection: the guard's addresses one after another, then a proxy's tunnel, then TLS."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crawler.addresses import AddressRefused, Guard
from crawler.wire.connection import Connection
from crawler.wire.proxy import open_tunnel
from crawler.wire.request import Route
from crawler.wire.tls import describe

# With several addresses, one that swallows packets must not eat the time of those that would answer (RFC 8305 tries the
# next after 250 ms, in parallel; one after another needs more patience). The last one has all the time that is left.
ATTEMPT_S = 4.0
MAX_ADDRESSES = 6
_TLS_SHUTDOWN_S = 1.0  # how long a closed connection waits for the other side's close_notify


class NotConnected(Exception):
    """No address accepted the connection. The cause is the last address's ``OSError``."""


class Dialer:
    """Makes connections that go only where *guard* allows.

    *trust_proxy* says that a proxy is the operator's own: its address may be private, and the addresses of what is
    fetched through it are its own business. *tls_context* is called when the first TLS connection is made.
    """

    def __init__(self, guard: Guard, *, trust_proxy: bool, tls_context: Callable[[], ssl.SSLContext]) -> None:
        self._guard = guard
        self._proxy_guard = Guard(allow_private=True) if trust_proxy else guard
        self._trust_proxy = trust_proxy
        self._tls_context = tls_context

    async def judge(self, route: Route) -> None:
        """Refuse a target that a proxy would resolve, when the guard would.

        Raises what :meth:`crawler.addresses.Guard.resolve` raises.
        """
        if route.proxy is not None and not self._trust_proxy:
            await self._guard.resolve(route.host, route.port)

    async def dial(self, route: Route, timings_ms: dict[str, float]) -> Connection:
        """Return an open connection for *route*, and note ``dns``, ``connect`` and ``tls`` in *timings_ms*.

        Raises what :meth:`~crawler.addresses.Guard.resolve` and ``check`` raise; ``NotConnected``;
        ``proxy.TunnelRefused``; ``ssl.SSLError`` and ``OSError`` from the handshake.
        """
        loop = asyncio.get_running_loop()
        guard = self._guard if route.proxy is None else self._proxy_guard
        host, port = (route.host, route.port) if route.proxy is None else (route.proxy.host, route.proxy.port)
        began = loop.time()
        with _telling_of_the_proxy(route):
            addresses = await guard.resolve(host, port)
        resolved = loop.time()
        sock = await self._connect(addresses[:MAX_ADDRESSES], route, f"{host}:{port}")
        try:
            peer = str(sock.getpeername()[0]).partition("%")[0]
            with _telling_of_the_proxy(route):
                guard.check(peer, host)
            if route.proxy is not None and route.scheme == "https":
                await open_tunnel(sock, route.proxy, route.authority)
            connected = loop.time()
            connection = await self._wrap(sock, route)
        except BaseException:
            sock.close()
            raise
        timings_ms["dns"] = (resolved - began) * 1000
        timings_ms["connect"] = (connected - resolved) * 1000
        if connection.tls is not None:
            timings_ms["tls"] = (loop.time() - connected) * 1000
        connection.peer = peer if route.proxy is None else None
        return connection

    async def _connect(
        self, addresses: list[tuple[int, tuple[str | int, ...]]], route: Route, name: str
    ) -> socket.socket:
        reasons = []
        last_error: OSError | None = None
        for number, (family, address) in enumerate(addresses, 1):
            try:
                async with asyncio.timeout(None if number == len(addresses) else ATTEMPT_S):
                    return await _connected(family, address, route)
            except OSError as error:  # TimeoutError, from our own limit or the system's, is one
                last_error = error
                reasons.append(f"{address[0]}: {os.strerror(error.errno) if error.errno else 'no answer'}")
        raise NotConnected(f"cannot connect to {name} ({'; '.join(reasons)})") from last_error

    async def _wrap(self, sock: socket.socket, route: Route) -> Connection:
        loop = asyncio.get_running_loop()
        if route.scheme == "http":
            _, connection = await loop.create_connection(Connection, sock=sock)
            return connection
        transport, connection = await loop.create_connection(
            Connection,
            sock=sock,
            ssl=self._tls_context(),
            server_hostname=route.host,
            ssl_shutdown_timeout=_TLS_SHUTDOWN_S,
        )
        connection.tls = describe(transport)
        return connection


async def _connected(family: int, address: tuple[str | int, ...], route: Route) -> socket.socket:
    """Return a socket connected to *address*. Raises ``OSError``, also when the machine has no such addresses."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if route.bind_address is not None:
            sock.bind(route.bind_address)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


@contextmanager
def _telling_of_the_proxy(route: Route) -> Iterator[None]:
    """Say of a refused address that it is the proxy's, and which setting is for that."""
    try:
        yield
    except AddressRefused as error:
        if route.proxy is None:
            raise
        whose = f"the proxy {route.proxy}"
        raise AddressRefused(whose, error.address, error.reason, way_out="trust_proxy, or --allow-private") from error
