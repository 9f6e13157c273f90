from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from archive import names
from archive.errors import (
    DiskFull,
    ObjectConflict,
    ObjectDamaged,
    ObjectMissing,
    StorageError,
    StorageRefused,
    StorageUnavailable,
)
from archive.manifest import IndexFile, Manifest
from archive.storage import Stat, Storage
from archive.storage.local import LocalStorage
from archive.storage.s3 import S3Storage
from archive.upload import Uploader, publish
from tests.servers.weed import Weed
from tests.storage.conftest import sha256

DISK_EVENTS = frozenset({"open", "os.link", "os.remove", "os.rename", "os.mkdir"})
S3_EVENTS = frozenset({"http.client.send", "os.remove"})  # a request is sent in one or two pieces: head and body


def seal(directory: Path, serial: int, *, articles: bool = False) -> str:
    """Put a sealed segment into *directory* as a writer does; return its stem."""
    stem = f"newswarc-20261121204800123-{serial:05d}-host-0123456789ab" + ("-articles" if articles else "")
    keys = names.keys(stem)
    warc, index = b"WARC %d" % serial * 1000, b"index %d\n" % serial
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{stem}.warc.gz").write_bytes(warc)
    if keys.index:
        (directory / f"{stem}.cdxj").write_bytes(index)
    manifest = Manifest(
        kind=names.kind_of(stem),
        key=keys.warc,
        size=len(warc),
        sha256=sha256(warc),
        records={"response": 1},
        first=None,
        last=None,
        created=None,
        software=None,
        index=IndexFile(keys.index, len(index), sha256(index)) if keys.index else None,
    )
    (directory / f"{stem}.json").write_bytes(manifest.to_bytes())
    return stem


def keys_of(*stems: str) -> list[str]:
    every = [names.keys(stem) for stem in stems]
    return sorted([key for keys in every for key in (keys.warc, keys.index, keys.manifest) if key], key=str.encode)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    directory = tmp_path / "session"
    directory.mkdir()
    (directory / "lock").touch()
    return directory


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "archive")


