"""How long rewriting a page takes, in processor time, beside pywb's rewriter in an environment of its own.

    python benchmarks/replay/rewriting.py PAGES [--pywb BIN]

PAGES is a directory of .html or .html.gz files; BIN is the bin directory of an environment with pywb. Each page is
rewritten five times by each, and the fastest counts: what else runs on the machine only adds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from archive.replay.rewriting import rewritten

URL = "https://news.example/2026/03/02/story"
ROUNDS = 5
NEAR = (100_000, 180_000)  # bytes: pages of about 139 KB, of which the requirement speaks

PYWB = r"""
import gzip, json, sys, time
from io import BytesIO
from warcio.statusandheaders import StatusAndHeaders
from warcio.recordloader import ArcWarcRecord
from pywb.rewrite.default_rewriter import DefaultRewriter
from pywb.rewrite.url_rewriter import UrlRewriter
from pywb.utils.wbexception import *
url, rounds, *paths = sys.argv[1:]
rewriter = DefaultRewriter()
for path in paths:
    data = open(path, "rb").read()
    body = gzip.decompress(data) if path.endswith(".gz") else data
    best = None
    for _ in range(int(rounds)):
        urls = UrlRewriter("20260101000000mp_/" + url, "http://localhost:8080/news/")
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], "HTTP/1.1")
        record = ArcWarcRecord("http", "response", StatusAndHeaders("", []), BytesIO(body), head, None, len(body))
        started = time.process_time()
        _, stream, _ = rewriter(record, urls, None, lambda *_: "", {"url": url, "urlkey": "example,news)/x"})
        out = b"".join(stream)
        took = time.process_time() - started
        best = took if best is None else min(best, took)
    print(json.dumps([path, best, len(out)]), flush=True)
"""


def ours(body: bytes) -> float:
    def link(address: str, modifier: str) -> str:
        return f"/web/20260101000000{modifier}/{address}"

    return fastest(lambda: rewritten(body, content_type="text/html; charset=utf-8", url=URL, link=link))


def fastest(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--pywb", type=Path)
    options = parser.parse_args()
    paths = sorted(path for path in options.pages.iterdir() if path.name.endswith((".html", ".html.gz")))
    bodies = {path: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths}
    figures = {"newswarc": {path: ours(body) for path, body in bodies.items()}}
    if options.pywb:
        command = [options.pywb / "python", "-c", PYWB, URL, str(ROUNDS), *paths]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        figures["pywb"] = {Path(path): took for path, took, _ in map(json.loads, lines)}
    near = [path for path, body in bodies.items() if NEAR[0] <= len(body) <= NEAR[1]]
    mean = statistics.mean(len(bodies[path]) for path in near)
    print(f"{len(paths)} pages, {len(near)} of {NEAR[0] // 1000} to {NEAR[1] // 1000} KB (mean {mean / 1000:.0f})")
    print("| rewriter | those: mean | slowest | all: ms per 139 KB |\n| --- | ---: | ---: | ---: |")
    size = sum(map(len, bodies.values()))
    for name, times in figures.items():
        chosen = [times[path] * 1000 for path in near]
        every = sum(times.values()) / size * 139_000 * 1000
        print(f"| {name} | {statistics.mean(chosen):.1f} ms | {max(chosen):.1f} ms | {every:.1f} ms |")


if __name__ == "__main__":
    main()
