"""A whole site into WARC files, by us and by others: speed, memory, size, and what arrived. Linux only.

    python benchmarks/capture/compare.py [--pages 2000] [--repeat 3] [--latency-ms 0] [--contenders NAME …]

Each contender is a process of its own and captures the same generated site (``news_site.py``) into an empty directory,
in turns, so that a busy minute of the machine hits all alike; what an earlier one left to be written is on disk before
the next begins. Afterwards FastWARC reads what was archived, and each article is held against what the server sent,
byte for byte. Medians of:

    s           the whole process, start and end included
    capture s   from the first request for a page to the last, by the server's own log
    CPU s       of the process and its children
    peak MB     of resident memory: the process itself, and its children together

Ours makes each page durable (fsync) before it counts as done, no peer does. ``wget -i`` is told every article
beforehand, all others find them by links. wget asks for no coding unless told to; either way is a contender. Exit code
1: ours lost a page or a byte.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import monotonic

from fastwarc.warc import ArchiveIterator, WarcRecordType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from news_site import Site  # noqa: E402 - beside this file

from tests.command import environment  # noqa: E402

SAMPLED_S = 0.05
OURS = "newswarc"
CAPTURE_ONLY = "newswarc, NEWSWARC_EXTRACT=0"


def newswarc(*more: str) -> Callable[[str], list[str]]:
    """Ours, for a start address; loopback is private, so it is told that it may, and asks without delay."""
    return lambda start: [
        *(sys.executable, "-P", "-m", "crawler.cli", "crawl", "generic", "-q", "--allow-private"),
        *("-a", f"start={start}/", *more),
    ]


def wget(*more: str) -> Callable[[str], list[str]]:
    return lambda start: ["wget", "--no-verbose", "--delete-after", "--warc-file=wget", *more, f"{start}/"]


def wget_list(*more: str) -> Callable[[str], list[str]]:
    return lambda _: ["wget", "--no-verbose", "--delete-after", "--warc-file=wget", *more, "--input-file=urls.txt"]


def scrapy_warcio(start: str) -> list[str]:
    return [sys.executable, str(HERE / "scrapy_warcio.py"), f"{start}/", "scrapy.warc.gz"]


MIRROR = ("--recursive", "--level=inf")
WITHOUT_CODING = json.dumps({"Accept": "*/*", "Accept-Encoding": "identity"})
CONTENDERS: dict[str, Callable[[str], list[str]]] = {
    OURS: newswarc(),
    CAPTURE_ONLY: newswarc("-s", "NEWSWARC_EXTRACT=0"),
    "newswarc, NEWSWARC_EXTRACT=0, no gzip": newswarc(
        *("-s", "NEWSWARC_EXTRACT=0", "-s", f"DEFAULT_REQUEST_HEADERS={WITHOUT_CODING}")
    ),
    "wget -r, gzip": wget(*MIRROR, "--compression=gzip"),
    "wget -r": wget(*MIRROR),
    "wget -i, gzip": wget_list("--compression=gzip"),
    "wget -i": wget_list(),
    "Scrapy + warcio": scrapy_warcio,
}
USUAL = (OURS, CAPTURE_ONLY, "wget -r", "wget -i", "wget -r, gzip", "wget -i, gzip", "Scrapy + warcio")
PROGRAM_ENDS_WITH = {"wget": (0, 8)}  # 8: some answer was an error, as that of a page without robots.txt


@dataclass
class Run:
    """What one run cost and kept."""

    process_s: float = 0.0
    capture_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    children_mb: float = 0.0
    warc_mb: float = 0.0
    requests: int = 0
    pages: int = 0  # articles found in the archive
    exact_bodies: int = 0  # of these, with the body as it was sent
    exact_responses: int = 0  # and the head too
    articles: int = 0  # extracted
    codings: set[str] = field(default_factory=set)


class Memory(threading.Thread):
    """Looks at a process and its children while they live."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak_kb = self.children_kb = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(SAMPLED_S):
            self.peak_kb = max(self.peak_kb, status_kb(self.pid, "VmHWM"))
            self.children_kb = max(self.children_kb, sum(status_kb(pid, "VmRSS") for pid in descendants(self.pid)))


def status_kb(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from descendants(child)


def run(command: Sequence[str], folder: Path, site: Site) -> Run:
    """Run one contender to its end in *folder*."""
    variables = environment(folder, NEWSWARC_ARCHIVE="archive", PYTHONPATH=str(ROOT), PYTHONWARNINGS="ignore")
    os.sync()
    site.own("/.log")
    with (folder / "output.txt").open("wb") as output:
        began = monotonic()
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=output)
        memory = Memory(process.pid)
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
        ended = monotonic()
        memory.ended.set()
        memory.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in PROGRAM_ENDS_WITH.get(command[0], (0,)):
        raise SystemExit(f"{command}: exit code {process.returncode}\n{(folder / 'output.txt').read_text()[-3000:]}")
    return Run(
        process_s=ended - began,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=memory.peak_kb / 1000,
        children_mb=memory.children_kb / 1000,
    )


