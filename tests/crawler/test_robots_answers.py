"""What a crawl asks for after each answer that may come in place of robots.txt (RFC 9309, 2.3.1), for real.

Other statuses and spellings are in test_robots.py, where no crawl is run for each.
"""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.scan import scan
from tests.crawler.crawls import ROBOTS, Crawl, reply
from tests.servers.raw_site import RawSite, Script, running, script

FORBIDS = "User-agent: *\nDisallow: /\n"
OTHERS = "User-agent: *\nDisallow: /elsewhere/\n"
FILLER = "# " + "x" * 97 + "\n"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + OTHERS.encode()
ALLOWED, FORBIDDEN, UNREACHABLE = "allowed", "forbids it: Disallow: /", "robots.txt is unreachable"


def text(body: str | bytes = "", status: int | str = 200, kind: str = "text/plain", *fields: str) -> Script:
    return reply(body, kind, f"{status} As It Is", *fields)


def packed(body: bytes) -> Script:
    return text(body, 200, "text/plain", "Content-Encoding: gzip")


def moved(target: str, status: int = 301) -> Script:
    return text("", status, "text/plain", f"Location: {target}")


def chain(length: int, end: Script) -> dict[str, Script]:
    """Return a robots.txt that lies *length* redirects away."""
    steps = [ROBOTS, *(f"/r{number}" for number in range(1, length + 1))]
    return {step: moved(following) for step, following in pairwise(steps)} | {steps[-1]: end}


