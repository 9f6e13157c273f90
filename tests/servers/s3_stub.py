"""An S3 service that knows too little: it ignores conditions and checksums, or answers 501. One bucket, in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Answer = tuple[int, dict[str, str], bytes]


class S3Stub:
    """Objects live in *objects* by path. *refuse_conditions* answers 501 to If-None-Match instead of ignoring it.

    A test may set *script* to a function of method and path that answers in place of the stub (None: the stub does).
    """

    def __init__(self, *, refuse_conditions: bool = False) -> None:
        self.refuse_conditions = refuse_conditions
        self.objects: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()
        self.script: Callable[[str, str], Answer | None] | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stub = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> S3Stub:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        self.counts[method] += 1
        path = unquote(urlsplit(target).path)
        if self.script and (scripted := self.script(method, path)):
            return scripted
        if "uploads" in urlsplit(target).query or "list-type" in target:
            return 501, {}, _error("NotImplemented")
        if method == "PUT":
            if self.refuse_conditions and "if-none-match" in headers:
                return 501, {}, _error("NotImplemented")
            self.objects[path] = body
            return 200, {"ETag": '"0"'}, b""
        if method == "DELETE":
            self.objects.pop(path, None)
            return 204, {}, b""
        if path.count("/") == 1:  # the bucket itself
            return 200, {}, b""
        if path not in self.objects:
            return 404, {}, _error("NoSuchKey")
        return 200, {"ETag": '"0"'}, self.objects[path]


def _error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stub: S3Stub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, fields, data = self.server.stub.answer(self.command, self.path, headers, body)
        self.send_response_only(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _do  # noqa: N815 - names http.server looks for