def examine(done: Run, folder: Path, start: str, sent: Mapping[str, Mapping[str, Sequence[str]]], site: Site) -> None:
    """Note what was asked for and what arrived; *sent* has the digests by path and coding."""
    log: list[tuple[float, str, bool]] = json.loads(site.own("/.log"))
    articles = sent.keys()
    times = [at for at, path, _ in log if path in articles]
    done.capture_s = max(times) - min(times)
    done.requests = len(log)
    codings = {path: "gzip" if packed else "identity" for _, path, packed in log}
    bodies: set[str] = set()
    responses: set[str] = set()
    seen: set[str] = set()
    for path in folder.rglob("*.warc.gz"):
        done.warc_mb += path.stat().st_size / 1e6
        wanted = WarcRecordType.response | WarcRecordType.conversion
        for record in ArchiveIterator(str(path), record_types=wanted, parse_http=False):
            if record.record_type == WarcRecordType.conversion:
                done.articles += 1
                continue
            name = record.headers["WARC-Target-URI"].strip("<>").removeprefix(start)
            if name not in articles:
                continue
            block = record.reader.read()
            body, whole = sent[name][codings[name]]
            seen.add(name)
            done.codings.add(codings[name])
            if sha256(block.partition(b"\r\n\r\n")[2]).hexdigest() == body:
                bodies.add(name)
            if sha256(block).hexdigest() == whole:
                responses.add(name)
    done.pages, done.exact_bodies, done.exact_responses = len(seen), len(bodies), len(responses)


def median(runs: Sequence[Run], name: str) -> float:
    return statistics.median(getattr(run, name) for run in runs)


def table(results: Mapping[str, Sequence[Run]], pages: int) -> Iterator[str]:
    yield (
        "| contender | coding | s | pages/s | capture s | captured/s | CPU s | peak MB | children MB | WARC MB"
        " | pages | exact bodies | exact responses | extracted |"
    )
    yield "| --- " * 14 + "|"
    for name, runs in results.items():
        process_s, capture_s = median(runs, "process_s"), median(runs, "capture_s")
        kept = [min(getattr(run, what) for run in runs) for what in ("pages", "exact_bodies", "exact_responses")]
        cells = [
            name,
            ", ".join(sorted(runs[0].codings)),
            f"{process_s:.2f}",
            f"{pages / process_s:.0f}",
            f"{capture_s:.2f}",
            f"{pages / capture_s:.0f}",
            *(f"{median(runs, what):.1f}" for what in ("cpu_s",)),
            *(f"{median(runs, what):.0f}" for what in ("peak_mb", "children_mb", "warc_mb")),
            *(f"{count:,}" for count in kept),
            f"{min(run.articles for run in runs):,}",
        ]
        yield f"| {' | '.join(cells)} |"


def ratios(results: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """How many times as fast ours is, by the medians."""
    ours = [name for name in results if name.startswith(OURS)]
    yield f"| times as fast as | {' | '.join(f'{name}: s | {name}: capture s' for name in ours)} |"
    yield "| --- " * (1 + 2 * len(ours)) + "|"
    for peer, runs in results.items():
        if peer in ours:
            continue
        cells = []
        for name in ours:
            cells += [f"{median(runs, what) / median(results[name], what):.2f}" for what in ("process_s", "capture_s")]
        yield f"| {peer} | {' | '.join(cells)} |"
    if OURS in results and CAPTURE_ONLY in results:
        behind = median(results[CAPTURE_ONLY], "capture_s") / median(results[OURS], "capture_s")
        yield f"\nwith extraction behind it, capture has {behind:.2f} of its rate without"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="how long the site takes for each answer")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=USUAL, metavar="NAME")
    options = parser.parse_args()
    results: dict[str, list[Run]] = {name: [] for name in options.contenders}
    with Site(options.pages, options.latency_ms) as site:
        about = json.loads(site.own("/.sent"))
        sent = {path: about["sent"][path] for path in about["articles"]}
        for number in range(options.repeat):
            for name, runs in results.items():
                with tempfile.TemporaryDirectory() as temporary:
                    folder = Path(temporary)
                    (folder / "urls.txt").write_text("".join(f"{site.start}{path}\n" for path in sent))
                    done = run(CONTENDERS[name](site.start), folder, site)
                    examine(done, folder, site.start, sent, site)
                runs.append(done)
                told = f"{number + 1}: {name}: {done.process_s:.2f} s, capture {done.capture_s:.2f} s"
                print(f"{told}, {done.requests:,} requests, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    print(
        f"{options.pages:,} articles, {options.latency_ms:g} ms an answer, {options.repeat} runs each,"
        f" {os.cpu_count()} processors, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}\n"
    )
    print(*table(results, options.pages), "", *ratios(results), sep="\n")
    ours = [run for name, runs in results.items() if name.startswith(OURS) for run in runs]
    if any(run.exact_responses < options.pages for run in ours):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
