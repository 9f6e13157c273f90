"""Rotation and names: one segment after the other, by size and age, and none without content."""

from __future__ import annotations

import errno
import io
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastReader

from archive import names
from archive.errors import DiskFull, StorageError
from archive.writer import SegmentWriter
from tests.archive.exchanges import AT, FIELDS, records_of
from tests.archive.test_segment import failing, files_of_at_most


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def writer(directory: Path, **options: object) -> SegmentWriter:
    return SegmentWriter(directory, "captures", FIELDS, **{"host": "crawler-1", "now": lambda: AT, **options})  # type: ignore[arg-type]  # a keyword dictionary of mixed values


def append(to: SegmentWriter, number: int) -> None:
    with records_of(number, warcinfo_id=to.warcinfo_id) as records:
        to.append(records)


def test_a_writer_that_is_given_nothing_leaves_nothing(tmp_path: Path):
    made = writer(tmp_path)
    made.sync()
    assert not made.due
    assert made.rotate() is None
    assert made.close() is None
    assert list(tmp_path.iterdir()) == []


def test_a_segment_in_which_nothing_found_room_is_deleted(tmp_path: Path):
    made = writer(tmp_path)
    with files_of_at_most(600), pytest.raises(DiskFull):
        append(made, 1)
    assert len(list(tmp_path.iterdir())) == 1
    assert made.close() is None
    assert list(tmp_path.iterdir()) == []


def test_records_name_the_warcinfo_of_the_file_they_stand_in(tmp_path: Path):
    made = writer(tmp_path)
    sealed = []
    for number in range(3):
        append(made, number)
        append(made, number + 10)
        sealed.append(made.rotate())
    for file in sealed:
        records = [dict(r.headers.astuples()) for r in FastReader(io.BytesIO(file.path.read_bytes()), parse_http=False)]
        assert records[0]["WARC-Filename"] == file.path.name
        assert {record["WARC-Warcinfo-ID"] for record in records[1:]} == {records[0]["WARC-Record-ID"]}
    assert len({file.stem for file in sealed}) == 3
    assert [file.stem.split("-")[2] for file in sealed] == ["00001", "00002", "00003"]


def test_a_segment_is_due_when_it_is_large(tmp_path: Path):
    made = writer(tmp_path, rotate_at_bytes=5000)
    numbers = iter(range(100))
    while not made.due:
        append(made, next(numbers))
    assert made.rotate().manifest.size >= 5000
    assert not made.due


def test_a_segment_is_due_when_it_is_old(tmp_path: Path):
    clock = Clock()
    made = writer(tmp_path, rotate_after_s=60.0, monotonic_s=clock)
    append(made, 1)
    clock.s = 59.0
    assert not made.due
    clock.s = 60.0
    assert made.due
    made.close()
    assert not made.due


def test_appending_never_seals(tmp_path: Path):
    made = writer(tmp_path, rotate_at_bytes=1)
    for number in range(3):
        append(made, number)
    assert len(list(tmp_path.iterdir())) == 1
    assert made.close().manifest.records["response"] == 3


def test_a_stem_tells_time_serial_and_host():
    stem = names.new_stem("captures", 7, "Crawler_1.News.Example", AT)
    assert re.fullmatch(r"newswarc-20261121204800123-00007-crawler-1-news-example-[0-9a-f]{12}", stem)
    assert names.new_stem("captures", 7, "Crawler_1.News.Example", AT) != stem
    assert names.kind_of(stem) == "captures"
    assert names.keys(stem) == names.Keys(
        f"warc/2026/11/21/{stem}.warc.gz", f"index/2026/11/21/{stem}.cdxj", f"manifest/2026/11/21/{stem}.json"
    )


def test_the_stem_of_articles_says_so_and_has_no_index_key():
    stem = names.new_stem("articles", 1, "host", AT)
    assert stem.endswith("-articles")
    assert names.keys(stem) == names.Keys(
        f"articles/2026/11/21/{stem}.warc.gz", None, f"manifest/2026/11/21/{stem}.json"
    )


@pytest.mark.parametrize(("host", "clean"), [("", "host"), ("...", "host"), ("ÄB.c", "b-c"), ("a" * 60, "a" * 40)])
def test_any_host_name_can_stand_in_a_file_name(host: str, clean: str):
    assert names.clean_host(host) == clean


@pytest.mark.parametrize("stem", ["", "other", "newswarc-2026", "../newswarc-20261121204800123-00001-host-abc"])
def test_a_name_that_is_not_ours_has_no_keys(stem: str):
    with pytest.raises(ValueError, match="not the name of a segment"):
        names.keys(stem)


def test_after_a_full_disk_the_same_segment_goes_on(tmp_path: Path):
    made = writer(tmp_path)
    append(made, 1)
    (path,) = tmp_path.iterdir()
    with files_of_at_most(path.stat().st_size + 10), pytest.raises(DiskFull):
        append(made, 2)
    append(made, 3)
    made.sync()
    assert made.close().manifest.records["response"] == 2


def test_a_segment_lost_with_unsynced_records_is_never_called_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = writer(tmp_path)
    append(made, 1)
    (path,) = tmp_path.iterdir()
    first_id = made.warcinfo_id
    with monkeypatch.context() as broken, files_of_at_most(path.stat().st_size + 10):
        broken.setattr(os, "ftruncate", failing("ftruncate", errno.EIO))
        with pytest.raises(DiskFull):
            append(made, 2)
    assert made.warcinfo_id != first_id
    append(made, 3)
    for _ in range(2):
        with pytest.raises(StorageError, match="not confirmed"):
            made.sync()
    assert path.exists()
    assert made.close().manifest.records["response"] == 1


def test_the_time_in_a_name_is_utc():
    moscow = timezone(timedelta(hours=3))
    stem = names.new_stem("captures", 1, "host", datetime(2026, 11, 22, 1, 30, tzinfo=moscow))
    assert stem.startswith("newswarc-20261121223000000-")
