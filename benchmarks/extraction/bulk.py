"""Memory and speed of ``newswarc extract`` over any number of pages: flat, if all is well.

    python benchmarks/extraction/bulk.py --pages 100000 --jobs 2

Writes generated pages into WARC files of 10,000 each in a temporary directory, extracts them with the command itself,
and prints at each tenth the rate since the last one and the resident memory, in MB: of the command, the most it has
had so far (VmHWM), and of the largest of its workers and their server now.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from archive.warc import Record, encode

PAGES_A_FILE = 10_000
WORDS = """
    council ferry harbour budget minister vote island storm school railway court bridge mayor price winter report
    the of and to in on for with from after before while against between under a an its their which said told
""".split()  # noqa: SIM905 - words are read more easily so


def sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(9, 18))).capitalize() + "."


def page(number: int) -> bytes:
    """Return an HTTP response with a small news page."""
    rng = random.Random(number)
    title = " ".join(rng.choices(WORDS, k=7)).capitalize()
    day = f"2026-{number // 28 % 11 + 1:02}-{number % 28 + 1:02}"
    paragraphs = "".join(f"<p>{' '.join(sentence(rng) for _ in range(rng.randint(2, 4)))}</p>" for _ in range(6))
    links = "".join(f'<li><a href="/news/{number - n}">{" ".join(rng.choices(WORDS, k=4))}</a></li>' for n in range(8))
    html = (
        f'<!doctype html><html lang="en"><head><title>{title} - Example News</title>'
        f'<meta property="article:published_time" content="{day}T08:00:00Z"></head><body><ul>{links}</ul><article>'
        f'<h1>{title}</h1><p class="byline">By <a rel="author" href="/author/{number % 40}">Ada Writer</a></p>'
        f"{paragraphs}</article><footer><p>Example News, all rights reserved</p></footer></body></html>"
    )
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()


def write(folder: Path, pages: int) -> int:
    """Write the WARC files; return how many bytes the pages have."""
    total = 0
    for first in range(0, pages, PAGES_A_FILE):
        with (folder / f"bulk-{first:09}.warc.gz").open("wb") as file:
            for number in range(first, min(pages, first + PAGES_A_FILE)):
                block = page(number)
                total += len(block)
                fields = [
                    ("WARC-Type", "response"),
                    ("WARC-Record-ID", f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>"),
                    ("WARC-Date", f"2026-12-{number // 86400 % 28 + 1:02}T00:00:00.{number % 1_000_000:06d}Z"),
                    ("WARC-Target-URI", f"https://news.example/news/{number}"),
                    ("Content-Type", "application/http;msgtype=response"),
                ]
                file.write(encode(Record("response", fields, block)))
    return total


def memory_mb(pid: int, name: str) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(name)), 0.0)


def descendants(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        # The command starts processes from several threads.
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += (task / "children").read_text("ascii").split()
    except OSError:
        return
    for child in sorted({int(child) for child in children}):
        yield child
        yield from descendants(child)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pages", type=int, default=100_000)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--output", action="store_true", help="into a file that could be resumed, not a pipe")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="newswarc-bulk-") as name:
        folder = Path(name)
        size = write(folder, given.pages)
        print(f"{given.pages:,} pages of {size / given.pages / 1000:.1f} kB in the mean", flush=True)
        measure(folder, given.pages, given.jobs, to_file=given.output)


def measure(folder: Path, pages: int, jobs: int, *, to_file: bool) -> None:
    arguments = [sys.executable, "-m", "crawler.cli", "extract", str(folder), "--jobs", str(jobs)]
    out = folder / "articles.jsonl"
    if to_file:
        arguments += ["--output", str(out)]
    started = before = time.monotonic()
    print("    pages  pages/s  command peak  largest worker  all workers", flush=True)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        done, step = 0, max(1, pages // 10)
        for line in lines_of(out.with_name("articles.jsonl.part"), process) if to_file else process.stdout:
            assert line.startswith(b'{"url"')
            done += 1
            if done % step == 0:
                now = time.monotonic()
                workers = [memory_mb(pid, "VmRSS") for pid in descendants(process.pid)]
                print(
                    f"{done:9,} {step / (now - before):8.1f} {memory_mb(process.pid, 'VmHWM'):13.1f}"
                    f" {max(workers, default=0):15.1f} {sum(workers):12.1f}",
                    flush=True,
                )
                before = now
    taken = time.monotonic() - started
    print(f"{done:,} results, exit code {process.returncode}, {done / taken:.1f} pages/s, {taken:.0f} s")


def lines_of(path: Path, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the lines of a growing file until *process* has ended."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.05)
    with path.open("rb") as file:
        rest = b""
        while True:
            ended = process.poll() is not None
            rest += file.read()
            *lines, rest = rest.split(b"\n")
            yield from lines
            if ended:
                return
            time.sleep(0.05)


if __name__ == "__main__":
    main()
