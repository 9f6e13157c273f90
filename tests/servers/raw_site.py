"""A web site made of exact bytes: what it sends is a script, what it received is kept.

It runs on an event loop of its own in a thread, so that it serves asynchronous and ordinary tests alike, and knows
nothing of HTTP beyond where a request ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Script:
    """What is sent in answer to one request, in *writes*; then the connection is kept, closed, reset or left silent."""

    writes: Sequence[bytes]
    then: str = "keep"  # "keep", "close", "reset", "hang", "forever" (the last write again and again)
    pause_s: float = 0.0  # between the writes

    @property
    def bytes(self) -> bytes:
        return b"".join(self.writes)


def script(data: bytes, then: str = "keep", **more: Any) -> Script:
    return Script([data], then, **more)


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@dataclass
class Received:
    """One request as it came in."""

    connection: int
    data: bytes
    sni: str | None = None

    @property
    def target(self) -> str:
        return self.data.split(b" ", 2)[1].decode("latin-1")


@dataclass
class RawSite:
    """Serves *scripts* by request target (path and query); a target without a script gets a plain 404.

    *answer*, when given, is asked instead, with the request's bytes.
    """

    scripts: dict[str, Script] = field(default_factory=dict)
    answer: Callable[[bytes], Script] | None = None
    context: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    ended: int = 0  # connections that are no more, by whomever they were closed
    port: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    @property
    def scheme(self) -> str:
        return "https" if self.context else "http"

    def url(self, target: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{target}"

    def received(self, target: str) -> list[bytes]:
        """Return the bytes of every request for *target*, in order."""
        return [request.data for request in self.requests if request.target == target]

    async def until(self, holds: Callable[[RawSite], bool]) -> None:
        """Wait until *holds* of this site, looked at whenever a request has come or a connection has ended."""

        def wait() -> None:
            with self._changed:
                assert self._changed.wait_for(lambda: holds(self), 30), "it did not come to that"

        await asyncio.to_thread(wait)

    def _note(self, *, request: Received | None = None) -> None:
        with self._changed:
            if request is not None:
                self.requests.append(request)
            else:
                self.ended += 1
            self._changed.notify_all()

    def _script_for(self, request: bytes) -> Script:
        if self.answer is not None:
            return self.answer(request)
        target = request.split(b" ", 2)[1].decode("latin-1")
        return self.scripts.get(target, script(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while True:
                request = await read_request(reader)
                if not request:
                    break
                self._note(request=Received(number, request))
                if not await play(self._script_for(request), writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self._note()
            writer.close()
            try:
                with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                    await asyncio.wait_for(writer.wait_closed(), 2)
            finally:
                writer.transport.abort()  # under TLS a client that is gone leaves the closing undone


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return the next request with its body; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def play(wanted: Script, writer: asyncio.StreamWriter) -> bool:
    """Send what *wanted* says; return whether the connection stays open."""
    for write in wanted.writes:
        writer.write(write)
        await writer.drain()
        if wanted.pause_s or len(wanted.writes) > 1:
            await asyncio.sleep(wanted.pause_s)
    if wanted.then == "forever":
        while True:
            writer.write(wanted.writes[-1])
            await writer.drain()
            await asyncio.sleep(wanted.pause_s)
    if wanted.then == "hang":
        await asyncio.sleep(3600)
    if wanted.then == "reset":
        writer.transport.abort()
    return wanted.then == "keep"


class LoopThread:
    """An event loop running in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def stop(self) -> None:
        self.run(_cancel_the_rest())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


async def close_server(server: asyncio.Server) -> None:
    for _ in range(5):  # a connection that came and went unseen is accepted first: asyncio loses it half made otherwise
        await asyncio.sleep(0)
    server.close()


async def _cancel_the_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for _ in range(5):  # what the other side has closed by now, in a handshake or behind a buffer, is taken note of
        await asyncio.sleep(0.002)


@contextmanager
def running(site: RawSite, address: str = "127.0.0.1") -> Iterator[RawSite]:
    """Run *site* on a free port of *address*."""
    thread = LoopThread()
    try:
        server = thread.run(asyncio.start_server(site.serve, address, 0, ssl=site.context, backlog=1024))
        site.port = server.sockets[0].getsockname()[1]
        try:
            yield site
        finally:
            thread.run(close_server(server))
    finally:
        thread.stop()
