"""Two crawls of a publication of ten years, an hour apart, in small; in full: ``benchmarks/watching/watch.py``."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import known
from crawler.account import Account
from tests.crawler.crawls import Crawl
from tests.servers.raw_site import RawSite, running
from tests.servers.watched_site import PAUSE, Watched

ARTICLES = 120
SETTINGS = {"NEWSWARC_EXTRACT": True}


def test_a_second_crawl_an_hour_later_finds_all_that_is_told_and_asks_for_little_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    watched = Watched(ARTICLES, datetime.now(UTC))
    with running(RawSite(answer=watched.answer)) as site:
        watched.base = site.url("")
        crawl = Crawl(tmp_path, SETTINGS)
        account = crawl.run(site)
        reachable = watched.expected().articles
        good = Counter(target for target, status, _ in watched.log if status == 200)
        assert {target: good[target] for target in reachable} == dict.fromkeys(reachable, 1)
        assert sum(account.outcomes.values()) == len({result.url for result in crawl.results}) + trapped(account)

        watched.go_on()
        expected = watched.expected()
        monkeypatch.setattr(known, "now", lambda: datetime.now(UTC) + PAUSE)
        crawl.run(site)
        log = [target for target, _, second in watched.log if second]
        told = {target for target, by in (expected.edits | expected.deletions).items() if by != "none"}
        silent = {target for target, by in (expected.edits | expected.deletions).items() if by == "none"}
        assert told | expected.new <= set(log)
        assert not silent & set(log)
        articles = [target for target in log if target in watched.by_target and watched.by_target[target].role == ""]
        assert len(articles) == len(set(articles))
        young = {story.target for story in watched.stories[ARTICLES - 30 : ARTICLES]}
        assert set(articles) - young <= told | expected.new, "no others than those on a rung"
        results = {result.url.removeprefix(site.url("")): result for result in crawl.results}
        assert {results[target].status for target, by in expected.deletions.items() if by != "none"} == {410}
        assert {results[target].outcome for target in expected.edits if target in told} == {"saved"}


def trapped(account: Account) -> int:
    """Return how many pages were not asked for because they are a trap; no result tells of them."""
    return sum(reason.pages for reason in account.reasons if (reason.reason or "").startswith("a trap:"))
