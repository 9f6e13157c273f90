"""A web of the tests' own, on loopback: what it is asked for is what left the archive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]
Site = dict[str, tuple[str, bytes]]  # address → media type, body


@contextmanager
def listening(answer: Callable[[str, str], Answer]) -> Iterator[tuple[int, list[str]]]:
    """Serve what *answer* gives for host and target; give the port, and what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            asked.append(f"{self.headers.get('Host', '')}{self.path}")
            status, headers, body = answer(self.headers.get("Host", ""), self.path)
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_OPTIONS = do_HEAD = handle_one  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            pass  # a browser that closes is no failure

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def live_web(site: Site) -> Iterator[tuple[int, list[str]]]:
    """Serve *site* under every host name there is; the browser is told to find them all here."""

    def answer(host: str, target: str) -> Answer:
        content_type, body = site.get(f"http://{host}{target}", ("", b""))
        return (
            (200 if content_type else 404),
            [
                ("Content-Type", content_type or "text/plain"),
                ("Access-Control-Allow-Origin", "*"),
            ],
            body,
        )

    with listening(answer) as served:
        yield served
