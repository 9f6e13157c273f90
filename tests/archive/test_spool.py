"""Spools: the bytes written, wherever they lie, or an error; never fewer bytes than they say."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import warc
from archive.errors import DiskFull, StorageError
from archive.spool import Spool
from archive.warc import Record
from tests.archive.exchanges import filled, records_of
from tests.limits import files_of_at_most

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.integers(0, 120)), max_size=8),
    st.integers(0, 100),
    st.integers(0, 130),
    st.one_of(st.none(), st.integers(0, 130)),
)
def test_a_spool_is_what_was_written_to_it(
    steps: list[bytes | int], spool_at_bytes: int, start: int, length: int | None
):
    wanted = b""
    with Spool(spool_at_bytes=spool_at_bytes) as spool:
        for step in steps:
            if isinstance(step, bytes):
                spool.write(step)
                wanted += step
            else:
                spool.truncate(step)
                wanted = wanted[:step]
            assert len(spool) == len(wanted)
            assert spool.read(start, length) == wanted[start : None if length is None else start + length]
        assert b"".join(spool.chunks(start)) == wanted[start:]


def failed(spool: Spool, kind: type[StorageError]) -> None:
    """Assert that *spool* gives nothing any more."""
    for use in (
        lambda: spool.write(b"x"),
        lambda: spool.read(0, 1),
        spool.read,
        lambda: list(spool.chunks()),
        lambda: spool.truncate(0),
    ):
        with pytest.raises(kind):
            use()


@pytest.mark.parametrize("room", [0, 10, 100, 150])
def test_a_full_disk_is_told_at_once_and_ever_after(room: int):
    with Spool(HEAD, spool_at_bytes=100) as spool:
        with files_of_at_most(room), pytest.raises(DiskFull, match="no room left"):
            spool.write(b"x" * 200)
        failed(spool, DiskFull)


def test_a_disk_that_fills_up_later_is_told_too():
    with Spool(HEAD, spool_at_bytes=10) as spool:
        with files_of_at_most(1000):
            spool.write(b"x" * 900)
            with pytest.raises(DiskFull):
                spool.write(b"x" * 900)
        failed(spool, DiskFull)


def test_a_missing_temporary_directory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with Spool(HEAD, spool_at_bytes=100) as spool:
        with pytest.raises(StorageError, match="gone: writing a temporary file failed: No such file"):
            spool.write(b"x" * 200)
        failed(spool, StorageError)


def test_a_disk_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with Spool(HEAD, spool_at_bytes=0) as spool:
        monkeypatch.setattr(os, "pread", broken)
        with pytest.raises(StorageError, match="Input/output error"):
            spool.read()
        failed(spool, StorageError)


def test_a_file_that_lost_bytes_is_told(monkeypatch: pytest.MonkeyPatch):
    pread = os.pread
    with Spool(HEAD * 10, spool_at_bytes=0) as spool:
        monkeypatch.setattr(os, "pread", lambda descriptor, size, at: pread(descriptor, size, at) if at < 50 else b"")
        assert spool.read(0, 50) == (HEAD * 10)[:50]
        with pytest.raises(StorageError, match="ends 140 bytes early"):
            spool.read(50)


def test_a_closed_spool_gives_nothing():
    spool = Spool(HEAD)
    spool.close()
    spool.close()
    with pytest.raises(ValueError, match="closed"):
        spool.read()


class Shorter(Spool):
    """A spool that gives fewer bytes than it says."""

    __slots__ = ()

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        return super().read(start, length)[: max(0, 10 - start)]


def test_a_record_whose_block_falls_short_is_not_written(tmp_path: Path):
    made, _ = filled(tmp_path, 1)
    before = made.path.read_bytes()
    with Shorter(HEAD) as spool, records_of(7) as records:
        short = Record("response", [*records[1].fields], spool)
        with pytest.raises(StorageError, match="gave 10 bytes where 19 were announced"):
            warc.encode(short)
        with pytest.raises(StorageError, match="gave 10 bytes"):
            made.append([*records, short])
    assert made.path.read_bytes() == before
    made.discard()


def test_a_record_whose_spool_failed_is_not_written(tmp_path: Path):
    made, _ = filled(tmp_path, 1)
    before = made.path.read_bytes()
    with Spool(HEAD, spool_at_bytes=100) as spool, records_of(7) as records:
        record = Record("response", [*records[1].fields], spool)
        with files_of_at_most(0), pytest.raises(DiskFull):
            spool.write(b"x" * 200)
        with pytest.raises(DiskFull):
            made.append([*records, record])
    assert made.path.read_bytes() == before
    made.discard()
