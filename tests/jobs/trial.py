"""A trial: ``newswarc jobs serve`` killed with -9 at random moments, and what is left of its runs in the end."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from crawler.jobs.ledger import Ledger
from crawler.jobs.lock import JobLock
from tests.command import environment
from tests.jobs.hurried import real

ROOT = Path(__file__).parents[2]
UP_WITHIN_S = 3.0  # a server that was started this long ago was up


@dataclass
class Found:
    """What a trial came to. All but *runs*, *kills*, *crawls_killed* and *resumed* must be nothing."""

    runs: int = 0
    kills: int = 0
    crawls_killed: int = 0
    resumed: int = 0  # runs whose process was started more than once
    lost: int = 0  # rows that are ended and were never done, or are still open
    doubled: int = 0  # runs done more than once
    beside: int = 0  # crawls begun while another one of the job went on
    left_out: int = 0  # moments without a row though the server was up and the job idle
    locks_left: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.beside or self.left_out or self.locks_left)


class Trial:
    """One job, each minute of a clock that is *speed* times as fast; *crawl_s* is how long a crawl takes at most."""

    def __init__(self, folder: Path, *, seed: int, speed: float, locks: bool = True) -> None:
        self.folder, self.speed, self.locks = folder, speed, locks
        self.rng = random.Random(seed)
        self.period_s = 60 / speed
        self.began = time.time()
        self.log = folder / "stand-in.log"
        self.ledger = Ledger(folder / "archive" / ".newswarc" / "jobs")
        self.up: list[tuple[float, float]] = []  # from when until when a server was alive
        self.killed: dict[int, float] = {}  # crawls
        self.kills = 0
        (folder / "newswarc.toml").write_text('[jobs.x]\nspider = "generic"\nschedule = "* * * * *"\n')

    def server(self) -> subprocess.Popen[bytes]:
        return self.start("serve")

    def start(self, doing: str) -> subprocess.Popen[bytes]:
        """Start ``newswarc jobs`` *doing* something by the hurried clock."""
        command = [sys.executable, "-m", "tests.jobs.hurried", str(self.began), str(self.speed)]
        command += ["--stand-in", str(self.log), *([] if self.locks else ["--without-locks"])]
        command += ["--", "jobs", doing, "--config", str(self.folder / "newswarc.toml")]
        command += ["--archive", str(self.folder / "archive")]
        with (self.folder / "server.log").open("ab") as told:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment(self.folder, PYTHONPATH=str(ROOT)), stdout=told, stderr=told
            )

    def run(self, kills: int, runs: int = 0) -> Found:
        """Kill it *kills* times, and until *runs* have ended; then let it end what is open, and look."""
        while self.kills < kills or self._ended() < runs:
            process, started = self.server(), time.time()
            self._wait()
            process.kill()
            process.wait()
            self.up.append((started, time.time()))
            self.kills += 1
            if self.rng.random() < 0.25:
                self._kill_crawl()
        for _ in range(5):  # of these the first ends what is open, unless its crawl goes on still
            self.start("due").wait(60)
            if not self.ledger.open_runs("x"):
                break
            time.sleep(1)
        return self._look()

    def _wait(self) -> None:
        """Wait for a random moment, every other time for one that is in a crawl or right after it."""
        if self.rng.random() < 0.5:
            time.sleep(self.rng.uniform(0.2, 2 * self.period_s))
            return
        lines, until = len(self._lines()), time.time() + 3 * self.period_s
        while len(self._lines()) == lines and time.time() < until:
            time.sleep(0.005)
        time.sleep(self.rng.uniform(0.0, 1.0))

    def _ended(self) -> int:
        return sum(run.ended is not None for run in self.ledger.history("x"))

    def _kill_crawl(self) -> None:
        """Kill the crawl that goes on without its server, as when the machine runs out of memory."""
        ended = {line[2] for line in self._lines() if line[0] == "done"}
        for what, _, process, _ in self._lines()[-1:]:
            if what == "begin" and process not in ended:
                try:
                    (Path("/proc") / process / "cmdline").read_bytes().index(b"stand_in.py")
                except (OSError, ValueError):
                    return
                subprocess.run(["kill", "-9", process], check=False)
                self.killed[int(process)] = time.time()

    def _lines(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def _look(self) -> Found:
        rows, lines = list(reversed(self.ledger.history("x"))), self._lines()
        found = Found(len(rows), self.kills, len(self.killed))
        found.resumed = sum(row.starts > 1 for row in rows)
        done = Counter(run for what, run, _, _ in lines if what == "done")
        for row in rows:
            if row.ended is None or not done[str(row.id)]:
                found.lost += 1
                found.faults.append(f"run {row.id} of {row.moment}: ended {row.ended}, done {done[str(row.id)]} times")
            if done[str(row.id)] > 1:
                found.doubled += 1
                found.faults.append(f"run {row.id} of {row.moment}: done {done[str(row.id)]} times")
        spans = self._spans(lines)
        for (_, end), (begin, _) in pairwise(spans):
            if begin < end:
                found.beside += 1
                found.faults.append(f"begun at {begin:.3f}, another went on until {end:.3f}")
        for before, after in pairwise(rows):
            for number in range(1, round((after.moment - before.moment).total_seconds() / 60)):
                due = real(before.moment, self.began, self.speed) + number * self.period_s
                if self._could_run(due, due + self.period_s, spans):
                    found.left_out += 1
                    found.faults.append(f"no run at {due:.3f}")
        lock = JobLock.take(self.ledger.directory / "x.lock")
        found.locks_left = int(lock is None)
        if lock:
            lock.release()
        return found

    def _spans(self, lines: list[list[str]]) -> list[tuple[float, float]]:
        ends = {process: float(at) for what, _, process, at in lines if what == "done"}
        spans = []
        for what, _, process, at in lines:
            if what == "begin":  # one that ended by SIGTERM says no more: it takes no longer than it would have
                spans.append((float(at), ends.get(process) or self.killed.get(int(process)) or float(at)))
        return sorted(spans)

    def _could_run(self, begins: float, ends: float, spans: list[tuple[float, float]]) -> bool:
        up = any(start + UP_WITHIN_S < begins and ends < end for start, end in self.up)
        return up and not any(begin < ends and begins < end for begin, end in spans)
