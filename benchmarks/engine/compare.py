"""Engines compared: what each keeps of the wire, and what it costs. Figures go to ``docs/decisions/0001-engine.md``.

    python benchmarks/engine/compare.py speed [--pages 2000] [--rounds 5]
    python benchmarks/engine/compare.py odd

``speed``: one server process on loopback answers with pages of some 30 KB gzip, one head in three in odd case and one
body in three chunked; each contender crawls them in a process of its own, 16 at a time, with nothing but the download
handler between Scrapy's engine and the wire. Both sides hash every request and response they saw; the hashes are
compared.
``odd``: the same contenders, one exchange at a time, against answers that servers give and standards do not know.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

CONCURRENT = 16
TIMEOUT_S = 3
CONTENDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "wire client, no reactor": ("crawler.handlers.WireDownloadHandler", {"TWISTED_REACTOR_ENABLED": False}),
    "wire client, Scrapy's asyncio reactor": ("crawler.handlers.WireDownloadHandler", {}),
    "aiohttp handler with tap, no reactor": ("aiohttp_tap.AiohttpTapHandler", {"TWISTED_REACTOR_ENABLED": False}),
    "Twisted handler with tap": ("twisted_tap.TwistedTapHandler", {}),
    "aiohttp handler, nothing kept": (
        "scrapy.core.downloader.handlers._aiohttp.AiohttpDownloadHandler",
        {"TWISTED_REACTOR_ENABLED": False},
    ),
    "Twisted handler, nothing kept": ("scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler", {}),
}
ALONE = "wire client alone, without Scrapy"

HEAD = b"Content-Type: text/html\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + HEAD
BODY = b"Content-Length: 5\r\n\r\nhello"
ODDITIES: list[tuple[str, bytes]] = [
    ("plain", OK + BODY),
    ("odd header case, repeats apart", OK + b"x-ODD: 1\r\nSet-Cookie: a\r\nX-Odd:  2 \r\nSet-cookie: b\r\n" + BODY),
    ("chunked, extension, trailer", OK + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"),
    ("chunked with bare LF", OK + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n"),
    ("delimited by close", OK + b"\r\nhello"),
    ("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nhello"),
    ("no reason phrase", b"HTTP/1.1 200 \r\n" + BODY),
    ("status line without second space", b"HTTP/1.1 200\r\n" + BODY),
    ("Latin-1 reason phrase", b"HTTP/1.1 200 \xdcberpr\xfcft\r\n" + BODY),
    ("Latin-1 header value", OK + b"X-City: M\xfcnchen\r\n" + BODY),
    ("bare-LF head", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
    ("folded header", OK + b"X-Long: one\r\n two\r\n" + BODY),
    ("header line without colon", OK + b"nonsense\r\n" + BODY),
    ("space before the colon", OK + b"X-Odd : 1\r\n" + BODY),
    ("header line of 10 KB", OK + b"X-Long: " + b"x" * 10_000 + b"\r\n" + BODY),
    ("header line of 40 KB", OK + b"X-Long: " + b"x" * 40_000 + b"\r\n" + BODY),
    ("300 header lines", OK + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + BODY),
    ("Content-Length twice, equal", OK + b"Content-Length: 5\r\n" + BODY),
    (
        "Content-Length and chunked",
        OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("304 with Content-Length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    ("empty body", OK + b"Content-Length: 0\r\n\r\n"),
    ("103 before 200", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + BODY),
    ("cut body", OK + b"Content-Length: 99\r\n\r\nhello"),
    ("cut chunked", OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello"),
    ("cut head", b"HTTP/1.1 200 OK\r\nContent-Ty"),
    ("stalls in the body (timeout)", OK + b"Content-Length: 99\r\n\r\nhello"),
    ("stalls in the head (timeout)", b"HTTP/1.1 200 OK\r\nContent-Ty"),
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.2\r\n"),
]


class Server(asyncio.Protocol):
    """Answers ``/page/N`` and ``/odd/N`` and, on ``/log``, what it saw and said."""

    log: dict[str, tuple[str, str]] = {}  # noqa: RUF012 - one server a process
    bodies: list[bytes] = []  # noqa: RUF012 - the same

    def connection_made(self, transport) -> None:
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n\r\n"):
            return
        request, self.received = self.received, b""
        path = request.split(b" ", 2)[1].decode()
        kind, _, number = path.strip("/").partition("/")
        if kind == "log":
            body = json.dumps(self.log).encode()
            self.log.clear()
            self.transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
            self.transport.close()
            return
        answer = ODDITIES[int(number)][1] if kind == "odd" else self.page(int(number))
        self.log[path] = (sha256(request).hexdigest(), sha256(answer).hexdigest())
        if kind == "page":
            self.transport.write(answer)
            return
        # Head and body apart, as they come from afar: who gives up on a head never sees the body.
        end_of_head = answer.find(b"\n\r\n") + 3 if b"\n\r\n" in answer else len(answer)
        head, rest = answer[:end_of_head], answer[end_of_head:]
        self.transport.write(head)
        oddity = ODDITIES[int(number)][0]
        if rest:
            asyncio.get_running_loop().call_later(0.05, self.finish, rest, oddity)
        else:
            self.finish(rest, oddity)

    def finish(self, rest: bytes, oddity: str) -> None:
        self.transport.write(rest)
        if "timeout" not in oddity:
            self.transport.close()

    def page(self, number: int) -> bytes:
        body = self.bodies[number % len(self.bodies)]
        fields = b"Content-Type: text/html\r\nX-Page: %d\r\nContent-Encoding: gzip\r\n" % number
        head = b"HTTP/1.1 200 OK\r\n" + (fields.swapcase() if number % 3 == 0 else fields)
        if number % 3 == 1:
            pieces = [body[start : start + 8192] for start in range(0, len(body), 8192)]
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
            return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def serve() -> None:
    rng = random.Random(1)
    letters = [rng.randbytes(3).hex() for _ in range(4000)]
    Server.bodies = [gzip.compress(" ".join(rng.choices(letters, k=14_000)).encode(), mtime=0) for _ in range(40)]

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(run())


def run_contender(name: str, port: int, kind: str, count: int) -> None:
    """Fetch ``/kind/0`` … in this process; print what was kept and what it cost as JSON."""
    urls = [f"http://127.0.0.1:{port}/{kind}/{n}" for n in range(count)]
    kept: dict[str, tuple[str, str]] = {}
    outcomes: dict[str, str] = {}
    cost = run_alone(urls, kept) if name == ALONE else run_scrapy(name, urls, kept, outcomes)
    paths = {url: "/" + url.split("/", 3)[3] for url in urls}
    print(
        json.dumps(
            {
                "kept": {paths[url]: digests for url, digests in kept.items()},
                "outcomes": {paths[url]: outcome for url, outcome in outcomes.items()},
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                **cost,
            }
        )
    )


def measured(began: tuple[float, float]) -> dict[str, float]:
    return {"wall_s": time.perf_counter() - began[0], "cpu_s": time.process_time() - began[1]}


def run_alone(urls: list[str], kept: dict[str, tuple[str, str]]) -> dict[str, float]:
    from crawler.addresses import Guard  # noqa: PLC0415 - each contender loads what it needs and no more
    from crawler.wire import WireClient, WireOptions  # noqa: PLC0415

    async def run() -> dict[str, float]:
        client = WireClient(WireOptions(Guard(allow_private=True)))
        waiting = iter(urls)
        began = time.perf_counter(), time.process_time()

        async def work() -> None:
            for url in waiting:
                exchange = await client.fetch("GET", url, timeout_s=30, max_bytes=None)
                with exchange.response:
                    kept[url] = digests(exchange.request, exchange.response.read())

        await asyncio.gather(*(work() for _ in range(CONCURRENT)))
        cost = measured(began)
        await client.close()
        return cost

    return asyncio.run(run())


def digests(request: bytes, response: bytes) -> tuple[str, str]:
    return sha256(request).hexdigest(), sha256(response).hexdigest()


def run_scrapy(
    name: str, urls: list[str], kept: dict[str, tuple[str, str]], outcomes: dict[str, str]
) -> dict[str, float]:
    handler, more = CONTENDERS[name]
    from scrapy import Request, Spider, signals  # noqa: PLC0415
    from scrapy.crawler import AsyncCrawlerProcess  # noqa: PLC0415

    cost: dict[str, float] = {}
    began: list[tuple[float, float]] = []

    class Pages(Spider):
        name = "pages"

        async def start(self):
            for url in urls:
                yield Request(url, callback=self.succeeded, errback=self.failed)

        def succeeded(self, response):
            self.keep(response.request)
            outcomes[response.url] = "response" + "".join(f", {flag}" for flag in response.flags)

        def failed(self, failure):
            self.keep(failure.request)
            outcomes[failure.request.url] = type(failure.value).__name__

        def keep(self, request):
            meta = request.meta
            if (tap := meta.pop("tap", None)) is not None:
                kept[request.url] = digests(tap.request, without_interim(bytes(tap.response)))
            elif (exchange := meta.pop("exchange", None)) is not None:
                with exchange.response:
                    kept[request.url] = digests(exchange.request, exchange.response.read())

    settings = {
        "DOWNLOAD_HANDLERS": {"http": handler},  # its _BASE is overwritten by Scrapy when there is no reactor
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "CONCURRENT_REQUESTS": CONCURRENT if len(urls) > len(ODDITIES) else 1,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENT,
        "CONCURRENT_ITEMS": 4,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_TIMEOUT": 30 if len(urls) > len(ODDITIES) else TIMEOUT_S,
        "DOWNLOAD_FAIL_ON_DATALOSS": False,
        "HTTPERROR_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "LOG_ENABLED": False,
        "NEWSWARC_ALLOW_PRIVATE": True,
        **more,
    }
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(Pages)

    def opened() -> None:
        began.append((time.perf_counter(), time.process_time()))

    def idle() -> None:
        cost.update(measured(began[0]))

    crawler.signals.connect(opened, signals.spider_opened)
    crawler.signals.connect(idle, signals.spider_idle)
    process.crawl(crawler)
    process.start()
    return cost


def without_interim(response: bytes) -> bytes:
    """What a tap in someone else's client needs afterwards: interim responses cut off."""
    while response.startswith(b"HTTP/1.1 1") and b"\r\n\r\n" in response:
        response = response.split(b"\r\n\r\n", 1)[1]
    return response


