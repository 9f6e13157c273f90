"""The scanner: exact on sound files, and on damaged ones telling where, and losing nothing else."""

from __future__ import annotations

import gzip
import io
import random
import zlib

import pytest
from isal import isal_zlib

from archive.errors import MalformedRecord
from archive.scan import flow, members, read_record, scan
from archive.spool import SPOOL_AT_BYTES
from tests.archive.scanning import reading, seen
from tests.verify.archives import plain, raw

ONE, TWO, THREE = (plain(block=b"block %d" % n, WARC_Record_ID=f"<urn:uuid:{n}>") for n in (1, 2, 3))


class Pipe(io.RawIOBase):
    """A stream that cannot seek, and gives few bytes at a time."""

    def __init__(self, data: bytes, piece: int = 1000) -> None:
        super().__init__()
        self._data, self._piece = io.BytesIO(data), piece

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, self._piece) if size >= 0 else self._piece)

    def seekable(self) -> bool:
        return False


def member(data: bytes, level: int = 6) -> bytes:
    return gzip.compress(data, level, mtime=0)


# --- sound files


@pytest.mark.parametrize("pack", [bytes, member], ids=["plain", "gzip"])
@pytest.mark.parametrize("piece", [1, 13, 1 << 20])
def test_offsets_and_lengths_cut_a_file_into_its_records(pack, piece: int):
    parts = [pack(one) for one in (ONE, TWO, THREE)]
    data = b"".join(parts)
    records = reading(Pipe(data, piece)).records
    assert [data[record.offset : record.offset + record.length] for record in records] == parts
    assert [record.block for record in records] == [b"block 1", b"block 2", b"block 3"]
    assert all(record.whole for record in records)


def test_the_header_is_kept_as_it_stood_and_read():
    fields = [("WARC-Type", "response"), ("x-Odd", " two  spaces "), ("X-Odd", "é"), ("Content-Length", "0")]
    data = raw(fields).replace(b"x-Odd:", b"x-Odd:\t")
    (record,) = reading(data).records
    assert record.header == data[:-4]
    assert record.fields.pairs == (
        ("WARC-Type", "response"),
        ("x-Odd", "two  spaces"),
        ("X-Odd", "é"),
        ("Content-Length", "0"),
    )
    assert record.fields.get("x-ODD") == "two  spaces"
    assert record.fields.get_all("X-odd") == ["two  spaces", "é"]
    assert (record.record.version, record.record.type, record.record.content_length) == ("1.1", "response", 0)


def test_folded_values_are_unfolded_with_one_space():
    (record,) = reading(
        ONE.replace(b"WARC-Date: 2026", b"Note: one\r\n two\r\n\t  three\r\nWARC-Date:\r\n 2026")
    ).records
    assert record.fields.get("Note") == "one two three"
    assert record.fields.get("WARC-Date") == "2026-11-21T20:48:00Z"
    assert record.whole


def test_a_block_may_hold_what_looks_like_a_record():
    inner = b"page\r\n\r\n" + TWO + ONE
    found = reading(plain(block=inner) + THREE)
    assert found.blocks == [inner, b"block 3"]
    assert all(record.whole for record in found.records)


def test_a_large_block_goes_to_disk_and_comes_back():
    block = random.Random(1).randbytes(SPOOL_AT_BYTES * 2 + 7)
    for data in (plain(block=block) + TWO, member(plain(block=block)) + member(TWO)):
        for record, expected in zip(scan(io.BytesIO(data)), (block, b"block 2"), strict=True):
            with record:
                assert record.whole
                assert record.block.read() == expected


@pytest.mark.parametrize("level", [0, 1, 9])
def test_every_kind_of_deflate_block_is_inflated(level: int):
    block = b"abc" * 70_000
    (record,) = reading(member(plain(block=block), level)).records
    assert record.block == block


