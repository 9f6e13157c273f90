"""Where else an article stands, as its page says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from archive.article import Alternate, Article
from archive.extraction import Page, extract
from spiders.moscow_times import PUBLISHER

AT = datetime(2026, 11, 21, tzinfo=UTC)
URL = "https://news.example/2026/a"


def alternates(head: str, *, url: str = URL, html: str = "<html lang=en>") -> list[Alternate]:
    page = f"<!doctype html>{html}<head>{head}</head><body><article><h1>T</h1><p>Text.</p></article></body></html>"
    return extract(Page(page.encode(), url, "text/html; charset=utf-8", AT), PUBLISHER.rules).alternates


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ('<link rel="amphtml" href="/2026/a/amp#x">', [Alternate(f"{URL}/amp", "amp")]),
        ('<link rel="ALTERNATE" media="print" href="a?print=1">', [Alternate(f"{URL}?print=1", "print")]),
        (
            '<link rel="alternate" hreflang="ru-ru" href="//ru.news.example/b">',
            [Alternate("https://ru.news.example/b", "language", "ru-RU")],
        ),
        ('<link rel="alternate" type="text/html" hreflang="de" href="/de">' * 2, [
            Alternate("https://news.example/de", "language", "de")
        ]),
        ('<base href="https://cdn.example/x/"><link rel="amphtml" href="y">', [
            Alternate("https://cdn.example/x/y", "amp")
        ]),
    ],
)  # fmt: skip
def test_forms_and_editions_are_read(head: str, found: list[Alternate]):
    assert alternates(head) == found


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="alternate" type="application/rss+xml" hreflang="ru" href="/rss">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed">',
        '<link rel="alternate" href="android-app://example/news/a">',
        '<link rel="alternate" hreflang="x-default" href="/">',
        '<link rel="alternate" media="only screen and (max-width: 640px)" href="https://m.news.example/a">',
        '<link rel="alternate stylesheet" media="print" href="/print.css">',
        '<link rel="stylesheet" media="print" href="/print.css">',
        '<link rel="alternate" hreflang="ru">',
        '<link rel="amphtml" href="http://[bad">',
    ],
)
def test_feeds_apps_and_style_sheets_are_none(head: str):
    assert alternates(head) == []


@pytest.mark.parametrize("attribute", ["amp", "⚡"])
def test_an_amp_page_says_so_of_itself(attribute: str):
    assert alternates("", url=f"{URL}/amp", html=f"<html {attribute}>") == [Alternate(f"{URL}/amp", "amp")]


def test_a_publishers_rule_names_the_print_version_on_both_pages():
    url = "https://www.themoscowtimes.com/2026/05/15/some-slug-a24008"
    assert alternates("", url=url) == [Alternate(f"{url}/pdf", "print")]
    page = f"<html><body><h1>T</h1><p>Text.</p><p>Original url: {url}</p></body></html>".encode()
    printed = extract(Page(page, f"{url}/pdf", "text/html; charset=utf-8", AT), PUBLISHER.rules)
    assert printed.alternates == [Alternate(f"{url}/pdf", "print")]
    assert printed.sources["alternates"] == "publisher-rule"


def test_a_page_cannot_name_alternates_without_end():
    head = "".join(f'<link rel="alternate" hreflang="ru" href="/{number}">' for number in range(5000))
    assert len(alternates(head)) == 100


def test_records_of_before_are_read_and_new_ones_come_back():
    old = Article(URL).to_json()
    del old["alternates"]
    assert Article.from_json(old).alternates == []
    new = Article(URL, alternates=[Alternate(f"{URL}/amp", "amp"), Alternate(URL, "language", "en")])
    assert Article.from_json(json.loads(json.dumps(new.to_json()))) == new
