"""The two listeners as ASGI applications: what came is checked, answered in a thread, and sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

from archive.replay.answering import guarded
from archive.replay.asked import Answer, Request, text
from archive.replay.metrics import Metrics
from archive.replay.site import Site

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

THREADS = 8  # most of the time of an answer is spent in one of them, or waiting for a bucket
WAITING = 400  # requests that may wait for a thread; those beyond are told to come again
SEND_S = 60.0  # how long a client may take to read a piece
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_END: Any = object()


class Listener:
    """One of the two: *answer* says what it serves, *name* how it stands in the metrics.

    *names* are the hosts it may be asked for, with their ports; another one is a page elsewhere that was made to lead
    here (DNS rebinding).
    """

    def __init__(
        self,
        site: Site,
        answer: Callable[[Site, Request], Answer],
        name: str,
        *,
        pool: ThreadPoolExecutor,
        metrics: Metrics,
        port: int = 0,
    ) -> None:
        self.site, self.name, self._answer, self._pool, self._metrics = site, name, answer, pool, metrics
        urls = (site.options.public_url, site.options.pages_url)
        self._hosts = {urlsplit(url).netloc for url in urls} | {f"{host}:{port}" for host in _LOOPBACK}
        self._url = urls[0 if name == "library" else 1]
        self._own_host = urlsplit(self._url).netloc
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - no body is read
        if scope["type"] != "http":
            return
        begun = time.perf_counter()
        request = _request(scope)
        made = self._at_once(request)
        if made is None:
            if self._waiting >= WAITING:
                made = text(503, "The archive is busy; come again in a moment", [("Retry-After", "2")])
            else:
                self._waiting += 1
                try:
                    loop = asyncio.get_running_loop()
                    made = await loop.run_in_executor(self._pool, guarded, self._answer, self.site, request)
                except Exception:
                    log.exception("%s", request.target[:200])
                    made = text(500, "Something went wrong here, which is a bug; the log tells more")
                finally:
                    self._waiting -= 1
        self._metrics.answered(self.name, request, made.status, time.perf_counter() - begun)
        await self._send(made, send, bodiless=request.method == "HEAD")

    def _at_once(self, request: Request) -> Answer | None:
        path = request.path
        if self.name == "library" and path == "/healthz":
            return text(200, "ok", [("Cache-Control", "no-store")])
        if self.name == "library" and path == "/metrics":
            return Answer(200, [("Content-Type", Metrics.TYPE), ("Cache-Control", "no-store")], self._metrics.text())
        host = request.headers.get("host", self._own_host).lower()
        if host not in self._hosts:
            return text(421, f"This archive is at {self._url}")
        if host != self._own_host and request.is_navigation and request.target.isprintable():
            # A page opened under another of our names would share that one's host with what is replayed.
            return Answer(307, [("Location", f"{self._url}{request.target}")])
        return None

    async def _send(self, made: Answer, send: Send, *, bodiless: bool) -> None:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in made.headers]
        whole = made.body if isinstance(made.body, bytes) else None
        empty = made.status in {204, 304} or made.status < 200
        length = len(whole) if whole is not None else made.length
        if length is not None and not empty:
            headers.append((b"content-length", b"%d" % length))
        await send({"type": "http.response.start", "status": made.status, "headers": headers})
        if bodiless or empty:
            await send({"type": "http.response.body", "body": b""})
        elif whole is not None:
            await send({"type": "http.response.body", "body": whole})
        elif isinstance(made.body, Iterator):
            await self._stream(made.body, send)

    async def _stream(self, pieces: Iterator[bytes], send: Send) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (piece := await loop.run_in_executor(self._pool, next, pieces, _END)) is not _END:
                await asyncio.wait_for(send({"type": "http.response.body", "body": piece, "more_body": True}), SEND_S)
        except (TimeoutError, OSError) as error:
            raise ConnectionAbortedError(f"a client stopped reading: {error!r}") from error
        finally:
            if close := getattr(pieces, "close", None):
                with contextlib.suppress(ValueError):  # it runs in its thread still, and ends there
                    close()
        await send({"type": "http.response.body", "body": b""})


def _request(scope: Scope) -> Request:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string") or b""
    target = raw.partition(b"?")[0] + (b"?" + query if query else b"")
    # What is no ASCII stands there as escapes: so it does in the index, and headers can hold nothing else.
    shown = target.decode() if target.isascii() else quote_from_bytes(target, safe=_ASCII)
    if not shown.startswith("/"):  # a proxy's form of the request line
        shown = "/" + shown.partition("://")[2].partition("/")[2]
    return Request(
        scope["method"], shown, {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    )


_ASCII = bytes(range(0x21, 0x7F))
