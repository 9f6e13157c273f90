"""How often a front, feed or listing is looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archive.capture import Capture
from archive.place import Place
from crawler.revisiting.intervals import LONGEST, SHORTEST, interval, told

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def look(at: timedelta, digest: str) -> Capture:
    return Capture("https://news.example/", BEGAN + at, "<urn:x>", "response", 200, None, digest, Place("f", 0, 1))


def looked(every: timedelta, digests: str) -> list[Capture]:
    return [look(every * number, digest) for number, digest in enumerate(digests)]


def watched(job_every: timedelta, shows: list[str]) -> list[int]:
    """Return at which runs of a job, each of which could see what is in *shows*, the page was looked at."""
    looks: list[Capture] = []
    at = []
    for run, digest in enumerate(shows):
        now = BEGAN + job_every * run
        if not looks or now - looks[-1].captured_at >= interval(looks) * 0.9:
            looks.append(look(job_every * run, digest))
            at.append(run)
    return at


def test_what_is_always_new_is_looked_at_every_ten_minutes_and_what_never_is_every_two_weeks():
    assert interval(looked(timedelta(hours=1), "abcdefgh")) == SHORTEST
    assert interval(looked(timedelta(days=14), "a" * 20)) == LONGEST


def test_a_change_halves_the_interval_and_a_look_in_vain_lengthens_it():
    resting = looked(timedelta(hours=12), "aaaaaaaaaaaa")
    slow = interval(resting)
    assert slow > timedelta(hours=6)
    assert interval([*resting, look(timedelta(days=7), "b")]) == slow / 2
    assert interval([*resting, look(timedelta(days=7), "a")]) > slow


def test_an_hourly_job_misses_no_morning_after_a_quiet_night():
    days = [f"{day}:{hour if 6 <= hour < 22 else 22}" for day in range(5) for hour in range(24)]
    at = watched(timedelta(hours=1), days)
    by_day = [hour for hour in range(120) if 8 <= hour % 24 < 22]
    assert set(by_day) <= set(at)
    assert len(at) < 120, "the night is not looked at every hour"


def test_a_feed_that_is_dead_costs_less_and_less():
    at = watched(timedelta(hours=1), ["x"] * 24 * 60)
    assert len(at) < 60
    assert at[:3] == [0, 1, 2]


def test_what_was_over_long_before_it_was_first_seen_rests_from_then_on():
    (first,) = looked(timedelta(0), "a")
    assert interval([first], resting_since=BEGAN - timedelta(days=4000)) == LONGEST
    assert interval([first], resting_since=BEGAN - timedelta(days=8)) == timedelta(days=2)
    assert interval([first], resting_since=BEGAN + timedelta(days=8)) == SHORTEST
    assert interval([]) == SHORTEST


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({"seconds": 3}, "less than a minute"),
        ({"minutes": 1}, "1 minute"),
        ({"minutes": 4, "seconds": 10}, "4 minutes"),
        ({"minutes": 60}, "1 hour"),
        ({"hours": 6}, "6 hours"),
        ({"days": 1}, "24 hours"),
        ({"days": 2}, "2 days"),
        ({"weeks": 2}, "14 days"),
    ],
)
def test_spans_are_told_as_people_say_them(span: dict[str, float], said: str):
    assert told(timedelta(**span)) == said
