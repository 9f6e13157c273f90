"""What addresses tell by patterns on their paths."""

from __future__ import annotations

import re
from datetime import date

import pytest

from crawler.patterns import Addresses

DATED = Addresses(
    article=re.compile(r"^/(?P<year>\d{4})/(?P<month>\w+?)/(?P<day>\d{2})/[^/]+-(?P<id>\d+)$"),
    section=re.compile(r"^/topic/"),
    never=re.compile(r"^/account|/print$"),
    sitemap=re.compile(r"/sitemap-(?P<year>\d{4})(?:-(?P<month>\d{2}))?\.xml$|/sitemap"),
)
UNDATED = Addresses(article=re.compile(r"^/story/[^/]+$"), section=re.compile(r"^/topic/"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/2024/03/07/bridge-12", "article"),
        ("/2024/03/07/bridge-12?from=home", "article"),
        ("/2024/03/07/bridge-12/print", "skip"),
        ("/account/2024/03/07/bridge-12", "skip"),
        ("/topic/rivers", "section"),
        ("/", "section"),
        ("", "section"),
        ("/rss/rivers.xml", "feed"),
        ("/rivers/rss_full.xml", "feed"),
        ("/rivers.rss", "feed"),
        ("/sitemap-2024-03.xml", "sitemap"),
        ("/rivers", "page"),
        ("/impression", "page"),  # "rss" is a whole word
    ],
)
def test_kind(path: str, kind: str):
    assert DATED.kind_of(f"https://news.example{path}") == kind


def test_an_article_has_the_identity_its_address_names_or_none():
    assert DATED.article_id("https://news.example/2024/03/07/bridge-12") == "12"
    assert DATED.article_id("https://news.example/topic/bridge-12") is None
    assert UNDATED.article_id("https://news.example/story/bridge") is None


@pytest.mark.parametrize(
    ("path", "first", "last"),
    [
        ("/2024/03/07/bridge-12", date(2024, 3, 7), date(2024, 3, 7)),
        ("/2024/mar/07/bridge-12", date(2024, 3, 7), date(2024, 3, 7)),
        ("/sitemap-2024-02.xml", date(2024, 2, 1), date(2024, 2, 29)),
        ("/sitemap-2024.xml", date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_period(path: str, first: date, last: date):
    assert DATED.period_of(f"https://news.example{path}") == (first, last)


@pytest.mark.parametrize("path", ["/2024/13/07/x-1", "/2024/mai/07/x-1", "/2024/02/30/x-1", "/sitemap.xml", "/topic/x"])
def test_what_names_no_day_has_no_period(path: str):
    assert DATED.period_of(f"https://news.example{path}") is None


def test_what_is_no_address_is_a_page_at_most():
    assert DATED.kind_of("https://[news.example/2024/03/07/bridge-12") in {"page", "section"}
    assert DATED.article_id("https://[news.example/2024/03/07/bridge-12") is None
