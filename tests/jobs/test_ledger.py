"""What is due, and what was run: clocks that jump, moments that are missed, rows that are there already."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import IndexDamaged
from crawler.jobs.ledger import ASKED_LATE, Ledger
from crawler.jobs.lock import JobLock, holder
from crawler.jobs.schedule import Schedule
from crawler.outcome import Outcome

HOURLY = Schedule.parse("@hourly")
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "jobs")
    made.due("x", HOURLY, NOON - HOUR / 2)  # from then on its schedule counts
    return made


def run(ledger: Ledger, moment: datetime, code: int = 0) -> None:
    begun = ledger.begin("x", moment, "schedule", [])
    assert begun is not None
    ledger.end(ledger.starting(begun, moment), moment, Outcome(code, pages_now=3))


def runs_by(ledger: Ledger, *times: datetime) -> list[datetime]:
    """Return the moments run when it is looked at these *times*."""
    done = []
    for now in times:
        if moment := ledger.due("x", HOURLY, now):
            run(ledger, moment)
            done.append(moment)
    return done


def test_a_ledger_that_is_none_is_told_with_what_heals_it(tmp_path: Path):
    (tmp_path / "jobs.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(IndexDamaged, match=r"jobs\.sqlite.*delete it, and jobs run from their next moment on"):
        Ledger(tmp_path).due("x", HOURLY, NOON)


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path, ledger: Ledger):
    db = sqlite3.connect(ledger.path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(IndexDamaged, match="it has schema 99"):
        ledger.due("x", HOURLY, NOON)


def test_nothing_is_due_before_its_moment_and_then_once(ledger: Ledger):
    assert runs_by(ledger, NOON - timedelta(seconds=1), NOON, NOON, NOON + HOUR / 2) == [NOON]


def test_what_was_before_a_schedule_was_seen_is_not_made_up_for(tmp_path: Path):
    assert Ledger(tmp_path).due("x", HOURLY, NOON + HOUR / 2) is None


def test_whoever_is_called_by_cron_right_at_the_first_moment_runs_it(tmp_path: Path):
    assert Ledger(tmp_path).due("x", HOURLY, NOON + ASKED_LATE / 2) == NOON


def test_missed_moments_make_one_run(ledger: Ledger):
    assert runs_by(ledger, NOON + 9.5 * HOUR, NOON + 9.6 * HOUR, NOON + 10 * HOUR) == [
        NOON + 9 * HOUR,
        NOON + 10 * HOUR,
    ]


def test_a_clock_that_is_set_back_runs_nothing_again(ledger: Ledger):
    assert runs_by(ledger, NOON, NOON + HOUR, *(NOON + HOUR / 60 * minute for minute in range(121))) == [
        NOON,
        NOON + HOUR,
        NOON + 2 * HOUR,
    ]


def test_a_clock_that_was_ahead_by_a_year_makes_one_run_and_then_goes_on_as_before(ledger: Ledger):
    year = timedelta(days=400)
    assert runs_by(ledger, NOON, NOON + year, NOON + year, NOON + HOUR / 2, NOON + HOUR, NOON + 2 * HOUR) == [
        NOON,
        NOON + year,
        NOON + HOUR,
        NOON + 2 * HOUR,
    ]


def test_a_schedule_first_seen_by_a_clock_that_was_ahead_counts_when_it_is_set(tmp_path: Path):
    ledger = Ledger(tmp_path)
    ledger.due("x", HOURLY, NOON + timedelta(days=400, minutes=30))
    assert runs_by(ledger, NOON - HOUR / 2, NOON + HOUR / 3) == [NOON]


def test_another_schedule_counts_from_when_it_is_seen(ledger: Ledger):
    run(ledger, NOON)
    daily = Schedule.parse("30 9 * * *")
    assert ledger.due("x", daily, NOON + HOUR) is None
    assert ledger.due("x", daily, NOON + 22 * HOUR) == NOON + 21.5 * HOUR


def test_while_it_is_switched_off_no_moment_is_missed(ledger: Ledger):
    ledger.rest("x")
    assert ledger.due("x", HOURLY, NOON + 5.5 * HOUR) is None
    assert ledger.due("x", HOURLY, NOON + 6 * HOUR) == NOON + 6 * HOUR


def test_a_moment_is_one_row(ledger: Ledger):
    assert ledger.begin("x", NOON, "schedule", []) is not None
    assert ledger.begin("x", NOON, "schedule", []) is None
    assert ledger.begin("y", NOON, "schedule", []) is not None


def test_a_look_without_a_note_leaves_no_trace(tmp_path: Path):
    Ledger(tmp_path / "jobs").due("x", HOURLY, NOON, note=False)
    assert not (tmp_path / "jobs").exists()


def test_a_run_is_open_until_it_has_ended(ledger: Ledger):
    begun = ledger.begin("x", NOON, "schedule", ["generic"])
    assert begun is not None
    assert [one.id for one in ledger.open_runs("x")] == [begun.id]
    started = ledger.starting(ledger.starting(begun, NOON), NOON + HOUR)
    assert (started.starts, started.started, started.last_start) == (2, NOON, NOON + HOUR)
    ledger.end(
        started, NOON + 2 * HOUR, Outcome(8, {"saved": 5}, 4, {"extracted": 2}, 7, 1000, ["a.example: …"]), {"a": 1}
    )
    assert ledger.open_runs("x") == []
    (ended,) = ledger.history("x")
    assert (ended.code, ended.options, ended.alert) == (8, ["generic"], {"a": 1})
    assert ended.outcome is not None
    assert ended.outcome.pages == {"saved": 5}
    ledger.told(ended.id)
    assert ledger.untold() == []


def test_totals_are_of_all_runs(ledger: Ledger):
    for hours, code in enumerate([0, 1, 4, 4]):
        run(ledger, NOON + hours * HOUR, code)
    totals = ledger.totals("x")
    assert (totals.runs, totals.pages, totals.succeeded) == ({0: 1, 1: 1, 4: 2}, 12, NOON + HOUR)


# ---- the lock


def test_a_lock_is_held_once_and_its_holder_is_known(tmp_path: Path):
    path = tmp_path / "jobs" / "x.lock"
    assert holder(path) is None
    lock = JobLock.take(path)
    assert lock is not None
    lock.note(4711)
    assert JobLock.take(path) is None
    assert holder(path) == 4711
    lock.release()
    assert holder(path) is None
    again = JobLock.take(path)
    assert again is not None
    again.release()
