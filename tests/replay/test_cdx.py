"""The CDX server: pywb's query language, by the tables of its own suites, against lines of our own index."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive import cdxj
from archive.archive import Archive
from archive.place import Place
from archive.replay.cdx import serving
from archive.replay.site import Options, Site
from archive.storage.local import LocalStorage
from tests.archive.indexed import capture, put_segment
from tests.replay.archives import library

URLS = (
    "https://news.example/",
    "https://news.example/a",
    "https://news.example/a/b",
    "https://news.example/about",
    "https://www.news.example:8080/a",
    "https://sub.news.example/",
    "https://newsy.example/",
    "https://other.example/a?x=1&y=2",
)


def at(timestamp14: str) -> datetime:
    return datetime.strptime(timestamp14, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    captures = [capture(number, url) for number, url in enumerate(URLS, 1)]
    times = ("20260101000000", "20260101000105", "20260102000000", "20260301000000")
    for number, time in enumerate(times, 50):
        revisit = number > 50
        more: dict[str, Any] = {"record_type": "revisit", "status": None} if revisit else {}
        captures.append(
            capture(
                number,
                "https://page.example/p",
                captured_at=at(time),
                payload_digest="sha256:same",
                place=Place(f"warc/{number}.warc.gz", number, 5),
                **more,
            )
        )
    put_segment(LocalStorage(tmp_path), "one", *captures[::2])
    put_segment(LocalStorage(tmp_path), "two", *captures[1::2])
    return Site(Archive.open(str(tmp_path)), Options())


def ask(site: Site, query: str, status: int = 200) -> list[dict[str, Any]]:
    answer = library(site, f"/cdx?{query}&output=json")
    assert answer.status == status, answer.read()
    return [json.loads(line) for line in answer.read().splitlines()]


def urls(site: Site, query: str) -> list[str]:
    return [row["url"] for row in ask(site, query)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("url=https://news.example/a", [URLS[1]]),
        ("url=news.example/a", [URLS[1]]),
        ("url=http://www.news.example/A/", [URLS[1]]),
        ("url=https://news.example/a*", [URLS[1], URLS[2], URLS[3]]),
        ("url=https://news.example/a/*", [URLS[2]]),
        ("url=https://news.example/a/&matchType=prefix", [URLS[2]]),
        ("url=https://news.example/*", [URLS[0], URLS[1], URLS[2], URLS[3]]),
        ("url=https://news.example&matchType=host", [URLS[0], URLS[1], URLS[2], URLS[3]]),
        ("url=*.news.example", [URLS[0], URLS[1], URLS[2], URLS[3], URLS[5]]),
        ("url=news.example&matchType=domain", [URLS[0], URLS[1], URLS[2], URLS[3], URLS[5]]),
        ("url=https://other.example/a?y=2%26x=1", [URLS[7]]),
        ("url=https://nowhere.example/", []),
    ],
)
def test_what_matches(site: Site, query: str, found: list[str]) -> None:
    assert urls(site, query) == found


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("", ["20260101000000", "20260101000105", "20260102000000", "20260301000000"]),
        ("&limit=2", ["20260101000000", "20260101000105"]),
        ("&limit=2&offset=1", ["20260101000105", "20260102000000"]),
        ("&limit=1&reverse=true", ["20260301000000"]),
        ("&limit=2&sort=reverse", ["20260301000000", "20260102000000"]),
        ("&limit=-1", ["20260301000000"]),
        ("&from=20260102", ["20260102000000", "20260301000000"]),
        ("&to=20260101", ["20260101000000", "20260101000105"]),
        ("&from=2026010100&to=202602", ["20260101000000", "20260101000105", "20260102000000"]),
        ("&closest=20260101000100&limit=2", ["20260101000105", "20260101000000"]),
        ("&closest=2026&sort=closest&limit=1", ["20260101000000"]),
        ("&collapseTime=8", ["20260101000000", "20260101000105", "20260102000000", "20260301000000"]),
        ("&collapseTime=8&resolveRevisits=true", ["20260101000000", "20260102000000", "20260301000000"]),
        ("&collapse=timestamp:6", ["20260101000000", "20260301000000"]),
        ("&collapse=digest", ["20260101000000"]),
        ("&filter=mime:warc/revisit&limit=1", ["20260101000105"]),
        ("&filter==status:200", ["20260101000000"]),
        ("&filter=statuscode:200", ["20260101000000"]),
        ("&filter=!=mime:warc/revisit", ["20260101000000"]),
        ("&filter=~timestamp:2026010.0*$", ["20260101000000", "20260102000000"]),
        ("&filter=!~timestamp:202601", ["20260301000000"]),
        ("&filter=mime:revisit&filter=!timestamp:202601", ["20260301000000"]),
        ("&filter=p 20260102", ["20260102000000"]),
        ("&filter=nosuchfield:x", []),
    ],
)
def test_what_is_picked_and_in_which_order(site: Site, query: str, times: list[str]) -> None:
    assert [row["timestamp"] for row in ask(site, f"url=https://page.example/p{query}")] == times


def test_revisits_are_told_where_their_original_lies(site: Site) -> None:
    rows = ask(
        site, "url=https://page.example/p&resolveRevisits=1&fl=timestamp,mime,orig.length,orig.offset,orig.filename"
    )
    assert rows[0] == {
        "timestamp": "20260101000000",
        "mime": "text/html",
        "orig.length": "-",
        "orig.offset": "-",
        "orig.filename": "-",
    }
    assert [(row["mime"], row["orig.offset"], row["orig.filename"]) for row in rows[1:]] == [
        ("text/html", "50", "warc/50.warc.gz")
    ] * 3


def test_lines_come_as_they_are_indexed(site: Site) -> None:
    answer = library(site, "/cdx?url=https://news.example/a")
    assert answer.header("Content-Type") == "text/x-cdxj"
    assert answer.read() == cdxj.line(capture(2, URLS[1]))


def test_text_has_the_columns_of_a_cdx_file(site: Site) -> None:
    answer = library(site, "/cdx?url=https://news.example/a&output=text")
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert answer.read() == (
        b"example,news)/a 20261121120002 https://news.example/a text/html 200 sha256:0002 - - 900 2000"
        b" warc/2026/11/21/a.warc.gz\n"
    )
    assert library(site, "/cdx?url=https://news.example/a&output=text&fl=timestamp,url").read() == (
        b"20261121120002 https://news.example/a\n"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "A url= param must be specified to query the cdx server"),
        ("url=x&output=foo", "output=foo not supported"),
        ("url=x&matchType=foo", "Invalid match_type: foo"),
        ("url=x&fields=urlkey,nosuchfield", "nosuchfield"),
        ("url=x&filter=~url:(", "no regular expression"),
        ("url=x&limit=many", "limit"),
        ("url=x&from=yesterday", "from"),
        ("url=x&page=x", "Invalid value for page= param"),
        ("url=x&closest=20269999", "closest"),
    ],
)
def test_what_cannot_be_understood_is_told(site: Site, query: str, message: str) -> None:
    answer = library(site, f"/cdx?{query}")
    assert answer.status == 400
    assert message in json.loads(answer.read())["message"]


def test_an_expression_that_takes_for_ever_is_stopped(tmp_path: Path) -> None:
    put_segment(LocalStorage(tmp_path), "one", capture(1, "https://news.example/" + "a" * 60 + "b"))
    site = Site(Archive.open(str(tmp_path)), Options())
    answer = library(site, "/cdx?url=news.example/*&filter=~url:https://news.example/((a|aa)%2B%24|(.*)*x)")
    assert answer.status == 400
    assert b"too long" in answer.read()


def test_pages_together_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "BLOCK_BYTES", 2000)
    captures = [capture(number, f"https://news.example/{number:04}") for number in range(200)]
    put_segment(LocalStorage(tmp_path), "one", *captures[:150:2])
    put_segment(LocalStorage(tmp_path), "two", *captures[1:150:2], *captures[150:])
    site = Site(Archive.open(str(tmp_path)), Options())
    counted = ask(site, "url=news.example/*&showNumPages=true&pageSize=2")[0]
    assert counted["pageSize"] == 2
    assert 5 < counted["pages"] < 100
    parts = [ask(site, f"url=news.example/*&pageSize=2&page={page}") for page in range(counted["pages"])]
    assert all(parts)
    assert [row for part in parts for row in part] == ask(site, "url=news.example/*")
    beyond = library(site, f"/cdx?url=news.example/*&pageSize=2&page={counted['pages']}")
    assert beyond.status == 400
    assert b"First Page is 0" in beyond.read()


def test_a_long_answer_streams(tmp_path: Path) -> None:
    put_segment(
        LocalStorage(tmp_path), "one", *(capture(number, f"https://news.example/{number:05}") for number in range(2000))
    )
    site = Site(Archive.open(str(tmp_path)), Options())
    answer = library(site, "/cdx?url=news.example/*")
    assert not isinstance(answer.body, bytes)
    assert len(answer.read().splitlines()) == 2000