@contextmanager
def nobody() -> Iterator[str]:
    """Give the address of a port where nobody listens: it is bound, and nothing more."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def crawled(scripts: dict[str, Script], folder: Path) -> str:
    """Crawl a site of one page that answers so; return what became of the page, and why.

    Each answer that has a head must have been kept, and the page's own evidence names the record of it.
    """
    site = RawSite({"/": reply("<html><title>News</title></html>"), **scripts})
    crawl = Crawl(folder, {"DOWNLOAD_TIMEOUT": 0.5, "RETRY_TIMES": 0})
    with running(site):
        account = crawl.run(site)
    asked_for = [request.target for request in site.requests if request.target not in (*scripts, "/sitemap.xml")]
    with Archive.open(str(folder / "archive")) as archive:
        kept = [capture for target in scripts for capture in archive.captures(site.url(target))]
        answered = [target for target, answer in scripts.items() if b"\r\n\r\n" in answer.bytes]
        assert len(kept) == sum(len(site.received(target)) for target in answered)
        evidence = evidence_of(archive, site.url("/"))
    (home,) = (result for result in crawl.results if result.url == site.url("/"))
    if asked_for:
        assert asked_for == ["/"]
        assert home.outcome == "saved"
        assert evidence["robots-decision"] == "allowed"
        there = {capture.record_id for capture in kept}
        assert evidence["robots-record"] in there or not evidence["robots-url"].startswith(site.url(""))
        return ALLOWED
    assert (home.outcome, evidence["robots-decision"]) == ("refused", "forbidden")
    assert evidence["robots-reason"] == home.error
    assert evidence.get("WARC-Refers-To") == evidence.get("robots-record")
    assert account.outcomes == {"refused": 1}
    return home.error or ""


def evidence_of(archive: Archive, url: str) -> dict[str, str]:
    """Return the pairs of the metadata record of *url*, and which record that is about."""
    for stat in archive.storage.list("warc/"):
        with archive.storage.open(stat.key) as stream:
            for record in scan(stream):
                with record:
                    if record.type == "metadata" and record.fields.get("WARC-Target-URI") == url:
                        about = record.fields.get("WARC-Refers-To")
                        lines = record.block.read().decode().splitlines()
                        pairs = dict(line.split(": ", 1) for line in lines if ": " in line)
                        return pairs | ({"WARC-Refers-To": about} if about else {})
    return {}


@pytest.mark.parametrize("status", [200])
def test_a_success_is_read(status: int, tmp_path: Path):
    assert crawled({ROBOTS: text(OTHERS, status)}, tmp_path / "a") == ALLOWED
    assert FORBIDDEN in crawled({ROBOTS: text(FORBIDS, status)}, tmp_path / "b")


@pytest.mark.parametrize("status", [304, 401, 404, 410])
def test_the_absence_of_rules_forbids_nothing(status: int, tmp_path: Path):
    body = "" if status == 304 else FORBIDS
    assert crawled({ROBOTS: text(body, status)}, tmp_path) == ALLOWED


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_forbids_everything(status: int, tmp_path: Path):
    assert UNREACHABLE in crawled({ROBOTS: text(OTHERS, status)}, tmp_path)


@pytest.mark.parametrize(
    "robots",
    [
        pytest.param(script(b"", "hang"), id="no-answer"),
        pytest.param(script(CUT[:20], "hang"), id="half-a-head"),
        pytest.param(script(b"", "close"), id="closed"),
        pytest.param(script(b"", "reset"), id="reset"),
        pytest.param(script(CUT, "close"), id="cut"),
        pytest.param(script(b"SSH-2.0-OpenSSH_9.6\r\n", "close"), id="not-http"),
        pytest.param(packed(gzip.compress(OTHERS.encode())[:30]), id="cut-gzip"),
        pytest.param(packed(b"no gzip"), id="no-gzip"),
    ],
)
def test_no_whole_answer_forbids_everything(robots: Script, tmp_path: Path):
    assert UNREACHABLE in crawled({ROBOTS: robots}, tmp_path)


@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_is_followed(status: int, tmp_path: Path):
    assert FORBIDDEN in crawled({ROBOTS: moved("/r", status), "/r": text(FORBIDS)}, tmp_path)


def test_five_redirects_are_followed_and_no_sixth(tmp_path: Path):
    assert FORBIDDEN in crawled(chain(5, text(FORBIDS)), tmp_path / "5")
    scripts = chain(6, text(FORBIDS))
    del scripts["/r6"]  # never asked for, or the count of what is kept would tell
    assert crawled(scripts, tmp_path / "6") == ALLOWED


@pytest.mark.parametrize("target", [ROBOTS, "/r", ""])
def test_a_redirect_in_a_circle_or_to_nowhere_is_the_absence_of_rules(target: str, tmp_path: Path):
    there = {"/r": moved(ROBOTS)} if target == "/r" else {}
    assert crawled({ROBOTS: moved(target), **there}, tmp_path) == ALLOWED


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (text(FORBIDS), FORBIDDEN),
        (text(OTHERS), ALLOWED),
        (text(FORBIDS, 404), ALLOWED),
        (text(OTHERS, 503), UNREACHABLE),
    ],
)
def test_another_host_may_have_the_rules(end: Script, told: str, tmp_path: Path):
    with running(RawSite({"/rules": end}), "127.0.0.2") as other:
        assert told in crawled({ROBOTS: moved(other.url("/rules", "127.0.0.2"))}, tmp_path)
    assert other.requests


def test_a_redirect_to_where_nobody_listens_forbids_everything(tmp_path: Path):
    with nobody() as address:
        assert UNREACHABLE in crawled({ROBOTS: moved(f"{address}/robots.txt")}, tmp_path)


@pytest.mark.parametrize(
    ("robots", "told"),
    [
        # What stands within the first 500 KiB counts, what stands behind them does not (2.5).
        pytest.param(text(FORBIDS + FILLER * 6_000), FORBIDDEN, id="600-kB"),
        pytest.param(text(FILLER * 5_000 + FORBIDS), FORBIDDEN, id="at-500-kB"),
        pytest.param(text(FILLER * 5_200 + FORBIDS), ALLOWED, id="beyond-500-KiB"),
        pytest.param(packed(gzip.compress(FORBIDS.encode())), FORBIDDEN, id="gzip"),
        pytest.param(text(b"\xef\xbb\xbf" + FORBIDS.encode()), FORBIDDEN, id="byte-order-mark"),
        pytest.param(text(FORBIDS, 200, "text/html"), FORBIDDEN, id="wrong-type"),
        pytest.param(text(f"<!doctype html><pre>{FORBIDS}</pre>"), ALLOWED, id="html"),
    ],
)  # fmt: skip
def test_rules_are_read_however_they_come(robots: Script, told: str, tmp_path: Path):
    assert told in crawled({ROBOTS: robots}, tmp_path)
