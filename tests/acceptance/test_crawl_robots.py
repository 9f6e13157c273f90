"""A crawl asks for no page that RFC 9309 forbids, whatever comes in place of robots.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.archives import opened
from tests.acceptance.news import answer, article_html
from tests.command import Command
from tests.servers.raw_site import RawSite, Script, running, script

FORBIDS = b"User-agent: *\nDisallow: /\n"
COMMENT = b"# " + b"x" * 1021 + b"\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
HANGS = script(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nUser-agent", "hang")
LOOP = script(b"HTTP/1.1 302 Found\r\nLocation: /robots.txt\r\nContent-Length: 0\r\n\r\n")


def crawled(command: Command, robots: Script, code: int) -> tuple[list[str], str]:
    """Crawl a site of two pages with that answer for *robots*; give what was asked for beside it, and what was told."""
    command.variables["NEWSWARC_TIMEOUT_S"] = "1"
    front = b'<html><title>News</title><a href="/2026/03/01/what-happened-then">then</a></html>'
    pages = {"/": answer(front), "/2026/03/01/what-happened-then": answer(article_html(1))}
    with running(RawSite({**pages, "/robots.txt": robots})) as site:
        ran = command.run("crawl", "generic", "-a", f"start={site.url('/')}", code=code)
        with opened(command) as archive:
            assert list(archive.captures(site.url("/robots.txt"))), "robots.txt is a capture too"
        return [request.target for request in site.requests if request.target != "/robots.txt"], ran.out.decode()


@pytest.mark.parametrize(
    ("robots", "why"),
    [
        pytest.param(script(BUSY), "unreachable, which forbids every page", id="503"),
        pytest.param(HANGS, "unreachable, which forbids every page", id="timeout"),
        pytest.param(answer(FORBIDS + COMMENT * 20_000, "text/plain"), "forbids it: Disallow: /", id="20-MB"),
    ],
)
def test_nothing_is_asked_for_that_is_forbidden(tmp_path: Path, robots: Script, why: str):
    targets, told = crawled(Command(tmp_path), robots, code=6)
    assert targets == []
    assert why in told


def test_redirects_without_end_count_as_no_robots_txt(tmp_path: Path):
    """RFC 9309, 2.3.1.2: after five consecutive redirects it may be taken for unavailable, which forbids nothing."""
    targets, _ = crawled(Command(tmp_path), LOOP, code=0)
    assert targets == ["/", "/sitemap.xml", "/2026/03/01/what-happened-then"]
