"""Segments: whole exchanges or nothing, durable names, one seal; and what a full or failing disk does."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastReader
from warcio.archiveiterator import ArchiveIterator as WarcioReader

from archive import warc
from archive.errors import DiskFull, MalformedRecord, StorageError
from archive.manifest import Manifest
from archive.place import Place
from archive.segment import Segment
from archive.spool import Spool
from archive.warc import Record
from tests.archive.exchanges import AT, WARCINFO, article, filled, records_of, segment
from tests.limits import files_of_at_most


def read_at(path: Path, place: Place) -> bytes:
    with path.open("rb") as file:
        file.seek(place.offset)
        return file.read(place.length)


def failing(call: str, code: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise OSError(code, f"{call}: {os.strerror(code)}")

    return refuse


# --- appending


def test_a_segment_begins_with_its_warcinfo_under_its_open_name(tmp_path: Path):
    made = segment(tmp_path)
    assert made.path.name == f"{made.stem}.warc.gz.open"
    (record,) = FastReader(io.BytesIO(made.path.read_bytes()), parse_http=False)
    assert record.headers["WARC-Filename"] == f"{made.stem}.warc.gz"
    made.discard()
    assert list(tmp_path.iterdir()) == []


def test_places_are_the_spans_of_whole_members_under_the_final_key(tmp_path: Path):
    made = segment(tmp_path)
    with records_of(1) as records:
        places = [entry.place for entry in made.append(records)]
        assert [read_at(made.path, place) for place in places] == [warc.encode(record) for record in records]
    assert {place.key for place in places} == {f"warc/2026/11/21/{made.stem}.warc.gz"}
    assert places[0].offset + places[0].length == places[1].offset
    assert places[-1].offset + places[-1].length == made.size == made.path.stat().st_size
    made.discard()


def test_a_name_that_is_taken_is_never_written_over(tmp_path: Path):
    made = segment(tmp_path)
    before = made.path.read_bytes()
    with pytest.raises(StorageError, match="File exists"):
        Segment(tmp_path, made.stem, warc.warcinfo("x", [], date=AT))
    assert made.path.read_bytes() == before
    made.discard()


def test_a_disk_that_fills_up_at_any_byte_leaves_the_file_as_it_was(tmp_path: Path):
    made, _ = filled(tmp_path, 3)
    before = made.path.read_bytes()
    with records_of(7) as records:
        needed = sum(len(warc.encode(record)) for record in records)
        chance = random.Random(7)
        for room in [0, 1, needed - 1, *(chance.randrange(needed) for _ in range(40))]:
            with files_of_at_most(made.size + room), pytest.raises(DiskFull, match="no room left"):
                made.append(records)
            assert made.path.read_bytes() == before
        with files_of_at_most(made.size + needed):
            places = [entry.place for entry in made.append(records)]
        after = made.path.read_bytes()
        assert after == before + b"".join(warc.encode(record) for record in records)
        assert places[0].offset == len(before)
    sealed = made.seal()
    assert sealed.manifest.sha256 == hashlib.sha256(after).hexdigest()
    assert sealed.manifest.records == {"warcinfo": 1, "request": 4, "response": 4, "metadata": 4}


def test_a_disk_too_full_for_the_first_record_leaves_no_file(tmp_path: Path):
    with files_of_at_most(20), pytest.raises(DiskFull):
        segment(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_cutting_back_a_full_disk_leaves_half_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made, _ = filled(tmp_path, 1)
    before = made.path.read_bytes()
    monkeypatch.setattr(made, "_cut_back", lambda: None)
    with records_of(7) as records, files_of_at_most(made.size + 100), pytest.raises(DiskFull):
        made.append(records)
    assert len(made.path.read_bytes()) == len(before) + 100
    made.discard()


def test_when_cutting_back_fails_too_nothing_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made, _ = filled(tmp_path, 1)
    with records_of(7) as records:
        with monkeypatch.context() as broken, files_of_at_most(made.size + 100):
            broken.setattr(os, "ftruncate", failing("ftruncate", errno.EIO))
            with pytest.raises(DiskFull):
                made.append(records)
        assert made.damaged
        left = made.path.read_bytes()
        for attempt in (lambda: made.append(records), made.sync, made.seal):
            with pytest.raises(StorageError, match="mended"):
                attempt()
    assert made.path.read_bytes() == left


def test_a_sync_that_failed_is_never_believed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = segment(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", failing("fdatasync", errno.EIO))
        with pytest.raises(StorageError, match="Input/output error"):
            made.sync()
    with pytest.raises(StorageError):
        made.sync()


def test_a_quota_met_at_sync_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = segment(tmp_path)
    monkeypatch.setattr(os, "fdatasync", failing("fdatasync", errno.EDQUOT))
    with pytest.raises(DiskFull):
        made.sync()


def test_a_block_that_cannot_be_read_leaves_the_file_as_it_was(tmp_path: Path):
    made, _ = filled(tmp_path, 1)
    before = made.path.read_bytes()
    spool = Spool(b"HTTP/1.1 200 OK\r\n\r\n")
    record = Record("response", [("WARC-Type", "response")], spool)
    spool.close()
    with records_of(7) as records, pytest.raises(ValueError, match="closed file"):
        made.append([*records, record])
    assert made.path.read_bytes() == before
    made.discard()


def test_a_record_that_could_not_be_indexed_is_not_written(tmp_path: Path):
    made, _ = filled(tmp_path, 1)
    before = made.path.read_bytes()
    dated = [("WARC-Type", "response"), ("WARC-Record-ID", WARCINFO), ("WARC-Date", "2026-11-21T20:48:00Z")]
    with pytest.raises(MalformedRecord, match="WARC-Target-URI"):
        made.append([Record("response", dated, b"HTTP/1.1 200 OK\r\n\r\n")])
    assert made.path.read_bytes() == before
    assert made.seal().manifest.records["response"] == 1


def test_bytes_written_but_not_accounted_for_are_cut_off(tmp_path: Path):
    made, _ = filled(tmp_path, 1)
    before = made.path.read_bytes()
    with made.path.open("ab") as file:  # as if interrupted right after the write
        file.write(b"\x1f\x8b half a member")
    with records_of(7) as records:
        made.append(records)
        assert made.path.read_bytes() == before + b"".join(warc.encode(record) for record in records)
    made.discard()


def test_a_file_that_lost_bytes_is_not_written_to(tmp_path: Path):
    made, _ = filled(tmp_path, 1)
    os.truncate(made.path, 10)
    with records_of(7) as records, pytest.raises(StorageError, match="has 10 bytes"):
        made.append(records)


def test_a_large_body_passes_through_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    longest = 0
    write = os.write

    def watched(descriptor: int, data: memoryview) -> int:
        nonlocal longest
        longest = max(longest, len(data))
        return write(descriptor, data)

    made = segment(tmp_path)
    with records_of(1, body=random.Random(1).randbytes(8 << 20)) as records:
        monkeypatch.setattr(os, "write", watched)
        places = [entry.place for entry in made.append(records)]
        assert hashlib.sha256(read_at(made.path, places[1])).digest() == (
            hashlib.sha256(warc.encode(records[1])).digest()
        )
    assert longest < 2 << 20
    made.discard()


# --- sealing


def test_sealing_gives_the_final_name_an_index_segment_and_a_manifest(tmp_path: Path):
    made, _ = filled(tmp_path, 12)
    written = made.path.read_bytes()
    sealed = made.seal()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{made.stem}.cdxj",
        f"{made.stem}.json",
        f"{made.stem}.warc.gz",
    ]
    assert sealed.path.read_bytes() == written
    lines = (tmp_path / f"{made.stem}.cdxj").read_bytes()
    assert len(lines.splitlines()) == 12
    assert lines.splitlines() == sorted(lines.splitlines())
    manifest = json.loads(sealed.manifest_path.read_bytes())
    assert manifest == {
        "schema": 1,
        "kind": "captures",
        "key": f"warc/2026/11/21/{made.stem}.warc.gz",
        "size": len(written),
        "sha256": hashlib.sha256(written).hexdigest(),
        "records": {"warcinfo": 1, "request": 12, "response": 12, "metadata": 12},
        "first": "2026-11-21T20:48:00.123456Z",
        "last": "2026-11-21T20:48:11.123456Z",
        "created": "2026-11-21T20:48:00.123456Z",
        "software": "newswarc/0",
        "index": {
            "key": f"index/2026/11/21/{made.stem}.cdxj",
            "size": len(lines),
            "sha256": hashlib.sha256(lines).hexdigest(),
        },
    }
    assert Manifest.from_bytes(sealed.manifest_path.read_bytes()) == sealed.manifest
    assert sealed.manifest.to_bytes() == sealed.manifest_path.read_bytes()


def test_every_index_line_leads_to_its_record(tmp_path: Path):
    made, _ = filled(tmp_path, 5)
    sealed = made.seal()
    for line in sealed.path.with_name(f"{made.stem}.cdxj").read_bytes().splitlines():
        entry = json.loads(line.split(b" ", 2)[2])
        place = Place(entry["filename"], int(entry["offset"]), int(entry["length"]))
        (record,) = FastReader(io.BytesIO(read_at(sealed.path, place)), parse_http=False)
        assert record.headers["WARC-Target-URI"] == entry["url"]
        assert record.headers["WARC-Payload-Digest"] == entry["digest"]


def test_a_segment_of_articles_has_a_manifest_and_no_index(tmp_path: Path):
    made = segment(tmp_path, kind="articles")
    record = warc.conversion(article(1, "<urn:uuid:1>"), warcinfo_id=WARCINFO, date=datetime.now(UTC))
    (entry,) = made.append([record])
    place = entry.place
    assert place.key == f"articles/2026/11/21/{made.stem}.warc.gz"
    sealed = made.seal()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{made.stem}.json", f"{made.stem}.warc.gz"]
    assert sealed.index_path is None
    assert sealed.manifest.index is None
    assert sealed.manifest.records == {"warcinfo": 1, "conversion": 1}


def test_two_readers_find_every_record_of_a_sealed_file_sound(tmp_path: Path):
    made, _ = filled(tmp_path, 10)
    sealed = made.seal()
    with sealed.path.open("rb") as file:
        checked = []
        for record in WarcioReader(file, check_digests=True):
            record.content_stream().read()
            checked.append((record.rec_type, record.digest_checker.passed))
    assert checked == [("warcinfo", True), *[("request", True), ("response", True), ("metadata", True)] * 10]
    with sealed.path.open("rb") as file:
        assert [record.verify_block_digest() for record in FastReader(file, parse_http=False)] == [True] * 31


def test_a_manifest_appears_only_when_everything_else_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made, _ = filled(tmp_path, 2)
    replace = os.replace
    seen = []

    def watched(source: Path, target: Path) -> None:
        seen.append((Path(target).name, sorted(path.name for path in tmp_path.iterdir())))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    made.seal()
    name, before = seen[-1]
    assert name == f"{made.stem}.json"
    assert before == [f"{made.stem}.cdxj", f"{made.stem}.json.part", f"{made.stem}.warc.gz"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema": 2}', b'{"schema": 1}', b"\xff"])
def test_what_is_no_manifest_is_refused(data: bytes):
    with pytest.raises(ValueError, match=r"manifest|Expecting"):
        Manifest.from_bytes(data)