class Watched:
    """A storage that notes the keys put, and fails on those that contain a word of *failing*."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.location = storage.location
        self.order: list[str] = []
        self.failing: dict[str, StorageError] = {}

    def put(self, key: str, source: Path | bytes, *, sha256: str, replace: bool = False) -> None:
        for word, error in self.failing.items():
            if word in key:
                raise error
        self._storage.put(key, source, sha256=sha256, replace=replace)
        self.order.append(key)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        return self._storage.read(key, start, length)

    def open(self, key: str) -> BinaryIO:
        return self._storage.open(key)

    def stat(self, key: str) -> Stat | None:
        return self._storage.stat(key)

    def list(self, prefix: str = "") -> Iterator[Stat]:
        return self._storage.list(prefix)

    def delete(self, key: str) -> None:
        self._storage.delete(key)

    def probe(self):
        return self._storage.probe()


@pytest.fixture
def watched(storage: LocalStorage) -> Watched:
    return Watched(storage)


def test_a_sealed_segment_is_shipped_manifest_last_and_removed_here(session: Path, watched: Watched):
    captures, articles = seal(session, 1), seal(session, 1, articles=True)
    (session / "newswarc-20261121204800123-00002-host-0123456789ab.warc.gz.open").write_bytes(b"being written")
    shipped = publish(session, watched)
    assert shipped == [names.keys(articles).warc, names.keys(captures).warc]
    assert [item.key for item in watched.list()] == keys_of(captures, articles)
    assert watched.order[-3:] == [names.keys(captures).warc, names.keys(captures).index, names.keys(captures).manifest]
    assert sorted(path.name for path in session.iterdir()) == [
        "lock",
        "newswarc-20261121204800123-00002-host-0123456789ab.warc.gz.open",
    ]
    assert publish(session, watched) == []


def test_a_file_without_manifest_is_not_shipped(session: Path, storage: LocalStorage):
    stem = seal(session, 1)
    (session / f"{stem}.json").unlink()
    assert publish(session, storage) == []
    assert list(storage.list()) == []
    assert (session / f"{stem}.warc.gz").exists()


def test_a_directory_that_is_not_there_has_nothing_to_ship(tmp_path: Path, storage: LocalStorage):
    assert publish(tmp_path / "none", storage) == []


@pytest.mark.parametrize("suffix", [".warc.gz", ".cdxj"])
@pytest.mark.parametrize("change", ["flip", "cut"])
def test_bytes_that_no_longer_match_their_manifest_are_kept_and_reported(
    session: Path, storage: LocalStorage, suffix: str, change: str
):
    bad, good = seal(session, 1), seal(session, 2)
    path = session / (bad + suffix)
    data = path.read_bytes()
    path.write_bytes(data[:-1] if change == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ObjectDamaged, match=bad):
        publish(session, storage)
    assert {path.name for path in session.iterdir()} == {"lock", bad + ".warc.gz", bad + ".cdxj", bad + ".json"}
    assert storage.stat(names.keys(bad).manifest) is None
    assert storage.stat(names.keys(good).manifest) is not None


@pytest.mark.parametrize("data", [b"", b"{", b'{"schema": 99}', b"\xff\xfe", b"[]"])
def test_a_manifest_that_cannot_be_read_is_kept_and_reported(session: Path, storage: LocalStorage, data: bytes):
    stem = seal(session, 1)
    (session / f"{stem}.json").write_bytes(data)
    with pytest.raises(ObjectDamaged, match="kept where they are"):
        publish(session, storage)
    assert (session / f"{stem}.warc.gz").exists()


def test_a_manifest_cannot_ship_the_files_of_another_segment(session: Path, storage: LocalStorage):
    one, two = seal(session, 1), seal(session, 2)
    (session / f"{one}.json").write_bytes((session / f"{two}.json").read_bytes())
    with pytest.raises(ObjectDamaged, match="another segment"):
        publish(session, storage)
    assert storage.stat(names.keys(one).warc) is None


def test_a_segment_whose_key_holds_other_bytes_is_kept(session: Path, storage: LocalStorage):
    stem = seal(session, 1)
    storage.put(names.keys(stem).warc, b"other", sha256=sha256(b"other"))
    with pytest.raises(ObjectConflict):
        publish(session, storage)
    assert (session / f"{stem}.warc.gz").exists()
    assert storage.stat(names.keys(stem).manifest) is None


def test_several_failures_are_all_told(session: Path, storage: LocalStorage):
    for serial in (1, 2):
        (session / f"{seal(session, serial)}.warc.gz").write_bytes(b"")
    with pytest.raises(ObjectDamaged) as caught:
        publish(session, storage)
    assert len(caught.value.__notes__) == 1


def test_a_lost_file_is_reported_not_taken_for_published(session: Path, storage: LocalStorage):
    stem = seal(session, 1)
    (session / f"{stem}.warc.gz").unlink()
    with pytest.raises(ObjectMissing):
        publish(session, storage)
    storage.put(names.keys(stem).warc, b"other", sha256=sha256(b"other"))
    with pytest.raises(ObjectDamaged):
        publish(session, storage)


def publish_killed_at(number: int, events: frozenset[str], session: Path, connect: Callable[[], Storage]) -> bool:
    """Publish in a child that is killed with SIGKILL at the numbered one of *events*; tell whether it was."""
    child = os.fork()
    if child == 0:
        left = number

        def kill_at(event: str, _: object) -> None:
            nonlocal left
            if event in events:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            storage = connect()
            sys.addaudithook(kill_at)
            publish(session, storage)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def assert_a_rerun_completes(session: Path, storage: Storage, stems: list[str], contents: dict[str, bytes]) -> None:
    # What a reader sees before the rerun is whole: a manifest in storage never stands without its files.
    found = {item.key for item in storage.list()}
    for stem in stems:
        keys = names.keys(stem)
        if keys.manifest in found:
            assert {keys.warc, keys.index} <= found
    publish(session, storage)
    assert {item.key: storage.read(item.key) for item in storage.list()} == contents
    assert [path.name for path in session.iterdir()] == ["lock"]


def sealed_contents(session: Path, stems: list[str]) -> dict[str, bytes]:
    contents = {}
    for stem in stems:
        keys = names.keys(stem)
        for key in (keys.warc, keys.index, keys.manifest):
            assert key is not None
            contents[key] = (session / key.rpartition("/")[2]).read_bytes()
    return contents


def test_killed_at_any_moment_it_is_completed_by_the_next_run(tmp_path: Path):
    moment, was_killed = 0, True
    while was_killed:
        moment += 1
        session, storage = tmp_path / str(moment) / "session", LocalStorage(tmp_path / str(moment) / "archive")
        stems = [seal(session, 1), seal(session, 2)]
        (session / "lock").touch()
        contents = sealed_contents(session, stems)
        was_killed = publish_killed_at(moment, DISK_EVENTS, session, lambda storage=storage: storage)
        assert_a_rerun_completes(session, storage, stems, contents)
    assert moment > 30


@pytest.mark.s3
def test_killed_at_any_moment_before_s3_it_is_completed_by_the_next_run(
    weed: Weed, bucket: str, connect: Callable[..., S3Storage], tmp_path: Path
):
    moment, was_killed = 0, True
    while was_killed:
        moment += 1
        session, prefix = tmp_path / str(moment), f"p{moment}"
        stems = [seal(session, 1)]
        (session / "lock").touch()
        contents = sealed_contents(session, stems)
        storage = connect(weed.endpoint, bucket, prefix)
        was_killed = publish_killed_at(moment, S3_EVENTS, session, lambda storage=storage: storage)
        assert_a_rerun_completes(session, storage, stems, contents)
    assert moment > 15
    assert weed.open_uploads(bucket) == []


# ---- in the background


def test_segments_are_shipped_while_others_are_written(session: Path, storage: LocalStorage):
    arrived = threading.Semaphore(0)
    uploader = Uploader(session, storage, published=lambda _: arrived.release())
    first = seal(session, 1)
    uploader.wake()
    arrived.acquire()
    second = seal(session, 2)
    assert uploader.close() == [names.keys(first).warc, names.keys(second).warc]
    assert uploader.close() == [names.keys(first).warc, names.keys(second).warc]
    assert [item.key for item in storage.list()] == keys_of(first, second)
    assert [path.name for path in session.iterdir()] == ["lock"]


def test_an_outage_does_not_stop_the_capturing_until_the_budget_is_spent(session: Path, watched: Watched):
    watched.failing = {"warc/": StorageUnavailable("no answer")}
    arrived = threading.Semaphore(0)
    uploader = Uploader(session, watched, budget_bytes=10_000, retry_s=0.01, published=lambda _: arrived.release())
    first = seal(session, 1)
    uploader.wake()
    uploader.check()
    second = seal(session, 2)
    uploader.wake()
    with pytest.raises(DiskFull, match="wait for"):
        uploader.check()
    watched.failing = {}
    arrived.acquire()  # without another call: it is tried again
    arrived.acquire()
    assert uploader.close() == [names.keys(first).warc, names.keys(second).warc]
    uploader.check()


def test_what_could_not_be_shipped_is_raised_at_the_end_and_kept(session: Path, watched: Watched):
    watched.failing = {"index/": StorageUnavailable("no answer")}
    uploader = Uploader(session, watched, retry_s=0.01)
    stem = seal(session, 1)
    with pytest.raises(StorageUnavailable, match="no answer"):
        uploader.close()
    assert (session / f"{stem}.json").exists()
    watched.failing = {}
    assert publish(session, watched) == [names.keys(stem).warc]


def test_a_store_that_refuses_stops_the_capturing(session: Path, watched: Watched):
    refused = threading.Event()

    class Refusing(Watched):
        def put(self, key: str, source: Path | bytes, *, sha256: str, replace: bool = False) -> None:
            refused.set()
            raise StorageRefused("wrong credentials")

    uploader = Uploader(session, Refusing(watched))
    seal(session, 1)
    uploader.wake()
    refused.wait()
    with pytest.raises(StorageRefused, match="wrong credentials"):
        uploader.close()
    with pytest.raises(StorageRefused):
        uploader.check()


def test_closing_does_not_wait_longer_than_told(session: Path, watched: Watched):
    release, entered = threading.Event(), threading.Event()

    class Slow(Watched):
        def put(self, key: str, source: Path | bytes, *, sha256: str, replace: bool = False) -> None:
            entered.set()
            release.wait()
            super().put(key, source, sha256=sha256, replace=replace)

    uploader = Uploader(session, Slow(watched))
    seal(session, 1)
    uploader.wake()
    entered.wait()
    with pytest.raises(StorageUnavailable, match="shipped by the next run"):
        uploader.close(wait_s=0.01)
    release.set()
    assert len(uploader.close()) == 1


def test_a_surprise_in_the_background_is_raised_where_it_is_seen(session: Path, storage: LocalStorage):
    def stumble(_: str) -> None:
        raise ZeroDivisionError

    uploader = Uploader(session, storage, published=stumble)
    seal(session, 1)
    with pytest.raises(ZeroDivisionError):
        uploader.close()
    with pytest.raises(ZeroDivisionError):
        uploader.check()


def test_the_digest_in_the_manifest_is_that_of_the_file(session: Path):
    stem = seal(session, 1)
    manifest = Manifest.from_bytes((session / f"{stem}.json").read_bytes())
    assert manifest.sha256 == hashlib.sha256((session / f"{stem}.warc.gz").read_bytes()).hexdigest()
