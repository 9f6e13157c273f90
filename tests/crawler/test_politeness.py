"""When a site may be asked next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy import signals

from crawler.politeness import MAX_CRAWL_DELAY_S, SEVERAL, Politeness, retry_after_s
from tests.crawler.crawls import Crawl, reply
from tests.servers.raw_site import RawSite, Script, running

SITE = "news.example"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def politeness(clock: Clock) -> Politeness:
    return Politeness(delay_s=1.0, concurrency=4, patience=3, clock=clock)


def ask(politeness: Politeness, pages: int = 1) -> None:
    for _ in range(pages):
        politeness.asked(SITE)
        politeness.done(SITE)


def known(politeness: Politeness, **how: float | bool) -> None:
    ask(politeness)
    politeness.answered(SITE, **how)  # type: ignore[arg-type]


def test_a_site_that_has_not_answered_yet_is_asked_for_one_page(politeness: Politeness):
    assert politeness.wait_s(SITE) == 0
    politeness.asked(SITE)
    assert politeness.wait_s(SITE) is None
    assert politeness.wait_s("other.example") == 0


def test_a_public_site_gets_one_page_at_a_time_and_a_delay_between_two_starts(politeness: Politeness, clock: Clock):
    known(politeness)
    assert politeness.wait_s(SITE) == 1.0
    clock.now += 0.25
    assert politeness.wait_s(SITE) == 0.75
    clock.now += 0.75
    assert politeness.wait_s(SITE) == 0
    politeness.asked(SITE)
    clock.now += 60
    assert politeness.wait_s(SITE) is None


def test_a_private_site_gets_several_at_a_time_without_delay(politeness: Politeness):
    known(politeness, private=True)
    for _ in range(4):
        assert politeness.wait_s(SITE) == 0
        politeness.asked(SITE)
    assert politeness.wait_s(SITE) is None
    politeness.done(SITE)
    assert politeness.wait_s(SITE) == 0


@pytest.mark.parametrize(
    ("asked_for", "private", "kept"), [(5.0, False, 5.0), (0.2, False, 1.0), (5.0, True, 5.0), (86_400, False, 120.0)]
)
def test_robots_txt_may_ask_for_a_longer_delay_never_a_shorter_one(
    politeness: Politeness, asked_for: float, private: bool, kept: float
):
    known(politeness, private=private, crawl_delay_s=asked_for)
    politeness.asked(SITE)
    politeness.done(SITE)
    assert politeness.wait_s(SITE) == kept <= MAX_CRAWL_DELAY_S


def test_what_the_archive_answered_costs_no_delay(politeness: Politeness, clock: Clock):
    known(politeness)
    clock.now += 1
    politeness.asked(SITE)
    politeness.not_asked(SITE)
    politeness.done(SITE)
    assert politeness.wait_s(SITE) == 0


def test_a_site_that_asks_for_rest_gets_it(politeness: Politeness, clock: Clock):
    known(politeness, private=True)
    politeness.troubled(SITE, 1, "it answered 429", rest_s=30)
    assert politeness.wait_s(SITE) == 30
    clock.now += 30
    assert politeness.wait_s(SITE) == 0
    politeness.asked(SITE)
    assert politeness.wait_s(SITE) is None, "one page tries whether it is well again"


def test_who_rests_is_told_for_how_long_and_why(politeness: Politeness, clock: Clock):
    politeness.troubled("a.example", 1, "it answered 429", at_once=True, rest_s=30)
    politeness.troubled("b.example", 2, "it answered 503")
    clock.now += 10
    assert politeness.resting() == {"a.example": (20, "it answered 429")}
    clock.now += 20
    assert politeness.resting() == {}


def test_what_was_under_way_when_a_site_asked_for_rest_does_not_end_it(politeness: Politeness, clock: Clock):
    known(politeness, private=True)
    politeness.troubled(SITE, 1, "it answered 429", rest_s=30)
    clock.now += 1
    politeness.answered(SITE, private=True)
    assert politeness.wait_s(SITE) == 29
    clock.now += 29
    politeness.asked(SITE)
    assert politeness.wait_s(SITE) is None


def test_a_rest_that_several_pages_under_way_ask_for_is_one(politeness: Politeness, clock: Clock):
    known(politeness, private=True)
    for page in range(10):
        politeness.troubled(SITE, page, "it answered 429", rest_s=30 + page)
    assert politeness.down(SITE) is None
    assert politeness.wait_s(SITE) == 39


def test_one_page_that_is_broken_for_good_does_not_stop_its_site(politeness: Politeness):
    known(politeness, private=True)
    for _ in range(10):
        politeness.troubled(SITE, 7, "it answered 503")
    assert politeness.wait_s(SITE) == 0


def test_a_site_whose_pages_fail_one_after_the_other_rests_each_time_twice_as_long_and_is_left_alone(
    politeness: Politeness, clock: Clock
):
    known(politeness, private=True)
    rests = []
    for page in range(100):
        politeness.troubled(SITE, page, "it answered 503")
        if politeness.down(SITE):
            break
        wait_s = politeness.wait_s(SITE)
        assert wait_s is not None
        if wait_s:
            rests.append(wait_s)
            clock.now += wait_s
    assert rests == [1.0, 2.0, 4.0]
    assert page == SEVERAL + 3 - 1
    assert politeness.down(SITE) == "it answered 503, 4 times in a row"
    assert politeness.down("other.example") is None


def test_an_answer_ends_the_rests(politeness: Politeness, clock: Clock):
    for page in range(SEVERAL):
        politeness.troubled(SITE, page, "refused")
    clock.now += 1
    known(politeness, private=True)
    for page in range(SEVERAL - 1):
        politeness.troubled(SITE, page, "refused")
    assert politeness.wait_s(SITE) == 0


def test_who_asks_to_be_left_alone_for_longer_than_an_hour_is_asked_in_another_run(politeness: Politeness):
    politeness.troubled(SITE, 1, "it answered 503", rest_s=7200)
    assert politeness.down(SITE) == "it answered 503, and asks to be left alone for 7200 s"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 21 Nov 2026 12:01:00 GMT", 60.0),
        ("Sat, 21 Nov 2026 12:01:00", 60.0),
        ("Saturday, 21-Nov-26 12:01:00 GMT", 60.0),  # RFC 850, which RFC 9110 has clients still read
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("31536000", 31_536_000.0),  # a year
        ("99999999999", 99_999_999_999.0),
        ("Thu, 21 Nov 2126 12:00:00 GMT", 3_155_673_600.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None):
    assert retry_after_s(value, datetime(2026, 11, 21, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("said", [0.0, None])
def test_retry_after_nothing_is_no_leave_to_ask_at_once(said: float | None, politeness: Politeness):
    politeness.answered(SITE, private=True)
    politeness.troubled(SITE, 1, "it answered 429", at_once=True, rest_s=said)
    assert politeness.wait_s(SITE) == politeness.rest_s


def test_a_slow_site_is_asked_more_seldom(politeness: Politeness, clock: Clock):
    delays = []
    for latency_s in (0.1, 4.0, 4.0, 4.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1):
        politeness.answered(SITE, latency_s=latency_s)
        politeness.asked(SITE)
        politeness.done(SITE)
        delays.append(politeness.wait_s(SITE) or 0)
        clock.now += 1000
    assert delays[0] == politeness.delay_s
    assert delays[:4] == sorted(delays[:4])
    assert 4 < delays[3] < 8
    assert delays[-1] == politeness.delay_s
    politeness.answered(SITE, latency_s=4000)
    ask(politeness)
    assert politeness.wait_s(SITE) == 30


def test_a_private_site_may_be_as_slow_as_it_is(politeness: Politeness):
    politeness.answered(SITE, private=True, latency_s=60)
    assert politeness.wait_s(SITE) == 0


def test_how_fast_a_site_answered_is_known_to_politeness(tmp_path: Path):
    slow = Script([b"", reply("<html><title>News</title></html>").bytes], pause_s=0.2)
    crawl = Crawl(tmp_path)
    seen: list[Politeness] = []

    def watch(crawl: Crawl) -> None:
        see = lambda **_: seen.append(crawl.scheduler.politeness)  # noqa: E731 - a signal's receiver
        crawl.crawler.signals.connect(see, signal=signals.response_received, weak=False)

    with running(RawSite({"/": slow})) as site:
        crawl.run(site, watch)
    (known,) = seen[-1]._sites.values()
    assert known.latency_s is not None
    assert known.latency_s >= 0.05
