from __future__ import annotations

import errno
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import (
    DiskFull,
    ObjectConflict,
    ObjectDamaged,
    ObjectMissing,
    StorageError,
    StorageRefused,
    StorageUnavailable,
)
from archive.storage.local import LocalStorage
from tests.storage.conftest import sha256

KEY = "warc/2026/11/21/newswarc-x.warc.gz"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "archive")


def files_under(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_what_is_put_is_read_listed_and_known(storage: LocalStorage):
    storage.put(KEY, b"some bytes", sha256=sha256(b"some bytes"))
    assert storage.read(KEY) == b"some bytes"
    assert storage.read(KEY, 5) == b"bytes"
    assert storage.read(KEY, 5, 2) == b"by"
    assert storage.read(KEY, 8, 100) == b"es"
    assert storage.read(KEY, 100, 5) == b""
    with storage.open(KEY) as stream:
        stream.seek(-5, os.SEEK_END)
        assert stream.read() == b"bytes"
    assert [(item.key, item.size) for item in storage.list()] == [(KEY, 10)]
    found = storage.stat(KEY)
    assert found is not None
    assert found.size == 10


def test_a_file_is_stored_without_copying_its_bytes(storage: LocalStorage, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100_000)
    storage.put(KEY, source, sha256=sha256(b"x" * 100_000))
    assert (storage.root / KEY).samefile(source)
    source.unlink()
    assert storage.read(KEY) == b"x" * 100_000


def test_a_file_on_another_file_system_is_copied(storage: LocalStorage, tmp_path: Path):
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system at /dev/shm")
    source = elsewhere / f"newswarc-test-{os.getpid()}"
    try:
        source.write_bytes(b"far away")
        storage.put(KEY, source, sha256=sha256(b"far away"))
    finally:
        source.unlink()
    assert storage.read(KEY) == b"far away"
    assert files_under(storage.root) == {KEY}


def test_a_symbolic_link_is_stored_as_the_bytes_behind_it(storage: LocalStorage, tmp_path: Path):
    (tmp_path / "real").write_bytes(b"real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    storage.put(KEY, tmp_path / "link", sha256=sha256(b"real"))
    assert not (storage.root / KEY).is_symlink()
    assert storage.read(KEY) == b"real"


def test_the_same_bytes_again_are_success(storage: LocalStorage, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(b"same")
    for offered in (b"same", source, b"same"):
        storage.put(KEY, offered, sha256=sha256(b"same"))
    assert storage.read(KEY) == b"same"


@pytest.mark.parametrize("as_file", [False, True])
def test_other_bytes_never_overwrite(storage: LocalStorage, tmp_path: Path, as_file: bool):
    storage.put(KEY, b"first", sha256=sha256(b"first"))
    source = tmp_path / "source"
    source.write_bytes(b"other")
    with pytest.raises(ObjectConflict) as caught:
        storage.put(KEY, source if as_file else b"other", sha256=sha256(b"other"))
    assert caught.value.stored == sha256(b"first")
    assert storage.read(KEY) == b"first"
    assert files_under(storage.root) == {KEY}


def test_a_rebuilt_object_replaces_the_old_one_at_once(storage: LocalStorage, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(b"third")
    for data in (b"first", b"second", source, source):
        storage.put("index/a.cdxj", data, sha256=sha256(data if isinstance(data, bytes) else b"third"), replace=True)
    assert storage.read("index/a.cdxj") == b"third"
    assert files_under(storage.root) == {"index/a.cdxj"}


@pytest.mark.parametrize("as_file", [False, True])
def test_bytes_that_do_not_match_their_digest_are_not_stored(storage: LocalStorage, tmp_path: Path, as_file: bool):
    source = tmp_path / "source"
    source.write_bytes(b"changed")
    with pytest.raises(ObjectDamaged, match="not stored"):
        storage.put(KEY, source if as_file else b"changed", sha256=sha256(b"promised"))
    assert storage.stat(KEY) is None
    assert files_under(storage.root) == set()
    assert source.read_bytes() == b"changed"


def test_of_many_writers_of_one_key_one_wins_and_the_others_hear_of_it(storage: LocalStorage):
    offers = [bytes([n]) * 5000 for n in range(8)]
    outcomes: list[object] = []
    start = threading.Barrier(len(offers))

    def write(data: bytes) -> None:
        start.wait()
        try:
            storage.put(KEY, data, sha256=sha256(data))
            outcomes.append(data)
        except ObjectConflict as error:
            outcomes.append(error)

    threads = [threading.Thread(target=write, args=(data,)) for data in offers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if isinstance(outcome, bytes)]
    assert winners == [storage.read(KEY)]
    assert len(outcomes) == len(offers)
    assert files_under(storage.root) == {KEY}


@pytest.mark.parametrize("as_file", [False, True])
def test_bytes_and_every_new_name_are_synced_before_put_returns(
    storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_file: bool
):
    source = tmp_path / "source"
    source.write_bytes(b"data")
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_ino), real(fd))[1])
    storage.put(KEY, source if as_file else b"data", sha256=sha256(b"data"))
    must = [storage.root / KEY, *(storage.root / KEY).parents]
    for path in must[: must.index(tmp_path) + 1]:
        assert path.stat().st_ino in synced, path
    # The name comes after the bytes: its directory is the last thing synced.
    assert synced[-1] == (storage.root / KEY).parent.stat().st_ino
    assert synced.index((storage.root / KEY).stat().st_ino) < len(synced) - 1


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """Let the kernel refuse files beyond 64 KiB, as it refuses any on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_without_room_nothing_is_stored_and_what_is_there_stays(storage: LocalStorage, small_files_only: None):
    storage.put(KEY, b"small", sha256=sha256(b"small"))
    large = b"x" * 1_000_000
    with pytest.raises(DiskFull, match="free some"):
        storage.put("warc/large", large, sha256=sha256(large))
    with pytest.raises(DiskFull):
        storage.put(KEY, large, sha256=sha256(large), replace=True)
    assert storage.stat("warc/large") is None
    assert storage.read(KEY) == b"small"
    assert files_under(storage.root) == {KEY}


def test_a_directory_that_may_not_be_written_to_is_refused():
    storage = LocalStorage(Path("/sys/newswarc"))  # refused to everyone, also to root
    with pytest.raises(StorageRefused, match="permissions"):
        storage.put(KEY, b"x", sha256=sha256(b"x"))
    with pytest.raises(StorageRefused):
        storage.probe()


def test_a_failing_disk_is_unavailable(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch):
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageUnavailable):
        storage.put(KEY, b"x", sha256=sha256(b"x"))
    monkeypatch.undo()
    assert storage.stat(KEY) is None


def test_without_hard_links_files_are_copied_and_probe_says_so(
    storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    source = tmp_path / "source"
    source.write_bytes(b"data")
    storage.put(KEY, source, sha256=sha256(b"data"))
    storage.put(KEY, source, sha256=sha256(b"data"))
    assert not (storage.root / KEY).samefile(source)
    with pytest.raises(ObjectConflict):
        storage.put(KEY, b"other", sha256=sha256(b"other"))
    assert any("hard links" in sentence for sentence in storage.probe())


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../outside", "warc/../../x", "warc//x", "warc/./x", "a\\b", "a\0b", "a\nb", "a\x9bb", "x/",
     "\udc80", "x" * 256, "/".join(["xxxxxxxxx"] * 110)],
)  # fmt: skip
def test_keys_that_could_leave_the_archive_are_refused(storage: LocalStorage, tmp_path: Path, key: str):
    for act in (
        lambda: storage.put(key, b"x", sha256=sha256(b"x")),
        lambda: storage.read(key),
        lambda: storage.open(key),
        lambda: storage.stat(key),
        lambda: storage.delete(key),
    ):
        with pytest.raises(StorageRefused):
            act()
    assert files_under(tmp_path) == set()


def test_a_symbolic_link_that_leads_out_is_not_followed(storage: LocalStorage, tmp_path: Path):
    storage.put(KEY, b"x", sha256=sha256(b"x"))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (storage.root / "warc" / "away").symlink_to(tmp_path / "outside")
    (storage.root / "warc" / "file").symlink_to(tmp_path / "outside" / "secret")
    for key in ("warc/away/secret", "warc/file"):
        with pytest.raises(StorageRefused, match="symbolic link"):
            storage.read(key)
    with pytest.raises(StorageRefused, match="symbolic link"):
        storage.put("warc/away/new", b"x", sha256=sha256(b"x"))
    assert [item.key for item in storage.list()] == [KEY]
    assert files_under(tmp_path / "outside") == {"secret"}


def test_what_is_not_there_is_missing(storage: LocalStorage, tmp_path: Path):
    storage.put("warc/a", b"x", sha256=sha256(b"x"))
    for key in ("warc/b", "warc/a/b"):
        with pytest.raises(StorageError):
            storage.read(key)
        assert storage.stat(key) is None
        storage.delete(key)
    with pytest.raises(ObjectMissing):
        storage.open("warc/b")
    with pytest.raises(ObjectMissing, match="no object gone"):
        storage.put("warc/b", tmp_path / "gone", sha256=sha256(b""))
    assert storage.stat("warc") is None


def test_a_derived_object_can_be_deleted(storage: LocalStorage):
    storage.put("index/a", b"x", sha256=sha256(b"x"))
    storage.delete("index/a")
    assert storage.stat("index/a") is None


segments = st.text(st.sampled_from("a-.0é𝄞\uffff!"), min_size=1, max_size=3).filter(lambda s: s not in {".", ".."})
keys = st.lists(segments, min_size=1, max_size=3).map("/".join)


@settings(deadline=None, max_examples=50)  # each puts real, synced files
@given(keys=st.sets(keys, max_size=12), prefix=st.one_of(st.just(""), keys, keys.map(lambda k: k + "/")))
def test_the_list_is_in_byte_order_and_knows_any_prefix(
    tmp_path_factory: pytest.TempPathFactory, keys: set[str], prefix: str
):
    storage = LocalStorage(tmp_path_factory.mktemp("listed"))
    put = set()
    for key in keys:
        try:
            storage.put(key, b"x", sha256=sha256(b"x"))
            put.add(key)
        except StorageRefused:
            assert any(other.startswith(key + "/") or key.startswith(other + "/") for other in put)
    wanted = sorted((key for key in put if key.startswith(prefix)), key=str.encode)
    assert [item.key for item in storage.list(prefix)] == wanted


def test_the_working_area_and_unfinished_files_are_not_listed(storage: LocalStorage):
    storage.put(KEY, b"x", sha256=sha256(b"x"))
    (storage.root / ".newswarc" / "sessions").mkdir(parents=True)
    (storage.root / ".newswarc" / "sessions" / "x").write_bytes(b"")
    (storage.root / "warc" / ".newswarc-incoming-1").write_bytes(b"half")
    assert [item.key for item in storage.list()] == [KEY]


def test_what_a_killed_process_left_unfinished_is_swept_after_a_day(tmp_path: Path):
    incoming = tmp_path / ".newswarc" / "incoming"
    incoming.mkdir(parents=True)
    for name in ("old", "new"):
        (incoming / f".newswarc-incoming-{name}").write_bytes(b"half")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(incoming / ".newswarc-incoming-old", (two_days_ago, two_days_ago))
    LocalStorage(tmp_path).put("a", b"x", sha256=sha256(b"x"))
    assert files_under(tmp_path) == {"a", ".newswarc/incoming/.newswarc-incoming-new"}


def test_a_good_directory_has_no_shortcomings_and_probing_leaves_nothing(storage: LocalStorage):
    assert storage.probe() == []
    assert files_under(storage.root) == set()
    storage.close()
