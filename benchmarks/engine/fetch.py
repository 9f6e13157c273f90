"""What fetching costs: the wire client alone, in Scrapy, and Scrapy's own handlers, without and with its middlewares.

    python benchmarks/engine/fetch.py [--pages 2000] [--rounds 3] [--tls]

One server process on loopback answers with pages of some 30 KB gzip (those of ``compare.py``); each contender fetches
them in a process of its own, 16 at a time, and nothing is written. *slim* has nothing between Scrapy's engine and the
handler; *default* has all that Scrapy puts there: decompression, redirects, retries, cookies, and its extensions. CPU
seconds of the contender from the first request to the last response; ratios are to the slim wire handler. With
``--tls`` pages come over TLS from a test authority, which only the wire client verifies.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import compare  # noqa: E402 - beside this file

WIRE = "crawler.handlers.WireDownloadHandler"
AIOHTTP = "scrapy.core.downloader.handlers._aiohttp.AiohttpDownloadHandler"
TWISTED = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
ALONE = "wire client, without Scrapy"
BASE = "wire handler, slim"
CONTENDERS: dict[str, tuple[str, bool, bool]] = {  # name → handler, reactor, slim
    BASE: (WIRE, False, True),
    "wire handler, default": (WIRE, False, False),
    "aiohttp handler, slim": (AIOHTTP, False, True),
    "aiohttp handler, default": (AIOHTTP, False, False),
    "Twisted handler, slim": (TWISTED, True, True),
    "Twisted handler, default": (TWISTED, True, False),
}
SLIM = {"DOWNLOADER_MIDDLEWARES_BASE": {}, "SPIDER_MIDDLEWARES_BASE": {}, "EXTENSIONS_BASE": {}}


def serve(certificates: str) -> None:
    chance = random.Random(1)
    words = [chance.randbytes(3).hex() for _ in range(4000)]
    texts = (" ".join(chance.choices(words, k=14_000)).encode() for _ in range(40))
    compare.Server.bodies = [gzip.compress(text, mtime=0) for text in texts]

    async def run() -> None:
        context: ssl.SSLContext | None = None
        if certificates:
            from tests.servers.authority import Authority  # noqa: PLC0415 - only for TLS

            authority = Authority(Path(certificates))
            context = authority.server_context("127.0.0.1")
            assert authority.ca_file.exists()
        server = await asyncio.get_running_loop().create_server(compare.Server, "127.0.0.1", 0, ssl=context)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(run())


def run_contender(name: str, start: str, pages: int, ca_file: str) -> None:
    """Fetch the pages in this process; print bytes received, CPU and wall seconds as JSON."""
    urls = [f"{start}/page/{n}" for n in range(pages)]
    print(json.dumps(run_alone(urls, ca_file) if name == ALONE else run_scrapy(name, urls, ca_file)))


def run_alone(urls: list[str], ca_file: str) -> dict[str, float]:
    from crawler.addresses import Guard  # noqa: PLC0415 - each contender loads what it needs and no more
    from crawler.wire import WireClient, WireOptions  # noqa: PLC0415

    async def run() -> dict[str, float]:
        client = WireClient(WireOptions(Guard(allow_private=True), ca_file=Path(ca_file) if ca_file else None))
        waiting, received = iter(urls), 0
        began = time.perf_counter(), time.process_time()

        async def work() -> None:
            nonlocal received
            for url in waiting:
                exchange = await client.fetch("GET", url, timeout_s=30, max_bytes=None)
                received += len(exchange.response)
                exchange.close()

        await asyncio.gather(*(work() for _ in range(compare.CONCURRENT)))
        cost = compare.measured(began)
        await client.close()
        return {**cost, "received": received}

    return asyncio.run(run())


def run_scrapy(name: str, urls: list[str], ca_file: str) -> dict[str, float]:
    handler, reactor, slim = CONTENDERS[name]
    from scrapy import Request, Spider, signals  # noqa: PLC0415
    from scrapy.crawler import AsyncCrawlerProcess  # noqa: PLC0415

    cost: dict[str, float] = {"received": 0}
    began: list[tuple[float, float]] = []

    class Pages(Spider):
        name = "pages"

        async def start(self):
            for url in urls:
                yield Request(url, meta={"raw": True})

        def parse(self, response):
            exchange = response.meta.pop("exchange", None)
            if exchange is not None:
                exchange.close()
            cost["received"] += len(response.body)

    process = AsyncCrawlerProcess(
        {
            "DOWNLOAD_HANDLERS": {"http": handler, "https": handler},
            "TWISTED_REACTOR_ENABLED": reactor,
            "CONCURRENT_REQUESTS": compare.CONCURRENT,
            "CONCURRENT_REQUESTS_PER_DOMAIN": compare.CONCURRENT,
            "CONCURRENT_ITEMS": 4,
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
            "LOG_ENABLED": False,
            "NEWSWARC_ALLOW_PRIVATE": True,
            "NEWSWARC_CA_FILE": ca_file or None,
            **(SLIM if slim else {}),
        }
    )
    crawler = process.create_crawler(Pages)

    def opened() -> None:
        began.append((time.perf_counter(), time.process_time()))

    def idle() -> None:
        cost.update(compare.measured(began[0]))

    crawler.signals.connect(opened, signals.spider_opened)
    crawler.signals.connect(idle, signals.spider_idle)
    process.crawl(crawler)
    process.start()
    return cost


def child(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", str(Path(__file__).resolve()), *arguments]


def run_rounds(start: str, ca_file: str, pages: int, rounds: int) -> None:
    names = [ALONE, *CONTENDERS]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:  # in turns, so that a busy minute of the machine hits all alike
            command = child("run", name, start, str(pages), ca_file)
            done = subprocess.run(command, capture_output=True, check=False, text=True)
            if done.returncode:
                raise SystemExit(f"{name}: {done.stderr}")
            results[name].append(json.loads(done.stdout.splitlines()[-1]))
    base = [run["cpu_s"] for run in results[BASE]]
    print(f"{pages} pages, {rounds} rounds, {start.split(':', maxsplit=1)[0]}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':30}{'CPU ms/page, median':>20}{'ratio':>7}{'least':>8}{'ratio':>7}{'wall s':>8}{'MB':>7}")
    for name, runs in results.items():
        cpu = [run["cpu_s"] for run in runs]
        wall = statistics.median(run["wall_s"] for run in runs)
        middle, least = statistics.median(cpu), min(cpu)
        print(
            f"{name:30}{middle / pages * 1000:20.2f}{middle / statistics.median(base):7.2f}"
            f"{least / pages * 1000:8.2f}{least / min(base):7.2f}{wall:8.2f}{runs[0]['received'] / 1e6:7.1f}"
        )


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        return serve(sys.argv[2])
    if sys.argv[1:2] == ["run"]:
        return run_contender(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        certificates = folder if options.tls else ""
        server = subprocess.Popen(child("serve", certificates), stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            start = f"{'https' if options.tls else 'http'}://127.0.0.1:{int(server.stdout.readline())}"
            ca_file = str(Path(folder) / "authority.pem") if options.tls else ""
            run_rounds(start, ca_file, options.pages, options.rounds)
        finally:
            server.terminate()
            server.wait()
            assert server.stdout is not None
            server.stdout.close()
    return None


if __name__ == "__main__":
    main()
