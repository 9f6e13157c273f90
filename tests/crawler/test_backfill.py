"""A crawl of the past: date archives by their days, newest or oldest first, and what WARC files name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from crawler.date_archives import Pattern, pattern_of, period_of
from crawler.discovery import Found
from crawler.leads import Bounds, Leads
from crawler.publication import ArgumentError
from crawler.spider import spider_class
from crawler.warc_addresses import addresses
from spiders.generic import publication
from tests.crawler.crawls import Crawl, asked, page, reply
from tests.records import record
from tests.servers.raw_site import RawSite, running

SITE = "https://news.example"
MAY = (date(2013, 5, 1), date(2013, 5, 31))


@pytest.mark.parametrize(
    ("path", "pattern", "period"),
    [
        ("/2013/05/15/", ("/", "/", True, True, "/"), (date(2013, 5, 15),) * 2),
        ("/2013/05/15", ("/", "/", True, True, ""), (date(2013, 5, 15),) * 2),
        ("/archive/2013/5/15", ("/archive/", "/", False, True, ""), (date(2013, 5, 15),) * 2),
        ("/news/2013-05-15/", ("/news/", "-", True, True, "/"), (date(2013, 5, 15),) * 2),
        ("/2013/05/", ("/", "/", True, False, "/"), MAY),
        ("/2013/05/index.html", ("/", "/", True, False, "/index.html"), MAY),
        ("/2013/", None, (date(2013, 1, 1), date(2013, 12, 31))),
        ("/2013/13/", None, None),
        ("/2013/02/30/", None, None),
        ("/2013/05/15/a-headline", None, None),
        ("/2013/05/15/?page=2", None, None),
        ("/2013/05-15/", None, None),
        ("/page/2/", None, None),
    ],
)
def test_a_listing_of_a_day_is_told_by_its_address(path: str, pattern: tuple[object, ...] | None, period: object):
    found = pattern_of(SITE + path)
    assert found == (pattern and Pattern(SITE + str(pattern[0]), *pattern[1:]))  # type: ignore[arg-type]
    assert period_of(SITE + path) == period
    if found is not None:
        assert found.address(date(2013, 5, 15)) == SITE + path


def test_the_days_between_are_named_the_latest_first():
    days = pattern_of(f"{SITE}/2013/05/15/")
    assert days is not None
    assert list(days.between(date(2012, 2, 28), date(2012, 3, 1))) == [
        f"{SITE}/2012/03/01/",
        f"{SITE}/2012/02/29/",
        f"{SITE}/2012/02/28/",
    ]
    months = pattern_of(f"{SITE}/2013/5/")
    assert months is not None
    assert list(months.between(date(2011, 11, 30), date(2012, 1, 1))) == [
        f"{SITE}/2012/1/",
        f"{SITE}/2011/12/",
        f"{SITE}/2011/11/",
    ]
    assert list(days.between(date(2013, 5, 2), date(2013, 5, 1))) == []


def publication_by_day(*days: int) -> RawSite:
    """A site with a page for each day of May 2013, none of which leads to another, and links to the 15th only."""
    site = RawSite({"/": page(["/2013/05/15/", "/about-us"]), "/about-us": page()})
    for day in range(1, 32):
        path = f"/2013/05/{day:02d}/"
        story = f"{path}the-story-of-day-{day}"
        site.scripts[path] = page([story] if day in days else [])
        site.scripts[story] = reply(f"<html><title>{day}</title><p>{day} {'x' * 600}</p>")
    return site


def test_the_listings_of_the_wanted_days_are_asked_for_and_no_others(tmp_path: Path):
    wanted = {"since": "2013-05-10", "until": "2013-05-20"}
    with running(publication_by_day(2, 10, 13, 20, 30)) as site:
        account = Crawl(tmp_path, arguments=wanted).run(site)
    assert not account.pending
    listings = sorted(target for target in asked(site) if target.endswith("/") and target != "/")
    assert listings == [f"/2013/05/{day:02d}/" for day in range(10, 21)]
    assert sorted(target for target in asked(site) if "story" in target) == [
        f"/2013/05/{day:02d}/the-story-of-day-{day}" for day in (10, 13, 20)
    ]
    assert max(asked(site).values()) == 1


def test_without_a_first_day_no_listing_is_made_up(tmp_path: Path):
    with running(publication_by_day(15)) as site:
        Crawl(tmp_path).run(site)
    assert sorted(asked(site)) == ["/", "/2013/05/15/", "/2013/05/15/the-story-of-day-15", "/about-us"]


@pytest.mark.parametrize(("order", "days"), [("newest", [30, 20, 13, 10, 2]), ("oldest", [2, 10, 13, 20, 30])])
def test_articles_come_in_the_order_of_their_days(order: str, days: list[int], tmp_path: Path):
    site = publication_by_day()
    listed = [10, 30, 2, 20, 13]
    entries = "".join(
        f"<url><loc>/2013/05/{day:02d}/the-story-of-day-{day}</loc><lastmod>2020-01-01</lastmod></url>"
        for day in listed
    )
    site.scripts["/sitemap.xml"] = reply(f"<urlset>{entries}</urlset>", "application/xml")
    settings = {"CONCURRENT_REQUESTS": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
    with running(site):
        Crawl(tmp_path, settings, {"order": order}).run(site)
    asked_for = [request.target for request in site.requests if "story" in request.target]
    assert asked_for == [f"/2013/05/{day:02d}/the-story-of-day-{day}" for day in days]


def test_what_an_article_is_ordered_by():
    leads = Leads(publication(start=f"{SITE}/"), Bounds(order="newest"))

    def day(found: Found) -> str | None:
        lead = leads.lead(found, via=SITE, depth=1, hops="L")
        assert lead is not None
        return lead.day

    url = f"{SITE}/2013/05/15/a-headline-of-words"
    assert day(Found(url, modified="2020-01-01")) == "2013-05-15"
    assert day(Found(url, published="2013-05-15T23:30:00-02:00")) == "2013-05-16T01:30:00"
    assert day(Found(f"{SITE}/a-headline-of-many-words", modified="2020-01-01")) == "2020-01-01"
    assert day(Found(f"{SITE}/a-headline-of-many-words")) is None
    assert day(Found(f"{SITE}/2013/05/")) == "2013-05-31"


def test_feeds_do_not_come_first_when_the_oldest_do():
    found = Found(f"{SITE}/2026/05/15/a-headline-of-words")
    for bounds, priority in ((Bounds(order="newest"), 9), (Bounds(order="oldest"), 10)):
        leads = Leads(publication(start=f"{SITE}/"), bounds)
        lead = leads.lead(found, via=SITE, depth=1, hops="L", from_feed=True)
        assert lead is not None
        assert lead.priority == priority


def test_there_is_no_other_order():
    with pytest.raises(ArgumentError, match="order='random' is none; it may be newest or oldest"):
        spider_class("spiders.generic")(start=f"{SITE}/", order="random")


def warc(folder: Path, *urls: str, status: bytes = b"200 OK") -> Path:
    file = folder / "CC-NEWS-20130515000000-00001.warc.gz"
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\n\r\n<html></html>"
    with file.open("ab") as out:
        for number, url in enumerate(urls):
            out.write(record(number, answer, url=url))
    return file


def test_a_warc_file_names_the_pages_that_were_answered_well(tmp_path: Path):
    warc(tmp_path, f"{SITE}/1", "https://other.example/2", f"{SITE}/1", f"{SITE}/3")
    warc(tmp_path, f"{SITE}/gone", status=b"404 Not Found")
    file = warc(tmp_path, f"{SITE}/4")
    with file.open("ab") as out:
        out.write(b"garbage\r\n\r\n")
    assert list(addresses([file, file], lambda url: url.startswith(SITE))) == [f"{SITE}/{n}" for n in (1, 3, 4)]


def test_a_crawl_asks_for_the_pages_of_the_publication_that_warc_files_name(tmp_path: Path):
    story = "/2013/05/15/the-story-of-day-15"
    site = RawSite({"/": page(), story: reply("<html><p>x</p>"), "/untold": reply(f"<html><p>{'x' * 900}</p>")})
    with running(site):
        file = warc(tmp_path, site.url(story), "https://other.example/2", site.url("/untold"), site.url("/robots.txt"))
        crawl = Crawl(tmp_path, {"NEWSWARC_FROM_WARC": [str(file)]})
        assert crawl.run(site).outcomes["saved"] == 4  # and no sitemap
        crawl.run(site)
    assert asked(site) == {"/": 2, story: 1, "/untold": 1}
