"""Dates of feeds and sitemaps: as precise as they are told, with an offset only if one is told, unknown if in doubt."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.dates import MAX_LENGTH, iso

# A form of ISO 8601 that is no more than a year, a month, a day, or a moment.
ISO = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{6})?(?:[+-]\d\d:\d\d)?)?)?)?\Z", re.ASCII)

MOMENTS = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - the strategy adds the offset
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
).map(lambda at: at.replace(microsecond=0))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024", "2024"),
        ("2024-05", "2024-05"),
        ("2024-05-06", "2024-05-06"),
        ("2024-05-06T07:08Z", "2024-05-06T07:08:00+00:00"),
        ("2024-05-06T07:08+02:00", "2024-05-06T07:08:00+02:00"),
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09+00:00"),
        ("2024-05-06T07:08:09-03:30", "2024-05-06T07:08:09-03:30"),
        ("2024-05-06T07:08:09.45+01:00", "2024-05-06T07:08:09.450000+01:00"),
    ],
)
def test_every_precision_of_the_w3c_note_is_kept(text: str, meant: str):
    assert iso(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("  2024-05-06\n", "2024-05-06"),
        ("2024-5-6", "2024-05-06"),
        ("2024/05/06", "2024-05-06"),
        ("2024/5/6 7:08", "2024-05-06T07:08:00"),
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09"),
        ("2024-05-06T07:08:09", "2024-05-06T07:08:09"),
        ("2024-05-06t07:08:09z", "2024-05-06T07:08:09+00:00"),
        ("2024-05-06 07:08:09 +0200", "2024-05-06T07:08:09+02:00"),
        ("2024-05-06T07:08:09+0200", "2024-05-06T07:08:09+02:00"),
        ("2024-05-06T07:08:09+02", "2024-05-06T07:08:09+02:00"),
        ("2024-05-06T07:08:09 UTC", "2024-05-06T07:08:09+00:00"),
        ("2024-05-06T07:08:09,5Z", "2024-05-06T07:08:09.500000+00:00"),
        ("2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123456+00:00"),
    ],
)
def test_what_is_often_made_of_these_is_read_as_well(text: str, meant: str):
    assert iso(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Mon, 06 May 2024 07:08:09 +0200", "2024-05-06T07:08:09+02:00"),
        ("Mon, 06 May 2024 07:08:09 GMT", "2024-05-06T07:08:09+00:00"),
        ("Mon, 06 May 2024 07:08:09 UT", "2024-05-06T07:08:09+00:00"),
        ("Mon, 06 May 2024 07:08:09 Z", "2024-05-06T07:08:09+00:00"),
        ("Mon, 06 May 2024 07:08:09 EST", "2024-05-06T07:08:09-05:00"),
        ("Mon, 6 May 2024 07:08 +0200", "2024-05-06T07:08:00+02:00"),
        ("06 May 2024 07:08:09 +0200", "2024-05-06T07:08:09+02:00"),
        ("06 May 24 07:08:09 +0200", "2024-05-06T07:08:09+02:00"),
        ("Mon, 06 May 2024 07:08:09 +02:00", "2024-05-06T07:08:09+02:00"),
        ("Mon,06 May 2024 7:8:9 GMT", "2024-05-06T07:08:09+00:00"),
        ("Lun, 06 May 2024 07:08:09 +0200", "2024-05-06T07:08:09+02:00"),
        ("Mon, 06 May 2024 07:08:09 GMT -0000", "2024-05-06T07:08:09+00:00"),
        ("Monday, 06-May-24 07:08:09 GMT", "2024-05-06T07:08:09+00:00"),
        ("Mon May  6 07:08:09 2024", "2024-05-06T07:08:09"),
        ("Mon, 06 May 2024 07:08:09", "2024-05-06T07:08:09"),
        ("Mon, 6 May 2024", "2024-05-06"),
        ("May 6, 2024", "2024-05-06"),
    ],
)
def test_dates_of_email_are_read_well_and_badly_formed(text: str, meant: str):
    assert iso(text) == meant


@pytest.mark.parametrize("zone", ["CET", "CEST", "IST", "MSK"])
def test_a_zone_whose_name_does_not_tell_its_offset_leaves_the_time_without_one(zone: str):
    assert iso(f"2024-05-06T07:08:09 {zone}") == "2024-05-06T07:08:09"
    assert iso(f"Mon, 06 May 2024 07:08:09 {zone}") == "2024-05-06T07:08:09"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " \n",
        "-",
        "now",
        "10:00",
        "6 May",
        "May 2024",
        "1 Nov",
        "1715000000",
        "20240506",
        "06.05.2024",
        "06/05/2024",  # the sixth of May, or the fifth of June
        "05/06/2024 10:00",
        "12 12 12",
        "2024-00-01",
        "2024-13-01",
        "2024-02-30",
        "2023-02-29",
        "2024-05-06T",
        "2024-05-06T07",
        "2024-05-06T25:00:00Z",
        "2024-05-06T07:61:00Z",
        "2024-05-06T07:08:09+25:00",
        "2024-W19",
        "٢٠٢٤-05-06",  # digits, though not ASCII's
        "Mon, 31 Feb 2024 07:08:09 +0200",
        "Mon, 06 Mai 2024 07:08:09 +0200",
        "Mon, 06 May 2024 07:08:09 +9999",
        "Mon, 06 May 124 07:08:09 GMT",
    ],
)
def test_what_cannot_be_read_for_certain_is_unknown(text: str | None):
    assert iso(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "0000",
        "0000-00-00 00:00:00",
        "0001-01-01T00:00:00Z",
        "Mon, 01 Jan 0001 00:00:00 +0000",
        "Mon Jan 01 00:00:00 GMT 0001",
        "January 1, 0001",
        "Wed, 30 Nov -0001 00:00:00 +0000",
        "Wed, 30 Nov 0000 00:00:00 GMT",
        "1970-01-01",
        "1970-01-01T00:00:00Z",
        "1970-01-01T01:00:00+01:00",
        "1970-01-01 00:00:00",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Thu, 01 Jan 1970",
    ],
)
def test_what_software_writes_when_it_knows_no_date_is_none(text: str):
    assert iso(text) is None


def test_old_newspapers_have_their_dates():
    assert iso("1785-01-01") == "1785-01-01"
    assert iso("1969-12-31") == "1969-12-31"
    assert iso("1970") == "1970"


def test_a_text_longer_than_any_date_is_not_looked_at():
    assert iso("2024-05-06" + " " * MAX_LENGTH) == "2024-05-06"
    assert iso("2024-05-06T07:08:09." + "0" * MAX_LENGTH) is None


@given(MOMENTS)
def test_every_moment_is_read_back_from_each_form(at: datetime):
    assert iso(at.isoformat()) == at.isoformat()
    assert iso(at.isoformat(" ")) == at.isoformat()
    assert iso(format_datetime(at)) == at.isoformat()
    assert iso(at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) == at.astimezone(UTC).isoformat()


WRITTEN = st.lists(
    st.sampled_from(
        [
            *"0123456789-/:+., TZ",
            "2024",
            "1970",
            "May",
            "Mon",
            "Jan",
            "GMT",
            "EST",
            "PM",
            "99999999999",
            "\n",
            "\xa0",
            "٣",
        ]
    ),
    max_size=30,
).map("".join)


@given(st.one_of(st.text(), WRITTEN))
def test_any_text_gives_a_date_in_iso_8601_that_is_read_as_itself_or_none(text: str):
    date = iso(text)
    if date is not None:
        assert ISO.match(date)
        assert iso(date) == date
        if "T" in date:
            datetime.fromisoformat(date)
