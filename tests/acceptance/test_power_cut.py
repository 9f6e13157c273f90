"""What the command acknowledges is durable before it says so, by the account of its own system calls."""

from __future__ import annotations

import json
import random
import shutil
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive import names
from archive.archive import Archive
from archive.scan import scan
from archive.verify import verify_archive
from tests.acceptance.archives import record_ids
from tests.acceptance.news import publication
from tests.acceptance.power import STRACE, SYNCS, Call, Disk, calls
from tests.command import Command
from tests.servers.raw_site import running

ARTICLES = 12
CUTS = 25


class Traced(Command):
    @property
    def arguments(self) -> list[str]:
        return [*STRACE, "-o", str(self.folder / "trace"), *super().arguments]


@dataclass(frozen=True)
class Run:
    """One run of the command over an archive that was not there before."""

    root: Path
    trace: tuple[str, ...]
    archive: Path
    lengths: dict[tuple[str, int], int]  # of records, by the key of their WARC file and their offset

    @property
    def published(self) -> dict[str, Path]:
        """The published files by name."""
        return {path.name: path for path in self.archive.rglob("newswarc-*") if ".newswarc" not in path.parts}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    if shutil.which("strace") is None:
        pytest.skip("no strace; apt-get install strace")
    command = Traced(tmp_path_factory.mktemp("traced"))
    (command.folder / "newswarc.toml").write_text("rotate_at_bytes = 8000\n")
    with running(publication(ARTICLES)) as site:
        command.run("archive", "--json", *[site.url(f"/2026/{number}") for number in range(ARTICLES)])
    lengths = {}
    for path in (command.path / "warc").rglob("*.warc.gz"):
        key = str(path.relative_to(command.path))
        with path.open("rb") as stream:
            for record in scan(stream):
                with record:
                    lengths[key, record.offset] = record.length
    trace = tuple((command.folder / "trace").read_text("ascii").splitlines())
    return Run(command.folder, trace, command.path, lengths)


class Replay:
    """The trace of a run played again on a disk that loses all that is not durable.

    *acknowledged* are the rows told so far; *broken* are the promises that a power cut would have broken. *ignored* are
    the syncs that are taken for nothing: of "files" or of "directories".
    """

    def __init__(self, run: Run, ignored: str = "") -> None:
        self.run, self.ignored = run, ignored
        self.disk = Disk(str(run.root))
        self.acknowledged: list[dict[str, Any]] = []
        self.removed = 0
        self.broken: list[str] = []
        self._calls = calls(run.trace, str(run.root))
        self._told = b""

    def __iter__(self) -> Iterator[Call]:
        """Play one call after the other, yielding it when it has returned."""
        for moment, call in self._calls:
            if call.name in SYNCS and self.ignored == ("files" if "/newswarc-" in call.path else "directories"):
                continue
            if moment == "begin":
                if call.name == "write" and call.descriptor == 1:
                    self._tell(call.text)
                elif call.name == "unlink":
                    self._remove(Path(call.paths[0]))
                self.disk.begin(call)
            else:
                self.disk.end(call)
                if call.name in ("unlink", "rename", "ftruncate"):
                    for row in self.acknowledged:
                        self._require(row, f"after {call.name} {call.arguments}")
                yield call

    def _tell(self, text: bytes) -> None:
        self._told += text
        *lines, self._told = self._told.split(b"\n")
        for line in lines:
            row = json.loads(line)
            self._require(row, "when it was told")
            self.acknowledged.append(row)

    def _require(self, row: dict[str, Any], when: str) -> None:
        """Check that the record of *row* survives where the next start looks."""
        key, offset = row["warc"], row["offset"]
        end = offset + self.run.lengths[key, offset]
        name = key.rpartition("/")[2]
        places = [str(self.run.archive / key)]
        for session in (path for path in self.disk.safe if Path(path).parent.name == "sessions"):
            places += [f"{session}/{name}", f"{session}/{name}{names.OPEN_SUFFIX}"]
        surviving = self.disk.surviving()
        if not any(path in surviving and surviving[path].safe >= end for path in places):
            self.broken.append(f"{row['url']}: not durable {when}")

    def _remove(self, path: Path) -> None:
        """Check that a finished file is published for good at the moment its local copy goes."""
        published = self.run.published.get(path.name)
        if path.parent.parent.name != "sessions" or published is None:
            return
        self.removed += 1
        inode = self.disk.surviving().get(str(published))
        if inode is None or inode.safe < published.stat().st_size:
            self.broken.append(f"{path.name}: removed before it was published for good")


def test_what_is_told_and_what_is_removed_is_durable(run: Run) -> None:
    replay = Replay(run)
    deque(replay, 0)
    assert not replay.broken
    assert len(replay.acknowledged) == ARTICLES
    assert replay.removed == len(run.published) > 3


@pytest.mark.parametrize("ignored", ["files", "directories"])
def test_without_the_syncs_it_would_not_be(run: Run, ignored: str) -> None:
    """The control: the same trace, as if the command had not synced its files, or not its directories."""
    replay = Replay(run, ignored)
    deque(replay, 0)
    assert len(replay.acknowledged) == ARTICLES
    assert [line for line in replay.broken if "when it was told" in line]
    assert [line for line in replay.broken if "removed before" in line]


def test_after_a_power_cut_at_any_moment_the_next_start_makes_the_archive_whole(run: Run, tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    contents = _contents(run)
    moments = [number for number, call in enumerate(Replay(run)) if call.touched.startswith(str(run.archive))]
    cuts = set(random.Random(seed).sample(moments, CUTS))
    replay = Replay(run)
    for number, _ in enumerate(replay):
        if number not in cuts:
            continue
        with Archive.open(str(_left(replay.disk, contents, tmp_path / str(number)) / run.archive.name)) as archive:
            archive.recover()
            found = record_ids(archive)
            assert not {row["record_id"] for row in replay.acknowledged} - set(found), f"seed {seed}, cut {number}"
            if found:
                report = verify_archive(archive.storage)
                assert report.ok, f"seed {seed}, cut {number}: {list(report.lines())}"


def _contents(run: Run) -> dict[int, bytes]:
    """Return the bytes of the files that the run wrote, all of them, also of those it removed again."""
    published = {name: path.read_bytes() for name, path in run.published.items()}
    replay = Replay(run)
    contents = {}
    for _ in replay:
        for path, inode in replay.disk.names.items():
            if inode is not None and (data := published.get(Path(path).name)) is not None:
                contents[inode.number] = data
    return contents


def _left(disk: Disk, contents: dict[int, bytes], folder: Path) -> Path:
    """Put what survives of *disk* into *folder*: what files hold is known but for those without meaning for others."""
    for path, inode in disk.surviving().items():
        target = folder / Path(path).relative_to(disk.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if inode.number in contents:
            target.write_bytes(contents[inode.number][: inode.safe])
    return folder
