"""Addresses without end are told by what they share and by their form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.leads import MAX_NESTED
from crawler.traps import BARREN_PAGES, BARREN_PAST_PAGES, is_trap, listing, pathological, template
from tests.crawler.crawls import Crawl, article, asked, page, reply
from tests.servers.raw_site import RawSite, Script, running

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


def feed(number: int, items: Iterable[str] = ()) -> Script:
    """Return page *number* of a feed that goes on for ever."""
    listed = "".join(f"<item><title>News</title><link>{item}</link></item>" for item in items)
    return reply(
        '<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>All</title>'
        f'<atom:link rel="next" href="/rss?page={number + 1}"/>{listed}</channel></rss>',
        "application/rss+xml",
    )


def test_a_feed_without_end_is_left_once_it_shows_nothing_new(tmp_path: Path):
    shown = {number: [article(number)] for number in range(1, 6)}
    feeds = {f"/rss?page={number}": feed(number, shown.get(number, [article(1)])) for number in range(1, 100)}
    start = reply('<html><link rel="alternate" type="application/rss+xml" href="/rss?page=1"><p>News</html>')
    articles = {article(number): page() for number in range(1, 6)}
    with running(RawSite({"/": start, **feeds, **articles})) as site:
        account = Crawl(tmp_path).run(site)
        came = asked(site)
    assert set(articles) <= set(came)
    asked_for = sum(target.startswith("/rss") for target in came)
    assert 5 + BARREN_PAGES <= asked_for <= 6 + BARREN_PAGES
    assert account.pending == 0


def test_pictures_with_captions_are_no_trap(tmp_path: Path):
    """Pages too short to be told for articles, which lead nowhere but home: each is asked for all the same."""
    pictures = {
        f"/photo/{number}": reply(f'<html><a href="/">Home</a><img src=x.jpg><p>{"x" * (10 + number)}</html>')
        for number in range(1, 61)
    }
    with running(RawSite({"/": page(pictures), **pictures})) as site:
        Crawl(tmp_path).run(site)
        assert set(pictures) <= set(asked(site))


def test_a_calendar_without_end_is_one_whatever_its_footer_says(tmp_path: Path):
    calendar = {
        f"/day/{number}": reply(f'<html><a href="/day/{number + 1}">On</a><p>{"Monday" if number % 2 else "Friday!"}')
        for number in range(1, 100)
    }
    with running(RawSite({"/": page(["/day/1"]), **calendar})) as site:
        account = Crawl(tmp_path).run(site)
        assert sum(target.startswith("/day") for target in asked(site)) <= BARREN_PAGES + 3
    assert account.outcomes["skipped"] == 1


def xml(name: str, *listed: str) -> Script:
    """Return a sitemap, or an index of sitemaps, that lists these addresses."""
    entry = {"urlset": "url", "sitemapindex": "sitemap"}[name]
    entries = "".join(f"<{entry}><loc>{address}</loc></{entry}>" for address in listed)
    return reply(f'<{name} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{name}>', "application/xml")


def test_sitemaps_are_read_as_many_as_an_index_lists_whatever_they_are_called(tmp_path: Path):
    """Those that list nothing new, and those of articles, have names alike."""
    articles = [article(number) for number in range(30)]
    with running(RawSite({"/": page(), **dict.fromkeys(articles, page())})) as site:
        barren = {f"/sitemap-authors-{number}.xml": xml("urlset", site.url("/")) for number in range(30)}
        fertile = {f"/sitemap-{number}.xml": xml("urlset", site.url(article(number))) for number in range(30)}
        index = xml("sitemapindex", *map(site.url, [*barren, *fertile]))
        site.scripts |= {"/sitemap.xml": index, **barren, **fertile}
        Crawl(tmp_path).run(site)
        assert set(articles) <= set(asked(site))


def test_indexes_of_sitemaps_within_one_another_come_to_an_end(tmp_path: Path):
    with running(RawSite({"/": page()})) as site:
        names = ["/sitemap.xml", *(f"/index-{number}.xml" for number in range(1, 50))]
        site.scripts |= {name: xml("sitemapindex", site.url(following)) for name, following in pairwise(names)}
        account = Crawl(tmp_path).run(site)
        assert sum(target.startswith("/index-") for target in asked(site)) == MAX_NESTED
    assert account.pending == 0


def test_a_section_that_says_something_else_each_time_is_a_trap_all_the_same(tmp_path: Path):
    filters = {
        f"/tag/x?page={number}": reply(f'<html><a href="/tag/x?page={number + 1}">On</a><p>{"x" * number}</p>')
        for number in range(1, 100)
    }
    with running(RawSite({"/": page(["/tag/x?page=1"]), **filters})) as site:
        Crawl(tmp_path).run(site)
        assert sum(target.startswith("/tag") for target in asked(site)) <= BARREN_PAGES + 3


@pytest.mark.parametrize(
    ("url", "past"),
    [
        ("/2026/11/20", True),
        ("/2026/11/21", True),
        ("/2026/11/22", False),
        ("/2026/12", False),
        ("/archive/2025", True),
        ("/2027/", False),
        ("/events/2026-11-20", True),
        ("/news/2", False),
        ("/news?page=2025", False),
    ],
)
def test_listings_of_the_past_are_counted_apart_and_have_more_patience(url: str, past: bool):
    counted = listing(HOST + url, today=date(2026, 11, 21))
    assert counted.startswith(template(HOST + url))
    assert is_trap(counted, BARREN_PAGES) != past
    assert is_trap(counted, BARREN_PAST_PAGES)
    assert not is_trap(counted, BARREN_PAGES - 1)


def test_a_calendar_whose_days_look_like_articles_is_one(tmp_path: Path):
    """Of nobody's prose and declared by nobody, they lead from day to day."""
    days = {
        f"/termine/2099/01/{number:02d}/uebersicht": reply(
            f'<html><a href="/termine/2099/01/{number + 1:02d}/uebersicht">Morgen</a><p>Keine Termine</p></html>'
        )
        for number in range(1, 100)
    }
    with running(RawSite({"/": page(list(days)[:1]), **days})) as site:
        account = Crawl(tmp_path).run(site)
        assert sum(target.startswith("/termine") for target in asked(site)) <= BARREN_PAGES + 3
    assert account.pending == 0


def test_foreign_sitemaps_and_feeds_are_asked_for_where_the_front_page_or_robots_txt_names_them(tmp_path: Path):
    with running(RawSite({})) as foreign, running(RawSite({})) as site:
        home = reply(
            f'<link rel="alternate" type="application/rss+xml" href="{foreign.url("/feed")}"><a href="/tag/a">A'
        )
        tag = reply(f'<link rel="alternate" type="application/rss+xml" href="{foreign.url("/other")}">')
        index = xml("sitemapindex", foreign.url("/from-index.xml"), site.url("/own.xml"))
        robots = reply(f"Sitemap: {foreign.url('/from-robots.xml')}\nSitemap: {site.url('/index.xml')}", "text/plain")
        site.scripts |= {"/": home, "/tag/a": tag, "/index.xml": index, "/robots.txt": robots}
        Crawl(tmp_path).run(site)
        assert set(asked(foreign)) == {"/feed", "/from-robots.xml"}
        assert "/own.xml" in asked(site)
