"""``newswarc export``: what other tools open, from a directory and from a bucket.

``NEWSWARC_TEST_PYWB`` and ``NEWSWARC_TEST_WACZ`` name the ``bin`` directories of environments with pywb and wacz.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import time
import urllib.error
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive.scan import scan
from tests.acceptance.news import article_html, publication
from tests.acceptance.test_pywb import START_S, fetch
from tests.command import Command
from tests.installed import required
from tests.servers.raw_site import running
from tests.servers.weed import free_ports


def blocks(data: bytes) -> list[bytes]:
    """Return the records after the first, which tells the name and time of an export."""
    return [one.header + one.block.read() for one in scan(io.BytesIO(data))][1:]


def test_every_format_holds_what_was_archived(command: Command):
    with running(publication(2)) as site:
        urls = [site.url(f"/2026/{number}", "localhost") for number in range(2)]
        command.run("archive", *urls)
        command.run("archive", "--no-requisites", urls[0])  # once more: a revisit
    done = command.run("export", "--format", "wacz", "--output", "all.wacz", "--title", "All")
    assert "2 pages with articles" in done.err or "3 pages with articles" in done.err
    other = Command(command.folder, archive="other")
    (row,) = other.run("import", "--json", "all.wacz").rows
    assert (row["fault_count"], row["outcome"]) == (0, "imported")
    for number, url in enumerate(urls):
        assert other.run("show", url, "--format", "raw").out == article_html(number)
    with zipfile.ZipFile(command.folder / "all.wacz") as package:
        assert json.loads(package.read("datapackage.json"))["title"] == "All"
    command.run("export", "--format", "wacz", "--output", "one.wacz", "--url", urls[1])
    command.run("verify", "one.wacz", "all.wacz")
    with zipfile.ZipFile(command.folder / "one.wacz") as package:
        index = gzip.decompress(package.read("indexes/index.cdx.gz")).decode()
    assert all(name in index for name in ("/style.css", "/picture.png", "/wave.svg", "/2026/1"))
    assert "/2026/0" not in index
    command.run("export", "--format", "warc", "--no-requisites", "--output", "one.warc.gz", "--url", urls[1])
    command.run("verify", "one.warc.gz", "--strict")
    streamed = command.run("export", "--format", "warc", "--no-requisites", "--url", urls[1]).out
    assert blocks(streamed) == blocks((command.folder / "one.warc.gz").read_bytes())
    lines = command.run("export", "--format", "jsonl").out.splitlines()
    assert sorted(json.loads(line)["url"] for line in lines) == sorted(urls)
    table = command.run("export", "--format", "csv", "--limit", "1").out.decode()
    assert len(list(csv.DictReader(io.StringIO(table)))) == 1
    command.run("export", "--format", "md", "--output", "texts")
    assert len(list((command.folder / "texts").rglob("*.md"))) == 2


def test_what_cannot_be_exported_is_said(tmp_path: Path):
    command = Command(tmp_path)
    with running(publication(1)) as site:
        command.run("archive", "--no-requisites", site.url("/2026/0"))
    assert "name a file, as export.wacz" in command.run("export", "--format", "wacz", code=2).err
    assert "not in archive" in command.run("export", "--format", "warc", "--url", "https://no.example/", code=1).err
    nothing = command.run("export", "--format", "wacz", "-o", "a.wacz", "--publisher", "Nobody", code=1)
    assert "nothing is exported" in nothing.err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert "no empty directory" in command.run("export", "--format", "md", "-o", "full", code=2).err
    assert not (tmp_path / "a.wacz").exists()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a folder with ``all.wacz`` and ``all.warc.gz``, and the URLs of three pages in them."""
    command = Command(tmp_path_factory.mktemp("exported"))
    with running(publication(3)) as site:
        urls = [site.url(f"/2026/{number}", "localhost") for number in range(3)]
        command.run("archive", *urls)
        command.run("archive", urls[0])
    command.run("export", "--format", "wacz", "--output", "all.wacz")
    command.run("export", "--format", "warc", "--output", "all.warc.gz")
    return command.folder, urls


def test_the_validator_of_py_wacz_accepts_a_package(exported: tuple[Path, list[str]]):
    environment = required("NEWSWARC_TEST_WACZ", "pip install wacz into an environment of its own, name its bin")
    done = subprocess.run(
        [str(Path(environment) / "wacz"), "validate", "-f", str(exported[0] / "all.wacz")],
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert b"Validation succeeded" in done.stdout


@contextmanager
def pywb_with(path: Path, folder: Path, *options: str) -> Iterator[str]:
    """Serve *path*, added to a collection of pywb's own as its users do; yields its base URL."""
    environment = required("NEWSWARC_TEST_PYWB", "pip install pywb into an environment of its own, name its bin")
    variables = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for arguments in (("init", "news"), ("add", *options, "news", str(path))):
        subprocess.run(
            [str(Path(environment) / "wb-manager"), *arguments], cwd=folder, env=variables, check=True, timeout=120
        )
    (port,) = free_ports(1)
    with (folder / "pywb.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(environment) / "wayback"), "--port", str(port), "--bind", "127.0.0.1"],
            cwd=folder, stdout=log, stderr=log, env=variables,
        )  # fmt: skip
        base = f"http://127.0.0.1:{port}/news"
        try:
            deadline = time.monotonic() + START_S
            while True:
                try:
                    fetch(f"{base}/cdx?url=http://localhost/")
                    break
                except (urllib.error.URLError, ConnectionError):
                    assert process.poll() is None, (folder / "pywb.log").read_text()
                    assert time.monotonic() < deadline, "pywb did not start"
                    time.sleep(0.2)
            yield base
        finally:
            process.terminate()
            process.wait()


@pytest.mark.parametrize(("name", "options"), [("all.warc.gz", ()), ("all.wacz", ("--unpack-wacz",))])
def test_pywb_replays_what_was_exported(
    name: str, options: tuple[str, ...], exported: tuple[Path, list[str]], tmp_path: Path
):
    folder, urls = exported
    with pywb_with(folder / name, tmp_path, *options) as base:
        listed = [json.loads(line) for line in fetch(f"{base}/cdx?url={urls[0]}&output=json").splitlines()]
        assert [row["mime"] for row in listed] == ["text/html", "warc/revisit"]
        for row in listed:
            assert fetch(f"{base}/{row['timestamp']}id_/{urls[0]}") == article_html(0)
        assert fetch(f"{base}/id_/{urls[2]}") == article_html(2)
        assert fetch(f"{base}/id_/{urls[0].rpartition('/2026')[0]}/wave.svg").startswith(b"<svg")
