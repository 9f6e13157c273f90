"""A run ends when it has used up what it may, cleanly, and the next goes on."""

from __future__ import annotations

from pathlib import Path

from crawler.budget import Budget
from crawler.cli.crawl import exit_code, summary
from crawler.exit_codes import ExitCode
from tests.crawler.crawls import Crawl, article, asked, page, reply
from tests.crawler.test_crawl_command import finished
from tests.crawler.test_politeness import Clock
from tests.servers.raw_site import RawSite, running

ARTICLES = 30


def publication() -> RawSite:
    site = RawSite({article(number): reply(f"<html><p>{number} {'x' * 10_000}") for number in range(ARTICLES)})
    site.scripts["/"] = page(map(article, range(ARTICLES)))
    return site


def test_nothing_is_used_up_where_nothing_is_limited():
    assert Budget().used_up() is None
    assert Budget().left_s is None


def test_time_is_used_up_when_it_has_gone_by():
    clock = Clock()
    budget = Budget(max_s=90, clock=clock)
    clock.now += 89
    assert (budget.used_up(), budget.left_s) == (None, 1)
    clock.now += 2
    assert (budget.used_up(), budget.left_s) == ("the 90 s of --max-time", 0)


def test_a_run_ends_when_its_bytes_are_used_up_and_the_next_goes_on(tmp_path: Path):
    crawl = Crawl(tmp_path, {"NEWSWARC_BUDGET_BYTES": 100_000, "CONCURRENT_REQUESTS": 2})
    with running(publication()) as site:
        runs = 0
        while (account := crawl.run(site)).pending:
            runs += 1
            assert account.used_up == "the 100,000 bytes of --max-bytes"
            assert crawl.session.received_bytes >= 100_000
            # No more than what was under way comes beside it.
            assert crawl.session.received_bytes <= 100_000 + 2 * 2 * 11_000
        assert runs >= 2
        assert account.used_up is None
        assert max(asked(site).values()) == 1
        assert account.outcomes["saved"] == len(asked(site)) + 1  # and no sitemap


def test_a_run_whose_time_is_over_asks_for_nothing_more(tmp_path: Path):
    crawl = Crawl(tmp_path, {"NEWSWARC_BUDGET_S": 0.000_001})
    with running(publication()) as site:
        account = crawl.run(site)
        assert not asked(site)
        assert account.pending == 1
        assert account.used_up is not None
        crawl.settings = {}
        assert not crawl.run(site).pending


def test_a_run_that_waits_ends_when_its_time_is_over(tmp_path: Path):
    """The site asks for half an hour of rest, and the run has a second."""
    site = RawSite({"/": reply("", "text/html", "429 Too Many", "Retry-After: 1800")})
    with running(site):
        account = Crawl(tmp_path, {"NEWSWARC_BUDGET_S": 1.0}).run(site)
    assert (account.pending, account.used_up) == (1, "the 1 s of --max-time")


def test_it_is_told_and_is_no_failure():
    done = finished(outcomes={"saved": 40}, pending=7, used_up="the 90 s of --max-time")
    assert exit_code(done) == ExitCode.DONE
    assert summary("daily", "a", done)[1:] == [
        "  the 90 s of --max-time are used up",
        "  run the same command again to go on",
    ]
    assert exit_code(finished(outcomes={"saved": 1, "failed": 1}, pending=7, used_up="x")) == ExitCode.SOME_FAILED
