"""Staying, and running jobs on time.

Once a second it is looked whether anything is due, by the clock as it is then: a machine that slept or whose clock was
set needs nothing special. A signal to end is handed on to the crawls, which are waited for; runs that were cut off so
are gone on with by whoever runs jobs next.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from archive.errors import ArchiveError
from crawler.config import ConfigError
from crawler.jobs.alerts import Alerter
from crawler.jobs.definition import Job
from crawler.jobs.running import Context, JobBusy, Work, take_up, told

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
ALERTS_S = 15.0  # how long the end waits for what is still to be told
TROUBLE = timedelta(minutes=1)  # how long a job is left alone when its state could not be read or written

Loaded = tuple[Context, Mapping[str, Job]]


class Server:
    """Runs jobs on time until a signal ends it. *load* reads the configuration; it raises ``ConfigError``.

    At most *at_once* crawls are run beside each other. SIGTERM and SIGINT end it, again to hurry the crawls; SIGHUP has
    the configuration read again.
    """

    def __init__(self, load: Callable[[], Loaded], *, at_once: int) -> None:
        self._load, self._at_once = load, at_once
        self.context, self.jobs = load()
        self._alerter = Alerter(self.context.settings)
        self._running: dict[str, tuple[Work, threading.Thread]] = {}
        self._stops: list[int] = []  # signals to end that came
        self._handed_on = 0
        self._reload = False
        self._later: dict[str, datetime] = {}  # job → nothing is due before
        self._looked: datetime | None = None
        self._busy: dict[str, int | None] = {}  # jobs that others run, and their processes, as was told
        self._woken, self._wakes = os.pipe()
        self._had_terminal = _has_terminal()
        for end in (self._woken, self._wakes):
            os.set_blocking(end, False)

    def run(self) -> None:
        """Stay until told to end; what was under way has ended then."""
        before = self._heed_signals()
        try:
            self._tell_what_waits()
            while True:
                self._act_on_signals()
                if self._stops and not self._running:
                    break
                if not self._stops:
                    self._look()
                self._wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._alerter.close(ALERTS_S)
            os.close(self._woken)
            os.close(self._wakes)

    # ---- signals

    def _heed_signals(self) -> dict[signal.Signals, Any]:
        before = {}
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a job in the background of a shell
                before[number] = signal.signal(number, self._received)
        return before

    def _received(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP and not (self._had_terminal and not _has_terminal()):
            self._reload = True
        else:  # or its terminal was closed
            self._stops.append(number)
        self._wake()

    def _act_on_signals(self) -> None:
        while self._handed_on < len(self._stops):
            number = self._stops[self._handed_on]
            self._handed_on += 1
            count = len(self._running)
            log.warning("ending: %s", f"waiting for {count} {'crawl' if count == 1 else 'crawls'}" if count else "now")
            for work, _ in self._running.values():
                work.stop(number)
        if self._reload:
            self._reload = False
            try:
                self.context, self.jobs = self._load()
            except ConfigError as error:
                log.error("%s; what was read before still counts", error)
            else:
                self._alerter.settings = self.context.settings
                self._later.clear()
                log.warning("read again: %d jobs", len(self.jobs))

    # ---- what is due

    def _look(self) -> None:
        now = self.context.clock()
        if self._looked is not None and now < self._looked:
            self._later.clear()  # the clock was set back
        self._looked = now
        self._reap()
        waiting = []
        for job in self.jobs.values():
            if job.name in self._running or now < self._later.get(job.name, now):
                continue
            with self._trouble(job, now):
                moment = self.context.due(job)
                if moment is not None:
                    waiting.append((moment, job))
                elif not self.context.ledger(job).open_runs(job.name):
                    upcoming = job.scheduled.next(now) if job.scheduled else None
                    self._later[job.name] = upcoming or now + TROUBLE
        for _, job in sorted(waiting, key=lambda one: (one[0], one[1].name)):
            if len(self._running) >= self._at_once:
                break
            with self._trouble(job, now):
                self._start(job)

    def _start(self, job: Job) -> None:
        try:
            work = take_up(self.context, job, wait_s=0)
        except JobBusy as busy:
            if self._busy.get(job.name, -1) != busy.process:
                self._busy[job.name] = busy.process
                log.warning("%s", busy)
            return
        self._busy.pop(job.name, None)
        if work is None:
            self._tell_what_waits(job)  # it may have been found to have ended
            return
        log.warning("job %s: %s; its log: %s", job.name, work.why, work.log_path)
        thread = threading.Thread(target=self._perform, args=(work,), name=f"newswarc-job-{job.name}")
        self._running[job.name] = (work, thread)
        thread.start()

    def _perform(self, work: Work) -> None:
        try:
            run = work.perform(logged=True)
            log.warning("job %s: %s", run.job, told(run))
            self._alerter.tell(work.ledger, run, work.job.alerts)
        except ArchiveError as error:
            log.error("job %s: %s", work.job.name, error)
        except OSError as error:  # no process could be started
            log.error("job %s cannot be started: %s", work.job.name, error.strerror or error)
        except Exception:
            log.exception("job %s: a bug", work.job.name)
        finally:
            self._wake()

    def _reap(self) -> None:
        for name, (work, thread) in list(self._running.items()):
            if not thread.is_alive():
                thread.join()
                del self._running[name]
                if work.run.ended is None and not work.run.deaths and self._looked is not None:
                    self._leave(name, self._looked)

    @contextlib.contextmanager
    def _trouble(self, job: Job, now: datetime) -> Iterator[None]:
        """Leave a job alone for a while whose state cannot be used; the others go on."""
        try:
            yield
        except ArchiveError as error:
            log.error("job %s: %s", job.name, error)
            self._leave(job.name, now)

    def _leave(self, name: str, now: datetime) -> None:
        self._later[name] = now + TROUBLE

    def _tell_what_waits(self, only: Job | None = None) -> None:
        """Tell what an earlier process wrote down and did not tell."""
        for job in [only] if only else self.jobs.values():
            with self._trouble(job, self.context.clock()):
                ledger = self.context.ledger(job)
                for run in ledger.untold():
                    if run.job == job.name:
                        self._alerter.tell(ledger, run, job.alerts)

    # ---- waiting

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # it is full: it wakes anyway
            os.write(self._wakes, b"x")

    def _wait(self) -> None:
        if select.select([self._woken], [], [], LOOK_EVERY_S)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 4096)
        if self._stops:
            self._reap()


def _has_terminal() -> bool:
    """Tell whether standard error is a terminal that is still there."""
    try:
        os.tcgetpgrp(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return True
