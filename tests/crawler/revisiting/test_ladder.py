"""When an article is asked for again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.revisiting.ladder import DEFAULT_LADDER, Ladder

PUBLISHED = datetime(2026, 11, 1, 12, tzinfo=UTC)
LADDER = Ladder.parsed(DEFAULT_LADDER)


def after(**time: float) -> datetime:
    return PUBLISHED + timedelta(**time)


@pytest.mark.parametrize(
    ("last", "now", "rung"),
    [
        ({"minutes": 5}, {"minutes": 59}, None),
        ({"minutes": 5}, {"hours": 1}, {"hours": 1}),
        ({"hours": 1}, {"hours": 2}, None),  # asked for at that very moment
        ({"hours": 2}, {"hours": 5}, None),
        ({"hours": 2}, {"hours": 23}, {"hours": 6}),
        ({"hours": 2}, {"days": 20}, {"days": 7}),  # missed rungs are one visit
        ({"days": 8}, {"days": 29}, None),
        ({"days": 8}, {"days": 400}, {"days": 30}),
        ({"days": 31}, {"days": 4000}, None),
    ],
)
def test_an_article_is_due_when_a_rung_has_passed_since_it_last_answered(
    last: dict[str, float], now: dict[str, float], rung: dict[str, float] | None
):
    assert LADDER.due(PUBLISHED, after(**last), after(**now)) == (timedelta(**rung) if rung else None)


def test_an_article_of_ten_years_ago_that_was_found_today_is_never_due():
    found = after(days=3650)
    assert not any(LADDER.due(PUBLISHED, found, found + timedelta(hours=hour)) for hour in range(24 * 60))


def test_a_change_lets_the_article_climb_the_ladder_again():
    seen = after(days=1)
    assert LADDER.due(PUBLISHED, seen, after(days=1, hours=2)) is None
    due = LADDER.due_after_change(PUBLISHED, seen, seen, seen + timedelta(hours=2))
    assert due == timedelta(hours=1)


def visits(changing_until: timedelta, days: int) -> int:
    """Return how often an article is visited, by an hourly job, that shows another text each time until then."""
    last, changed, count = PUBLISHED, None, 0
    for hour in range(1, 24 * days):
        now = after(hours=hour)
        due = LADDER.due(PUBLISHED, last, now)
        if not due and changed:
            due = LADDER.due_after_change(PUBLISHED, changed, last, now)
        if due:
            count, last = count + 1, now
            if now - PUBLISHED <= changing_until:
                changed = now
    return count


def test_what_changes_is_visited_more_often_and_what_always_does_not_for_ever():
    assert visits(timedelta(0), 400) == 5
    assert 10 < visits(timedelta(days=2), 400) < 50
    year, two = visits(timedelta(days=9999), 365), visits(timedelta(days=9999), 2 * 365)
    assert year < 150
    assert two - year < year / 4


@pytest.mark.parametrize(
    ("text", "rungs"), [("", 0), (" ", 0), ("1h", 1), ("1d,1h,24h", 2), (DEFAULT_LADDER, 5), ("1h,,2h,", 2)]
)
def test_a_ladder_is_written_as_durations_with_commas(text: str, rungs: int):
    ladder = Ladder.parsed(text)
    assert len(ladder.rungs) == rungs
    assert list(ladder.rungs) == sorted(ladder.rungs)


@pytest.mark.parametrize("text", ["1h 6h", "soon", "0s, 1h", "1h; 2h"])
def test_what_is_no_ladder_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a duration such as 90s"):
        Ladder.parsed(text)


def test_an_empty_ladder_asks_for_nothing():
    assert Ladder().due(PUBLISHED, PUBLISHED, after(days=9)) is None
    assert Ladder().longest == timedelta()
