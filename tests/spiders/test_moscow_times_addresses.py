"""The publication's addresses, in every form known: what each is, which article it shows, and where it leads."""

from __future__ import annotations

from datetime import date

import pytest

from crawler.publication import ArgumentError
from spiders.moscow_times import PUBLISHER, publication
from spiders.moscow_times.addresses import article_id, kind_of, paging, period_of

SITE = "https://www.themoscowtimes.com"
RUSSIAN = "https://ru.themoscowtimes.com"
STATIC = "https://static.themoscowtimes.com"
OBAMA = "/2013/05/15/obama-seeks-missile-defense-deal-with-putin-a24008"

ADDRESSES = [  # path, which article it shows, what a crawl takes it for
    (OBAMA, "a24008", "article"),
    (f"{OBAMA}/", "a24008", "article"),
    (f"{OBAMA}?utm_source=x", "a24008", "article"),
    ("/2013/05/16/another-slug-and-day-a24008", "a24008", "article"),
    ("/2022/03/04/slug-with-a12-in-it-a76799", "a76799", "article"),
    (f"{OBAMA}/pdf", "a24008", "skip"),  # asked for beside the article, and by no other way
    ("/all/24008", "a24008", "skip"),
    ("/articles/obama-seeks-missile-defense-deal-24008", "a24008", "article"),
    ("/news/obama-seeks-missile-defense-deal-24008", "a24008", "article"),
    ("/photogalleries/spring-in-the-city-1204", "a1204", "article"),
    ("/news/article/obama-seeks-missile-defense-deal/480000.html", "article/480000", "article"),
    ("/business/article/480000.html", "article/480000", "article"),
    ("/sitemap/free/1994/5/article/some-old-story/345567.html", "article/345567", "article"),
    ("/archive/some-old-story", "archive/some-old-story", "article"),
    ("/live/881", "live/881", "article"),
    ("/archive/author/some-one", None, "section"),
    ("/archive", None, "section"),
    ("/archive/1994", None, "section"),
    ("/archive/1994/5/12", None, "section"),
    ("/", None, "section"),
    ("/news", None, "section"),
    ("/news/19", None, "section"),
    ("/arts-and-life/37", None, "section"),
    ("/in-depth/19", None, "section"),
    ("/ukraine-war", None, "section"),
    ("/videos/20", None, "section"),
    ("/tag/farming/40", None, "section"),
    ("/all-about/sanctions", None, "section"),
    ("/author/vera-antonova", None, "section"),
    ("/plus/some-sponsor", None, "section"),
    ("/plus/some-sponsor/where-the-lakes-are-warm", "plus/some-sponsor/where-the-lakes-are-warm", "article"),
    ("/article/1010/42/373456.htm", "article/373456", "article"),
    ("/rss/news", None, "feed"),
    ("/feeds/partner.xml", None, "feed"),
    ("/sitemap.xml", None, "sitemap"),
    ("/preview/24008", None, "skip"),
    ("/search/missiles", None, "skip"),
    ("/search", None, "skip"),
    ("/api/search?query=missiles", None, "skip"),
    ("/contribute2?utm_source=contribute", None, "skip"),
    ("/newsletterpreview/default", None, "skip"),
    ("/page/about-us", None, "skip"),
    ("/what-nobody-knows", None, "page"),
]


@pytest.mark.parametrize(("path", "identity", "kind"), ADDRESSES)
@pytest.mark.parametrize("site", [SITE, RUSSIAN])
def test_an_address_tells_the_article_it_shows_and_what_it_is(
    site: str, path: str, identity: str | None, kind: str
) -> None:
    assert article_id(site + path) == identity
    assert kind_of(site + path) == kind


@pytest.mark.parametrize("url", ["", "http://[", "mailto:someone@example.org", "https://", "/relative"])
def test_what_is_no_address_is_told_and_raises_nothing(url: str) -> None:
    assert article_id(url) is None
    assert kind_of(url) in ("page", "section")
    assert not paging(url, 5)
    assert period_of(url) is None


@pytest.mark.parametrize(
    ("path", "following"),
    [
        ("/news", "/news/19"),
        ("/news/", "/news/19"),
        ("/news/19", "/news/37"),
        ("/news/37", "/news/55"),
        ("/news/5005", "/news/5023"),
        ("/arts-and-life", "/arts-and-life/19"),
        ("/in-depth/19", "/in-depth/37"),
        ("/videos", "/videos/20"),
        ("/videos/20", "/videos/40"),
        ("/tag/farming", "/tag/farming/20"),
        ("/tag/farming/20", "/tag/farming/40"),
        ("/all-about/sanctions/60", "/all-about/sanctions/80"),
        ("/author/vera-antonova", None),
        ("/archive", None),
        ("/", None),
        (OBAMA, None),
    ],
)
def test_a_listing_goes_on_where_scrolling_would_load_more(path: str, following: str | None) -> None:
    assert list(paging(SITE + path, 7)) == ([SITE + following] if following else [])
    assert list(paging(RUSSIAN + path, 7)) == ([RUSSIAN + following] if following else [])


