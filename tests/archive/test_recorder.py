"""What a run writes of an exchange, given what the archive holds already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.capture import Capture
from archive.recorder import RunInfo
from tests.archive.exchanges import page


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(str(tmp_path / "archive")) as archive:
        yield archive


def captured(archive: Archive, *numbers: int, sealed: bool = True) -> list[Capture]:
    """Archive these pages in a run of their own; *sealed*: and publish them."""
    recorder = archive.recorder(RunInfo(), rotate_at_bytes=1 << 30, rotate_after_s=3600)
    made = []
    for number in numbers:
        exchange, response = page(number)
        with response:
            capture = recorder.record(exchange, [])
        assert capture is not None
        made.append(capture)
    recorder.commit()
    if sealed:
        recorder.close()
    return made


def types(captures: list[Capture]) -> list[str]:
    return [capture.record_type for capture in captures]


def test_what_the_archive_holds_is_a_revisit_of_it(archive: Archive):
    (first,) = captured(archive, 1)
    (again,) = captured(archive, 1)
    assert types([first, again]) == ["response", "revisit"]
    assert again.refers_to is not None
    assert again.refers_to.record_id == first.record_id


def test_what_is_in_the_same_group_or_in_a_file_still_open_is_an_original_too(archive: Archive):
    assert types(captured(archive, 1, 1, sealed=False)) == ["response", "revisit"]
    assert types(captured(archive, 1)) == ["revisit"]


@pytest.mark.parametrize("harm", ["a byte of it is another", "its file is gone", "its file is cut before it"])
def test_what_cannot_be_read_is_no_original(archive: Archive, tmp_path: Path, harm: str):
    (first,) = captured(archive, 1)
    path = tmp_path / "archive" / first.place.key
    data = bytearray(path.read_bytes())
    if harm == "its file is gone":
        path.unlink()
    else:
        data[first.place.offset + first.place.length // 2] ^= 1
        path.write_bytes(data if harm == "a byte of it is another" else data[: first.place.offset])
    again, next_one = captured(archive, 1, 1)
    assert again.record_type == "response", "a revisit of it would have no body anywhere"
    assert next_one.refers_to is not None
    assert next_one.refers_to.record_id == again.record_id, "one that can be read is enough"
    with archive.read(again.place).block as block, page(1)[1] as sent:
        assert block.read() == sent.read()
