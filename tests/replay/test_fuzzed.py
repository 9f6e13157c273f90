"""Ten thousand requests that nobody sends on purpose: no failure, no connection, no file outside the archive."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from archive.replay.answering import on_library, on_pages
from archive.replay.app import Listener
from archive.replay.metrics import Metrics
from archive.replay.site import Site
from tests.replay.archives import NEWS, Made, record_id

REQUESTS = 10_000
SEED = 20261128

# An audit hook cannot be taken away again: there is one, and it is told whether to listen.
_heard: list[tuple[str, Any]] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event in {
        "open",
        "socket.connect",
        "socket.getaddrinfo",
        "subprocess.Popen",
        "os.system",
    }:
        _heard.append((event, arguments[0] if event == "open" else arguments))


sys.addaudithook(_listen)

TRAVERSALS = [
    prefix + step * depth + "etc/passwd"
    for prefix in ("/", "/web/", "/web/2026id_/", "/web/2026/file://", "/frame/", "/api/frame/")
    for step in (
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "%252e%252e%252f",
        "..%c0%af",
        "....//",
        "/..;/",
        "..\\",
    )
    for depth in (3,)
]

PIECES = [
    *(
        "web",
        "web/",
        "/",
        "//",
        "2026",
        "20260101000000",
        "20269999999999",
        "99999999999999",
        "0",
        "id_",
        "bn_",
        "im_",
        "if_",
    ),
    *(
        "timemap",
        "link",
        "json",
        "cdxj",
        "*",
        "cdx",
        "?url=",
        "&",
        "=",
        "%",
        "%00",
        "%0d%0a",
        "%zz",
        "#",
        "?",
        ":",
        "@",
        "[",
        "]",
    ),
    *(
        "http:",
        "https://",
        "ftp://",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "urn:x",
        "dns:x",
        "..",
        ".",
    ),
    *(
        NEWS,
        "news.example",
        "news.example:99999",
        "news.example:-1",
        "[::1]",
        "[::1",
        "xn--",
        "\xe9",
        "☃",
        "\U0001f4a9",
        "a" * 300,
    ),
    *(
        "matchType=",
        "domain",
        "prefix",
        "host",
        "filter=",
        "~",
        "!",
        "(a+)+$",
        "fl=",
        "urlkey",
        "limit=",
        "-1",
        "99999999999",
    ),
    *(
        "closest=",
        "sort=closest",
        "page=",
        "pageSize=",
        "showNumPages=true",
        "collapse=",
        "resolveRevisits=1",
        "output=text",
    ),
    *(
        "from=",
        "to=",
        "offset=",
        "frame/",
        "AAAAAAAAAAAAAAAA",
        "api/frame/",
        "healthz",
        "metrics",
        "robots.txt",
        "favicon.ico",
    ),
]
VALUES = [
    "",
    "x",
    "bytes=0-",
    "bytes=-1",
    "bytes=5-2",
    "bytes=0-0,1-1",
    "*",
    '"',
    "raw",
    "banner-only",
    "\xff\xfe",
    "a" * 5000,
    "%s%n",
    "Sun",
]
HEADERS = [
    *(
        "range",
        "if-range",
        "if-none-match",
        "accept-datetime",
        "prefer",
        "accept",
        "referer",
        "sec-fetch-dest",
        "sec-fetch-mode",
    ),
    *("sec-fetch-user", "host", "origin", "access-control-request-headers", "accept-encoding", "cookie", "expect"),
]
DESTINATIONS = ["document", "iframe", "image", "empty", "script", "object"]


def archive(folder: Path) -> Site:
    made = Made(folder)
    made.response(headers="Content-Type: text/html\r\nSet-Cookie: \xff\r\nX: \x01\r\nRefresh: 0;url=//[\r\n")
    made.response("https://news.example/b", status="302 Found", headers="Location: http://[::1\r\n")
    made.response("https://news.example/c", status="999 ?", body=b"\x00" * 500, headers="Content-Encoding: br\r\n")
    made.response(
        "https://news.example/d", headers="Content-Type: \xe9\r\nContent-Disposition: attachment; filename=\x02\r\n"
    )
    made.response("https://news.example/e", status="304 Not Modified", body=b"x")
    made.response("https://news.example/f", status="101 Switching", body=b"x")
    made.response("urn:x:y", body=b"x")
    made.revisit(WARC_Refers_To=record_id(1))
    made.revisit("https://news.example/g", WARC_Refers_To=record_id(99))
    return made.site('[[access]]\nurl = "https://news.example/h"\naccess = "block"\n')


def request(chance: random.Random) -> tuple[str, str, list[tuple[bytes, bytes]]]:
    method = chance.choices(["GET", "HEAD", "OPTIONS", "POST", "PROPFIND"], [80, 10, 4, 4, 2])[0]
    kind = chance.random()
    if kind < 0.1:
        target = chance.choice(TRAVERSALS)
    elif kind < 0.4:
        letter = chance.choice("abcdefgh")
        at = chance.choice(["", "2026", "20260101000000", "2"]) + chance.choice(["", "id_", "bn_", "if_", "zz_"])
        target = f"/web/{at}/https://news.example/{letter}{chance.choice(['', '', '?x=1', '/', '%2F', '#y'])}"
    elif kind < 0.6:
        target = "/cdx?url=" + "&".join("".join(chance.choices(PIECES, k=2)) for _ in range(chance.randint(1, 4)))
    else:
        target = "/" + "".join(chance.choices(PIECES, k=chance.randint(1, 8)))
    if chance.random() < 0.1:
        target = "".join(chr(chance.randrange(0x21, 0x180)) if chance.random() < 0.1 else char for char in target)
    headers = [
        (
            name.encode(),
            (chance.choice(DESTINATIONS) if name == "sec-fetch-dest" else chance.choice(VALUES)).encode("latin-1"),
        )
        for name in chance.sample(HEADERS, chance.randint(0, 4))
        if name != "host" or chance.random() < 0.3
    ]
    if chance.random() < 0.3:
        headers.append((b"referer", f"http://localhost:8081/frame/{'A' * 16}{target}".encode("latin-1", "replace")))
    return method, target, headers


async def answered(app: Listener, method: str, target: str, headers: list[tuple[bytes, bytes]]) -> int:
    raw = target.encode()
    path, _, query = raw.partition(b"?")
    scope = {"type": "http", "method": method, "path": path.decode(errors="replace"), "raw_path": path}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await app({**scope, "query_string": query, "headers": headers}, receive, send)
    for name, value in sent[0]["headers"]:
        assert not set(name + value) & {0, 10, 13}, (target, name, value)
    return int(sent[0]["status"])


def test_ten_thousand_fuzzed_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    global _heard  # noqa: PLW0603 - the hook stays for as long as the process does
    print("seed", SEED)
    site, chance = archive(tmp_path), random.Random(SEED)
    statuses: Counter[int] = Counter()

    async def run() -> None:
        with ThreadPoolExecutor(1) as pool:
            apps = [
                Listener(site, on_library, "library", pool=pool, metrics=Metrics(), port=8080),
                Listener(site, on_pages, "pages", pool=pool, metrics=Metrics(), port=8081),
            ]
            for _ in range(REQUESTS):
                one = request(chance)
                status = await answered(chance.choice(apps), *one)
                assert status != 500, one
                statuses[status] += 1

    _heard = []
    try:
        asyncio.run(run())
    finally:
        heard, _heard = _heard, None
    inside = os.path.realpath(tmp_path)
    named = [(event, os.fsdecode(what) if isinstance(what, (str, bytes)) else "") for event, what in heard]
    opened = {name for event, name in named if event == "open"}
    outside = {event for event, _ in named if event != "open"}
    outside |= {name for name in opened if not os.path.realpath(name).startswith(inside)}
    ours = {name for name in outside if name.endswith((".py", ".pyc", "/etc/localtime", ".pth"))}  # modules loaded late
    assert outside - ours == set()
    assert any(event == "open" for event, _ in heard)  # the hook hears
    print(dict(statuses))
    assert {200, 206, 302, 304, 400, 404, 405, 416, 421} <= set(statuses)
    site.close()
