"""Both listeners in one process: sockets, limits, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from archive.errors import LocationError
from archive.replay.answering import on_library, on_pages
from archive.replay.app import THREADS, Listener
from archive.replay.metrics import Metrics
from archive.replay.site import Site

HEAD_S = 10.0  # in which a request's head must have come, from its first byte or the connection's beginning on
HEAD_BYTES = 64 << 10
IDLE_S = 15.0  # a connection without a request
CONNECTIONS = 800  # of one listener; more are closed at once. A process may have 1,024 files open by default
STOP_S = 3.0


# A memento keeps its status, and servers answered with numbers that no standard knows.
STATUS_LINE.update({status: b"HTTP/1.1 %d Unknown\r\n" % status for status in range(600, 1000)})


class Guarded(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, for clients that may be slow, endless or many."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and b"\r\n\r\n" not in data[:HEAD_BYTES]:
                self._refuse(b"431 Request Header Fields Too Large")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._begin()

    def on_headers_complete(self) -> None:
        self._in_time()
        super().on_headers_complete()

    def _begin(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_S, self._late)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self.transport is not None and not self.transport.is_closing():
            self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        self._in_time()
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.transport.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for both servers together: :func:`serve` takes them."""
        yield


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises ``LocationError`` when that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(512)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise LocationError(
            f"{host}:{port}: cannot listen there: {error.strerror or error}; choose another --port"
        ) from error
    return made


def serve(
    site: Site, library: socket.socket, pages: socket.socket, *, ready: Callable[[], None], signals: bool = True
) -> None:
    """Serve *site* on both sockets until SIGINT or SIGTERM; *ready* is called when requests are answered."""
    # A thread that rewrites a page would keep the loop from answering for five milliseconds at a time.
    sys.setswitchinterval(0.001)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(site, library, pages, ready, signals=signals))


async def _serve(
    site: Site, library: socket.socket, pages: socket.socket, ready: Callable[[], None], *, signals: bool
) -> None:
    metrics = Metrics()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="replay") as pool:
        servers = []
        for name, answer, bound in (("library", on_library, library), ("pages", on_pages, pages)):
            app = Listener(site, answer, name, pool=pool, metrics=metrics, port=bound.getsockname()[1])
            servers.append((_Server(_config(app)), bound))
        loop = asyncio.get_running_loop()

        def stop() -> None:
            for server, _ in servers:
                server.should_exit = True

        if signals:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, stop)
        tasks = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in servers]
        while not all(server.started for server, _ in servers) and not any(task.done() for task in tasks):
            await asyncio.sleep(0.005)
        gc.collect()
        gc.freeze()  # what was loaded stays: collections need not walk it again and again
        if not any(task.done() for task in tasks):
            ready()
        await asyncio.gather(*tasks)


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Guarded,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(IDLE_S),
        timeout_graceful_shutdown=int(STOP_S),
        backlog=512,
    )
