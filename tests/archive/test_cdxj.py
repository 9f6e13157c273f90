"""Index lines keep all of a capture, and are what pywb and cdxj-indexer would write."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import cdxj, names
from archive.capture import IDENTICAL_PAYLOAD, Capture, RefersTo
from archive.place import Place
from tests.archive.indexed import capture

URLS = st.one_of(
    st.from_regex(r"https?://[a-z]{1,5}\.[a-z]{2}/[ -~]{0,20}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map("https://news.example/".__add__),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
TIMES = st.datetimes(timezones=st.just(UTC))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda word: word != "-")
MIMES = st.none() | st.sampled_from(["text/html", "warc/revisit", "image/svg+xml"])
PLACES = st.builds(Place, WORDS, st.integers(0, 1 << 62), st.integers(0, 1 << 62))
REFERS = st.builds(RefersTo, st.none() | WORDS, st.none() | WORDS, st.none() | TIMES).filter(
    lambda to: to != RefersTo()
)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "url": URLS,
    "captured_at": TIMES,
    "record_id": WORDS,
    "mime": MIMES,
    "payload_digest": st.none() | WORDS,
    "place": PLACES,
    "truncated": st.none() | WORDS,
}
RESPONSES = st.builds(
    Capture,
    **COMMON,
    record_type=st.just("response"),
    status=st.integers(100, 999),
    redirect=st.none() | WORDS,
)
REVISITS = st.builds(
    Capture,
    **COMMON,
    record_type=st.just("revisit"),
    status=st.none() | st.integers(100, 999),
    profile=st.none() | WORDS,
    refers_to=st.none() | REFERS,
)
RESOURCES = st.builds(Capture, **COMMON, record_type=st.just("resource"), status=st.none())
CAPTURES = st.one_of(RESPONSES, REVISITS, RESOURCES)


def fields(data: bytes) -> dict[str, str]:
    """Read a line as pywb's CDXObject does: two words, then JSON; every value is text."""
    key, timestamp, text = data.rstrip().split(b" ", 2)
    values: dict[str, str] = json.loads(text)
    assert all(isinstance(value, str) for value in values.values())
    return {"urlkey": key.decode(), "timestamp": timestamp.decode(), **values}


def line(of: Capture) -> bytes:
    found = cdxj.line(of)
    assert found is not None
    return found


@given(CAPTURES)
def test_a_line_holds_all_of_a_capture(of: Capture):
    assert cdxj.parse(line(of)) == of


@given(CAPTURES)
def test_a_line_is_one_line_of_ascii_that_pywb_takes_apart(of: Capture):
    data = line(of)
    assert data.isascii()
    assert data.count(b"\n") == 1
    assert data.endswith(b"}\n")
    assert fields(data)["timestamp"] == of.timestamp14


@given(st.lists(CAPTURES, max_size=8))
def test_a_segment_is_sorted_as_bytes(captures: list[Capture]):
    lines = cdxj.segment(captures).splitlines(keepends=True)
    assert lines == sorted(lines)
    assert len(lines) == len(captures)


def test_the_fields_of_pywb():
    data = line(capture(2, "https://www.News.example/a?b=1&a=2"))
    assert data.startswith(b'example,news)/a?a=2&b=1 20261121120002 {"url": "https://www.News.example/a?b=1&a=2", ')
    assert list(fields(data).items())[:9] == [
        ("urlkey", "example,news)/a?a=2&b=1"),
        ("timestamp", "20261121120002"),
        ("url", "https://www.News.example/a?b=1&a=2"),
        ("mime", "text/html"),
        ("status", "200"),
        ("digest", "sha256:0002"),
        ("length", "900"),
        ("offset", "2000"),
        ("filename", "warc/2026/11/21/a.warc.gz"),
    ]


def test_a_revisit_has_the_type_that_makes_players_look_for_its_original():
    to = RefersTo("<urn:uuid:0>", "https://news.example/", datetime(2026, 1, 1, tzinfo=UTC))
    found = fields(line(capture(record_type="revisit", profile=IDENTICAL_PAYLOAD, refers_to=to)))
    assert (found["mime"], found["http_mime"], found["status"]) == ("warc/revisit", "text/html", "200")
    assert found["refers_to_date"] == "2026-01-01T00:00:00.000000Z"


def test_a_server_cannot_pass_a_response_off_as_a_revisit():
    found = line(capture(mime="warc/revisit"))
    assert fields(found)["mime"] == "unk"
    assert cdxj.parse(found).record_type == "response"


def test_what_is_unknown_is_spelled_as_pywb_expects():
    found = fields(line(capture(record_type="resource", status=None, mime=None, payload_digest=None)))
    assert (found["status"], found["mime"], found["digest"]) == ("-", "unk", "-")


def test_a_response_cut_inside_its_head_is_not_in_the_index():
    cut = capture(status=None, truncated="disconnect")
    assert cdxj.line(cut) is None
    assert cdxj.segment([cut]) == b""


def test_a_response_that_is_not_of_the_web_is_in_the_index_without_status():
    found = fields(line(capture(url="dns:news.example", status=None, mime="text/dns")))
    assert (found["status"], found["urlkey"]) == ("-", "dns:news.example")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a b",
        b"a 20260101000000 {}",
        b"a 20260101000000 []",
        b"a 20260101000000 nonsense",
        b"a b \xff",
        line(capture()).replace(b'"200"', b'"ok"'),
        line(capture()).replace(b'"date"', b'"when"'),
    ],
)
def test_what_is_no_line_of_ours_is_told(data: bytes):
    with pytest.raises(ValueError, match="not a line of this index"):
        cdxj.parse(data)


def test_each_warc_has_its_segment_under_the_same_stem():
    stem = "newswarc-20261121204800123-00001-host-0123456789ab"
    assert names.keys(stem).index == f"index/2026/11/21/{stem}.cdxj"
    assert names.index_key("warc/other.warc") == "index/other.cdxj"


def test_articles_have_no_segment():
    with pytest.raises(ValueError, match="articles/"):
        names.index_key("articles/2026/11/21/a-articles.warc.gz")
