"""What the command has acknowledged survives its sudden death, at any moment.

``NEWSWARC_TEST_KILLS`` says how often it is killed; the default keeps the suite short.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from archive.catalog import Catalog
from tests.acceptance.archives import opened, record_ids
from tests.acceptance.news import publication
from tests.command import Command
from tests.servers.raw_site import running

KILLS = int(os.environ.get("NEWSWARC_TEST_KILLS", "8"))
ARTICLES = 200


def run_and_kill(command: Command, urls: Path, after: int, after_s: float) -> list[dict[str, Any]]:
    """Archive *urls*, kill the process *after_s* after its *after*-th acknowledgement; return all it acknowledged."""
    process = command.start("archive", "--json", "--from", str(urls))
    assert process.stdout is not None
    assert process.stderr is not None
    rows: list[dict[str, Any]] = []
    begun = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith(b"\n"):  # a line cut by the kill acknowledges nothing
                rows.append(json.loads(line))
                if len(rows) >= after:
                    begun.set()
        begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(60), "too little was acknowledged"
    time.sleep(after_s)
    process.kill()
    process.wait()
    reader.join()
    process.stdout.close()
    process.stderr.close()
    return rows


@pytest.mark.slow
def test_no_acknowledged_capture_is_lost(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    acknowledged: set[str] = set()
    unpublished = 0
    seen: dict[str, dict[str, list[str]]] = {}
    with running(publication(ARTICLES)) as site:
        urls = tmp_path / "urls.txt"
        urls.write_text("\n".join(site.url(f"/2026/{number}") for number in range(ARTICLES)))
        for _ in range(KILLS):
            # Soon after so many that it is still at work: a run that has ended has published all.
            rows = run_and_kill(command, urls, rng.randint(1, ARTICLES // 2), rng.uniform(0, 0.2))
            new = {row["record_id"] for row in rows if row["outcome"] in ("saved", "unchanged")}
            with opened(command) as archive:
                unpublished += len(new - set(record_ids(archive, seen)))
            acknowledged |= new
        command.run("archive", "--no-requisites", site.url("/2026/0"))  # mends and publishes what was left behind

    with opened(command) as archive:
        present = record_ids(archive)
        assert not acknowledged - set(present), f"seed {seed}"
        assert not {name: faults for name, faults in present.items() if faults}, f"seed {seed}"
        assert not list(archive.sessions_dir.iterdir())
        before = list(archive.catalog.dump())
    command.run("verify", "--deep")
    command.run("index", "rebuild")
    with opened(command) as archive, Catalog(archive.catalog_path) as catalog:
        assert list(catalog.dump()) == before, f"seed {seed}"
    # The control: without mending, what was acknowledged would not be in the archive.
    assert unpublished > 0
    with capsys.disabled():
        counts = f"{KILLS} kills, {len(acknowledged)} acknowledged, {unpublished} unpublished before mending"
        print(f"[{counts}, seed {seed}]")
