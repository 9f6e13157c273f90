"""Mending: whatever a crash or a bad disk did to a segment, its whole records come back and nothing is thrown away."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastReader
from warcio.archiveiterator import ArchiveIterator as WarcioReader

from archive import warc
from archive.errors import DiskFull
from archive.mending import Mended, mend_open, mend_session
from archive.names import stem_of
from archive.scan import scan
from archive.warc import Record
from tests.archive.exchanges import filled, records_of
from tests.archive.test_segment import files_of_at_most

PAGES = 4


class Leftover:
    """A segment as a writer that died leaves it, and the same segment closed in peace."""

    def __init__(self, folder: Path, pages: int = PAGES) -> None:
        self.session, self.quarantine, self.peace = folder / "session", folder / "quarantine", folder / "peace"
        self.session.mkdir(parents=True)
        made, self.starts = filled(self.session, pages)
        self.path, self.data = made.path, made.path.read_bytes()
        self.name = stem_of(made.path.name)
        aside = folder / "aside"
        shutil.copytree(self.session, aside)
        made.seal()
        self.session.rename(self.peace)
        aside.rename(self.session)

    def write(self, data: bytes) -> None:
        self.path.write_bytes(data)

    def quarantined(self) -> dict[int, bytes]:
        return {int(path.stem.split("-")[-1]): path.read_bytes() for path in self.quarantine.glob("*.bytes")}


@pytest.fixture
def leftover(tmp_path: Path) -> Leftover:
    return Leftover(tmp_path)


def tree(*folders: Path) -> dict[str, bytes]:
    return {
        f"{folder.name}/{path.name}": path.read_bytes()
        for folder in folders
        if folder.exists()
        for path in sorted(folder.iterdir())
    }


def sealed_bytes(mended: Mended) -> bytes:
    assert mended.sealed is not None
    data = mended.sealed.path.read_bytes()
    manifest = json.loads(mended.sealed.manifest_path.read_bytes())
    assert (manifest["size"], manifest["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    return data


def flipped(data: bytes, position: int, bit: int = 0) -> bytes:
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


def test_what_was_not_damaged_is_sealed_as_if_closed_in_peace(leftover: Leftover):
    mended = mend_open(leftover.path, leftover.quarantine)
    assert {k.partition("/")[2]: v for k, v in tree(leftover.session).items()} == {
        k.partition("/")[2]: v for k, v in tree(leftover.peace).items()
    }
    assert (mended.kept, mended.damaged_bytes, mended.quarantined, mended.moved) == (1 + 3 * PAGES, 0, (), False)
    assert not leftover.quarantine.exists()
    assert str(mended).endswith(f"{1 + 3 * PAGES} whole records kept, nothing damaged")


def test_wherever_a_file_was_cut_its_whole_records_are_kept_and_the_tail_too(tmp_path: Path):
    chance = random.Random(40)
    for number in range(40):
        leftover = Leftover(tmp_path / str(number), pages=3)
        at = chance.randrange(leftover.starts[2], len(leftover.data))  # after the warcinfo and one record
        if number < 3:
            at = leftover.starts[2 + number]  # exactly between two records
        leftover.write(leftover.data[:at])
        mended = mend_open(leftover.path, leftover.quarantine)
        kept = max(start for start in leftover.starts if start <= at)
        assert sealed_bytes(mended) == leftover.data[:kept]
        assert leftover.quarantined() == ({kept: leftover.data[kept:at]} if at > kept else {})
        assert not mended.moved


def test_a_cut_file_that_is_not_mended_makes_readers_fail(leftover: Leftover):
    cut = leftover.data[:-30]
    with pytest.raises(EOFError):
        gzip.decompress(cut)
    with_cut = [record.rec_headers["WARC-Record-ID"] for record in WarcioReader(io.BytesIO(cut))]
    assert len(with_cut) == 1 + 3 * PAGES  # the half record is presented as if it were one
    leftover.write(cut)
    mended = sealed_bytes(mend_open(leftover.path, leftover.quarantine))
    gzip.decompress(mended)
    assert len([1 for _ in WarcioReader(io.BytesIO(mended))]) == 3 * PAGES


def test_wherever_a_bit_was_flipped_the_other_records_are_kept(tmp_path: Path):
    chance = random.Random(41)
    for number in range(40):
        leftover = Leftover(tmp_path / str(number), pages=3)
        position = chance.randrange(len(leftover.data))
        damaged = flipped(leftover.data, position, chance.randrange(8))
        leftover.write(damaged)
        mended = mend_open(leftover.path, leftover.quarantine)
        kept, quarantined = sealed_bytes(mended), leftover.quarantined()
        index = max(i for i, start in enumerate(leftover.starts) if start <= position)
        begin, end = leftover.starts[index : index + 2]
        if not quarantined:  # a bit of the gzip header that means nothing: time, system, extra flags
            assert 3 <= position - begin <= 9
            assert kept == leftover.data
            assert mended.healed == 1
        else:
            assert quarantined == {begin: damaged[begin:end]}
            assert kept == leftover.data[:begin] + leftover.data[end:]
            assert mended.moved == (end < len(leftover.data))


@pytest.mark.parametrize("byte", range(3, 10))
def test_a_gzip_header_with_a_changed_byte_of_no_meaning_is_set_right(leftover: Leftover, byte: int):
    leftover.write(flipped(leftover.data, leftover.starts[3] + byte))
    mended = mend_open(leftover.path, leftover.quarantine)
    assert sealed_bytes(mended) == leftover.data
    assert (mended.healed, mended.damaged_bytes) == (1, 0)


def test_what_segments_do_not_write_is_not_taken_for_a_record(leftover: Leftover):
    last = leftover.starts[-2]
    with io.BytesIO() as named:
        with gzip.GzipFile("name", "wb", fileobj=named, mtime=0) as member:
            member.write(gzip.decompress(leftover.data[last:]))
        leftover.write(leftover.data[:last] + named.getvalue())
    assert sealed_bytes(mend_open(leftover.path, leftover.quarantine)) == leftover.data[:last]
    plain = gzip.decompress(leftover.data)
    leftover.write(plain)
    assert mend_open(leftover.path, leftover.quarantine).sealed is None


def test_bytes_that_are_no_record_go_to_quarantine_from_the_middle_too(leftover: Leftover):
    at = leftover.starts[4]
    leftover.write(leftover.data[:at] + bytes(5000) + leftover.data[at:] + b"\x1f\x8b\x08")
    mended = mend_open(leftover.path, leftover.quarantine)
    assert sealed_bytes(mended) == leftover.data
    assert leftover.quarantined() == {at: bytes(5000), len(leftover.data) + 5000: b"\x1f\x8b\x08"}
    assert mended.moved
    assert {k.partition("/")[2]: v for k, v in tree(leftover.session).items()} == {
        k.partition("/")[2]: v for k, v in tree(leftover.peace).items()
    }


def test_every_index_line_of_a_rewritten_file_leads_to_its_record(leftover: Leftover):
    leftover.write(flipped(leftover.data, leftover.starts[2] + 40))
    data = sealed_bytes(mend_open(leftover.path, leftover.quarantine))
    lines = (leftover.session / f"{leftover.name}.cdxj").read_bytes().splitlines()
    assert len(lines) == PAGES - 1
    for line in lines:
        entry = json.loads(line.split(b" ", 2)[2])
        offset, length = int(entry["offset"]), int(entry["length"])
        (record,) = FastReader(io.BytesIO(data[offset : offset + length]), parse_http=False)
        assert record.headers["WARC-Target-URI"] == entry["url"]


def test_a_record_that_inflates_but_does_not_hash_to_its_digest_is_damaged(leftover: Leftover):
    begin, end = leftover.starts[2:4]
    changed = gzip.compress(gzip.decompress(leftover.data[begin:end]).replace(b"text/html", b"text/xxxx"), mtime=0)
    leftover.write(leftover.data[:begin] + changed + leftover.data[end:])
    mended = mend_open(leftover.path, leftover.quarantine)
    assert sealed_bytes(mended) == leftover.data[:begin] + leftover.data[end:]
    assert leftover.quarantined() == {begin: changed}
    (account,) = leftover.quarantine.glob("*.json")
    assert json.loads(account.read_bytes()) == {
        "segment": leftover.name,
        "offset": begin,
        "length": len(changed),
        "sha256": hashlib.sha256(changed).hexdigest(),
        "faults": [{"offset": begin, "what": "its block does not hash to its WARC-Block-Digest"}],
    }


def test_a_record_without_digest_is_none_that_was_committed(leftover: Leftover):
    fields = [("WARC-Type", "metadata"), ("WARC-Record-ID", "<urn:uuid:1>"), ("WARC-Date", "2026-11-21T20:48:00Z")]
    bare = warc.encode(Record("metadata", fields, b"a: b\r\n"))
    leftover.write(leftover.data + bare)
    assert sealed_bytes(mend_open(leftover.path, leftover.quarantine)) == leftover.data
    assert leftover.quarantined() == {len(leftover.data): bare}


def test_records_within_a_fetched_warc_file_are_never_taken_for_ours(leftover: Leftover):
    with records_of(99, warcinfo_id="<urn:uuid:00000000-0000-4000-8000-00000000beef>") as forged:
        fetched = b"".join(warc.encode(record) for record in forged)
    # A compressor may store what does not get smaller; then a body stands byte for byte in the member that holds it.
    with records_of(50, body=fetched) as records:
        members = [warc.encode(record) for record in records]
    members[1] = gzip.compress(gzip.decompress(members[1]), 0, mtime=0)
    assert fetched in members[1]
    members[1] = members[1][:10] + b"\x07" + members[1][11:]  # a deflate block of a type that does not exist
    damaged = leftover.data + members[0] + members[1]
    seen = []
    for record in scan(io.BytesIO(damaged)):
        with record:
            seen.append(record.fields.get("WARC-Target-URI"))
    assert "https://news.example/2026/11/21/99" in seen  # a tolerant reader does find it
    leftover.write(damaged + members[2])
    mended = mend_open(leftover.path, leftover.quarantine)
    assert sealed_bytes(mended) == leftover.data + members[0] + members[2]
    assert b"".join(leftover.quarantined().values()) == members[1]


def test_a_lost_warcinfo_does_not_cost_the_records_behind_it(leftover: Leftover):
    leftover.write(flipped(leftover.data, 60))
    assert sealed_bytes(mend_open(leftover.path, leftover.quarantine)) == leftover.data[leftover.starts[1] :]
    assert list(leftover.quarantined()) == [0]


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b\x08\x00half", bytes(4096)])
def test_a_file_without_a_whole_record_goes_to_quarantine(leftover: Leftover, data: bytes):
    leftover.write(data)
    mended = mend_open(leftover.path, leftover.quarantine)
    assert mended.sealed is None
    assert list(leftover.session.iterdir()) == []
    assert leftover.quarantined() == ({0: data} if data else {})


def test_a_file_with_its_warcinfo_alone_vanishes_as_an_empty_segment_does(leftover: Leftover):
    leftover.write(leftover.data[: leftover.starts[1] + 20])
    mended = mend_open(leftover.path, leftover.quarantine)
    assert mended.sealed is None
    assert list(leftover.session.iterdir()) == []
    assert leftover.quarantined() == {leftover.starts[1]: leftover.data[leftover.starts[1] :][:20]}
    assert "no capture in it was whole" in str(mended)


def test_damaged_bytes_are_in_quarantine_before_they_leave_the_file(
    leftover: Leftover, monkeypatch: pytest.MonkeyPatch
):
    cut = leftover.starts[-2]
    ftruncate = os.ftruncate
    seen = []

    def watched(descriptor: int, size: int) -> None:
        seen.append((size, leftover.quarantined()))
        ftruncate(descriptor, size)

    monkeypatch.setattr(os, "ftruncate", watched)
    leftover.write(leftover.data[:-5])
    mend_open(leftover.path, leftover.quarantine)
    assert seen == [(cut, {cut: leftover.data[cut:-5]})]


def test_a_disk_too_full_for_the_quarantine_leaves_the_file_as_it_was(leftover: Leftover):
    damaged = leftover.data[: leftover.starts[3]] + bytes(9000) + leftover.data[leftover.starts[3] :]
    leftover.write(damaged)
    with files_of_at_most(4000), pytest.raises(DiskFull):
        mend_session(leftover.session, leftover.quarantine)
    assert leftover.path.read_bytes() == damaged
    (mended,) = mend_session(leftover.session, leftover.quarantine)
    assert sealed_bytes(mended) == leftover.data


def test_other_damage_at_the_same_place_is_kept_beside_the_first(leftover: Leftover):
    tail = leftover.starts[-2]
    for damage in (b"\x1f\x8bfirst", b"\x1f\x8bsecond", b"\x1f\x8bfirst"):
        shutil.rmtree(leftover.session)
        leftover.session.mkdir()
        leftover.write(leftover.data[:tail] + damage)
        mend_open(leftover.path, leftover.quarantine)
    kept = [path.read_bytes() for path in leftover.quarantine.glob("*.bytes")]
    assert sorted(kept) == [b"\x1f\x8bfirst", b"\x1f\x8bsecond"]


def test_a_session_that_was_sealed_is_left_alone(leftover: Leftover):
    before = tree(leftover.peace)
    assert mend_session(leftover.peace, leftover.quarantine) == []
    assert tree(leftover.peace) == before


@pytest.mark.parametrize("missing", [[".json"], [".json", ".cdxj"]])
def test_a_seal_that_was_interrupted_is_completed_to_the_same_bytes(leftover: Leftover, missing: list[str]):
    before = tree(leftover.peace)
    for suffix in missing:
        (leftover.peace / f"{leftover.name}{suffix}").unlink()
    (leftover.peace / f"{leftover.name}.json.part").write_bytes(b"{")
    assert len(mend_session(leftover.peace, leftover.quarantine)) == 1
    assert tree(leftover.peace) == before


# --- killed at every step


def dies_at(step: int, work: Callable[[], object]) -> bool:
    """Do *work* in a child process that dies right before its *step*-th change to a file; tell whether it died."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in {0, 9}, code
        return code == 9
    count = 0

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def perform(*values: object, **options: object) -> object:
            nonlocal count
            count += 1
            if count == step:
                os._exit(9)
            return call(*values, **options)

        return perform

    try:
        for name in ("fsync", "fdatasync", "ftruncate", "replace", "rename", "unlink", "write", "open", "mkdir"):
            setattr(os, name, counted(getattr(os, name)))
        work()
        os._exit(0)
    finally:
        os._exit(1)


