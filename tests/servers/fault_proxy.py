"""A loopback HTTP proxy before a real server, with the faults of a bad day: errors, lost answers, cuts, bit flips."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>made up by the fault proxy</Message>'
    "<Resource>/</Resource><RequestId>0</RequestId></Error>"
)
_CODES = {
    403: "RequestTimeTooSkewed",
    409: "ConditionalRequestConflict",
    429: "TooManyRequests",
    500: "InternalError",
    503: "SlowDown",
    507: "InsufficientStorage",
}


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares of requests (0 to 1) that meet each fault; at most one of them each. All decided by *seed*."""

    seed: int = 1
    error_share: float = 0.0  # answered by the proxy itself, in turn with *statuses*; the server never sees them
    statuses: tuple[int, ...] = (503,)
    retry_after_s: int | None = None
    drop_share: float = 0.0  # the server does what was asked, its answer is lost
    cut_share: float = 0.0  # half of the request's body arrives, then the connection dies
    flip_share: float = 0.0  # one bit of the answer's body is another
    short_share: float = 0.0  # half of the answer's body arrives, then the connection dies
    delay_share: float = 0.0
    delay_s: float = 0.0
    methods: frozenset[str] = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})  # of requests that meet faults


class FaultProxy:
    """Listens on a free loopback port and passes every request on to the server at *port*.

    *faults* may be exchanged at any time; *counts* tells what happened: ``requests``, ``503``, ``drop``, ``cut``, ….
    """

    def __init__(self, port: int, faults: Faults | None = None) -> None:
        self.upstream = ("127.0.0.1", port)
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.is_down = False
        self.set(faults or Faults())
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, faults: Faults) -> None:
        """Use *faults* from the next request on, and count anew."""
        with self.lock:
            self.faults = faults
            self.random = random.Random(faults.seed)
            self.counts.clear()
            self._errors = 0

    def fate(self, method: str) -> str:
        """Choose what happens to the next request."""
        with self.lock:
            self.counts["requests"] += 1
            faults = self.faults
            if self.is_down:
                return self._count("down")
            if method not in faults.methods:
                return "pass"
            if faults.delay_share and self.random.random() < faults.delay_share:
                self.counts["delay"] += 1
                time.sleep(faults.delay_s)
            drawn = self.random.random()
            for name in ("error", "drop", "cut", "flip", "short"):
                drawn -= getattr(faults, f"{name}_share")
                if drawn < 0:
                    if name == "error":
                        self._errors += 1
                        return self._count(str(faults.statuses[self._errors % len(faults.statuses)]))
                    return self._count(name)
            return "pass"

    def _count(self, name: str) -> str:
        self.counts[name] += 1
        return name

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Close every connection without an answer, as a dead server's machine does."""
        self.is_down = True
        try:
            yield
        finally:
            self.is_down = False

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that die are the point here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fate = self.server.proxy.fate(self.command)
        if fate == "down":
            self.close_connection = True
        elif fate.isdigit():
            self._answer_error(int(fate))
        elif fate == "cut":
            self._pass_half(body)
            self.close_connection = True
        else:
            self._pass(body, fate)

    def _head(self) -> bytes:
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items() if name.lower() != "expect")
        return f"{self.requestline}\r\n{fields}\r\n".encode("latin-1")

    def _pass_half(self, body: bytes) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self.server.proxy.upstream, timeout=30) as upstream:
            upstream.sendall(self._head() + body[: len(body) // 2])
            time.sleep(0.01)

    def _pass(self, body: bytes, fate: str) -> None:
        try:
            with socket.create_connection(self.server.proxy.upstream, timeout=60) as upstream:
                upstream.sendall(self._head() + body)
                response = http.client.HTTPResponse(upstream, method=self.command)
                with contextlib.closing(response):
                    response.begin()
                    data = response.read()
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        if fate == "drop":
            self.close_connection = True
            return
        if fate == "flip" and data:
            with self.server.proxy.lock:
                at = self.server.proxy.random.randrange(len(data) * 8)
            flipped = bytearray(data)
            flipped[at // 8] ^= 1 << (at % 8)
            data = bytes(flipped)
        fields = [(n, v) for n, v in response.getheaders() if n.lower() not in {"transfer-encoding", "connection"}]
        if not any(name.lower() == "content-length" for name, _ in fields) and response.status not in {204, 304}:
            fields.append(("Content-Length", str(len(data))))
        if fate == "short":
            data = data[: len(data) // 2]
            self.close_connection = True
        self._write(response.status, response.reason, fields, data)

    def _answer_error(self, status: int) -> None:
        data = b"" if self.command == "HEAD" else _ERROR.format(code=_CODES.get(status, "InternalError")).encode()
        fields = [("Content-Type", "application/xml"), ("Content-Length", str(len(data)))]
        if self.server.proxy.faults.retry_after_s is not None:
            fields.append(("Retry-After", str(self.server.proxy.faults.retry_after_s)))
        self._write(status, "Fault", fields, data)

    def _write(self, status: int, reason: str, fields: list[tuple[str, str]], data: bytes) -> None:
        head = f"HTTP/1.1 {status} {reason}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        self.wfile.write(head.encode("latin-1") + data)
        self.wfile.flush()