def test_gzip_headers_may_have_names_comments_extra_fields_and_a_crc():
    made = member(ONE)
    header = made[:3] + b"\x1e" + made[4:10] + b"\x03\x00abc" + b"a.warc\0" + b"why\0"
    data = header + (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little") + made[10:]
    (record,) = reading(data).records
    assert record.whole
    assert record.length == len(data)


def test_offsets_count_from_the_base_that_is_given():
    records = reading(ONE + TWO, base=1000).records
    assert [record.offset for record in records] == [1000, 1000 + len(ONE)]


# --- reading one record


@pytest.mark.parametrize("pack", [bytes, member], ids=["plain", "gzip"])
def test_one_record_is_read_at_its_offset(pack):
    data = pack(ONE) + pack(TWO) + pack(THREE)
    offset, length = len(pack(ONE)), len(pack(TWO))
    for record in (read_record(data, offset), read_record(data, offset, length), read_record(io.BytesIO(data), offset)):
        with record:
            assert (record.id, record.offset, record.length) == ("<urn:uuid:2>", offset, length)
            assert record.whole


@pytest.mark.parametrize("offset", [1, len(ONE) + len(TWO)])
def test_where_no_record_begins_none_is_read(offset: int):
    with pytest.raises(MalformedRecord, match=f"no WARC record begins at offset {offset}"):
        read_record(ONE + TWO, offset)


def test_a_length_too_short_is_told():
    assert "gzip-cut" in seen(read_record(member(ONE), 0, 60)).codes


def test_digests_are_given_in_the_spelling_of_the_header_when_they_agree():
    label = "sha256:" + "2689367B205C16CE32ED4200942B8B8B1E262DFC70D9BC9FBC77C49699A4F1DF".lower()
    http = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    wrong = "sha256:" + "0" * 64
    with read_record(plain(block=http, WARC_Payload_Digest=label, WARC_Block_Digest=wrong)) as record:
        assert record.payload_digest == label
        assert record.block_digest not in {None, wrong}
    for fields in ({}, {"WARC_Block_Digest": "tiger:AA"}):
        with read_record(plain(block=http, **fields)) as record:
            assert record.block_digest is None


# --- what is no WARC file


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"<html>", "not-warc"),
        (member(b"<html>"), "not-warc"),
        (b"filedesc://a.arc 0.0.0.0\n", "arc-file"),
        (member(b"filedesc://a.arc 0.0.0.0\n"), "arc-file"),
        (b"\x28\xb5\x2f\xfd....", "not-warc"),
        (b"\x1f\x8b", "not-warc"),
        (b"\x1f\x8b\x08", "not-warc"),
        (bytes(100_000), "not-warc"),
    ],
)
def test_what_is_no_warc_file_is_called_what_it_is(data: bytes, code: str):
    found = reading(data)
    assert found.records == []
    assert code in found.codes


# --- damage


def test_bytes_between_records_are_passed_over_and_told():
    for data in (b"junk" + ONE + b"more junk\r\n" + TWO, b"junk" + ONE + b"WARC" + TWO):
        found = reading(data)
        assert found.names == ["1", "2"]
        assert [problem.offset for problem in found.problems] == [0, 4 + len(ONE)]


def test_bytes_between_members_are_passed_over_even_when_they_look_like_members():
    junk = member(b"not a record") + b"; \x1f\x8b\x08 nor this"
    found = reading(member(ONE) + junk + member(TWO) + b"\0" * 50)
    assert found.names == ["1", "2"]
    assert found.codes == {"garbage"}


def test_a_length_that_is_too_great_does_not_take_the_next_record():
    for wrong in (8, 100, 10_000_000):
        broken = ONE.replace(b"Content-Length: 7", b"Content-Length: %d" % wrong)
        for data in (broken + TWO + THREE, member(broken + TWO + THREE), member(broken) + member(TWO) + member(THREE)):
            found = reading(data)
            assert found.names == ["1", "2", "3"]
            assert found.records[0].codes & {"content-length", "block-short", "record-end"}
            assert found.blocks[1:] == [b"block 2", b"block 3"]


def test_a_length_that_is_too_small_leaves_bytes_that_are_told():
    broken = ONE.replace(b"Content-Length: 7", b"Content-Length: 3")
    found = reading(broken + TWO)
    first, second = found.records
    assert first.codes == {"record-end"}
    assert first.record.problems[0].offset == ONE.index(b"block 1") + 3
    assert second.whole
    assert found.codes == {"garbage"}


@pytest.mark.parametrize("length", [b"", b"x", b"-1", b"1e3", "٣".encode(), b"9" * 30])
def test_a_length_that_is_no_number_makes_the_block_reach_to_the_next_record(length: bytes):
    found = reading(ONE.replace(b"Content-Length: 7", b"Content-Length: " + length) + TWO)
    assert found.names == ["1", "2"]
    assert found.records[0].codes == {"content-length-value"}
    assert found.blocks == [b"block 1", b"block 2"]


def test_a_record_over_several_members_is_put_together():
    for at in (20, 50, len(ONE) - 9, len(ONE) - 4, len(ONE) - 2):
        data = member(ONE[:at]) + member(ONE[at:]) + member(TWO)
        found = reading(data)
        records = found.records
        assert found.names == ["1", "2"]
        assert found.problems == []
        assert records[0].codes == {"member-split"}
        assert records[0].block == b"block 1"
        assert (records[0].offset, records[0].length) == (0, len(data) - len(member(TWO)))
        assert records[1].whole