@pytest.mark.parametrize("path", ["/news", "/news/55", "/tag/farming/40", "/videos"])
def test_a_listing_that_shows_nothing_is_the_end(path: str) -> None:
    assert not paging(SITE + path, 0)


@pytest.mark.parametrize(
    ("url", "period"),
    [
        (SITE + OBAMA, (date(2013, 5, 15), date(2013, 5, 15))),
        (f"{SITE}{OBAMA}/pdf", (date(2013, 5, 15), date(2013, 5, 15))),
        (f"{STATIC}/sitemap/2013-5.xml", (date(2013, 5, 1), date(2013, 5, 31))),
        (f"{STATIC}/sitemap/2024-02.xml", (date(2024, 2, 1), date(2024, 2, 29))),
        (f"{STATIC}/sitemap/2024-12.xml", (date(2024, 12, 1), date(2024, 12, 31))),
        (f"{STATIC}/sitemap/2024-13.xml", None),
        (f"{STATIC}/sitemap/sitemap.xml", None),
        (f"{STATIC}/sitemap/newsmap.xml", None),
        (f"{SITE}/2023/02/29/no-such-day-a5", None),
        (f"{SITE}/archive/some-old-story", None),
        (f"{SITE}/all/24008", None),
        (f"{SITE}/news/19", None),
    ],
)
def test_an_address_tells_its_days(url: str, period: tuple[date, date] | None) -> None:
    assert period_of(url) == period


def test_only_dated_addresses_have_a_print_version() -> None:
    assert PUBLISHER.print_version(f"{SITE}{OBAMA}?utm_source=x") == f"{SITE}{OBAMA}/pdf"
    assert PUBLISHER.print_version(f"{RUSSIAN}{OBAMA}/") == f"{RUSSIAN}{OBAMA}/pdf"
    assert PUBLISHER.print_version(f"{SITE}{OBAMA}/pdf") is None
    assert PUBLISHER.print_version(f"{SITE}/archive/some-old-story") is None
    assert PUBLISHER.print_version(f"{SITE}/all/24008") is None
    assert PUBLISHER.print_version(f"https://example.org{OBAMA}") is None


@pytest.mark.parametrize(
    ("arguments", "english", "russian"),
    [
        ({}, True, False),
        ({"edition": "en"}, True, False),
        ({"edition": "ru"}, False, True),
        ({"edition": "en ru"}, True, True),
    ],
)
def test_the_russian_edition_is_crawled_when_it_is_asked_for(
    arguments: dict[str, str], english: bool, russian: bool
) -> None:
    made = publication(**arguments)
    assert made.owns(SITE + OBAMA) == made.owns("http://themoscowtimes.com/") == english
    assert made.owns(RUSSIAN + OBAMA) == made.owns("https://www.moscowtimes.ru/") == russian
    seeds = (*made.home, *made.feeds, *made.sections)
    assert any(url.startswith(SITE) for url in seeds) == english
    assert any(url.startswith(RUSSIAN) for url in seeds) == russian
    assert any(url.startswith(STATIC) for url in made.sitemaps) == english


def test_other_hosts_are_not_the_publications() -> None:
    made = publication("en ru")
    for url in (f"{STATIC}/image.jpg", "https://themoscowtimes.com.example.org/", "https://example.org/", "", "/news"):
        assert not made.owns(url)


def test_every_seed_is_what_it_is_listed_as() -> None:
    made = publication("en ru")
    assert {kind_of(url) for url in made.feeds} == {"feed"}
    assert {kind_of(url) for url in made.sitemaps} == {"sitemap"}
    assert {kind_of(url) for url in made.sections} == {"section"}
    assert len(set(made.feeds)) == len(made.feeds)


@pytest.mark.parametrize("arguments", [{"edition": "de"}, {"edition": ""}, {"edition": "en de"}, {"language": "en"}])
def test_an_argument_it_does_not_take_is_refused_with_those_it_takes(arguments: dict[str, str]) -> None:
    with pytest.raises(ArgumentError, match="edition=en, edition=ru"):
        publication(**arguments)
