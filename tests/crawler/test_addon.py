"""Any Scrapy project archives with one line in its settings, and this one is itself a Scrapy project like any other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archive.archive import Archive
from tests.command import environment
from tests.servers.raw_site import RawSite, running, script

ROOT = Path(__file__).parents[2]
PAGE = b"<html><title>One</title><a href='/moved'>a</a><a href='/gone'>b</a>"
GZIPPED_AGENT = b"Accept-Encoding: gzip\r\n"


def answer(body: bytes, status: bytes = b"200 OK", *lines: bytes) -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Type: text/html", *lines, b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*head, b"", body])


SITE = {
    "/": answer(PAGE),
    "/moved": answer(b"", b"301 Moved", b"Location: /two"),
    "/two": answer(b"<html><title>Two</title>"),
    "/gone": answer(b"<html>nothing here", b"404 Not Found"),
    "/robots.txt": answer(b"User-agent: *\nDisallow: /private\n"),
}
SPIDER = """
import scrapy

class Pages(scrapy.Spider):
    name = "pages"

    async def start(self):
        yield scrapy.Request(self.first)

    def parse(self, response):
        yield {"title": response.css("title::text").get(), "record": response.meta["capture"].record_id}
        for link in response.css("a"):
            yield response.follow(link)
"""


def project(folder: Path, *lines: str) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "__init__.py").touch()
    (folder / "mine" / "pages.py").write_text(SPIDER)
    (folder / "mine" / "settings.py").write_text("\n".join(['SPIDER_MODULES = ["mine"]', *lines]))
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = mine.settings\n")


def scrapy(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("reactor", ["True", "False"])
def test_one_line_archives_every_exchange_of_another_project(tmp_path: Path, reactor: str):
    project(
        tmp_path,
        'ADDONS = {"crawler.addon.Newswarc": 0}',
        "NEWSWARC_ALLOW_PRIVATE = True",
        "ROBOTSTXT_OBEY = True",
        f"TWISTED_REACTOR_ENABLED = {reactor}",
        'EXTENSIONS = {"scrapy.extensions.telnet.TelnetConsole": None}',
    )
    with running(RawSite({target: script(data) for target, data in SITE.items()})) as site:
        ran = scrapy(tmp_path, "crawl", "pages", "-a", f"first={site.url('/')}", "-o", "items.jsonl")
        assert ran.returncode == 0, ran.stderr
        assert all(GZIPPED_AGENT in request.data for request in site.requests)
        items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
        assert sorted(item["title"] for item in items) == ["One", "Two"]
        with Archive.open(str(tmp_path / "newswarc-archive")) as archive:
            for target, data in SITE.items():
                (capture,) = archive.captures(site.url(target))
                assert archive.response(capture).block.read() == data, target
            records = {capture.record_id for target in SITE for capture in archive.captures(site.url(target))}
    assert {item["record"] for item in items} <= records


def test_a_project_that_fetches_past_the_archive_is_told_so_before_it_fetches(tmp_path: Path):
    own = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
    project(tmp_path, 'ADDONS = {"crawler.addon.Newswarc": 0}', f'DOWNLOAD_HANDLERS = {{"http": "{own}"}}')
    with running(RawSite({target: script(data) for target, data in SITE.items()})) as site:
        ran = scrapy(tmp_path, "crawl", "pages", "-a", f"first={site.url('/')}")
        assert "its exchanges would not be archived" in ran.stderr
        assert site.requests == []


def test_the_checkout_is_a_scrapy_project(tmp_path: Path):
    listed = scrapy(ROOT, "list")
    assert {"generic", "moscow_times", "pages"} <= set(listed.stdout.split())
    with running(RawSite({target: script(data) for target, data in SITE.items()})) as site:
        ran = scrapy(
            ROOT,
            "crawl",
            "generic",
            "-a",
            f"start={site.url('/')}",
            NEWSWARC_ARCHIVE=str(tmp_path / "archive"),
            NEWSWARC_ALLOW_PRIVATE="1",
        )
        assert ran.returncode == 0, ran.stderr
        with Archive.open(str(tmp_path / "archive")) as archive:
            assert all(list(archive.captures(site.url(target))) for target in SITE)


def test_a_missing_argument_of_a_spider_is_told_last(tmp_path: Path):
    ran = scrapy(ROOT, "crawl", "generic", NEWSWARC_ARCHIVE=str(tmp_path / "archive"))
    assert "start" in ran.stderr.splitlines()[-1]
