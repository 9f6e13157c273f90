"""Look-ups over many segments: the right captures, in order, from a directory and from a bucket; merging."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import cdxj
from archive.capture import Capture
from archive.errors import IndexDamaged, ObjectDamaged
from archive.index import Index
from archive.index.sorted_lines import SortedLines
from archive.storage.local import LocalStorage
from tests.archive.indexed import AT, Bucket, capture, put, put_segment

URL = "https://news.example/a"


@pytest.fixture(params=[LocalStorage, Bucket])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> LocalStorage:
    kind: type[LocalStorage] = request.param
    return kind(tmp_path / "archive")


@pytest.fixture
def index(storage: LocalStorage, tmp_path: Path) -> Index:
    return Index(storage, tmp_path / "cache", refresh_s=0)


def numbers(captures: Iterator[Capture]) -> list[int]:
    return [int((capture.captured_at - AT).total_seconds()) for capture in captures]


def merged_files(storage: LocalStorage) -> list[str]:
    return [found.key for found in storage.list("index/merged/")]


def test_an_archive_without_captures_has_none(index: Index):
    assert list(index.captures(URL)) == []
    assert index.closest(URL, AT) is None


def test_captures_of_all_segments_come_in_time_order(storage: LocalStorage, index: Index):
    put_segment(storage, "one", capture(5), capture(1), capture(9, "https://news.example/b"))
    put_segment(storage, "two", capture(3), capture(8, "https://news.example/aa"))
    put_segment(storage, "empty")
    assert numbers(index.captures(URL)) == [1, 3, 5]


def test_a_capture_comes_back_whole(storage: LocalStorage, index: Index):
    put_segment(storage, "one", capture(5, redirect="https://news.example/b", status=301))
    assert list(index.captures(URL)) == [capture(5, redirect="https://news.example/b", status=301)]


def test_since_is_within_and_until_is_not(storage: LocalStorage, index: Index):
    put_segment(storage, "one", *(capture(number) for number in range(1, 6)))
    since, until = AT + timedelta(seconds=2), AT + timedelta(seconds=4)
    assert numbers(index.captures(URL, since=since, until=until)) == [2, 3]
    assert numbers(index.captures(URL, since=until)) == [4, 5]


def test_the_nearest_capture_of_two_as_near_is_the_earlier(storage: LocalStorage, index: Index):
    put_segment(storage, "one", capture(1), capture(5))
    put_segment(storage, "two", capture(9))
    for asked, given_ in [(-100, 1), (2, 1), (3, 1), (4, 5), (7, 5), (8, 9), (100, 9)]:
        found = index.closest(URL, AT + timedelta(seconds=asked))
        assert found is not None
        assert numbers(iter([found])) == [given_]


def test_a_url_of_its_own_is_preferred_to_others_of_its_key(storage: LocalStorage, index: Index):
    put_segment(storage, "one", capture(1, "https://news.example/?id=A"), capture(2, "https://news.example/?id=a"))
    assert numbers(index.captures("https://news.example/?id=a")) == [2]
    assert numbers(index.captures("https://news.example/?ID=a")) == [1, 2]
    assert numbers(index.captures("https://news.example/?id=a", exact=False)) == [1, 2]


def test_scheme_www_and_slash_make_no_difference(storage: LocalStorage, index: Index):
    put_segment(storage, "one", capture(1, "http://www.news.example/a/"), capture(2, "https://news.example/a"))
    assert numbers(index.captures("http://news.example/a#top")) == [1, 2]


def test_captures_not_sealed_yet_are_found_once(storage: LocalStorage, tmp_path: Path):
    lines = [
        cdxj.line(capture(7)),
        cdxj.line(capture(2)),
        cdxj.line(capture(1)),
        cdxj.line(capture(3, "http://b.example")),
    ]
    index = Index(storage, tmp_path / "cache", lambda: [line for line in lines if line])
    put_segment(storage, "one", capture(1))
    assert numbers(index.captures(URL)) == [1, 2, 7]


def test_a_segment_published_later_is_found_after_a_while(storage: LocalStorage, tmp_path: Path):
    put_segment(storage, "one", capture(1))
    believing, looking = Index(storage, tmp_path / "c", refresh_s=3600), Index(storage, tmp_path / "d", refresh_s=0)
    for index in (believing, looking):
        assert numbers(index.captures(URL)) == [1]
    put_segment(storage, "two", capture(2))
    assert numbers(looking.captures(URL)) == [1, 2]
    assert numbers(believing.captures(URL)) == [1]
    believing.refresh()
    assert numbers(believing.captures(URL)) == [1, 2]


@pytest.mark.parametrize("merged", [False, True])
def test_more_segments_than_a_process_may_open(tmp_path: Path, merged: bool):
    storage = LocalStorage(tmp_path / "archive")
    for number in range(1100):
        path = tmp_path / "archive" / "index" / "2026" / f"{number:04d}.cdxj"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cdxj.segment([capture(number)]))
    index = Index(storage, tmp_path / "cache")
    if merged:
        assert index.merge() == 1100
    assert numbers(index.captures(URL)) == list(range(1100))


@given(st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"") + b"\n")), st.binary(max_size=3))
def test_bisection_finds_what_a_search_of_every_line_finds(lines: list[bytes], prefix: bytes):
    lines.sort()
    found = SortedLines(b"".join(lines), "x")
    start, end = prefix, prefix + b"\xff"
    assert list(found.between(start, end)) == [line for line in lines if start <= line < end]
    assert list(found.all()) == lines


# --- damage


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (lambda data: data[:-1], "its last line is cut"),
        (lambda data: b"".join(reversed(data.splitlines(keepends=True))), "it is not sorted"),
        (lambda data: data.replace(b'"record_id"', b'"record-id"'), "not a line of this index"),
        (lambda data: data.replace(b"{", b" "), "not a line of this index"),
    ],
)
def test_a_damaged_segment_is_told_with_what_to_do(storage: LocalStorage, index: Index, damaged, reason: str):  # type: ignore[no-untyped-def]
    key = put_segment(storage, "one", *(capture(number) for number in range(100, 130)))
    put(storage, key, damaged(storage.read(key)))
    with pytest.raises(IndexDamaged, match=f"{reason}.*newswarc index rebuild"):
        list(index.captures(URL))


def test_a_segment_rebuilt_meanwhile_is_read_again(storage: LocalStorage, tmp_path: Path):
    index = Index(storage, tmp_path / "cache", refresh_s=3600)
    key = put_segment(storage, "one", capture(1), capture(2))
    good = storage.read(key)
    put(storage, key, good.replace(b'"record_id"', b'"record-id"'))
    with pytest.raises(IndexDamaged):
        list(index.captures(URL))
    put(storage, key, good)
    assert numbers(index.captures(URL)) == [1, 2]


# --- a bucket


def test_a_segment_of_a_bucket_is_fetched_once(tmp_path: Path):
    bucket = Bucket(tmp_path / "bucket")
    key = put_segment(bucket, "one", capture(1))
    for _ in range(3):
        assert numbers(Index(bucket, tmp_path / "cache").captures(URL)) == [1]
    assert bucket.fetched == [key]


def test_a_segment_that_comes_cut_is_never_used(tmp_path: Path):
    bucket = Bucket(tmp_path / "bucket")
    put_segment(bucket, "one", capture(1), capture(2))
    bucket.cut_at = len(cdxj.segment([capture(1)]))
    index = Index(bucket, tmp_path / "cache", refresh_s=0)
    with pytest.raises(ObjectDamaged, match="came as"):
        list(index.captures(URL))
    bucket.cut_at = None
    assert numbers(index.captures(URL)) == [1, 2]


def test_a_segment_that_comes_with_another_hash_is_never_used(tmp_path: Path):
    bucket = Bucket(tmp_path / "bucket")
    put_segment(bucket, "one", capture(1))
    bucket.sha256 = "0" * 64
    with pytest.raises(ObjectDamaged, match="0000"):
        list(Index(bucket, tmp_path / "cache").captures(URL))


# --- merging


def test_merging_changes_no_answer(storage: LocalStorage, index: Index):
    put_segment(storage, "one", capture(5), capture(1))
    put_segment(storage, "two", capture(3))
    before = list(index.captures(URL))
    assert index.merge() == 2
    assert list(index.captures(URL)) == before
    put_segment(storage, "three", capture(4))
    assert numbers(index.captures(URL)) == [1, 3, 4, 5]
    assert index.merge() == 3
    assert numbers(index.captures(URL)) == [1, 3, 4, 5]
    assert len([key for key in merged_files(storage) if key.endswith(".cdxj")]) == 1


def test_a_merged_file_is_read_instead_of_its_segments(tmp_path: Path):
    bucket = Bucket(tmp_path / "bucket")
    put_segment(bucket, "one", capture(1))
    put_segment(bucket, "two", capture(2))
    Index(bucket, tmp_path / "cache").merge()
    bucket.fetched.clear()
    assert numbers(Index(bucket, tmp_path / "other cache").captures(URL)) == [1, 2]
    assert [key.startswith("index/merged/") for key in bucket.fetched] == [True]


def test_merging_nothing(index: Index):
    assert index.merge() == 0
    assert list(index.captures(URL)) == []


def test_a_merged_file_whose_segments_changed_is_passed_over(storage: LocalStorage, index: Index):
    key = put_segment(storage, "one", capture(1))
    put_segment(storage, "two", capture(2))
    index.merge()
    put_segment(storage, "one", capture(1), capture(3))
    assert numbers(index.captures(URL)) == [1, 2, 3]
    storage.delete(key)
    assert numbers(index.captures(URL)) == [2]


@pytest.mark.parametrize("left", ["no list", "list without file", "list of another time", "nonsense", "other schema"])
def test_whatever_a_crash_leaves_of_a_merge_no_answer_changes(storage: LocalStorage, index: Index, left: str):
    put_segment(storage, "one", capture(1))
    put_segment(storage, "two", capture(2))
    index.merge()
    keys = merged_files(storage)
    list_key = next(key for key in keys if key.endswith(".json"))
    if left == "no list":
        storage.delete(list_key)
    elif left == "list without file":
        storage.delete(next(key for key in keys if key != list_key))
    elif left == "list of another time":
        old = json.loads(storage.read(list_key)) | {"size": 1}
        put(storage, list_key, json.dumps(old).encode())
    else:
        put(storage, list_key, b"{" if left == "nonsense" else b'{"schema": 99}')
    assert numbers(index.captures(URL)) == [1, 2]
    assert index.merge() == 2
    assert numbers(index.captures(URL)) == [1, 2]
    assert len(merged_files(storage)) == 2


def test_an_unsorted_segment_is_not_merged(storage: LocalStorage, index: Index):
    put_segment(storage, "one", capture(1))
    lines = [cdxj.line(capture(number)) or b"" for number in range(1000, 3000)]
    lines[777], lines[778] = lines[778], lines[777]
    put(storage, "index/2026/11/21/two.cdxj", b"".join(lines))
    with pytest.raises(IndexDamaged, match=r"two\.cdxj: it is not sorted"):
        index.merge()
    assert merged_files(storage) == []