def child(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", str(HERE / "compare.py"), *arguments]


def fetch_log(port: int) -> dict[str, tuple[str, str]]:
    import http.client  # noqa: PLC0415 - the parent's alone

    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/log")
    log = {path: tuple(seen) for path, seen in json.loads(connection.getresponse().read()).items()}
    connection.close()
    return log


def run_round(name: str, port: int, kind: str, count: int) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    done = subprocess.run(child("run", name, str(port), kind, str(count)), capture_output=True, check=False, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    result["kept"] = {path: tuple(seen) for path, seen in result["kept"].items()}
    return result, fetch_log(port)


def compare_speed(port: int, pages: int, rounds: int) -> None:
    names = [ALONE, *CONTENDERS]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:  # in turns, so that a busy minute of the machine hits all alike
            result, log = run_round(name, port, "page", pages)
            result["exact"] = sum(result["kept"].get(path) == seen for path, seen in log.items())
            results[name].append(result)
    base = [r["cpu_s"] for r in results["wire client, no reactor"]]
    print(
        f"{pages} pages, {rounds} rounds; ratios are to the wire client without reactor; load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{'':40}{'CPU s, median':>14}{'ratio':>7}{'CPU s, least':>14}{'ratio':>7}{'wall s':>8}{'MB':>5}{'exact':>11}"
    )
    for name, runs in results.items():
        cpu = [r["cpu_s"] for r in runs]
        wall, peak = (statistics.median(r[k] for r in runs) for k in ("wall_s", "peak_mb"))
        middle, least = statistics.median(cpu), min(cpu)
        exact = f"{min(r['exact'] for r in runs)}/{pages}"
        print(
            f"{name:40}{middle:14.2f}{middle / statistics.median(base):7.2f}{least:14.2f}{least / min(base):7.2f}"
            f"{wall:8.2f}{peak:5.0f}{exact:>11}"
        )


def compare_oddities(port: int) -> None:
    names = [name for name in CONTENDERS if "nothing kept" not in name]
    table: dict[str, dict[str, str]] = {}
    for name in names:
        result, log = run_round(name, port, "odd", len(ODDITIES))
        for number, (oddity, answer) in enumerate(ODDITIES):
            path = f"/odd/{number}"
            request, _ = log.get(path, ("", ""))
            wanted = request, sha256(without_interim(answer)).hexdigest()
            kept = result["kept"].get(path)
            what = "exact" if kept == wanted else "lost" if kept is None else "differs"
            table.setdefault(oddity, {})[name] = f"{what}; {result['outcomes'].get(path)}"
    for oddity, row in table.items():
        print(f"{oddity:36}" + "".join(f"{row[name]:42}" for name in names))
    print(f"{'':36}" + "".join(f"{name:42}" for name in names))


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        return serve()
    if sys.argv[1:2] == ["run"]:
        return run_contender(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "odd"])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    server = subprocess.Popen(child("serve"), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        if options.what == "speed":
            compare_speed(port, options.pages, options.rounds)
        else:
            compare_oddities(port)
    finally:
        server.terminate()
        server.wait()
    return None


if __name__ == "__main__":
    main()
