"""Two crawls of a publication that goes on, an hour apart by the clock: what they find, and what the second one costs.

    python benchmarks/watching/watch.py [--articles 5000]

The second crawl runs under ``faketime`` (Debian's package of that name), an hour ahead. Figures go to
``docs/performance.md``. Exits with 1 when an article that can be reached is missing or was captured twice, the second
crawl costs 5 % or more of the first, an edit or deletion that anything tells of was not fetched, or the second crawl's
report lacks one that was, or has another.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.servers.watched_site import PAUSE, WatchedSite, running_watched  # noqa: E402 - the path is set above

ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "NEWSWARC_ALLOW_PRIVATE": "1",
    "NEWSWARC_REST_S": "0.05",  # the server is on this machine, and is busy for show
}


class Ran:
    """One crawl: what it printed, and how long it took."""

    def __init__(self, site: WatchedSite, folder: Path, *ahead: str) -> None:
        command = [
            sys.executable,
            "-m",
            "crawler.cli",
            "crawl",
            "generic",
            "-a",
            f"start={site.watched.base}/",
            "--json",
        ]
        began = time.perf_counter()
        done = subprocess.run(
            [*ahead, *command], cwd=folder, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False
        )
        self.seconds = time.perf_counter() - began
        self.rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.summary, self.code = done.stderr, done.returncode
        self.outcomes = Counter(row["outcome"] for row in self.rows if "outcome" in row)
        found = re.search(r"generic: ([\d,]+) pages?: (.*?)(?:;|\n)", done.stderr)
        self.discovered = int(found[1].replace(",", "")) if found else -1
        counts = re.findall(
            r"([\d,]+) (saved|unchanged|skipped|refused|failed|still waiting)", found[2] if found else ""
        )
        self.counted = {name: int(count.replace(",", "")) for count, name in counts}


REPORTED = {"edits": "changed", "deletions": "vanished"}  # how a report calls them


def report_in(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return the latest report of the archive in *folder*."""
    *_, latest = sorted(folder.glob("newswarc-archive/crawls/generic/*/report.json"))
    told: dict[str, list[dict[str, str]]] = json.loads(latest.read_text())
    return told


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--keep", type=Path, help="a folder for the archive")
    options = parser.parse_args()
    if shutil.which("faketime") is None:
        sys.exit("faketime is not there: apt-get install faketime")
    with tempfile.TemporaryDirectory() as scratch, running_watched(options.articles) as site:
        folder = options.keep or Path(scratch)
        reachable = site.watched.expected().articles
        first = Ran(site, folder)
        log = site.log()
        good = Counter(target for target, status, _ in log if status == 200)
        missing = reachable - good.keys()
        twice = {target for target in reachable if good[target] > 1}
        site.go_on()
        expected = site.watched.expected()
        second = Ran(site, folder, "faketime", "-f", f"+{int(PAUSE.total_seconds())}s")
        later = [(target, status) for target, status, _ in site.log()[len(log) :]]
        asked = {target for target, _ in later}
        share = 100 * len(later) / len(log)
        print(f"reachable articles {len(reachable):,}, captured {len(reachable) - len(missing):,}, twice {len(twice)}")
        for name, ran, requests in (("first", first, len(log)), ("second", second, len(later))):
            print(f"{name}: {requests:,} requests, {ran.seconds:.0f} s, exit code {ran.code}, {dict(ran.counted)}")
            print(f"  discovered {ran.discovered:,}, sum of outcomes {sum(ran.counted.values()):,}")
        print(f"second in % of first: {share:.1f}")
        print(f"  answers {dict(Counter(status for _, status in later))}")
        failures = len(missing) + len(twice) + (share >= 5) + (second.discovered != sum(second.counted.values()))
        told = report_in(folder)
        for name, planted in (("edits", expected.edits), ("deletions", expected.deletions)):
            listed = {item["url"].removeprefix(site.watched.base) for item in told[REPORTED[name]]}
            wanted = planted.keys() & asked
            print(f"{name} reported {len(listed & wanted)} of {len(wanted)} fetched, invented {len(listed - wanted)}")
            failures += len(wanted - listed) + len(listed - wanted)
            print(f"  not reported {sorted(wanted - listed)[:3]}, invented {sorted(listed - wanted)[:3]}")
            for signal in sorted(set(planted.values())):
                targets = {target for target, by in planted.items() if by == signal}
                fetched = targets & asked
                print(f"{name} told by {signal}: {len(targets)}, fetched {len(fetched)}")
                failures += len(targets - fetched) if signal != "none" else 0
        print(f"new articles: {len(expected.new)}, fetched {len(expected.new & asked)}")
        failures += len(expected.new - asked)
        kinds = Counter(re.sub(r"\d+", "#", target.split("?")[0])[:24] for target, _ in later)
        print(f"asked for most: {kinds.most_common(14)}")
        print(f"missing {sorted(missing)[:5]}, twice {sorted(twice)[:5]}")
        if failures:
            print(first.summary[-1500:], second.summary[-1500:], sep="\n---\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
