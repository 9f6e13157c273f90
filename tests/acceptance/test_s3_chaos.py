"""Whatever befalls the S3 service, its network or its answers, an archive in a bucket ends whole."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.archives import opened, record_ids, sessions
from tests.acceptance.conftest import s3_variables
from tests.acceptance.news import answer, publication
from tests.command import TIME_LIMIT_S, Command
from tests.servers.fault_proxy import FaultProxy, Faults
from tests.servers.raw_site import RawSite, running
from tests.servers.weed import Weed

pytestmark = [pytest.mark.s3, pytest.mark.slow]

PATIENT_S = 90
SMALL = 8_000  # bytes of a segment: a run of a few pages makes several
LARGE = 1_000_000_000  # so that a run makes one
MULTIPART_MIN = 5 << 20
_BUCKETS = itertools.count(1)


@pytest.fixture
def proxy(weed: Weed) -> Iterator[FaultProxy]:
    with FaultProxy(weed.port) as made:
        yield made


@pytest.fixture
def command(weed: Weed, proxy: FaultProxy, tmp_path: Path) -> Command:
    """The command, which reaches its bucket through the fault proxy alone."""
    made = Command(tmp_path, f"s3://{weed.make_bucket(f'chaos-{next(_BUCKETS)}')}/news")
    made.variables |= s3_variables(proxy.endpoint)
    configure(made, patience_s=PATIENT_S)
    return made


def configure(command: Command, *, patience_s: float, rotate_at_bytes: int = SMALL) -> None:
    (command.folder / "newswarc.toml").write_text(
        f"rotate_at_bytes = {rotate_at_bytes}\n"
        f"[s3]\npatience_s = {patience_s}\ntimeout_s = 10\npart_bytes = {MULTIPART_MIN}\n"
    )


def check_whole(command: Command, weed: Weed, acknowledged: set[str]) -> None:
    """Check, asking the service itself, that everything *acknowledged* is there, whole, and nothing is left behind."""
    direct = Command(command.folder, command.archive, command.variables | s3_variables(weed.endpoint))
    with opened(direct) as archive:
        published = record_ids(archive)
        assert not acknowledged - set(published)
        assert not {name: faults for name, faults in published.items() if faults}
        assert not sessions(archive)
        keys = {found.key for found in archive.storage.list()}
        for key in [key for key in keys if key.startswith("manifest/")]:
            manifest = json.loads(archive.storage.read(key))
            for file in filter(None, (manifest, manifest["index"])):
                keys.remove(file["key"])
                assert hashlib.sha256(archive.storage.read(file["key"])).hexdigest() == file["sha256"]
            keys.remove(key)
        assert not keys, "published without a manifest"
    assert weed.open_uploads(command.archive.split("/")[2]) == []
    direct.run("verify", "--deep")


def ids(rows: list[dict[str, Any]]) -> set[str]:
    assert {row["outcome"] for row in rows} <= {"saved", "unchanged"}, rows
    return {row["record_id"] for row in rows}


def urls(site: RawSite, first: int, last: int) -> list[str]:
    return [site.url(f"/2026/{number}") for number in range(first, last)]


BAD_DAYS = {
    "one request in three is answered 503": Faults(error_share=1 / 3),
    "one answer in three is lost, what was asked for is done": Faults(drop_share=1 / 3),
    "one upload in three is cut in the middle": Faults(cut_share=1 / 3),
    "all of it, and bits flip": Faults(
        error_share=0.1,
        statuses=(500, 503, 429, 409),
        drop_share=0.1,
        cut_share=0.1,
        flip_share=0.02,
        short_share=0.05,
    ),
}


@pytest.mark.parametrize("faults", BAD_DAYS.values(), ids=BAD_DAYS)
def test_nothing_is_lost_and_nothing_half_stands_in_the_bucket(
    command: Command, proxy: FaultProxy, weed: Weed, faults: Faults
) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    proxy.set(replace(faults, seed=seed))
    with running(publication(6)) as site:
        ran = command.run("archive", "--json", *urls(site, 0, 6))
    met = proxy.counts.total() - proxy.counts["requests"]
    assert met >= 5, proxy.counts
    assert len(ran.rows) == 6
    check_whole(command, weed, ids(ran.rows))


class Running:
    """A run of the command under way; *rows* grow as it acknowledges pages."""

    def __init__(self, command: Command, *arguments: str) -> None:
        self._process = command.start("archive", "--json", *arguments)
        self.rows: list[dict[str, Any]] = []
        self.err = ""
        self._readers = [threading.Thread(target=self._read_out), threading.Thread(target=self._read_err)]
        for reader in self._readers:
            reader.start()

    def _read_out(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as out:
            self.rows.extend(json.loads(line) for line in out)

    def _read_err(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as err:
            self.err = err.read().decode()

    def wait_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIME_LIMIT_S
        while not done():
            assert self._process.poll() is None, f"it ended: {self.err}"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def end(self) -> int:
        try:
            return self._process.wait(TIME_LIMIT_S)
        finally:
            self._process.kill()
            for reader in self._readers:
                reader.join()


def test_a_service_that_dies_and_comes_back_is_waited_for(command: Command, proxy: FaultProxy, weed: Weed) -> None:
    with running(publication(16)) as site:
        run = Running(command, *urls(site, 0, 16))
        try:
            run.wait_until(lambda: proxy.counts["requests"] > 10)
            weed.kill()
            asked = proxy.counts["requests"]
            run.wait_until(lambda: proxy.counts["requests"] > asked + 2)
        finally:
            weed.restart()
            code = run.end()
    assert code == 0, run.err
    assert len(run.rows) == 16
    check_whole(command, weed, ids(run.rows))


def test_an_outage_longer_than_the_patience_leaves_the_captures_to_the_next_run(
    command: Command, proxy: FaultProxy, weed: Weed
) -> None:
    configure(command, patience_s=1, rotate_at_bytes=LARGE)
    with running(publication(30)) as site:
        with proxy.down():
            first = command.run("archive", "--quiet", "--json", *urls(site, 0, 10), code=4)
            second = command.run(
                "archive", "--quiet", "--json", *urls(site, 10, 20), code=4
            )  # also when others wait already
        for ran in (first, second):
            assert len(ran.rows) == 10
            (line,) = ran.err.splitlines()
            assert line.startswith("newswarc: ")
            assert command.archive in line
            assert "captures are kept in" in line
        with opened(command) as archive:
            waiting = sessions(archive)
            assert len({name.partition("/")[0] for name in waiting}) == 2
            assert not [name for name in waiting if name.endswith(".open")]
        third = command.run("archive", "--json", *urls(site, 20, 30))
    check_whole(command, weed, ids(first.rows) | ids(second.rows) | ids(third.rows))


def test_a_segment_sent_in_parts_arrives_whole_on_a_bad_day(command: Command, proxy: FaultProxy, weed: Weed) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    configure(command, patience_s=PATIENT_S, rotate_at_bytes=LARGE)
    site = publication(1)
    site.scripts["/picture.png"] = answer(random.Random(seed).randbytes(12_000_000), "image/png")
    proxy.set(Faults(seed=seed, error_share=0.1, drop_share=0.1, cut_share=0.1))
    with running(site):
        ran = command.run("archive", "--json", site.url("/2026/0"))
    check_whole(command, weed, ids(ran.rows))
    sizes = [found["Size"] for found in objects(command, weed)]
    assert max(sizes) > 2 * MULTIPART_MIN


def objects(command: Command, weed: Weed) -> list[dict[str, Any]]:
    client = weed.client()
    try:
        found: list[dict[str, Any]] = client.list_objects_v2(Bucket=command.archive.split("/")[2])["Contents"]
        return found
    finally:
        client.close()
