"""``newswarc jobs serve`` killed with -9 at random moments, over a hundred runs of a job, and a control that must fail.

    python -m benchmarks.jobs.kills [--runs 100] [--seed N] [--control]

The clock runs faster than time, so that a job of each minute is due every few seconds; a stand-in takes the place of
the crawl. A quarter of the kills takes the crawl, too. ``--control`` does the same without locks and ends with 0 when
that was noticed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.jobs.trial import Trial


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--control", action="store_true")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        trial = Trial(Path(folder), seed=given.seed, speed=given.speed, locks=not given.control)
        found = trial.run(given.kills, given.runs)
    for fault in found.faults[:20]:
        print(fault)
    print({name: value for name, value in asdict(found).items() if name != "faults"})
    print(f"{time.monotonic() - began:.0f} s")
    return int(found.sound == given.control)


if __name__ == "__main__":
    sys.exit(main())
