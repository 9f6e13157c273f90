"""What is submitted to the parsers, and what is not worth it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.capture import Capture
from archive.examine import Examination
from archive.place import Place
from archive.workers import Workers
from crawler.examiner import Examiner
from crawler.handlers import CAPPED, LEFT_OUT

URL = "http://news.example/1"
CAPTURE = Capture(
    url=URL,
    captured_at=datetime(2026, 11, 21, tzinfo=UTC),
    record_id="<urn:uuid:1>",
    record_type="response",
    status=200,
    mime=None,
    payload_digest=None,
    place=Place("warc/1.warc.gz", 0, 1),
)


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(1) as workers:
        yield workers


def examined(workers: Workers, content_type: str, body: bytes, flags: list[str]) -> Examination:
    response = Response(URL, headers={"Content-Type": content_type}, body=body, flags=flags)
    examiner = Examiner(Crawler(Spider), workers)
    return asyncio.run(examiner.examine(response, CAPTURE, want_article=True, want_requisites=True))


@pytest.mark.parametrize("flags", [[LEFT_OUT], [CAPPED], []])
def test_what_is_no_page_and_no_style_sheet_is_not_given_to_the_parsers(workers: Workers, flags: list[str]):
    body = b"" if LEFT_OUT in flags else b"\0\0\0\x18ftypmp42"
    assert examined(workers, "video/mp4", body, flags) == Examination()
    assert workers.pids == []


def test_a_page_too_large_to_be_read_says_so(workers: Workers):
    found = examined(workers, "text/html", b"<html><p>The beginning of", [CAPPED])
    assert found == Examination(problem="kept, but too large to be read: more than 64 MiB")
    assert workers.pids == []


def test_a_page_is_read(workers: Workers):
    found = examined(workers, "text/html", b"<html><img src=/a.png><p>A page.", [])
    assert [needed.url for needed in found.requisites] == ["http://news.example/a.png"]
    assert found.article is not None
    assert found.article.record_id == CAPTURE.record_id


def test_the_crawls_own_process_does_not_load_what_the_parsers_need():
    program = "import sys, crawler.session, crawler.examiner, spiders.pages; print('trafilatura' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
