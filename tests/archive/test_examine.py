"""One response examined, in this process and, when it is hostile, in the pool."""

from __future__ import annotations

import gzip
import pickle
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from archive import examine as module
from archive.errors import ExtractionFailed
from archive.examine import MAX_DECODED_BYTES, SNIFFED_BYTES, Examination, examine, load_publishers, may_be_read
from archive.requisites import MAX_REQUISITES
from archive.workers import Workers

URL = "https://www.news.example/2026/11/21/story"
STORY = (
    "<html><head><title>Ministers resign</title><link rel=stylesheet href=/s.css></head><body><article>"
    + "<p>The ministers resigned on Friday after a vote that nobody had expected them to lose.</p>" * 5
    + "<img src=/p.jpg></article></body></html>"
).encode()


def asked(content_type: str | None = "text/html; charset=utf-8", **other: Any) -> dict[str, Any]:
    return {
        "url": URL,
        "content_type": content_type,
        "content_encoding": None,
        "captured_at": datetime(2026, 11, 21, tzinfo=UTC),
        "want_article": True,
        "want_requisites": True,
        **other,
    }


def test_a_page_gives_its_article_and_its_requisites():
    found = examine(STORY, **asked())
    assert found.article is not None
    assert "resigned on Friday" in found.article.text
    assert found.page_kind == found.article.page_kind
    assert [item.url for item in found.requisites] == [
        "https://www.news.example/s.css",
        "https://www.news.example/p.jpg",
    ]
    assert (found.problem, found.decoded_bytes) == (None, len(STORY))
    assert pickle.loads(pickle.dumps(found)) == found


def test_only_what_is_wanted_is_looked_for():
    found = examine(STORY, **asked(want_article=False, want_requisites=False))
    assert found == Examination(decoded_bytes=len(STORY))


def test_a_refresh_is_found_even_when_nothing_else_is_wanted():
    page = b"<html><meta http-equiv=refresh content='0; url=/moved'></html>"
    found = examine(page, **asked(want_article=False, want_requisites=False))
    assert found.refresh == "https://www.news.example/moved"


@pytest.mark.parametrize(
    ("coding", "payload"),
    [("gzip", gzip.compress(STORY)), ("deflate", zlib.compress(STORY)), ("identity", STORY), ("", STORY)],
)
def test_a_content_coding_is_undone(coding: str, payload: bytes):
    found = examine(payload, **asked(content_encoding=coding))
    assert found.decoded_bytes == len(STORY)
    assert found.problem is None
    assert len(found.requisites) == 2


