"""A record becomes a capture in one way, whoever asks; dates are read in every precision of WARC 1.1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import warc
from archive.capture import (
    HEAD_BYTES,
    IDENTICAL_PAYLOAD,
    Capture,
    RefersTo,
    bracketed,
    iso,
    media_type,
    parse_iso,
    timestamp14,
)
from archive.errors import MalformedRecord
from archive.exchange import Exchange
from archive.place import Place
from archive.scan import Fields, read_record
from archive.spool import Spool

PLACE = Place("warc/2026/11/21/a.warc.gz", 123, 456)
AT = datetime(2026, 11, 21, 20, 48, 0, 123456, tzinfo=UTC)
RESPONSE = [
    ("WARC-Type", "response"),
    ("WARC-Record-ID", "<urn:uuid:11111111-1111-4111-8111-111111111111>"),
    ("WARC-Date", "2026-11-21T20:48:00.123456Z"),
    ("WARC-Target-URI", "https://news.example/a"),
    ("Content-Type", "application/http;msgtype=response"),
    ("WARC-Payload-Digest", "sha256:AAAA"),
]
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\n<p>hello"


def captured(fields: list[tuple[str, str]], block: bytes) -> Capture:
    capture = Capture.from_record(fields, block, PLACE)
    assert capture is not None
    return capture


def changed(**names: str | None) -> list[tuple[str, str]]:
    """The response's fields, some of them with other values, or left out."""
    new = {name.replace("_", "-").lower(): value for name, value in names.items()}
    kept = [(name, value) for name, value in RESPONSE if name.lower() not in new]
    return kept + [(name, value) for name, value in new.items() if value is not None]


def test_a_response_record_is_a_capture():
    assert captured(RESPONSE, HTTP) == Capture(
        url="https://news.example/a",
        captured_at=AT,
        record_id="<urn:uuid:11111111-1111-4111-8111-111111111111>",
        record_type="response",
        status=200,
        mime="text/html",
        payload_digest="sha256:AAAA",
        place=PLACE,
    )


@pytest.mark.parametrize("kind", ["warcinfo", "request", "metadata", "conversion", "continuation", "unheard-of", ""])
def test_other_records_show_no_url(kind: str):
    assert Capture.from_record(changed(WARC_Type=kind), HTTP, PLACE) is None


