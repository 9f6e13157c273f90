"""One million addresses through the frontier, without fetching: memory and rate. Figures go to ``docs/performance.md``.

    python benchmarks/frontier/million.py [--urls 1000000] [--group 16]

Every page has a hundred links, as pages of a news site do: two to addresses not seen before until there are enough, 68
in a menu, 20 to some of the latest articles, 10 to any. What was told before is left out as in the workers of a crawl
(:class:`crawler.leads.Told`). *group* pages are ended in one commit, as many as a crawl has under way.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from archive.place import Place
from crawler.frontier import Done, Frontier, Lead, Page
from crawler.told import Told

NEW, MENU, LATEST, ANY = 2, 68, 20, 10
LATEST_ARTICLES = 5_000
SITE = "news.example"


def lead(number: int) -> Lead:
    url = f"https://{SITE}/2026/{number % 12 + 1:02d}/{number % 28 + 1:02d}/a-slug-of-some-length-of-words-a{number}"
    return Lead(url.removeprefix("https://"), url, SITE, "article", 10, 3, f"https://{SITE}/news", "LLL")


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--group", type=int, default=16)
    arguments = parser.parse_args()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frontier.sqlite"
        frontier = Frontier.open(path)
        frontier.add([lead(0)])
        frontier.commit()
        found, done, told, due = 1, 0, Told(), arguments.urls // 10
        buffer: deque[Page] = deque()
        print("| pages done | known | pages/s | resident MB | file MB |\n| --- | --- | --- | --- | --- |")
        began = last = time.perf_counter()
        while True:
            if not buffer:
                buffer.extend(frontier.due(SITE, time.time(), 100))
                if not buffer:
                    break
            for _ in range(min(arguments.group, len(buffer))):
                page = buffer.popleft()
                new = min(NEW, arguments.urls - found)
                numbers = [*range(found, found + new), *range(min(MENU, found))]
                numbers += [max(0, found - rng.randrange(LATEST_ARTICLES) - 1) for _ in range(LATEST)]
                numbers += [rng.randrange(found) for _ in range(ANY)]
                links = [link for link in map(lead, numbers) if told.first(link)]
                place = Place("warc/2026/11/25/x.warc.gz", done * 30_000, 30_000)
                frontier.finish(page.id, Done("saved", None, 200, f"<urn:uuid:{done}>", place), links)
                found += new
                done += 1
            frontier.commit()
            if done >= due:
                due += arguments.urls // 10
                now = time.perf_counter()
                rate = (arguments.urls // 10) / (now - last)
                size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
                print(f"| {done:,} | {found:,} | {rate:,.0f} | {resident_mb():.0f} | {size:,.0f} |", flush=True)
                last = now
        assert frontier.outcomes() == {"saved": arguments.urls}
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"\n{done:,} pages, {done * (NEW + MENU + LATEST + ANY):,} links in {took:.0f} s; peak {peak:.0f} MB")
        frontier.close()


if __name__ == "__main__":
    main()
