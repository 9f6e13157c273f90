"""Mementos and the TimeGate: the behaviours of RFC 7089 and of pywb's own suites, against hand-made records."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.replay.addresses import BadAddress, moment, original, read
from archive.replay.site import Site
from tests.replay.archives import LIBRARY, NEWS, PAGES, Made, block_digest, library, pages, record_id

TIMES = ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-01T12:00:00Z", "2026-06-01T00:00:00Z")


@pytest.fixture
def four(tmp_path: Path) -> Site:
    made = Made(tmp_path)
    for number, at in enumerate(TIMES):
        made.response(at=at, body=b"<p>version %d</p>" % number)
    return made.site()


def links(link: str | None) -> dict[str, str]:
    """Return rel → address."""
    assert link is not None
    return {match[2]: match[1] for match in re.finditer(r'<([^>]*)>; rel="([^"]*)"', link)}


def test_a_memento_names_its_original_timegate_timemap_and_neighbours(four: Site) -> None:
    answer = library(four, f"/web/20260301000000/{NEWS}")
    assert (answer.status, answer.read()) == (200, b"<p>version 1</p>")
    assert answer.header("Memento-Datetime") == "Sun, 01 Mar 2026 00:00:00 GMT"
    assert answer.header("Content-Location") == f"{LIBRARY}/web/20260301000000/{NEWS}"
    assert links(answer.header("Link")) == {
        "original": NEWS,
        "timegate": f"{LIBRARY}/web/{NEWS}",
        "timemap": f"{LIBRARY}/web/timemap/link/{NEWS}",
        "first prev memento": f"{LIBRARY}/web/20260101000000/{NEWS}",
        "memento": f"{LIBRARY}/web/20260301000000/{NEWS}",
        "next memento": f"{LIBRARY}/web/20260301120000/{NEWS}",
        "last memento": f"{LIBRARY}/web/20260601000000/{NEWS}",
    }
    assert "accept-datetime" not in (answer.header("Vary") or "")


@pytest.mark.parametrize(
    ("wanted", "served"),
    [
        (None, 3),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
        ("Sat, 31 Jan 2026 00:00:00 GMT", 1),
        ("Fri, 30 Jan 2026 12:00:00 GMT", 0),  # as near to the one as to the other: the earlier
        ("Mon, 01 Jan 1990 00:00:00 GMT", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3),
    ],
)
def test_the_timegate_gives_the_nearest_and_varies(four: Site, wanted: str | None, served: int) -> None:
    answer = library(four, f"/web/{NEWS}", **({"accept_datetime": wanted} if wanted else {}))
    assert answer.status == 200
    assert answer.read() == b"<p>version %d</p>" % served
    assert "accept-datetime" in (answer.header("Vary") or "")
    assert answer.header("Memento-Datetime")


@pytest.mark.parametrize(
    "value", ["Sun", "", "2026-01-01", "Sun, 32 Jan 2026 00:00:00 GMT", "Sun, 01 Jan 2026 00:00:00"]
)
def test_a_malformed_accept_datetime_is_refused(four: Site, value: str) -> None:
    answer = library(four, f"/web/{NEWS}", accept_datetime=value)
    assert answer.status == 400
    assert b"Accept-Datetime" in answer.read()


def test_a_memento_does_not_negotiate(four: Site) -> None:
    answer = library(four, f"/web/2026/{NEWS}", accept_datetime="Mon, 01 Jun 2026 00:00:00 GMT")
    assert answer.read() == b"<p>version 0</p>"
    assert library(four, f"/web/2026/{NEWS}", accept_datetime="Sun").status == 200


def test_nothing_is_told_by_memento_headers_of_what_was_never_captured(four: Site) -> None:
    answer = library(four, "/web/https://news.example/never")
    assert answer.status == 404
    assert [answer.header(name) for name in ("Vary", "Memento-Datetime", "Link")] == [None, None, None]
    assert b"never captured" in answer.read()


def test_the_status_of_a_captured_error_is_kept(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(status="404 Not Found", body=b"<p>gone</p>")
    answer = library(made.site(), f"/web/2026/{NEWS}")
    assert (answer.status, answer.read()) == (404, b"<p>gone</p>")
    assert answer.header("Memento-Datetime")


def test_a_captured_redirect_leads_to_the_archive(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(status="302 Found", headers="Location: /b?x=1\r\n", body=b"")
    answer = library(made.site(), f"/web/20260101000000/{NEWS}", range="bytes=0-")
    assert answer.status == 302
    assert answer.header("Location") == "/web/20260101000000/https://news.example/b?x=1"
    assert answer.header("X-Archive-Orig-Location") == "/b?x=1"


def test_a_redirect_to_the_same_page_is_passed_over(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response("http://news.example/", status="301 Moved", headers="Location: https://news.example/\r\n", body=b"")
    made.response(
        "https://news.example/", status="301 Moved", headers="Location: https://www.news.example/\r\n", body=b""
    )
    made.response("https://www.news.example/", body=b"Some Text")
    site = made.site()
    for url in ("http://news.example/", "https://news.example/", "https://www.news.example/"):
        answer = library(site, f"/web/20260101000000/{url}")
        assert (answer.status, answer.read()) == (200, b"Some Text")


@pytest.mark.parametrize("query", ["", "?foo=bar"])
def test_an_address_without_its_last_slash_leads_to_the_one_with_it(tmp_path: Path, query: str) -> None:
    made = Made(tmp_path)
    made.response(f"https://news.example/sub/{query}")
    site = made.site()
    answer = library(site, f"/web/20260101/https://news.example/sub{query}")
    assert answer.status == 307
    assert answer.header("Location") == f"/web/20260101/https://news.example/sub/{query}"
    assert library(site, f"/web/20260101id_/https://news.example/sub{query}").status == 200


def test_the_servers_own_headers_stand_under_other_names(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(headers="Content-Type: text/html\r\nSet-Cookie: a=b\r\nX-Frame-Options: DENY\r\nServer: x\ty\r\n")
    answer = library(made.site(), f"/web/2026/{NEWS}")
    names = {name.lower() for name, _ in answer.headers}
    assert {"set-cookie", "x-frame-options", "server"}.isdisjoint(names)
    assert answer.header("X-Archive-Orig-Set-Cookie") == "a=b"
    assert answer.header("X-Archive-Orig-X-Frame-Options") == "DENY"


@pytest.mark.parametrize(
    ("prefer", "asked", "served"),
    [
        ("raw", "", "id_"),
        ("rewritten", "id_", ""),
        ("rewritten", "", ""),
        ("banner-only", "", "bn_"),
        ("respond-async, raw", "js_", "id_"),
    ],
)
def test_prefer_chooses_the_form_and_says_so(four: Site, prefer: str, asked: str, served: str) -> None:
    answer = library(four, f"/web/20260101000000{asked}/{NEWS}", prefer=prefer)
    assert answer.status == 200
    assert answer.header("Preference-Applied") == prefer.rpartition(" ")[2]
    assert "prefer" in (answer.header("Vary") or "")
    if served == "bn_":
        assert b"<iframe" in answer.read()
    else:
        assert answer.header("Content-Location") == f"{LIBRARY}/web/20260101000000{served}/{NEWS}"


def test_preferences_of_others_are_passed_over(four: Site) -> None:
    answer = library(four, f"/web/2026/{NEWS}", prefer="respond-async")
    assert answer.status == 200
    assert answer.header("Preference-Applied") is None


# ---- raw


def test_the_raw_form_is_the_exact_payload(tmp_path: Path) -> None:
    body = gzip.compress(b"<p>packed</p>")
    made = Made(tmp_path)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    made.response(body=chunked, headers="Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")
    answer = library(made.site(), f"/web/2026id_/{NEWS}")
    assert answer.read() == body
    assert answer.header("Content-Encoding") == "gzip"
    assert answer.header("Transfer-Encoding") is None


def test_a_coding_that_lies_is_not_passed_on(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(body=b"<p>not packed</p>", headers="Content-Type: text/html\r\nContent-Encoding: gzip\r\n")
    site = made.site()
    raw = library(site, f"/web/2026id_/{NEWS}")
    assert (raw.read(), raw.header("Content-Encoding")) == (b"<p>not packed</p>", None)
    assert raw.header("X-Archive-Orig-Content-Encoding") == "gzip"
    shown = library(site, f"/web/2026/{NEWS}")
    assert shown.read() == b"<p>not packed</p>"
    assert "gzip" in (shown.header("X-Archive-Note") or "")


@pytest.mark.parametrize(
    ("value", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=-50", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-2000", 206, b"89", "bytes 8-9/10"),  # pywb says 416; RFC 9110, 14.1.2 has the end cut
        ("bytes=2000-10", 416, b"", "bytes */10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=a-b", 200, b"0123456789", None),
    ],
)
def test_ranges(tmp_path: Path, value: str, status: int, body: bytes, content_range: str | None) -> None:
    made = Made(tmp_path)
    made.response(body=b"0123456789", headers="Content-Type: video/mp4\r\n")
    site = made.site()
    for modifier in ("id_", "", "oe_"):
        answer = pages(site, f"/web/20260101000000{modifier}/{NEWS}", range=value)
        assert (answer.status, answer.read(), answer.header("Content-Range")) == (status, body, content_range)
        assert answer.header("Accept-Ranges") == "bytes"


def test_a_range_holds_only_for_the_payload_that_is_held(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(body=b"0123456789")
    site = made.site()
    whole = library(site, f"/web/2026id_/{NEWS}")
    etag = whole.header("ETag") or ""
    for held, status in ((etag, 206), ('"another"', 200), ("Thu, 01 Jan 2026 00:00:00 GMT", 206), ("rubbish", 200)):
        assert library(site, f"/web/2026id_/{NEWS}", range="bytes=0-1", if_range=held).status == status
    assert library(site, f"/web/2026id_/{NEWS}", if_none_match=f'"x", {etag}').status == 304


def test_a_payload_of_many_megabytes_is_sent_in_pieces(tmp_path: Path) -> None:
    body = bytes(range(256)) * (80 << 10)  # 20 MiB, which packs well
    made = Made(tmp_path)
    made.response(body=body, headers="Content-Type: video/mp4\r\n")
    site = made.site()
    answer = pages(site, f"/web/2026/{NEWS}")
    assert answer.length == len(body)
    assert not isinstance(answer.body, bytes)
    assert answer.read() == body
    assert pages(site, f"/web/2026/{NEWS}", range="bytes=1000000-1000003").read() == body[1000000:1000004]
    site.close()


# ---- what cannot be replayed


def test_a_damaged_record_is_never_served(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(body=b"a true word" * 100, WARC_Block_Digest="sha256:" + "0" * 64)
    answer = library(made.site(), f"/web/2026id_/{NEWS}")
    assert answer.status == 503
    assert b"damaged" in answer.read()
    assert b"a true word" not in answer.read()


def test_a_flipped_bit_is_never_served(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(body=bytes(range(256)) * 8)
    assert library(made.site(), f"/web/2026id_/{NEWS}").status == 200
    refused = 0
    for at in range(-600, 0, 7):
        made.damage(1, at=at)
        answer = library(Site(Archive.open(str(tmp_path)), made.options), f"/web/2026id_/{NEWS}")
        refused += answer.status == 503
        assert answer.status == 503 or answer.read() == bytes(range(256)) * 8
        made.damage(1, at=at)
    assert refused > 60


def test_a_truncated_capture_is_served_and_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response(body=b"<p>half", WARC_Truncated="length", WARC_Payload_Digest="sha256:" + "0" * 64)
    answer = library(made.site(), f"/web/2026/{NEWS}")
    assert (answer.status, answer.read()) == (200, b"<p>half")
    assert answer.header("X-Archive-Truncated") == "length"


def test_a_warc_file_that_is_gone_is_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.response()
    site = made.site()
    (tmp_path / "warc/2026/01/01/made.warc.gz").unlink()
    answer = library(site, f"/web/2026/{NEWS}")
    assert answer.status == 503
    assert b"gone" in answer.read()


# ---- revisits


@pytest.mark.parametrize(
    "refers",
    [
        {"WARC_Refers_To": record_id(1)},
        {"WARC_Refers_To_Filename": "made.warc.gz", "WARC_Refers_To_File_Offset": "0"},
        {"WARC_Refers_To_Target_URI": "https://other.example/b", "WARC_Refers_To_Date": "2026-01-01T00:00:00Z"},
        {"WARC_Refers_To_Target_URI": "https://other.example/b", "WARC_Refers_To_Date": "2026-01-01T00:00:00.5Z"},
        {"WARC_Refers_To_Target_URI": "https://other.example/b"},
    ],
    ids=["record id", "container", "URI and date", "date of another precision", "URI and digest"],
)
def test_a_revisit_shows_the_payload_of_its_original(tmp_path: Path, refers: dict[str, str]) -> None:
    made = Made(tmp_path)
    at_other = "WARC_Refers_To_Target_URI" in refers
    made.response("https://other.example/b" if at_other else NEWS, body=b"<p>the same</p>")
    digest = block_digest(b"<p>the same</p>")
    made.revisit(WARC_Payload_Digest=digest, **refers)
    answer = library(made.site(), f"/web/20260201000000id_/{NEWS}")
    assert (answer.status, answer.read()) == (200, b"<p>the same</p>")
    assert (answer.header("X-Archive-Payload-Of") or "").startswith("20260101000000 ")


def test_a_revisit_keeps_its_own_head(tmp_path: Path) -> None:
    made = Made(tmp_path)
    one = made.response(status="301 Moved", headers="Location: /1\r\nCustom: 1\r\n", body=b"some\ntext")
    head = b"HTTP/1.1 301 Moved\r\nLocation: /2\r\nCustom: 2\r\n\r\n"
    made.revisit(head=head, WARC_Refers_To=record_id(one))
    answer = library(made.site(), f"/web/20260201000000/{NEWS}")
    assert (answer.status, answer.read()) == (301, b"some\ntext")
    assert answer.header("X-Archive-Orig-Custom") == "2"
    assert answer.header("Location") == "/web/20260201000000/https://news.example/2"


@pytest.mark.parametrize("refers", [True, False])
def test_a_server_not_modified_revisit_shows_what_was_there_before(tmp_path: Path, refers: bool) -> None:
    made = Made(tmp_path)
    one = made.response(body=b"<p>before</p>")
    made.response(at="2026-03-01T00:00:00Z", body=b"<p>after</p>")
    named = {"WARC_Refers_To": record_id(one)} if refers else {}
    made.revisit(head=b"HTTP/1.1 304 Not Modified\r\n\r\n", profile="server-not-modified", **named)
    answer = library(made.site(), f"/web/20260201000000/{NEWS}")
    assert (answer.status, answer.read()) == (200, b"<p>before</p>")


def test_a_revisit_without_its_original_says_so(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.revisit(
        WARC_Refers_To=record_id(77),
        WARC_Refers_To_Target_URI="https://news.example/gone",
        WARC_Refers_To_Date="2025-05-05T00:00:00Z",
    )
    answer = library(made.site(), f"/web/2026/{NEWS}")
    assert answer.status == 404
    assert b"https://news.example/gone of 2025-05-05" in answer.read()


# ---- addresses


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("news.example/a", "http://news.example/a"),
        ("https:/news.example/a", "https://news.example/a"),
        ("HTTP://news.example", "http://news.example"),
        ("news.example:8080/a", "http://news.example:8080/a"),
        ("https://news.example/a%2Fb?c=%20&d=http://x/", "https://news.example/a%2Fb?c=%20&d=http://x/"),
        ("urn:x:y", "urn:x:y"),
    ],
)
def test_what_was_lost_on_the_way_is_put_back(text: str, url: str) -> None:
    assert original(text) == url


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ("2013", "2013-01-01T00:00:00"),
        ("201302", "2013-02-01T00:00:00"),
        ("20130231", "2013-02-28T00:00:00"),
        ("2013021", "2013-02-10T00:00:00"),
        ("20130215121", "2013-02-15T12:10:00"),
        ("2", "2999-12-31T23:59:59"),
        ("19", "1999-12-31T23:59:59"),
    ],
)
def test_few_digits_name_the_earliest_moment(timestamp: str, at: str) -> None:
    assert moment(timestamp).isoformat() == f"{at}+00:00"


@pytest.mark.parametrize("rest", ["", "20269999/https://x/", "2026zz_/https://x/", "2026/*", "\x01"])
def test_what_is_no_address_is_refused(rest: str) -> None:
    with pytest.raises(BadAddress):
        read(rest)


def test_the_pages_listener_leads_pages_opened_alone_to_their_banner(four: Site) -> None:
    answer = pages(four, f"/web/20260101000000/{NEWS}", sec_fetch_dest="document")
    assert (answer.status, answer.header("Location")) == (307, f"{LIBRARY}/web/20260101000000/{NEWS}")
    framed = library(four, f"/web/20260101000000/{NEWS}", sec_fetch_dest="iframe")
    assert (framed.status, framed.header("Location")) == (307, f"{PAGES}/web/20260101000000/{NEWS}")
