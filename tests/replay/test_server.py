"""The server as its users run it: a process of its own, both listeners, and clients that mean no good."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from archive.errors import LocationError
from crawler.cli.replay import check_names
from crawler.config import ConfigError
from tests.command import Command, heeded
from tests.replay.archives import NEWS, Made

START_S = 60


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    port: int
    pages_port: int
    log: Path
    slow: socket.socket | None = None  # a client that began a request and says no more

    def ask(
        self, path: str, *, pages: bool = False, host: str | None = None, method: str = "GET", **headers: str
    ) -> tuple[HTTPResponse, bytes]:
        port = self.pages_port if pages else self.port
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            named["Host"] = host or f"{'localhost' if pages else '127.0.0.1'}:{port}"
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


def running(folder: Path) -> Running:
    command = Command(folder)
    log = folder / "replay.log"
    with heeded(signal.SIGINT, signal.SIGTERM), log.open("wb") as out:
        process = subprocess.Popen(
            [*command.arguments, "replay", "--port", "0", "--archive", "."],
            cwd=folder,
            env=command.environment,
            stdout=out,
            stderr=out,
        )
    deadline = time.monotonic() + START_S
    while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/ \(pages: http://localhost:(\d+)\)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return Running(process, int(found[1]), int(found[2]), log)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Made(tmp_path_factory.mktemp("served"))
    made.response(body=b"<p>early")
    made.response(at="2026-06-01T00:00:00Z", body=b"0123456789" * 1000, headers="Content-Type: video/mp4\r\n")
    made.response("https://news.example/late", at="2026-06-01T00:00:00Z", body=b"late")
    made.response("https://news.example/odd", status="999 Odd", body=b"odd")
    made.write()
    found = running(made.folder)
    found.slow = socket.create_connection(("127.0.0.1", found.port), timeout=30)
    found.slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
    yield found
    found.slow.close()
    found.process.terminate()
    assert found.process.wait(20) == 0


def test_a_page_opened_in_a_browser_is_beneath_a_banner(server: Running) -> None:
    answer, body = server.ask(f"/web/20260101/{NEWS}", Sec_Fetch_Dest="document", Sec_Fetch_Mode="navigate")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"frame-src http://localhost:{server.pages_port};" in policy
    assert "frame-ancestors 'none'" in policy
    frame = re.search(
        rb'<iframe sandbox="" src="http://localhost:\d+(/frame/[\w-]{16}/web/20260101000000/[^"]*)"', body
    )
    assert frame
    for words in (b"1 January 2026, 00:00:00 UTC", b"/web/20260601000000/", b'href="https://news.example/a"', b"all 2"):
        assert words in body
    assert b"early" not in body
    shown, page = server.ask(frame[1].decode(), pages=True, Sec_Fetch_Dest="iframe")
    assert page == b"<p>early"
    assert shown.headers["Content-Security-Policy"] == (
        "sandbox; default-src 'self' 'unsafe-inline' data: blob:; script-src 'none'; form-action 'none';"
        " base-uri 'none'; object-src 'none'; worker-src 'none';"
        f" frame-ancestors http://127.0.0.1:{server.port} http://localhost:{server.pages_port}"
    )
    assert shown.headers["Access-Control-Allow-Origin"] == "*"


def test_the_banner_is_told_what_the_frame_shows(server: Running) -> None:
    _, body = server.ask(f"/web/20260101/{NEWS}", Sec_Fetch_Dest="document")
    place = re.search(rb"(/frame/([\w-]{16})/web/20260101000000/[^\"]*)", body)
    assert place
    path, token = place[1].decode(), place[2].decode()
    server.ask(path, pages=True, Sec_Fetch_Dest="iframe")
    missing = "/web/20260101000000im_/https://news.example/no.png"
    mark, picture = server.ask(missing, pages=True, Sec_Fetch_Dest="image")
    assert (mark.status, mark.headers["Content-Type"]) == (404, "image/svg+xml")
    assert b"not in the archive" in picture
    told = json.loads(server.ask(f"/api/frame/{token}")[1])
    assert (told["url"], told["timestamp"]) == (NEWS, "20260101000000")
    followed = f"/frame/{token}/web/20260101000000/https://news.example/late"
    server.ask(followed, pages=True, Sec_Fetch_Dest="iframe")
    told = json.loads(server.ask(f"/api/frame/{token}")[1])
    assert told["banner"] == "/web/20260601000000/https://news.example/late"


def test_captured_bytes_and_their_tombstones_run_nothing_on_the_librarys_origin(server: Running) -> None:
    for path in (f"/web/2026id_/{NEWS}", f"/web/2026/{NEWS}", f"/web/20260101js_/{NEWS}"):
        answer, _ = server.ask(path)
        assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/", f"/web/*/{NEWS}", "/web/https://news.example/<script>alert(1)</script>", "/nowhere"):
        answer, body = server.ask(path, Accept="text/html", Sec_Fetch_Dest="document")
        assert b"<script>alert" not in body
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Type"].startswith("text/plain") or "default-src 'none'" in policy


def test_the_start_page_finds_captures(server: Running) -> None:
    assert b"<form" in server.ask("/")[1]
    assert b"https://news.example/late" in server.ask("/?url=news.example/*")[1]
    assert b"2 captures" in server.ask(f"/?url={NEWS}")[1]
    assert b"Nothing that begins" in server.ask("/?url=other.example")[1]


def test_it_answers_to_its_own_names_alone(server: Running) -> None:
    answer, body = server.ask("/", host="evil.example")
    assert answer.status == 421
    assert f"http://127.0.0.1:{server.port}".encode() in body
    answer, _ = server.ask(f"/web/2026/{NEWS}", host=f"localhost:{server.port}", Sec_Fetch_Dest="document")
    assert (answer.status, answer.headers["Location"]) == (307, f"http://127.0.0.1:{server.port}/web/2026/{NEWS}")


def test_a_status_that_no_standard_knows_is_kept(server: Running) -> None:
    assert server.ask("/web/2026/https://news.example/odd")[0].status == 999


def test_head_and_options_have_no_body(server: Running) -> None:
    answer, body = server.ask(f"/web/20260601id_/{NEWS}", method="HEAD")
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "10000", b"")
    answer, body = server.ask(f"/web/20260601id_/{NEWS}", method="OPTIONS", Access_Control_Request_Headers="Range")
    assert (answer.status, answer.headers["Access-Control-Allow-Headers"], body) == (204, "Range", b"")
    assert server.ask("/", method="POST")[0].status == 405


def test_health_and_metrics(server: Running) -> None:
    assert server.ask("/healthz", host="by-address")[1] == b"ok\n"
    server.ask(f"/web/20260601id_/{NEWS}")
    metrics = server.ask("/metrics")[1].decode()
    assert re.search(r'newswarc_replay_requests_total\{kind="raw",listener="library",status="200"\} [1-9]', metrics)


def test_a_thousand_tiny_ranges(server: Running) -> None:
    connection = HTTPConnection("127.0.0.1", server.pages_port, timeout=30)
    host = f"localhost:{server.pages_port}"
    for at in range(1000):
        connection.request("GET", f"/web/20260601id_/{NEWS}", headers={"Host": host, "Range": f"bytes={at}-{at}"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (206, b"%d" % (at % 10))
    connection.close()


def sent(port: int, data: bytes) -> bytes:
    """Send *data*, and return all that comes before the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(data)
        received = b""
        while piece := client.recv(65536):
            received += piece
    return received


