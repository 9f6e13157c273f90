"""Replay and CDX by us and by pywb: requests a second, p50 and p99, of the same archive in the same run. Linux only.

    python benchmarks/replay/compare.py --pywb BIN [--pages 2000] [--lines 0] [--seconds 8] [--connections 4]
                                        [--pywb-processes 2] [--repeat 2]

*BIN* is the ``bin`` directory of an environment with pywb and uwsgi. Each server answers the same random requests over
kept connections from a process of its own, in turns. What is asked:

    rewritten   a page of 139 KB as a browser shows it
    raw         its captured payload (``id_``)
    cdx         the index lines of one URL

``--lines`` adds so many index lines around those of the pages; they cost the disk 350 bytes each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from made import START, url_of, write, write_index  # noqa: E402 - beside this file

from tests.command import environment  # noqa: E402

KINDS = ("rewritten", "raw", "cdx")


def stamp(number: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(START.timestamp() + number))


def target(server: str, kind: str, number: int) -> str:
    url, at = url_of(number), stamp(number)
    if kind == "cdx":
        return f"/cdx?url={url}&output=json" if server == "newswarc" else f"/news/cdx?url={url}&output=json"
    if server == "newswarc":
        return f"/web/{at}{'id_' if kind == 'raw' else ''}/{url}"
    return f"/news/{at}{'id_' if kind == 'raw' else 'mp_'}/{url}"


@contextlib.contextmanager
def newswarc(archive: Path) -> Iterator[int]:
    with _running(
        [sys.executable, "-P", "-m", "crawler.cli", "replay", "--archive", str(archive), "--port", "0"],
        archive.parent,
        {**environment(archive.parent), "PYTHONPATH": str(ROOT)},
    ) as (process, log):
        yield _wait(process, log, _port_in)


@contextlib.contextmanager
def pywb(archive: Path, binaries: Path, processes: int) -> Iterator[int]:
    folder = archive.parent / "pywb"
    folder.mkdir(exist_ok=True)
    merged = folder / "all.cdxj"
    if not merged.exists():
        with merged.open("wb") as out:
            files = sorted((archive / "index").rglob("*.cdxj"))
            subprocess.run(
                ["sort", "-m", "-u", *map(str, files)], stdout=out, check=True, env={**os.environ, "LC_ALL": "C"}
            )
    config = {
        "collections": {"news": {"index_paths": str(merged), "archive_paths": f"{archive}/"}},
        "framed_replay": True,
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(str(binaries / "uwsgi"), "--http-socket", f"127.0.0.1:{port}", "--gevent", "100", "--gevent-monkey-patch"),
        *(
            "--master",
            "--processes",
            str(processes),
            "--wsgi",
            "pywb.apps.wayback",
            "--disable-logging",
            "--die-on-term",
        ),
        *("--venv", str(binaries.parent), "--buffer-size", "65536", "--http-keepalive"),
    ]
    with _running(command, folder, {**os.environ, "PYTHONWARNINGS": "ignore"}) as (process, log):

        def there(_: str) -> int | None:
            try:
                fetch(port, target("pywb", "raw", 0))
            except OSError:
                return None
            return port

        yield _wait(process, log, there)


@contextlib.contextmanager
def _running(
    command: list[str], folder: Path, variables: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=out, stderr=out)
    try:
        yield process, log
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], log: Path, found: Callable[[str], int | None]) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        if process.poll() is not None:
            raise SystemExit(f"the server ended: {text}")
        if (port := found(text)) is not None:
            return port
        time.sleep(0.05)
    raise SystemExit(f"the server did not start: {log.read_text(errors='replace')}")


def _port_in(text: str) -> int | None:
    match = re.search(r"at http://127\.0\.0\.1:(\d+)/", text)
    return int(match[1]) if match else None


def fetch(port: int, path: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        data = answer.read()
    assert isinstance(data, bytes)
    return data


async def load(port: int, targets: list[str], seconds: float, connections: int) -> list[float]:
    """Ask for *targets* at random for so long; returns the seconds each answer took."""
    took: list[float] = []
    ends = time.perf_counter() + seconds

    async def one(chance: random.Random) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        while time.perf_counter() < ends:
            path = chance.choice(targets)
            begun = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{path}: {head[:300]!r}")
            lower = head.lower()
            if length := re.search(rb"\r\ncontent-length: *(\d+)", lower):
                await reader.readexactly(int(length[1]))
            elif b"\r\ntransfer-encoding: chunked" in lower:
                while size := int(await reader.readline(), 16):
                    await reader.readexactly(size + 2)
                await reader.readline()
            else:
                await reader.read()
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
            took.append(time.perf_counter() - begun)
            if b"\r\nconnection: close" in lower:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.close()

    await asyncio.gather(*(one(random.Random(number)) for number in range(connections)))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pywb", type=Path)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--lines", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--pywb-processes", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--folder", type=Path, help="made there, and used again when it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        archive = folder / "archive"
        if not archive.exists():
            write(archive, options.pages)
            if options.lines:
                write_index(archive, options.lines)
        servers = {"newswarc": lambda: newswarc(archive)}
        if options.pywb:
            servers["pywb"] = lambda: pywb(archive, options.pywb.resolve(), options.pywb_processes)
        found: dict[tuple[str, str], list[list[float]]] = {}
        for _ in range(options.repeat):
            for server, start in servers.items():
                with start() as port:
                    for kind in options.kinds:
                        targets = [target(server, kind, number) for number in range(options.pages)]
                        asyncio.run(load(port, targets, 1, options.connections))  # warm
                        took = asyncio.run(load(port, targets, options.seconds, options.connections))
                        found.setdefault((kind, server), []).append(took)
        print(
            f"{options.pages} pages, {options.lines} lines more, {options.connections} connections,"
            f" load {os.getloadavg()}"
        )
        print(f"{'':10} {'server':10} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8}")
        for kind in options.kinds:
            for server in servers:
                runs = found[kind, server]
                rate = statistics.median(len(run) / options.seconds for run in runs)
                pooled = sorted(one for run in runs for one in run)
                p50, p99 = (pooled[int(len(pooled) * share)] * 1000 for share in (0.5, 0.99))
                print(f"{kind:10} {server:10} {rate:10.0f} {p50:8.2f} {p99:8.2f}")


if __name__ == "__main__":
    main()
