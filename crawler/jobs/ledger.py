"""What was run, what is being run and what is due, in one small SQLite file beside an archive.

A row is written before the crawl is started and closed when it has ended; a scheduled moment is one row, by the key of
the table. All but the lock is decided here: what is due is the latest moment that has passed since the last one run, so
that any number of missed moments, or a clock that jumps by a year, makes one run.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from archive.capture import iso, parse_iso
from archive.errors import IndexDamaged
from archive.files import make_directory, sync_directory
from archive.sqlite import BUSY_S, create, transaction, translated, version
from crawler.jobs.schedule import Schedule
from crawler.outcome import Outcome

Cause = Literal["schedule", "hand"]

SCHEMA = 1
REMEDY = "delete it, and jobs run from their next moment on; crawls go on by their own files"
ASKED_LATE = timedelta(seconds=90)  # cron and timers call at a moment or right after: the first call finds it due

_errors_of = functools.partial(translated, what="the ledger of jobs", remedy=REMEDY)

TABLES = """
CREATE TABLE runs (
    id         INTEGER PRIMARY KEY,
    job        TEXT NOT NULL,
    moment     TEXT NOT NULL,               -- ISO 8601, UTC: the scheduled one, or when it was asked for by hand
    cause      TEXT NOT NULL,               -- schedule, hand
    options    TEXT NOT NULL,               -- JSON: what newswarc crawl is told
    starts     INTEGER NOT NULL DEFAULT 0,  -- how often its process was started
    deaths     INTEGER NOT NULL DEFAULT 0,  -- how often that was seen to die by a signal
    started    TEXT,
    last_start TEXT,
    ended      TEXT,                        -- NULL: still to be done, or being done
    code       INTEGER,                     -- exit code; 128 and the signal when it was killed
    pages      INTEGER NOT NULL DEFAULT 0,  -- ended in this run
    bytes      INTEGER NOT NULL DEFAULT 0,
    articles   INTEGER NOT NULL DEFAULT 0,
    pending    INTEGER NOT NULL DEFAULT 0,
    outcome    TEXT,                        -- JSON: crawler.outcome.Outcome
    alert      TEXT,                        -- JSON: what somebody is still to be told
    UNIQUE (job, moment)
) STRICT;
CREATE INDEX open_runs ON runs (job) WHERE ended IS NULL;
CREATE TABLE schedules (job TEXT PRIMARY KEY, schedule TEXT NOT NULL, since TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, as it is written down."""

    id: int
    job: str
    moment: datetime
    cause: Cause
    options: Sequence[str]
    starts: int
    deaths: int
    started: datetime | None
    last_start: datetime | None
    ended: datetime | None
    code: int | None
    outcome: Outcome | None
    alert: dict[str, Any] | None


class Ledger:
    """The file ``jobs.sqlite`` in *directory*. Every call opens and closes it: any process and thread may make them.

    Raises what ``archive.sqlite.translated`` raises.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "jobs.sqlite"

    # ---- what is due

    def due(self, job: str, schedule: Schedule, now: datetime, *, note: bool = True) -> datetime | None:
        """Return the moment at which *job* should have been run by *now* and was not, or None.

        From the first call on its schedule counts; what would have been before it is not made up for. Unless *note*,
        nothing is written down.
        """
        if not note and not self.path.exists():
            return None
        with self._opened() as db:
            since = self._since(db, job, schedule, now, note=note)
            row = db.execute(
                "SELECT max(moment) FROM runs WHERE job = ? AND cause = 'schedule' AND moment <= ?", (job, iso(now))
            ).fetchone()
            # Moments in the future were run by a clock that was wrong: their rows stay, and nothing is made of them.
            done = max(since, parse_iso(row[0])) if row[0] else since
            moment = schedule.latest(now)
            if moment is None or moment <= done:
                return None
            taken = db.execute("SELECT 1 FROM runs WHERE job = ? AND moment = ?", (job, iso(moment))).fetchone()
            return None if taken else moment

    @staticmethod
    def _since(db: sqlite3.Connection, job: str, schedule: Schedule, now: datetime, *, note: bool) -> datetime:
        text = f"{schedule.expression} {schedule.zone_name}"
        row = db.execute("SELECT schedule, since FROM schedules WHERE job = ?", (job,)).fetchone()
        if row and row["schedule"] == text and (since := parse_iso(row["since"])) <= now:
            return since
        since = now - ASKED_LATE  # it is new, another one now, or the clock was ahead
        if note:
            with transaction(db):
                db.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)", (job, text, iso(since)))
        return since

    def rest(self, job: str) -> None:
        """Forget since when the schedule of *job* counts: while it is switched off no moment is missed."""
        if self.path.exists():
            with self._opened() as db, transaction(db):
                db.execute("DELETE FROM schedules WHERE job = ?", (job,))

    def begin(self, job: str, moment: datetime, cause: Cause, options: Sequence[str]) -> Run | None:
        """Write down that *job* is to be run; None when that moment has its row already."""
        with self._opened() as db, transaction(db):
            row = db.execute(
                "INSERT INTO runs (job, moment, cause, options) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING *",
                (job, iso(moment), cause, json.dumps(list(options))),
            ).fetchone()
            return _run(row) if row else None

    # ---- a run

    def starting(self, run: Run, now: datetime) -> Run:
        """Write down that the process of *run* is about to be started."""
        return self._changed(
            run, "starts = starts + 1, last_start = :now, started = coalesce(started, :now)", {"now": iso(now)}
        )

    def died(self, run: Run) -> Run:
        """Write down that the process of *run* was killed; the run is still to be done."""
        return self._changed(run, "deaths = deaths + 1", {})

    def end(self, run: Run, now: datetime, outcome: Outcome, alert: dict[str, Any] | None = None) -> Run:
        """Close *run*; *alert* is kept until :meth:`told` is called, whatever happens meanwhile."""
        values = {
            "now": iso(now),
            "code": outcome.code,
            "pages": outcome.pages_now,
            "bytes": outcome.kept_bytes,
            "articles": outcome.articles.get("extracted", 0),
            "pending": outcome.pending,
            "outcome": outcome.to_json(),
            "alert": json.dumps(alert) if alert else None,
        }
        return self._changed(
            run,
            "ended = :now, code = :code, pages = :pages, bytes = :bytes, articles = :articles, pending = :pending,"
            " outcome = :outcome, alert = :alert",
            values,
        )

    def told(self, run_id: int) -> None:
        """Whoever was to be told of a run was told, or could not be."""
        with self._opened() as db, transaction(db):
            db.execute("UPDATE runs SET alert = NULL WHERE id = ?", (run_id,))

    def _changed(self, run: Run, assignments: str, values: dict[str, Any]) -> Run:
        with self._opened() as db, transaction(db):
            row = db.execute(
                f"UPDATE runs SET {assignments} WHERE id = :id RETURNING *",  # noqa: S608 - text of this module's own
                {**values, "id": run.id},
            ).fetchone()
        return _run(row)

    # ---- what there was

    def open_runs(self, job: str | None = None) -> list[Run]:
        """Return the runs that are still to be done or being done, the oldest first."""
        return self._runs("ended IS NULL AND job = coalesce(?, job) ORDER BY id", (job,))

    def last(self, job: str, before: Run | None = None) -> Run | None:
        """Return the run of *job* that ended last, of those before the run *before*."""
        rows = self._runs(
            "job = ? AND ended IS NOT NULL AND id < coalesce(?, id + 1) ORDER BY id DESC LIMIT 1",
            (job, before.id if before else None),
        )
        return rows[0] if rows else None

    def history(self, job: str | None = None, limit: int = -1) -> list[Run]:
        """Return the runs of *job*, or of all, the newest first."""
        return self._runs("job = coalesce(?, job) ORDER BY id DESC LIMIT ?", (job, limit))

    def untold(self) -> list[Run]:
        """Return the runs of which somebody is still to be told."""
        return self._runs("alert IS NOT NULL ORDER BY id", ())

    def totals(self, job: str) -> Totals:
        """Return what *job* did in all its runs."""
        if not self.path.exists():
            return Totals({}, 0, 0, 0, None)
        with self._opened() as db:
            codes = dict(
                db.execute(
                    "SELECT code, count(*) FROM runs WHERE job = ? AND ended IS NOT NULL GROUP BY code", (job,)
                ).fetchall()
            )
            sums = db.execute(
                "SELECT total(pages), total(bytes), total(articles) FROM runs WHERE job = ?", (job,)
            ).fetchone()
            good = db.execute("SELECT max(ended) FROM runs WHERE job = ? AND code IN (0, 1, 8)", (job,)).fetchone()[0]
        pages, size, articles = map(int, sums)
        return Totals(codes, pages, size, articles, parse_iso(good) if good else None)

    def _runs(self, where: str, values: tuple[Any, ...]) -> list[Run]:
        if not self.path.exists():
            return []
        with self._opened() as db:
            rows = db.execute(f"SELECT * FROM runs WHERE {where}", values).fetchall()  # noqa: S608 - as above
        return [_run(row) for row in rows]

    # ---- the file

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with _errors_of(self.path):
            make_directory(self.directory)
            db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            try:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
                if version(db) == 0:
                    create(db, TABLES, SCHEMA)
                    sync_directory(self.directory)
                if (found := version(db)) != SCHEMA:
                    wrong = f"it has schema {found}, and this version of newswarc {SCHEMA}"
                    raise IndexDamaged(str(self.path), wrong, remedy=REMEDY)
                yield db
            finally:
                db.close()


@dataclass(frozen=True, slots=True)
class Totals:
    """What a job did in all its runs. *succeeded* is when one last ended with 0, 1 or 8."""

    runs: dict[int, int]  # by exit code
    pages: int
    bytes: int
    articles: int
    succeeded: datetime | None


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    for name in ("moment", "started", "last_start", "ended"):
        values[name] = parse_iso(values[name]) if values[name] else None
    for name in ("pages", "bytes", "articles", "pending"):
        del values[name]  # for sums; the outcome has them too
    values["options"] = json.loads(values["options"])
    values["outcome"] = Outcome.from_json(values["outcome"]) if values["outcome"] else None
    values["alert"] = json.loads(values["alert"]) if values["alert"] else None
    return Run(**values)


def utc_now() -> datetime:
    """Return the time by the machine's clock."""
    return datetime.now(UTC)
