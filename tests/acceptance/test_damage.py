"""Any damage to any file of an archive is found by verification, and never handed out by reading.

``NEWSWARC_TEST_FAULTS`` says how many faults are tried; the default keeps the suite short.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.capture import Capture
from archive.scan import scan
from archive.storage.local import LocalStorage
from archive.verify import Report, verify_archive, verify_file
from tests.acceptance.news import publication
from tests.command import Command
from tests.servers.raw_site import running

FAULTS = int(os.environ.get("NEWSWARC_TEST_FAULTS", "60"))
FOLDERS = ("warc", "articles", "index", "manifest")
ARTICLES = 6


@dataclass(frozen=True)
class Written:
    """An archive that the command wrote; *urls* are its pages."""

    command: Command
    urls: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.command.path

    def files(self, *folders: str) -> list[Path]:
        return sorted(path for folder in folders for path in (self.path / folder).rglob("newswarc-*"))

    def key(self, path: Path) -> str:
        return str(path.relative_to(self.path))

    def verify(self) -> Report:
        return verify_archive(LocalStorage(self.path))

    def capture(self, url: str) -> Capture:
        with Archive.open(str(self.path)) as archive:
            return archive.closest(url, datetime.now(UTC))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    command = Command(tmp_path_factory.mktemp("damage"))
    (command.folder / "newswarc.toml").write_text("rotate_at_bytes = 8000\n")
    with running(publication(ARTICLES)) as site:
        urls = tuple(site.url(f"/2026/{number}") for number in range(ARTICLES))
        for half in (urls[:3], urls[3:]):
            command.run("archive", *half)
    return Written(command, urls)


@dataclass(frozen=True)
class Fault:
    """One bit of a file flipped, or its end cut off; *at* is the first byte concerned."""

    path: Path
    at: int
    bit: int | None

    @classmethod
    def draw(cls, rng: random.Random, files: list[Path]) -> Fault:
        path = rng.choice(files)
        return cls(path, rng.randrange(path.stat().st_size), rng.choice([None, rng.randrange(8)]))

    @property
    def kind(self) -> str:
        return "cut" if self.bit is None else "flip"

    def damage(self, whole: bytes) -> bytes:
        if self.bit is None:
            return whole[: self.at]
        return whole[: self.at] + bytes([whole[self.at] ^ 1 << self.bit]) + whole[self.at + 1 :]


@contextlib.contextmanager
def holding(path: Path, data: bytes | None) -> Iterator[None]:
    """Let the file at *path* hold *data* for a while; None: let it be gone."""
    whole = path.read_bytes()
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(whole)


@contextlib.contextmanager
def damaged(fault: Fault) -> Iterator[None]:
    with holding(fault.path, fault.damage(fault.path.read_bytes())):
        yield


def records(path: Path) -> list[tuple[int, int]]:
    """Return where each record of a WARC file begins and ends."""
    with path.open("rb") as stream:
        return [(record.offset, record.offset + record.length) for record in scan(stream)]


def test_every_fault_is_found_in_the_file_it_is_in(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    files = written.files(*FOLDERS)
    spans = {path: records(path) for path in written.files("warc", "articles")}
    told: Counter[str] = Counter()
    assert written.verify().findings == []
    for _ in range(FAULTS):
        fault = Fault.draw(rng, files)
        with damaged(fault):
            errors = [finding for finding in written.verify().findings if finding.severity == "error"]
        named = [finding for finding in errors if finding.file == written.key(fault.path)]
        assert named, f"{fault}, seed {seed}, found: {errors}"
        told[fault.kind] += 1
        if fault.path in spans:
            first = fault.at - (fault.bit is None)  # a cut between two records concerns neither
            span = next((span for span in spans[fault.path] if span[0] <= first and fault.at < span[1]), None)
            if span is not None:
                assert any(span[0] <= found.offset < span[1] for found in named if found.offset is not None), (
                    f"{fault}, seed {seed}, found: {errors}"
                )
                told["located in a record"] += 1
    assert written.verify().findings == []
    with capsys.disabled():
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(told.items()))
        print(f"[{FAULTS} faults in an archive, all found and named: {counts}; seed {seed}]")


def test_faults_are_found_in_a_warc_file_alone(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    files = written.files("warc", "articles")
    told: Counter[str] = Counter()
    for path in files:
        assert verify_file(path).ok  # what it refers to may lie elsewhere, which is told
    for _ in range(FAULTS):
        fault = Fault.draw(rng, files)
        with damaged(fault):
            found = not verify_file(fault.path).ok
        between_records = fault.bit is None and fault.at in {end for _, end in records(fault.path)}
        assert found or between_records, f"{fault}, seed {seed}"  # what is not there leaves no trace in the rest
        told[f"{fault.kind} {'found' if found else 'between records, not found'}"] += 1
    with capsys.disabled():
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(told.items()))
        print(f"[{FAULTS} faults in single WARC files: {counts}; seed {seed}]")


def test_a_missing_file_is_found(written: Written) -> None:
    for path in written.files(*FOLDERS):
        with holding(path, None):
            report = written.verify()
        assert not report.ok, path
        stem = path.name.partition(".")[0]
        assert any(stem in finding.message for finding in report.findings if finding.severity == "error"), path
    assert written.verify().ok


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_command_tells_the_damaged_file_and_says_so_in_its_exit_code(written: Written, folder: str) -> None:
    path = random.Random(folder).choice(written.files(folder))
    with damaged(Fault(path, path.stat().st_size // 2, 3)):
        rows = written.command.run("verify", "--json", code=5).rows
    assert written.key(path) in {row["file"] for row in rows if row.get("severity") == "error"}
    if folder == "manifest":
        written.command.run("verify", "--deep")  # the untouched archive


def forged(member: bytes) -> bytes:
    """Return a sound gzip member of the same length that holds other text: no checksum of gzip's can tell."""
    text = gzip.decompress(member)
    at = text.index(b"</p>") - 3
    other = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
    squeeze = zlib.compressobj(9, wbits=-15)
    data = squeeze.compress(other) + squeeze.flush()
    padding = len(member) - len(data) - 20  # the header of 10 bytes, the length of the extra field, the trailer of 8
    assert padding >= 0
    header = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", padding) + bytes(padding)
    return header + data + struct.pack("<II", zlib.crc32(other), len(other))


@pytest.mark.parametrize("how", ["flipped in the data", "flipped in the trailer", "cut", "forged"])
def test_a_damaged_record_is_refused_and_not_shown(written: Written, how: str) -> None:
    url = written.urls[1]
    place = written.capture(url).place
    path = written.path / place.key
    whole, end = path.read_bytes(), place.offset + place.length
    bad = {
        "flipped in the data": Fault(path, place.offset + place.length // 2, 5).damage(whole),
        "flipped in the trailer": Fault(path, end - 6, 0).damage(whole),
        "cut": whole[: end - 20],
        "forged": whole[: place.offset] + forged(whole[place.offset : end]) + whole[end:],
    }[how]
    assert written.command.run("show", "--format", "raw", url).out.startswith(b"<!doctype html>")
    with holding(path, bad):
        ran = written.command.run("show", "--format", "raw", url, code=5)
    assert ran.out == b""
    (line,) = ran.err.splitlines()
    assert line.startswith("newswarc: ")
    if how == "forged":
        assert "header says sha256:" in line
    else:
        assert place.key in line
