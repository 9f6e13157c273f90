"""Addresses without end are told by what they share and by their form."""

from __future__ import annotations

import pytest

from crawler.traps import pathological, template

HOST = "https://news.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/news/17", "/news/3"),
        ("/calendar/2031/05", "/calendar/1999/12"),
        ("/calendar?month=5&year=2031", "/calendar?year=1999&month=12"),
        ("/tag/water-and-power-supply", "/tag/the-other-long-tag"),
        ("/news/page2", "/news/page3"),
    ],
)
def test_listings_of_one_kind_share_a_template(one: str, other: str):
    assert template(HOST + one) == template(HOST + other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/news/17", "/opinion/17"),
        ("/news", "/news?page=2"),
        ("/news/17", "/news/17/3"),
        ("/news?page=2", "/news?offset=2"),
    ],
)
def test_listings_of_different_kinds_do_not(one: str, other: str):
    assert template(HOST + one) != template(HOST + other)


def test_sites_are_apart():
    assert template("https://a.example/news/1") != template("https://b.example/news/1")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"{HOST}/a/b/a/b/a/b", "'a' stands 3 times"),
        (f"{HOST}/{'x' * 2000}", "an address of 2021 characters"),
        (f"{HOST}/{'/'.join(map(str, range(30)))}", "a path of 30 parts"),
    ],
)
def test_addresses_that_lead_nowhere_by_their_form(url: str, why: str):
    assert why in (pathological(url) or "")


@pytest.mark.parametrize(
    "path",
    ["/", "/2026/11/21/a-slug", "/11/11/11/11/11/11", "/news/news/latest", "/a?b=/c/c/c/c/c/c", "/en/en/en-gb/x"],
)
def test_ordinary_addresses(path: str):
    assert pathological(HOST + path) is None