DAMAGE: dict[str, Callable[[Leftover], bytes]] = {
    "none": lambda left: left.data,
    "tail": lambda left: left.data[:-7],
    "middle": lambda left: flipped(left.data, left.starts[2] + 40),
    "both": lambda left: flipped(left.data, left.starts[2] + 40)[:-7],
    "all": lambda left: left.data[: left.starts[1] + 9],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_mending_killed_at_any_step_and_done_again_comes_to_the_same_end(leftover: Leftover, damage: str):
    leftover.write(DAMAGE[damage](leftover))
    start = tree(leftover.session)

    def begin_again() -> None:
        for folder in (leftover.session, leftover.quarantine):
            shutil.rmtree(folder, ignore_errors=True)
        leftover.session.mkdir()
        for name, data in start.items():
            (leftover.session / name.partition("/")[2]).write_bytes(data)

    def mend() -> list[Mended]:
        return mend_session(leftover.session, leftover.quarantine)

    mend()
    wanted = tree(leftover.session, leftover.quarantine)
    assert wanted != start
    step = 1
    while True:
        begin_again()
        died = dies_at(step, mend)
        mend()
        left = {name: data for name, data in tree(leftover.session, leftover.quarantine).items() if ".part" not in name}
        assert left == wanted, f"killed before step {step}"
        if not died:
            break
        step += 1
    assert step > 6


def test_sealing_killed_at_any_step_is_completed_to_the_same_bytes(tmp_path: Path):
    session = tmp_path / "session"
    session.mkdir()
    made, _ = filled(session, PAGES)
    data = made.path.read_bytes()
    ends = []
    died = True
    while died:
        died = dies_at(len(ends) + 1, made.seal)
        mend_session(session, tmp_path / "quarantine")
        ends.append(tree(session))
        shutil.rmtree(session)
        session.mkdir()
        made.path.write_bytes(data)
    made.discard()
    assert len(ends) > 6
    assert len(ends[-1]) == 3  # not killed at all
    assert all(end == ends[-1] for end in ends)
    assert not (tmp_path / "quarantine").exists()