def test_a_cut_page_is_examined_as_far_as_it_goes():
    incompressible = gzip.compress(STORY, compresslevel=0)
    found = examine(incompressible[: len(STORY) * 3 // 4], **asked(content_encoding="gzip"))
    assert found.article is not None
    assert "resigned on Friday" in found.article.text
    assert [item.kind for item in found.requisites] == ["stylesheet"]
    assert found.problem is not None
    assert found.problem.startswith("content coding cannot be decoded: gzip")


@pytest.mark.parametrize(
    ("coding", "payload"), [("gzip", b"\x00no gzip"), ("sdch", b"\x00\x01\x02"), ("br", b"\xff" * 9)]
)
def test_a_coding_that_gives_nothing_readable_is_a_problem_alone(coding: str, payload: bytes):
    found = examine(payload, **asked(content_encoding=coding))
    assert found.problem is not None
    assert (found.article, found.requisites) == (None, [])


def test_a_page_under_a_coding_it_does_not_have_is_read_all_the_same():
    found = examine(STORY, **asked(content_encoding="utf-8"))
    assert found.article is not None
    assert found.problem is not None
    assert "unknown content coding" in found.problem


def test_a_bomb_is_a_problem_and_not_examined():
    bomb = gzip.compress(b"<p>" * (MAX_DECODED_BYTES // 3 + 100_000))
    found = examine(bomb, **asked(content_encoding="gzip"))
    assert found.problem is not None
    assert "unpacks to more than" in found.problem
    assert (found.article, found.requisites) == (None, [])


def test_a_style_sheet_gives_its_requisites_alone():
    sheet = "@charset 'utf-8'; a { background: url(ü.png) }".encode("latin-1")
    found = examine(sheet, **asked("text/css; charset=iso-8859-1"))
    assert [item.url for item in found.requisites] == ["https://www.news.example/2026/11/21/%C3%BC.png"]
    assert found.article is None


@pytest.mark.parametrize("content_type", ["image/png", "application/pdf", "application/json", "font/woff2"])
def test_what_is_neither_page_nor_style_sheet_holds_nothing(content_type: str):
    assert examine(b"\x89PNG<a>", **asked(content_type)) == Examination(decoded_bytes=7)


@pytest.mark.parametrize(
    ("content_type", "payload"),
    [
        ("text/html; charset=utf-8", b""),
        ("Text/CSS", b"a {}"),
        ("application/xhtml+xml", b"<html>"),
        ("image/jpeg", b"\xef\xbb\xbf\n <!DOCTYPE HTML><p>"),
        ("application/octet-stream", b"<html>"),
        (None, b"<p>text"),
        ("", b"a { color: red }"),
        (None, "\ufeff<html>".encode("utf-16")),
        (None, "<html>".encode("utf-16-le")),
    ],
)
@pytest.mark.parametrize("coding", [None, "gzip"])
def test_what_may_be_a_page_or_a_style_sheet_is_told_by_its_start(
    content_type: str | None, payload: bytes, coding: str | None
):
    payload += b" more of it" * 100_000
    payload = gzip.compress(payload) if coding else payload
    assert may_be_read(content_type, coding, payload[:SNIFFED_BYTES])


@pytest.mark.parametrize(
    ("content_type", "payload"),
    [
        ("video/mp4", b"\0\0\0\x18ftypmp42"),
        ("image/png", b"\x89PNG\r\n\x1a\n\0"),
        ("application/json", b'{"html": "<html>"}'),
        ("application/octet-stream", b"\0\0\0\x18ftypmp42<html>"),
        (None, b"\0\0\0\x18ftypmp42"),
        (None, b""),
    ],
)
def test_what_is_neither_is_told_too(content_type: str | None, payload: bytes):
    assert not may_be_read(content_type, None, payload)
    assert not may_be_read(content_type, "gzip", gzip.compress(payload))
    found = examine(payload, **asked(content_type))
    assert (found.article, found.requisites) == (None, [])


@pytest.mark.parametrize("content_type", ["text/html", "text/css"])
def test_a_flood_of_requisites_is_cut_and_told(content_type: str):
    page = b"".join(b"<i style=x:url(/%d.png)></i>" % number for number in range(MAX_REQUISITES + 1))
    found = examine(page, **asked(content_type, want_article=False))
    assert len(found.requisites) == MAX_REQUISITES
    assert found.problem == f"more than {MAX_REQUISITES} requisites; the rest is left out"


def test_the_publisher_of_the_host_names_the_print_version(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_publishers", [])
    address = "https://www.themoscowtimes.com/2013/05/15/a-story-a24047"
    assert examine(STORY, **asked(url=address)).print_version is None
    load_publishers(["spiders.moscow_times"])
    assert examine(STORY, **asked(url=address)).print_version == f"{address}/pdf"
    assert examine(STORY, **asked(url="https://elsewhere.example/2013/05/15/a-story-a24047")).print_version is None


@pytest.mark.parametrize("name", ["spiders.no_such_paper", "archive.article"])
def test_a_module_without_a_publisher_is_left_out_and_named(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_publishers", [])
    (wrong,) = load_publishers([name, "spiders.moscow_times"])
    assert wrong.startswith(f"{name} cannot be loaded, and its rules are not used: ")
    assert len(module._publishers) == 1


HOSTILE = {
    "60,000 attributes": b"<p " + b" ".join(b"a%d=1" % number for number in range(60_000)) + b">x",
    "100,000 nested divs": b"<div>" * 100_000 + b"text",
    "20 MB of text": b"<html><body><article>" + b"<p>Some words of a paragraph that goes on.</p>" * 450_000,
    "one line of 20 MB": b"<p>" + b"word " * 4_000_000,
    "NUL bytes": b"<html>\0<bo\0dy><p>a\0b</p>\0" * 1_000,
    "nothing but NUL": b"\0" * 100_000,
    "lone surrogates": b"<meta charset=utf-7><p>+2AA- &#xD800; &#xDFFF; x <img src='+2AA-.png'>" * 100,
    "entity flood": b"<p>" + b"&amp;&#x41;&notanentity;" * 100_000,
    "entity bomb": b"<!DOCTYPE a [<!ENTITY a 'ha'>" + b"<!ENTITY b '&a;&a;&a;&a;'>" * 10_000 + b"]><p>&b;",
    "huge srcset": b"<img srcset='" + b"a,b.png 1x, /c.png 2x " * 100_000 + b"'>",
    "srcset of commas": b"<img srcset='" + b"," * 1_000_000 + b"'>",
    "srcset of parentheses": b"<img srcset='x " + b"(" * 1_000_000 + b"'>",
    "broken style sheet": b"<style>" + b"a{background:url(" * 100_000 + b"</style>",
    "deep JSON-LD": b"<script type='application/ld+json'>" + b'{"a":[' * 50_000 + b"</script><p>x",
    "open comments": b"<!--" * 300_000,
    "nothing but <": b"<" * 1_000_000,
    "misnested formatting": b"<p><a><b><i><font>" * 5_000,
    "nested tables": b"<table><tr><td>" * 5_000,
    "open links": b"<a href=/x>" * 20_000,
    "many options": b"<select><option>" * 20_000,
    "one attribute of 20 MB": b"<img alt='" + b"x" * 20_000_000 + b"'>",
    "refresh flood": b"<meta http-equiv=refresh content='0;url=/x'>" * 10_000,
    "base flood": b"<base href='//'>" * 10_000 + b"<img src=x>",
    "gzip bomb": gzip.compress(b"\0" * (200 << 20)),
}


def test_hostile_pages_end_in_a_result_or_a_plain_failure_and_the_others_go_on():
    with Workers(2, time_limit_s=3) as workers:
        hostile, good = {}, []
        for name, page in HOSTILE.items():
            coding = "gzip" if name == "gzip bomb" else None
            hostile[name] = workers.submit(examine, page, **asked(content_encoding=coding, url=name))
            good.append(workers.submit(examine, STORY, **asked()))
        for story in good:
            assert len(story.result().requisites) == 2
        outcomes = {}
        for name, future in hostile.items():
            try:
                outcomes[name] = "problem" if future.result().problem else "result"
            except ExtractionFailed as error:
                outcomes[name] = error.reason
    limits = {"result", "problem", "took longer than 3 s", "needed more than 1024 MB", "is nested too deeply"}
    assert {name: outcome for name, outcome in outcomes.items() if outcome not in limits} == {}
    assert outcomes["60,000 attributes"] == "took longer than 3 s"  # else this pool guards against nothing
    assert outcomes["gzip bomb"] in {"problem", "took longer than 3 s"}  # the latter on a busy machine


def test_a_page_of_unknown_address_is_read_as_the_one_it_calls_itself() -> None:
    body = b'<html><head><link rel="canonical" href="https://news.example/2026/a"></head><body><h1>A</h1></body></html>'
    found = examine(
        body,
        url=None,
        content_type="text/html",
        content_encoding=None,
        captured_at=datetime(2026, 1, 2, tzinfo=UTC),
        want_article=True,
        want_requisites=False,
    )
    assert found.article is not None
    assert found.article.url == "https://news.example/2026/a"
