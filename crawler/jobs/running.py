"""One run of a job: its lock, its row, its process, its end.

The lock is taken first and handed to the crawl. With it in hand the row is read: a run that is open has no process any
more, so it either ended unseen, which the file says that it wrote, or is gone on with. Only then a new one is begun.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from archive.archive import Archive
from archive.files import make_directory, storage_errors
from crawler.config import Config
from crawler.exit_codes import ExitCode
from crawler.jobs.alerts import alert_of
from crawler.jobs.definition import Job
from crawler.jobs.ledger import Ledger, Run, utc_now
from crawler.jobs.lock import JobLock, holder
from crawler.outcome import Outcome

log = logging.getLogger(__name__)

NEWSWARC = (sys.executable, "-P", "-m", "crawler.cli")  # -P: a folder named crawler here is not our package
MOST_DEATHS = 3  # of the process of one run, by a signal, until the run is given up
REST_S = (5.0, 60.0)  # after its first and second death
LOGS_KEPT = 20  # of a job
HELD_S = 0.5  # whoever only asks whether a job runs holds its lock for a moment


class JobBusy(Exception):
    """The job is being run. Wait for it, or end it."""

    def __init__(self, job: str, process: int | None) -> None:
        super().__init__(f"job {job} is running already (process {process or 'unknown'}); wait for it, or end it first")
        self.job, self.process = job, process


class Context:
    """What the runs of one process share: the configuration, where the state of a job lies, and the clock.

    *file* is the configuration file, None when there is none to hand on.
    """

    def __init__(self, settings: Config, file: Path | None, *, clock: Callable[[], datetime] | None = None) -> None:
        self.settings, self.file = settings, file
        self.clock = clock or utc_now
        self._directories: dict[str, Path] = {}

    def location(self, job: Job) -> str:
        """Return the archive that *job* writes to."""
        return job.archive or self.settings.archive

    def directory(self, job: Job | None = None) -> Path:
        """Return where the state of *job* lies, or of jobs that name no archive.

        Raises ``LocationError`` when its archive cannot be understood.
        """
        location = self.location(job) if job else self.settings.archive
        if location not in self._directories:
            archive = Archive.open(location, s3=self.settings.s3, state_dir=self.settings.state_dir)
            self._directories[location] = archive.state_dir / "jobs"
        return self._directories[location]

    def ledger(self, job: Job | None = None) -> Ledger:
        return Ledger(self.directory(job))

    def lock_path(self, job: Job) -> Path:
        return self.directory(job) / f"{job.name}.lock"

    def running(self, job: Job) -> int | None:
        """Return the process that runs *job*, 0 when it is not known which, None when none does."""
        return holder(self.lock_path(job))

    def command(self, job: Job, options: Sequence[str]) -> list[str]:
        """Return the command of a crawl of *job*."""
        words = [*NEWSWARC, "crawl", *options, "--archive", self.location(job)]
        if self.file is not None:
            words += ["--config", str(self.file)]
        if self.settings.allow_private:
            words.append("--allow-private")
        return words

    def due(self, job: Job, *, note: bool = True) -> datetime | None:
        """Return the moment at which *job* should have been run and was not: of a run that is open, or by its schedule.

        A run whose process died rests for a while before it is gone on with.
        """
        ledger, now = self.ledger(job), self.clock()
        if not job.enabled:
            if note:
                ledger.rest(job.name)
            return None
        for run in ledger.open_runs(job.name):
            return run.moment if _rested(run, now) else None
        return ledger.due(job.name, job.schedule, now, note=note) if job.schedule else None


def take_up(context: Context, job: Job, *, by_hand: bool = False, wait_s: float = HELD_S) -> Work | None:
    """Take *job*'s lock and the run that is to be done, or None when nothing is. Raises ``JobBusy``, or as ``Ledger``.

    *by_hand* asks for a run now, whatever the schedule says; one that is open is gone on with first.
    """
    lock = JobLock.take(context.lock_path(job), wait_s=wait_s)
    if lock is None:
        raise JobBusy(job.name, context.running(job))
    try:
        ledger, now = context.ledger(job), context.clock()
        run = None
        for left in ledger.open_runs(job.name):
            run = left
            if _settled(context, job, ledger, left):
                run = None
        if run is None and by_hand:
            run = ledger.begin(job.name, now, "hand", job.crawl_options(now))
        elif run is None and job.scheduled and (moment := ledger.due(job.name, job.scheduled, now)):
            run = ledger.begin(job.name, moment, "schedule", job.crawl_options(now))
        if run is not None:
            return Work(context, job, ledger, lock, run)
    except BaseException:
        lock.release()
        raise
    lock.release()
    return None


def _settled(context: Context, job: Job, ledger: Ledger, run: Run) -> bool:
    """Close a run that ended when nobody was there to see it."""
    outcome = Outcome.read(outcome_path(ledger, run))
    if outcome is None or outcome.code == ExitCode.INTERRUPTED:
        return False
    close(context, job, ledger, run, outcome)
    return True


def close(context: Context, job: Job, ledger: Ledger, run: Run, outcome: Outcome) -> Run:
    """Write down how *run* ended, with what somebody is to be told of it."""
    alert = alert_of(job, context.location(job), run, outcome, ledger.last(job.name, before=run), context.clock())
    ended = ledger.end(run, context.clock(), outcome, alert)
    with contextlib.suppress(OSError):
        outcome_path(ledger, run).unlink(missing_ok=True)
    return ended


def outcome_path(ledger: Ledger, run: Run) -> Path:
    """Return where the crawl that was started last for *run* writes how it ended."""
    return ledger.directory / f"{run.job}-{run.id}-{run.starts}.json"


def _rested(run: Run, now: datetime) -> bool:
    if not run.deaths or run.last_start is None:
        return True
    rest = timedelta(seconds=REST_S[min(run.deaths, len(REST_S)) - 1])
    return not timedelta(0) <= now - run.last_start < rest


class Work:
    """A run that is to be done now, and the lock of its job. :meth:`perform` does it and gives the lock back."""

    def __init__(self, context: Context, job: Job, ledger: Ledger, lock: JobLock, run: Run) -> None:
        self.context, self.job, self.ledger, self.run = context, job, ledger, run
        self._lock = lock
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()
        self._stops = 0

    @property
    def why(self) -> str:
        """Why it is run."""
        if self.run.starts:
            return f"goes on with the run of {self.run.moment:%Y-%m-%d %H:%M} UTC, which was cut off"
        if self.run.cause == "hand":
            return "asked for"
        return f"due since {self.run.moment:%Y-%m-%d %H:%M} UTC"

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ask the crawl to end, as by that signal; the run is gone on with another time. Again, to hurry it."""
        with self._guard:
            self._stops += 1
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(number)

    def perform(self, *, logged: bool, quiet: bool = False) -> Run:
        """Run the crawl to its end; return the run as it was written down, which is open when it was cut off.

        *logged*: what it prints goes to a file (:attr:`log_path`), not to this process's own output.
        Raises ``StorageError`` or ``DiskFull`` when it cannot be written down; the run then is still to be done.
        """
        try:
            self.run = self.ledger.starting(self.run, self.context.clock())
            command = self.context.command(self.job, self.run.options)
            command += ["--outcome", str(outcome_path(self.ledger, self.run)), *(["--quiet"] if quiet else [])]
            with self._output(logged=logged) as output:
                with self._guard:
                    if self._stops:
                        return self.run
                    log.debug("job %s: %s", self.job.name, shlex.join(command))
                    self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        pass_fds=(self._lock.descriptor,),
                        process_group=0,  # what a terminal sends to all reaches it once, through us
                    )
                self._lock.note(self._process.pid)
                code = self._process.wait()
            self.run = self._end(code)
        finally:
            self._lock.release()
        return self.run

    def _end(self, code: int) -> Run:
        """Write down what the exit *code* means, negative for a signal, together with what the crawl wrote of it."""
        outcome = Outcome.read(outcome_path(self.ledger, self.run))
        if outcome is None or outcome.code == ExitCode.INTERRUPTED:
            scheduled = self.run.cause == "schedule"
            if self._stops and (code < 0 or code == ExitCode.INTERRUPTED):
                if scheduled:
                    return self.run
                code = ExitCode.INTERRUPTED
            elif code < 0:
                self.run = self.ledger.died(self.run)
                if scheduled and self.run.deaths < MOST_DEATHS:
                    return self.run
        if outcome is None:
            killed = f"killed by {signal.Signals(-code).name}" if code < 0 else ""
            outcome = Outcome(128 - code if code < 0 else code, error=killed)
        elif code > 0:  # 0 when nobody read what it told in the end, which is no success of its own
            outcome = dataclasses.replace(outcome, code=code)
        return close(self.context, self.job, self.ledger, self.run, outcome)

    @property
    def log_path(self) -> Path:
        return self.ledger.directory / "logs" / self.job.name / f"{self.run.moment:%Y%m%d%H%M%S}-{self.run.id}.log"

    @contextlib.contextmanager
    def _output(self, *, logged: bool) -> Iterator[IO[bytes] | None]:
        if not logged:
            yield None
            return
        path = self.log_path
        with storage_errors(path, "opening the log of the job"):
            make_directory(path.parent)
            file: Any = path.open("ab")
        with file:
            old = sorted(path.parent.glob("*.log"), key=lambda one: one.stat().st_mtime)[:-LOGS_KEPT]
            for log_file in old:
                log_file.unlink(missing_ok=True)
            yield file


def told(run: Run) -> str:
    """Return how *run* ended, in a few words."""
    if run.ended is None:
        return "cut off, to be gone on with" if run.starts else "not begun"
    assert run.code is not None
    return code_told(run.code)


def code_told(code: int) -> str:
    """Return what exit code *code* means, in a few words."""
    for known in ExitCode:
        if known == code:
            meaning = re.split("[:;,]", known.meaning)[0]
            return f"{meaning} ({code})" if code else meaning
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(code - 128).name}"
    return f"exit code {code}"
