"""Connections kept open between exchanges, and how many exchanges run at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crawler.wire.connection import Connection
from crawler.wire.request import Route


class Pool:
    """Idle connections by route, the most recently used first; and the turns of those who wait for one.

    At most *concurrent* exchanges run at a time, *concurrent_per_route* of them on one route; others wait. An idle
    connection is closed after *idle_s* seconds, the oldest also when more than *concurrent* are idle.
    """

    def __init__(self, *, concurrent: int, concurrent_per_route: int, idle_s: float) -> None:
        self._concurrent = concurrent
        self._per_route = concurrent_per_route
        self._idle_s = idle_s
        self._all_turns = asyncio.Semaphore(concurrent)
        self._turns: dict[Route, asyncio.Semaphore] = {}
        self._users: dict[Route, int] = {}  # exchanges running or waiting, so that a route nobody uses is forgotten
        self._idle: dict[Connection, tuple[Route, asyncio.TimerHandle]] = {}  # oldest first
        self._by_route: dict[Route, list[Connection]] = {}
        self._open: set[Connection] = set()

    @asynccontextmanager
    async def turn(self, route: Route) -> AsyncIterator[None]:
        """Wait until another exchange on *route* may run."""
        turns = self._turns.setdefault(route, asyncio.Semaphore(self._per_route))
        self._users[route] = self._users.get(route, 0) + 1
        try:
            async with turns, self._all_turns:
                yield
        finally:
            self._users[route] -= 1
            if not self._users[route]:
                del self._users[route], self._turns[route]

    def adopt(self, connection: Connection) -> None:
        """Take note of an open connection, so that :meth:`close` finds it."""
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._forget(connection))

    def take(self, route: Route) -> Connection | None:
        """Return an idle connection of *route* that is still good, or None."""
        for connection in reversed(self._by_route.get(route, [])[:]):
            self._drop(connection)
            if connection.usable:
                return connection
            connection.abort()
        return None

    def put(self, route: Route, connection: Connection) -> None:
        """Keep *connection*, which stands at the end of an exchange, for another one."""
        timer = asyncio.get_running_loop().call_later(self._idle_s, self._expire, connection)
        self._idle[connection] = (route, timer)
        self._by_route.setdefault(route, []).append(connection)
        if len(self._idle) > self._concurrent:
            self._expire(next(iter(self._idle)))

    def _drop(self, connection: Connection) -> None:
        route, timer = self._idle.pop(connection)
        timer.cancel()
        siblings = self._by_route[route]
        siblings.remove(connection)
        if not siblings:
            del self._by_route[route]

    def _expire(self, connection: Connection) -> None:
        self._drop(connection)
        connection.close()

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._drop(connection)

    async def close(self) -> None:
        """Close every connection, also those in use, and wait until they are closed."""
        still_open = list(self._open)
        for connection in still_open:
            connection.abort()
        if still_open:
            await asyncio.wait([connection.closed for connection in still_open])
