"""Nothing but public addresses is connected to, whatever name, spelling, redirect, page or proxy led there.

What must not be reached is a listener on every loopback address, IPv4 and IPv6: at the end, nobody has called.
"""

from __future__ import annotations

import html
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crawler.exit_codes import ExitCode
from tests.acceptance.news import article_html, publication
from tests.acceptance.records import all_records
from tests.command import TIME_LIMIT_S, Command
from tests.guarded import PUBLIC_ADDRESS
from tests.hosts import HOSTILE
from tests.servers.raw_site import RawSite, Script, running, script

ROOT = Path(__file__).parents[2]
AS_TYPED = [host for host in HOSTILE if host.isprintable() and not any(map(str.isspace, host))]


class Trap:
    """A listening socket that accepts nobody; whoever calls waits in its queue."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET6)
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._socket.bind(("::", 0))
        self._socket.listen(16)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def calls(self) -> int:
        count = 0
        while True:
            try:
                caller, _ = self._socket.accept()
            except BlockingIOError:
                return count
            caller.close()
            count += 1

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    """A trap that nobody may have called, and that does notice who calls, on either family."""
    made = Trap()
    try:
        yield made
        assert made.calls() == 0
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, made.port)).close()
        assert made.calls() == 2
    finally:
        made.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Command:
    return Command(tmp_path, variables={"NEWSWARC_TIMEOUT_S": "5"})  # the trap never answers


def archived(command: Command, urls: list[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Archive *urls* with the name servers of ``tests.guarded``; return their rows and the statistics."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.guarded"],
        cwd=command.folder,
        env={**command.environment, "PYTHONPATH": str(ROOT)},
        input="\n".join(urls).encode(),
        capture_output=True,
        timeout=TIME_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    *rows, stats = map(json.loads, done.stdout.splitlines())
    return rows, stats


def redirect(location: str, status: int = 302) -> Script:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    return script(head.encode("utf-8"))


def page(body: bytes, more: bytes = b"") -> Script:
    # Closed each time: a kept connection would need no second look at the name.
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
    return script(head + more + b"Content-Length: %d\r\n\r\n%s" % (len(body), body), "close")


def test_every_hostile_address_typed_is_refused(guarded: Command, trap: Trap) -> None:
    urls = [f"http://{host}:{trap.port}/" for host in AS_TYPED]
    urls += [f"https://{host}:{trap.port}/" for host in AS_TYPED[:10]]
    assert len(urls) > 60
    (guarded.folder / "urls.txt").write_text("\n".join(urls), encoding="utf-8")
    ran = guarded.run("archive", "--json", "--from", "urls.txt", code=ExitCode.REFUSED)
    assert sorted(row["url"] for row in ran.rows) == sorted(urls)
    for row in ran.rows:
        assert row["outcome"] == "refused", row
        assert "--allow-private" in row["error"]
        assert row["record_id"] is None
    lines = [line for line in ran.err.splitlines() if line.startswith("newswarc: ")]
    assert len(lines) == len(urls)
    assert all("refused: " in line for line in lines)


@pytest.mark.parametrize(
    "url",
    [
        "http://good.example@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@127.0.0.1:{port}/",
        "http://good.example%2F@127.0.0.1:{port}/",
        "http://127%2e0%2e0%2e1:{port}/",
        "http://127.0.0.1\\@good.example:{port}/",
        "http://127.0.0.1:{port}\\.good.example/",
        "http:127.0.0.1:{port}/",
        "http:///127.0.0.1:{port}/",
        "http://[::1]x:{port}/",
        "//127.0.0.1:{port}/",
    ],
)
def test_disguises_are_no_way_in(guarded: Command, trap: Trap, url: str) -> None:
    ran = guarded.run("archive", "--no-requisites", url.format(port=trap.port), code=None)
    assert ran.code in (ExitCode.SOME_FAILED, ExitCode.USAGE, ExitCode.REFUSED)
    assert "Traceback" not in ran.err


def test_no_redirect_leads_inside(guarded: Command, trap: Trap) -> None:
    targets = [f"http://{host}:{trap.port}/" for host in HOSTILE]
    targets += [f"//{host}:{trap.port}/" for host in ("127.0.0.1", "[::1]", "inside.test", "good.test@127.0.0.1")]
    targets += [f"http://{name}:{trap.port}/" for name in ("inside.test", "inside-v6.test", "mixed.test")]
    targets += [f"http://good.test@127.0.0.1:{trap.port}/", f"http:\\\\127.0.0.1:{trap.port}/", "file:///etc/passwd"]
    statuses = (301, 302, 303, 307, 308)
    site = RawSite({f"/{n}": redirect(target, statuses[n % 5]) for n, target in enumerate(targets)})
    with running(site, PUBLIC_ADDRESS):
        urls = [site.url(f"/{n}", "public.test") for n in range(len(targets))]
        rows, _ = archived(guarded, urls)
    assert {row["url"] for row in rows} == set(urls)
    assert len(site.requests) == len(urls)
    outcomes = {targets[int(row["url"].rpartition("/")[2])]: row for row in rows}
    for target, row in outcomes.items():
        assert row["error"], target
        assert row["status"] in (None, *statuses)
    refused = [row for row in rows if row["outcome"] == "refused"]
    assert len(refused) >= len(HOSTILE)
    assert all("--allow-private" in row["error"] or "credentials" in row["error"] for row in refused)
    guarded.run("verify")


def test_no_page_has_the_inside_fetched(guarded: Command, trap: Trap) -> None:
    ends = [f"http://{host}:{trap.port}" for host in (*AS_TYPED, "inside.test", "mixed.test")]

    def needing(end: str) -> str:
        end = html.escape(end)
        return (
            f'<img src="{end}/i.png" srcset="{end}/i2.png 2x"><link rel=stylesheet href="{end}/s.css">'
            f'<script src="{end}/s.js"></script><iframe src="{end}/f.html"></iframe><video src="{end}/v.mp4"></video>'
            f'<div style="background:url({end}/b.png)"></div><style>@import "{end}/i.css";</style>'
        )

    story = article_html(1).replace(b"</article>", "".join(map(needing, ends)).encode() + b"</article>")
    sheet = "".join(f'@import url("{end}/x.css"); a {{ background: url("{end}/y.png") }}' for end in ends).encode()
    inner = f'<html><body>{needing(ends[0])}<iframe src="{ends[1]}/"></iframe></body></html>'.encode()
    printed = f"{ends[0]}/print".encode()
    site = RawSite(
        {
            "/story": page(story.replace(b'href="/style.css"', b'href="/sheet.css"')),
            "/sheet.css": script(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: %d\r\n\r\n%s" % (len(sheet), sheet)
            ),
            "/picture.png": redirect(f"{ends[0]}/picture.png"),
            "/framed": page(article_html(2).replace(b"</article>", b'<iframe src="/inner"></iframe></article>')),
            "/inner": page(inner),
            "/refresh": page(b'<html><head><meta http-equiv=refresh content="0;url=%s/"></head></html>' % printed),
            "/printed": page(
                article_html(3)
                .replace(b"</h1>", b'</h1><a rel="alternate" media="print" href="%s">Print</a>' % printed)
                .replace(b"</head>", b'<link rel="alternate" media="print" href="%s"></head>' % printed)
            ),
        }
    )
    with running(site, PUBLIC_ADDRESS):
        names = ("story", "framed", "refresh", "printed")
        rows, stats = archived(guarded, [site.url(f"/{name}", "public.test") for name in names])
    outcomes = {row["url"].rpartition("/")[2]: row["outcome"] for row in rows}
    assert outcomes == {"story": "saved", "framed": "saved", "refresh": "refused", "printed": "saved"}
    assert stats["requisites/refused"] > 3 * len(ends)
    assert {"/sheet.css", "/picture.png", "/inner"} <= {request.target for request in site.requests}
    guarded.run("verify")


def test_a_name_that_moves_inside_is_refused_when_it_does(guarded: Command, trap: Trap) -> None:
    with running(RawSite({"/story": page(article_html(4))}), PUBLIC_ADDRESS) as site:
        site.scripts["/first"] = page(article_html(5).replace(b"/picture.png", b"/second.png"))
        rows, stats = archived(guarded, [site.url("/first", "rebound.test")])
        assert [row["outcome"] for row in rows] == ["saved"]
        assert stats["requisites/refused"] == 2
        assert "requisites/saved" not in stats
        rows, _ = archived(guarded, [site.url("/story", "mixed.test")])
        assert [row["outcome"] for row in rows] == ["refused"]
        assert [request.target for request in site.requests] == ["/first"]


def test_what_may_be_reached_is_reached(guarded: Command) -> None:
    with running(publication(1)) as site:
        urls = [site.url("/2026/0", host) for host in ("localhost", "127.1", "2130706433")]
        guarded.run("--allow-private", "archive", "--no-requisites", *urls)
        guarded.run("archive", "--no-requisites", site.url("/2026/0"), code=ExitCode.REFUSED)
        guarded.variables["NEWSWARC_ALLOW_PRIVATE"] = "1"
        guarded.run("archive", "--no-requisites", site.url("/2026/0"))


@contextmanager
def forwarding(site: RawSite) -> Iterator[RawSite]:
    """Run a proxy for plain HTTP that answers from *site*'s scripts whatever host is asked for."""

    def answer(request: bytes) -> Script:
        path = "/" + request.split(b" ", 2)[1].decode("latin-1").split("/", 3)[3]
        return site.scripts[path]

    with running(RawSite(answer=answer)) as proxy:
        yield proxy


