"""``newswarc`` with a clock that runs faster than time, and if wanted a stand-in for its crawls.

    python -m tests.jobs.hurried BEGAN SPEED [--stand-in LOG] [--without-locks] -- jobs serve …

BEGAN is a time in seconds since 1970, the same for all processes of one trial. The stand-in takes the crawl's place at
the end of the same path: it is started with the same options and the same lock, and ends by writing how it ended.
``--without-locks`` is the control that must fail.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.cli import run
from crawler.jobs import running, serving
from crawler.jobs.lock import JobLock

EPOCH = datetime(2026, 11, 28, tzinfo=UTC)
STAND_IN = Path(__file__).with_name("stand_in.py")


def clock(began: float, speed: float) -> datetime:
    """Return the time by the hurried clock, which showed ``EPOCH`` when it *began*."""
    return EPOCH + timedelta(seconds=(time.time() - began) * speed)


def real(moment: datetime, began: float, speed: float) -> float:
    """Return when, in seconds since 1970, the hurried clock shows *moment*."""
    return began + (moment - EPOCH).total_seconds() / speed


def main() -> int:
    parser = argparse.ArgumentParser(description="newswarc by a faster clock")
    parser.add_argument("began", type=float)
    parser.add_argument("speed", type=float)
    parser.add_argument("--stand-in", metavar="LOG")
    parser.add_argument("--without-locks", action="store_true")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    running.utc_now = lambda: clock(given.began, given.speed)
    serving.LOOK_EVERY_S = 0.05
    if given.stand_in:
        running.NEWSWARC = (sys.executable, "-S", "-E", str(STAND_IN), given.stand_in)  # type: ignore[assignment]
    if given.without_locks:
        running.JobLock = _NoLock  # type: ignore[misc]
    return run(given.command)


class _NoLock(JobLock):
    @classmethod
    def take(cls, path: Path, *, wait_s: float = 0.0) -> JobLock:
        path.parent.mkdir(parents=True, exist_ok=True)
        return JobLock(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC))


if __name__ == "__main__":
    sys.exit(main())