def test_pairs_being_written_and_fields_read_back_give_the_same_capture():
    with Spool(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n") as response:
        exchange = Exchange(
            "https://news.example/a", "GET", b"GET /a HTTP/1.1\r\n\r\n", response, AT, AT + timedelta(seconds=1)
        )
        for record in warc.capture_records(exchange, warcinfo_id="<urn:uuid:w>"):
            live = Capture.from_record(record.fields, record.head(), PLACE)
            with read_record(warc.encode(record)) as read:
                assert Capture.from_record(read.fields, read.block.read(0, HEAD_BYTES), PLACE) == live
            if record.type == "response":
                assert live is not None
                assert (live.status, live.redirect) == (302, "https://news.example/b")


def test_a_response_cut_inside_its_head_is_a_capture_without_status():
    capture = captured(changed(WARC_Truncated="Disconnect"), b"HTTP/1.1 200 OK\r\nContent-Ty")
    assert (capture.status, capture.mime, capture.truncated) == (None, None, "disconnect")


def test_what_is_no_http_has_no_status():
    assert captured(RESPONSE, b"220 ftp.example ready\r\n").status is None


def test_only_the_first_bytes_of_a_block_are_looked_at():
    head = b"HTTP/1.1 200 OK\r\nX: " + b"x" * HEAD_BYTES + b"\r\n\r\n"
    assert captured(RESPONSE, head) == captured(RESPONSE, head[:HEAD_BYTES])
    assert captured(RESPONSE, head).status is None


def test_a_resource_has_the_type_and_digest_of_its_block():
    fields = changed(
        WARC_Type="resource", Content_Type="Image/PNG", WARC_Payload_Digest=None, WARC_Block_Digest="sha256:BB"
    )
    capture = captured(fields, b"\x89PNG")
    assert (capture.mime, capture.payload_digest, capture.status) == ("image/png", "sha256:BB", None)


def test_a_revisit_names_what_it_stands_for():
    fields = changed(
        WARC_Type="revisit",
        WARC_Profile=IDENTICAL_PAYLOAD,
        WARC_Refers_To="<urn:uuid:0>",
        WARC_Refers_To_Target_URI="<https://news.example/b>",
        WARC_Refers_To_Date="2026-11-20T00:00:00Z",
    )
    capture = captured(fields, HTTP[: HTTP.index(b"<p>")])
    assert capture.profile == IDENTICAL_PAYLOAD
    assert capture.refers_to == RefersTo("<urn:uuid:0>", "https://news.example/b", datetime(2026, 11, 20, tzinfo=UTC))
    assert (capture.status, capture.mime) == (200, "text/html")


def test_a_revisit_of_the_first_standard_has_neither_block_nor_target():
    capture = captured(changed(WARC_Type="revisit", Content_Type=None), b"")
    assert (capture.status, capture.refers_to, capture.profile) == (None, None, None)


def test_an_unreadable_date_of_the_original_leaves_the_revisit():
    fields = changed(WARC_Type="revisit", WARC_Refers_To="urn:uuid:0", WARC_Refers_To_Date="yesterday")
    assert captured(fields, b"").refers_to == RefersTo("<urn:uuid:0>", None, None)


@pytest.mark.parametrize(
    ("status", "location", "redirect"),
    [
        (301, b"/b?c#d", "https://news.example/b?c#d"),
        (308, b"//other.example/", "https://other.example/"),
        (302, "/свежее".encode(), "https://news.example/свежее"),
        (302, b"/caf\xe9", "https://news.example/café"),
        (303, b"http://[::1/", None),
        (307, b"  ", None),
        (200, b"/b", None),
        (304, b"/b", None),
    ],
)
def test_the_target_of_a_redirect_is_absolute(status: int, location: bytes, redirect: str | None):
    block = b"HTTP/1.1 %d X\r\nLocation: %s\r\n\r\n" % (status, location)
    assert captured(RESPONSE, block).redirect == redirect


@pytest.mark.parametrize("name", ["WARC_Record_ID", "WARC_Date", "WARC_Target_URI"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_capture_without_its_essentials_is_told(name: str, value: str | None):
    with pytest.raises(MalformedRecord, match=r"a\.warc\.gz at 123: the record has no WARC-"):
        Capture.from_record(changed(**{name: value}), HTTP, PLACE)


def test_a_date_that_is_none_is_told():
    with pytest.raises(MalformedRecord, match="WARC-Date: no such date"):
        Capture.from_record(changed(WARC_Date="2026-02-30T00:00:00Z"), HTTP, PLACE)


def test_uris_in_angle_brackets_as_wget_writes_them():
    assert captured(changed(WARC_Target_URI="<https://news.example/a>"), HTTP).url == "https://news.example/a"


@pytest.mark.parametrize("written", ["urn:uuid:1", "<urn:uuid:1>", " <urn:uuid:1>"])
def test_record_ids_have_one_spelling(written: str):
    assert bracketed(written) == "<urn:uuid:1>"


def test_bytes_that_are_no_text_become_escapes_that_any_index_can_hold():
    url = b"https://news.example/caf\xe9".decode(errors="surrogateescape")
    assert captured(changed(WARC_Target_URI=url), HTTP).url == "https://news.example/caf%E9"
    assert captured(changed(WARC_Target_URI="https://news.example/\ud800"), HTTP).url == "https://news.example/\ufffd"


def test_the_first_of_repeated_fields_counts_in_either_form():
    twice = [*RESPONSE, ("WARC-Target-URI", "https://other.example/")]
    assert captured(twice, HTTP) == Capture.from_record(Fields(tuple(twice)), HTTP, PLACE)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("text/html", "text/html"),
        ("Text/HTML ; charset=x", "text/html"),
        ("application/ld+json", "application/ld+json"),
        ("", None),
        (None, None),
        ("html", None),
        ("text/ht ml", None),
        ("text/html, text/html", None),
        ("текст/html", None),
    ],
)
def test_media_types(said: str | None, meant: str | None):
    assert media_type(said) == meant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-11", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T20:48Z", datetime(2026, 11, 21, 20, 48, tzinfo=UTC)),
        ("2026-11-21T20:48:01Z", datetime(2026, 11, 21, 20, 48, 1, tzinfo=UTC)),
        ("2026-11-21T20:48:01.5Z", datetime(2026, 11, 21, 20, 48, 1, 500000, tzinfo=UTC)),
        ("2026-11-21T20:48:01.123456789Z", datetime(2026, 11, 21, 20, 48, 1, 123456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2026-11-21T20:48:01+03:00", datetime(2026, 11, 21, 17, 48, 1, tzinfo=UTC)),
        ("2026-11-21T20:48:01", datetime(2026, 11, 21, 20, 48, 1, tzinfo=UTC)),
        ("2026-11-21t20:48:01z", datetime(2026, 11, 21, 20, 48, 1, tzinfo=UTC)),
    ],
)
def test_dates_of_every_precision(text: str, at: datetime):
    assert parse_iso(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20261121204800",
        "21.11.2026",
        "2026-13-01",
        "2026-11-21T24:01:00Z",
        "0000-01-01",
        "9999-12-31T23:59:60Z",
        "2026-11-21T20:48:01.1234567891Z",
        "٢٠٢٦-11-21",
        "2026-11-21T20:48:61Z",
    ],
)
def test_what_is_no_date(text: str):
    with pytest.raises(ValueError, match="date"):
        parse_iso(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_iso_times_sort_as_text_and_come_back(at: datetime):
    assert parse_iso(iso(at)) == at
    assert len(iso(at)) == 27
    assert len(timestamp14(at)) == 14


def test_times_are_told_in_utc_whatever_their_zone():
    moscow = AT.astimezone(timezone(timedelta(hours=3)))
    assert iso(moscow) == "2026-11-21T20:48:00.123456Z"
    assert timestamp14(moscow) == "20261121204800"


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="without zone"):
        iso(datetime(2026, 11, 21))  # noqa: DTZ001 - the point of the test