def test_a_private_proxy_has_to_be_trusted(guarded: Command) -> None:
    site = publication(1)
    with forwarding(site) as proxy:
        guarded.variables["http_proxy"] = f"http://user:secret@127.0.0.1:{proxy.port}"
        url = "http://1.1.1.1/2026/0"
        ran = guarded.run("archive", "--no-requisites", url, code=ExitCode.REFUSED)
        assert f"the proxy 127.0.0.1:{proxy.port} is 127.0.0.1, a loopback address; trust_proxy" in ran.err
        assert not proxy.requests

        guarded.run("--allow-private", "archive", "--no-requisites", url)
        assert {request.target for request in proxy.requests} == {"http://1.1.1.1/robots.txt", url}
        assert all(b"Proxy-Authorization: Basic " in request.data for request in proxy.requests)
        proxy.requests.clear()

        guarded.variables["NEWSWARC_TRUST_PROXY"] = "1"
        name = "http://known-to-the-proxy.invalid/2026/0"
        guarded.run("archive", "--no-requisites", name)
        assert {request.target for request in proxy.requests} >= {name}
    records = all_records(guarded.path)
    for record in records:
        assert b"secret" not in record.block
        assert b"Proxy-Authorization" not in record.block
    answers = {record.get("WARC-Target-URI"): record for record in records if record.type in ("response", "revisit")}
    assert {url, name} <= answers.keys()
    assert answers[url].block == site.scripts["/2026/0"].bytes
    assert answers[url].get("WARC-IP-Address") is None  # whom the proxy asked is not known
    guarded.run("verify")