def test_a_head_without_end_is_refused(server: Running) -> None:
    try:
        answer = sent(server.port, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000)
    except ConnectionError:
        answer = b""
    assert not answer or answer.startswith(b"HTTP/1.1 431")
    assert server.ask("/healthz")[0].status == 200


def test_two_hundred_slow_clients_keep_nobody_waiting(server: Running) -> None:
    slow: list[socket.socket] = []
    try:
        for _ in range(200):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            client.sendall(b"GET /web/2026/ HTTP/1.1\r\nHost: ")
            slow.append(client)
        for _ in range(50):
            answer, body = server.ask(f"/web/20260101id_/{NEWS}")
            assert (answer.status, body) == (200, b"<p>early")
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        assert int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) < 200_000
    finally:
        for client in slow:
            client.close()


def test_a_client_that_does_not_go_on_is_let_go(server: Running) -> None:
    assert server.slow is not None
    assert server.slow.recv(100).startswith(b"HTTP/1.1 408")
    assert server.slow.recv(100) == b""


def test_nothing_failed_on_the_way(server: Running) -> None:
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(
    ("public_url", "pages_url", "words"),
    [
        ("https://a.example", "https://a.example:8443", "host name of their own"),
        ("https://a.example/x", "https://b.example", "without a path"),
        ("a.example", "https://b.example", "expected an origin"),
    ],
)
def test_host_names_that_would_share_an_origin_are_refused(public_url: str, pages_url: str, words: str) -> None:
    with pytest.raises((ConfigError, LocationError), match=words):
        check_names(public_url, pages_url)


def test_others_cannot_be_served_without_two_names(tmp_path: Path) -> None:
    Made(tmp_path / "archive").write()
    assert "replay.pages_url" in Command(tmp_path).run("replay", "--host", "0.0.0.0", "--port", "0", code=2).err
