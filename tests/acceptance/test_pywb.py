"""pywb, in an environment of its own, lists and replays what the command archived, by our own index.

``NEWSWARC_TEST_PYWB`` names the ``bin`` directory of that environment.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.news import article_html, publication
from tests.command import Command
from tests.installed import required
from tests.servers.raw_site import running
from tests.servers.weed import free_ports

START_S = 60


@contextmanager
def pywb_over(archive: Path, folder: Path) -> Iterator[str]:
    """Serve *archive* with pywb; yields its base URL."""
    environment = required("NEWSWARC_TEST_PYWB", "pip install pywb into an environment of its own, name its bin")
    lines = sorted(line for path in (archive / "index").rglob("*.cdxj") for line in path.read_bytes().splitlines(True))
    (folder / "all.cdxj").write_bytes(b"".join(lines))
    config = {
        "collections": {"news": {"index_paths": str(folder / "all.cdxj"), "archive_paths": f"{archive}/"}},
        "framed_replay": False,
    }
    (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
    (port,) = free_ports(1)
    with (folder / "pywb.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(environment) / "wayback"), "--port", str(port), "--bind", "127.0.0.1"],
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
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


def fetch(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        data = answer.read()
    assert isinstance(data, bytes)
    return data


@pytest.mark.slow
def test_pywb_lists_and_replays_pages_requisites_and_revisits(tmp_path: Path) -> None:
    command = Command(tmp_path)
    with running(publication(3)) as site:
        urls = [site.url(f"/2026/{number}", "localhost") for number in range(3)]
        command.run("archive", *urls)
        command.run("archive", urls[0])  # once more: a revisit
    served = tmp_path / "pywb"
    served.mkdir()
    with pywb_over(command.path, served) as base:
        listed = [json.loads(line) for line in fetch(f"{base}/cdx?url={urls[0]}&output=json").splitlines()]
        assert [row["mime"] for row in listed] == ["text/html", "warc/revisit"]
        for row in listed:
            assert fetch(f"{base}/{row['timestamp']}id_/{urls[0]}") == article_html(0)
        assert fetch(f"{base}/id_/{urls[2]}") == article_html(2)
        page = fetch(f"{base}/{listed[0]['timestamp']}mp_/{urls[0]}").decode()
        for needed in ("style.css", "picture.png"):
            (address,) = re.findall(rf'(?:href|src)="([^"]*{needed})"', page)
            assert fetch(urllib.parse.urljoin(base, address))
        assert b"wave.svg" in fetch(f"{base}/id_/{urls[0].rpartition('/2026')[0]}/style.css")
        assert fetch(f"{base}/id_/{urls[0].rpartition('/2026')[0]}/wave.svg").startswith(b"<svg")
