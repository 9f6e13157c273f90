from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archive.extraction.dates import from_url, iso, plausible

CAPTURED = datetime(2024, 5, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2013-05-15T09:00:00+04:00", "2013-05-15T09:00:00+04:00"),
        ("2013-05-15T09:00:00+0400", "2013-05-15T09:00:00+04:00"),
        ("2013-05-15T09:00:00Z", "2013-05-15T09:00:00+00:00"),
        ("2013-05-15T09:00:00.123Z", "2013-05-15T09:00:00.123000+00:00"),
        ("2013-05-15 09:00", "2013-05-15T09:00:00"),
        ("2013-05-15", "2013-05-15"),
        ("20130515", "2013-05-15"),
        ("2013/05/15", "2013-05-15"),
        ("Wed, 15 May 2013 09:00:00 +0400", "2013-05-15T09:00:00+04:00"),
        ("May 15, 2013", "2013-05-15"),
        ("Published on Sept. 3rd, 2013", "2013-09-03"),
        ("15 мая 2013", "2013-05-15"),
        ("15. März 2013", "2013-03-15"),
        ("15 de mayo de 2013", "2013-05-15"),
        ("15.05.2013, 09:30 Uhr", "2013-05-15T09:30:00"),
        ("2013年5月15日 9:30", "2013-05-15T09:30:00"),
        ("1368594000", "2013-05-15T05:00:00+00:00"),
    ],
)
def test_dates_are_read_as_pages_write_them(written: str, read: str):
    assert iso(written) == read


@pytest.mark.parametrize(
    "written",
    ["", None, "yesterday", "05/06/2013", "0001-01-01T00:00:00", "2013-13-40", "2013-02-30", "Maybe 15, 2013x"],
)
def test_what_is_not_certainly_a_date_is_unknown(written: str | None):
    assert iso(written) is None


def test_an_offset_is_given_only_where_the_page_gives_one():
    assert iso("2013-05-15T09:00:00") == "2013-05-15T09:00:00"


@pytest.mark.parametrize(
    "later", ["2024-05-21T12:00:00+00:00", "2024-05-20T12:30:00+00:00", "2024-05-22", "2031-01-01"]
)
def test_a_date_after_the_capture_is_wrong(later: str):
    assert plausible(later, CAPTURED) is None


@pytest.mark.parametrize(
    "earlier", ["2024-05-20T15:00:00+03:00", "2024-05-20T12:05:00+00:00", "2024-05-20", "2024-05-21"]
)
def test_a_clock_ahead_and_a_day_that_has_begun_further_east_are_not(earlier: str):
    assert plausible(earlier, CAPTURED) == earlier


def test_an_address_may_carry_the_day():
    assert from_url("https://example.org/2013/05/15/slug-a1?x=/2014/01/01/") == "2013-05-15"
    assert from_url("https://example.org/2013/55/15/slug") is None
