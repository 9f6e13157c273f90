"""``newswarc jobs serve`` killed with -9 at random moments, over a hundred runs of a job, and a control that must fail.

    python -m benchmarks.jobs.kills [--runs 100] [--seed N] [--control] [--real]

The clock runs faster than time, so that a job of each minute is due every few seconds; a stand-in takes the place of
the crawl. A quarter of the kills takes the crawl, too. ``--control`` does the same without locks and ends with 0 when
that was noticed.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from crawler.jobs.ledger import Ledger
from tests.command import Command
from tests.crawler.crawls import article, page
from tests.jobs.trial import ROOT, Trial
from tests.servers.raw_site import RawSite, running


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--real", action="store_true", help="real crawls of a site on this machine, no stand-in")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    if given.real:
        return real_crawls(given.runs, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        trial = Trial(Path(folder), seed=given.seed, speed=given.speed, locks=not given.control)
        found = trial.run(given.kills, given.runs)
    for fault in found.faults[:20]:
        print(fault)
    print({name: value for name, value in asdict(found).items() if name != "faults"})
    print(f"{time.monotonic() - began:.0f} s")
    return int(found.sound == given.control)


def real_crawls(runs: int, seed: int) -> int:
    """Kill a server whose crawls are real until *runs* have ended; say what the site and the archive know of it."""
    rng, speed = random.Random(seed), 10.0
    pages = {article(number): page(title=str(number)) for number in range(40)}
    with tempfile.TemporaryDirectory() as name, running(RawSite({"/": page(pages), **pages})) as site:
        folder = Path(name)
        made = Command(folder)
        start = f'arguments.start = "{site.url("/")}"'
        (folder / "newswarc.toml").write_text(f'[jobs.x]\nspider = "generic"\nschedule = "* * * * *"\n{start}\n')
        ledger = Ledger(made.path / ".newswarc" / "jobs")
        command = [sys.executable, "-P", "-m", "tests.jobs.hurried", str(time.time()), str(speed), "--", "jobs"]
        variables = made.environment | {"PYTHONPATH": str(ROOT)}
        kills = 0
        while sum(run.ended is not None for run in ledger.history("x")) < runs:
            server = subprocess.Popen([*command, "serve", "--quiet"], cwd=folder, env=variables)
            time.sleep(rng.uniform(0.5, 120 / speed))
            server.kill()
            server.wait()
            kills += 1
        for _ in range(5):
            subprocess.run([*command, "due", "--quiet"], cwd=folder, env=variables, check=False)
            if not ledger.open_runs("x"):
                break
            time.sleep(2)
        codes = Counter(run.code for run in ledger.history("x"))
        asked = Counter(len(site.received(target)) for target in pages)
        sound = made.run("verify", "--deep", code=None).code == 0
    print(
        f"{kills} kills; runs by exit code: {dict(codes)}; articles by times asked for: {dict(asked)}; sound: {sound}"
    )
    return int(set(codes) != {0} or set(asked) != {1} or not sound)


if __name__ == "__main__":
    sys.exit(main())