def test_records_in_one_member_are_all_found_with_their_place_in_it():
    found = reading(member(ONE + TWO + THREE))
    records = found.records
    assert found.names == ["1", "2", "3"]
    assert [record.record.inner for record in records] == [0, len(ONE), len(ONE) + len(TWO)]
    assert [record.length for record in records] == [0, 0, len(member(ONE + TWO + THREE))]
    assert [record.codes for record in records] == [set(), {"member-shared"}, {"member-shared"}]


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 9, 10, 40, 100, -9, -8, -4, -1])
def test_any_damaged_byte_of_a_member_costs_that_record_only(at: int, seekable: bool):
    middle = bytearray(member(TWO))
    middle[at] ^= 0xFF
    data = member(ONE) + bytes(middle) + member(THREE)
    read = reading(data if seekable else Pipe(data))
    found = {record.name: record for record in read.records}
    for number, text in (("1", b"block 1"), ("3", b"block 3")):
        assert found[number].whole
        assert found[number].block == text
    two = found.get("2")
    problems = read.problems + [problem for record in found.values() for problem in record.record.problems]
    if at == 9:  # the system field says who compressed; it is the business of verification
        assert two is not None
        assert two.record.gzip_header != found["1"].record.gzip_header
    else:
        assert problems
        assert all(len(member(ONE)) <= problem.offset <= len(data) - len(member(THREE)) for problem in problems)


@pytest.mark.parametrize("pack", [bytes, member], ids=["plain", "gzip"])
def test_damage_to_the_first_bytes_does_not_hide_what_kind_of_file_it_is(pack):
    for damaged in (b"\0", b"\0" * 40, b"\x1f\x8b\x08?", b"\xff" * 100):
        first = pack(ONE)
        found = reading(damaged + first[len(damaged) :] + pack(TWO) + pack(THREE))
        assert found.names[-2:] == ["2", "3"]
        assert all(record.whole for record in found.records[-2:])


def test_damage_that_inflates_far_past_its_member_does_not_take_what_follows():
    big = random.Random(3).randbytes(200_000)
    parts = [member(plain(block=big, WARC_Record_ID=f"<urn:uuid:{n}>")) for n in range(4)]
    chance = random.Random(4)
    for _ in range(20):
        broken = bytearray(parts[1])
        broken[chance.randrange(20, len(broken) - 20)] ^= 1 << chance.randrange(8)
        records = reading(parts[0] + bytes(broken) + parts[2] + parts[3]).records
        assert [record.name for record in records if record.whole] == ["0", "2", "3"]


def test_a_file_cut_anywhere_gives_every_record_before_the_cut():
    for pack in (bytes, member):
        parts = [pack(one) for one in (ONE, TWO, THREE)]
        data = b"".join(parts)
        ends = [len(parts[0]), len(parts[0] + parts[1]), len(data)]
        for cut in range(1, len(data)):
            found = reading(data[:cut])
            whole = [record for record in found.records if record.whole]
            assert len(whole) == sum(end <= cut for end in ends)
            assert bool(found.problems or len(whole) < len(found.records)) == (cut not in ends)


def test_zlib_is_asked_when_isal_refuses(monkeypatch: pytest.MonkeyPatch):
    honest = isal_zlib.decompressobj

    class Refusing:
        eof, unused_data, unconsumed_tail = False, b"", b""

        def __init__(self, _: int) -> None:
            self.calls = 0
            self.honest = honest(-15)

        def decompress(self, data: bytes, limit: int = 0) -> bytes:
            self.calls += 1
            if self.calls > 1:
                raise isal_zlib.error("refused")
            return self.honest.decompress(data[:40], limit)

    monkeypatch.setattr(members.isal_zlib, "decompressobj", Refusing)
    block = random.Random(5).randbytes(60_000)
    for stream in (io.BytesIO, Pipe):
        found = reading(stream(member(plain(block=block)) + member(TWO)))
        assert found.blocks == [block, b"block 2"]
        assert all(record.whole for record in found.records)


@pytest.mark.parametrize("pack", [bytes, member], ids=["plain", "gzip"])
def test_a_file_of_wrong_lengths_is_not_read_again_for_each_of_them(pack, monkeypatch: pytest.MonkeyPatch):
    taken = 0
    some = flow.Flow.some

    def counted(self: flow.Flow, most: int) -> bytes:
        nonlocal taken
        piece = some(self, most)
        taken += len(piece)
        return piece

    monkeypatch.setattr(flow.Flow, "some", counted)
    data = plain(block=b"x" * 500).replace(b"Content-Length: 500", b"Content-Length: 99999999") * 2000
    found = reading(pack(data))
    assert len(found.records) == 2000
    assert set(found.blocks) == {b"x" * 500}
    assert taken < 20 * len(data)  # to the end each time it would be a thousand times


def test_random_bytes_never_raise_and_never_hang():
    chance = random.Random(6)
    seeds = [ONE + TWO, member(ONE) + member(TWO), member(ONE + TWO)]
    for _ in range(500):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        reading(bytes(data))
