"""Cron's five fields in a time zone: days of the week, either-or, and clocks that are changed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from crawler.jobs.schedule import Schedule


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def following(text: str, zone: str, after: datetime, count: int) -> list[str]:
    schedule, found = Schedule.parse(text, zone), []
    for _ in range(count):
        moment = schedule.next(after)
        assert moment is not None
        found.append(f"{moment.astimezone(schedule.zone):%a %Y-%m-%d %H:%M %z}")
        after = moment
    return found


@pytest.mark.parametrize("day", ["0", "7", "SUN", "sun"])
def test_the_week_begins_with_sunday(day: str):
    assert following(f"0 0 * * {day}", "UTC", utc(2026, 11, 25), 2) == [
        "Sun 2026-11-29 00:00 +0000",
        "Sun 2026-12-06 00:00 +0000",
    ]


def test_five_is_friday_and_a_range_may_end_with_seven():
    assert following("0 0 * * 5-7", "UTC", utc(2026, 11, 25), 3) == [
        "Fri 2026-11-27 00:00 +0000",
        "Sat 2026-11-28 00:00 +0000",
        "Sun 2026-11-29 00:00 +0000",
    ]


def test_the_day_of_the_month_or_that_of_the_week():
    assert following("0 0 1 * 1", "UTC", utc(2026, 11, 25), 3) == [
        "Mon 2026-11-30 00:00 +0000",
        "Tue 2026-12-01 00:00 +0000",
        "Mon 2026-12-07 00:00 +0000",
    ]


def test_the_hour_that_is_left_out_runs_right_after():
    assert following("30 2 * * *", "Europe/Berlin", utc(2026, 3, 28, 12), 2) == [
        "Sun 2026-03-29 03:00 +0200",
        "Mon 2026-03-30 02:30 +0200",
    ]


def test_the_hour_that_comes_twice_runs_once():
    assert following("30 2 * * *", "Europe/Berlin", utc(2026, 10, 24, 12), 2) == [
        "Sun 2026-10-25 02:30 +0200",
        "Mon 2026-10-26 02:30 +0100",
    ]


def test_asked_in_the_second_of_two_equal_hours_the_next_is_later_all_the_same():
    schedule, asked = Schedule.parse("30 2 * * *", "Europe/Berlin"), utc(2026, 10, 25, 1, 10)  # 02:10 again
    assert schedule.next(asked) == utc(2026, 10, 26, 1, 30)
    assert schedule.latest(asked) == utc(2026, 10, 25, 0, 30)


def test_what_runs_every_hour_goes_on_by_the_true_hour():
    assert following("0 * * * *", "Europe/Berlin", utc(2026, 10, 24, 23, 30), 3) == [
        "Sun 2026-10-25 02:00 +0200",
        "Sun 2026-10-25 02:00 +0100",
        "Sun 2026-10-25 03:00 +0100",
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize(
    "text", ["30 2 * * *", "0 * * * *", "*/20 2 * * *", "15,45 1-3 * * *", "0 2 * * 0", "5 0 1 * 1"]
)
def test_the_latest_is_the_one_that_a_walk_would_have_come_to(text: str, zone: str):
    schedule, rng = Schedule.parse(text, zone), random.Random(5)
    for start in (utc(2026, 3, 28), utc(2026, 10, 24), utc(2026, 10, 31)):
        walked: list[datetime] = []
        moment = schedule.next(start - timedelta(days=36))
        while moment and moment < start + timedelta(days=4):
            walked.append(moment)
            moment = schedule.next(moment)
        for _ in range(5):
            asked = start + timedelta(seconds=rng.randrange(3 * 86400))
            assert schedule.latest(asked) == max(one for one in walked if one <= asked)
        assert schedule.latest(walked[-1]) == walked[-1]


def test_the_latest_of_a_schedule_long_ago_is_found_at_once():
    assert Schedule.parse("0 0 29 2 *").latest(utc(2031, 1, 1)) == utc(2028, 2, 29)


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("@hourly", "UTC", "at the start of every hour"),
        ("30 3 * * 1-5", "Europe/Berlin", "at 03:30 on Monday through Friday (Europe/Berlin)"),
    ],
)
def test_a_schedule_in_words(text: str, zone: str, words: str):
    assert Schedule.parse(text, zone).words == words
