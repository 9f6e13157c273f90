"""A crawl that meets walls: they are told and counted, and a site that blocks is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.politeness import BLOCKS_BORNE, SEVERAL, Politeness
from tests.crawler.crawls import Crawl, article, asked, page, reply
from tests.crawler.test_politeness import Clock
from tests.servers.raw_site import RawSite, Script, running

CHECK = "<html><title>Just a moment...</title><script>window._cf_chl_opt={}</script><p>Enable JavaScript</p></html>"
SITE = "news.example"
ARTICLES = 40
PROSE = "<p>" + "The ferry sailed again on Monday, and nobody had thought it would. " * 12 + "</p>"


def politeness() -> tuple[Politeness, Clock]:
    clock = Clock()
    return Politeness(delay_s=0, concurrency=4, rest_s=1, clock=clock), clock


def test_a_block_page_or_two_rest_nothing():
    polite, _ = politeness()
    polite.answered(SITE, private=True)
    for _ in range(SEVERAL - 1):
        polite.blocked(SITE, "a block page")
    assert polite.wait_s(SITE) == 0
    assert polite.down(SITE) is None


def test_a_site_that_goes_on_to_block_rests_longer_each_time_and_is_left_alone():
    polite, clock = politeness()
    polite.answered(SITE, private=True)
    rests = []
    while polite.down(SITE) is None:
        polite.blocked(SITE, "a block page")
        polite.blocked(SITE, "a block page")  # what was under way says nothing new once it rests
        if polite.down(SITE) is None:
            rests.append(polite.wait_s(SITE))
        clock.now += polite.wait_s(SITE) or 0
    assert rests == [0, 30, 60, 120]
    assert polite.down(SITE) == f"a block page, {BLOCKS_BORNE} times in a row"


def test_a_page_of_its_own_ends_the_row():
    polite, _ = politeness()
    for _ in range(5 * BLOCKS_BORNE):
        polite.blocked(SITE, "a block page")
        polite.let_in(SITE)
    assert polite.down(SITE) is None
    assert polite.wait_s(SITE) == 0


def blocking(answer: Script) -> RawSite:
    site = RawSite({article(number): answer for number in range(ARTICLES)})
    site.scripts["/"] = page(map(article, range(ARTICLES)))
    return site


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden"])
def test_a_site_that_blocks_is_left_alone_and_its_pages_wait(status: str, tmp_path: Path):
    crawl = Crawl(tmp_path, {"NEWSWARC_REST_S": 0.002, "CONCURRENT_REQUESTS": 1})  # each is told before the next
    with running(blocking(reply(CHECK, "text/html", status))) as site:
        account = crawl.run(site)
    assert sum(asked(site).values()) <= 1 + 2 * BLOCKS_BORNE
    assert account.pending >= ARTICLES - BLOCKS_BORNE
    (why,) = account.down.values()
    assert why.startswith("a block page came in the place of its pages (Cloudflare)")
    assert crawl.crawler.stats is not None
    assert crawl.crawler.stats.get_value("walls/block") >= BLOCKS_BORNE


def test_one_page_behind_a_check_costs_the_others_nothing_and_is_asked_for_by_the_next_crawl(tmp_path: Path):
    good = reply(f"<html><title>Ferry</title><h1>Ferry</h1>{PROSE}</html>")
    site = RawSite({article(number): good for number in range(5)})
    site.scripts["/"] = page(map(article, range(6)))
    site.scripts[article(5)] = reply(CHECK)
    crawl = Crawl(tmp_path, {"NEWSWARC_EXTRACT": True})
    with running(site):
        account = crawl.run(site)
        assert account.outcomes["failed"] == 1
        assert [reason.reason for reason in account.reasons if reason.outcome == "failed"] == [
            "a block page came in its place (Cloudflare)"
        ]
        assert asked(site)[article(5)] == 3
        site.scripts[article(5)] = good
        account = crawl.run(site)
    assert account.outcomes.get("failed") is None
    assert asked(site) == {"/": 2, **{article(number): 1 for number in range(5)}, article(5): 4}


@pytest.mark.parametrize(
    ("body", "status", "outcome", "told"),
    [
        ("<title>Before you continue</title><p>We use cookies</p>", "200 OK", "failed", "a consent wall"),
        ("<title>Sorry</title><p>Not available in your country.</p>", "403 No", "failed", "not shown in this country"),
        ("<title>Gone</title>", "451 Unavailable For Legal Reasons", "failed", "a legal notice"),
        ("<title>Log in</title><input type=password>", "200 OK", "saved", "a login page"),
        ("<title>Log in</title><input type=password>", "401 Unauthorized", "saved", "a login page"),
        ("<title>Page not found</title><p>Try the front page.</p>", "200 OK", "saved", "a soft 404"),
        ("<title>Forbidden</title>", "403 Forbidden", "saved", "the server answered 403"),
    ],
)
def test_what_came_in_place_of_a_page_is_told(body: str, status: str, outcome: str, told: str, tmp_path: Path):
    site = RawSite({"/": page([article(1)]), article(1): reply(f"<html>{body}</html>", "text/html", status)})
    crawl = Crawl(tmp_path, {"RETRY_TIMES": 0})
    with running(site):
        account = crawl.run(site)
    (reason,) = (reason for reason in account.reasons if reason.url == site.url(article(1)))
    assert (reason.outcome, told in (reason.reason or "")) == (outcome, True), reason
