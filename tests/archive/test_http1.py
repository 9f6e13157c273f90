"""Heads, framing, chunks and content codings of HTTP/1 messages."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from itertools import pairwise

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ContentUndecodable, MalformedMessage
from archive.http1 import (
    Dechunker,
    Head,
    body_length,
    decode_content,
    find_head_end,
    payload_chunks,
    read_request_head,
    read_response_head,
)
from tests.servers.answers import ANSWERS, TEXT

WITH_HEAD = {name: answer for name, answer in ANSWERS.items() if answer.failure is None}
LIMIT = 1 << 24


def head_of(data: bytes) -> Head:
    head = read_response_head(data)
    assert head is not None
    return head


def split(data: bytes, places: list[int]) -> list[bytes]:
    cuts = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(cuts)]


# --- heads


@pytest.mark.parametrize("name", WITH_HEAD)
def test_every_answer_gives_its_status_and_payload(name: str):
    answer = WITH_HEAD[name]
    head = head_of(answer.archived)
    assert head.status == answer.status
    assert b"".join(payload_chunks(head, [answer.archived[head.size :]])) == answer.payload


def test_fields_keep_their_case_order_and_repeats():
    head = head_of(ANSWERS["odd-case-and-repeats"].sent)
    assert head.headers[:6] == (
        ("sErVeR", "x"),
        ("SET-Cookie", "a=1"),
        ("x-between", "y"),
        ("Set-cookie", "b=2"),
        ("X-Empty", ""),
        ("X-Sp", "a"),
    )
    assert head.get("set-cookie") == "a=1"
    assert head.get_all("SET-COOKIE") == ["a=1", "b=2"]
    assert head.get("absent") is None
    assert head.get("absent", "") == ""


def test_a_folded_value_is_joined_by_one_space():
    assert head_of(ANSWERS["folded-header"].sent).get("X-Folded") == "one two three"


def test_a_line_without_colon_is_no_field_and_nothing_is_folded_into_it():
    head = head_of(ANSWERS["header-without-colon"].sent)
    assert [name for name, _ in head.headers] == ["X-After", "Content-Length"]


@pytest.mark.parametrize(
    ("status_line", "expected"),
    [
        (b"HTTP/1.1 200 OK", ("1.1", 200, "OK")),
        (b"HTTP/1.1 200", ("1.1", 200, "")),
        (b"HTTP/1.1 200 ", ("1.1", 200, "")),
        (b"HTTP/1.0 404 Page non trouv\xe9e", ("1.0", 404, "Page non trouvée")),
        (b"HTTP/1.1  301  Moved", ("1.1", 301, "Moved")),
        (b"http/1.1 200 ok", ("1.1", 200, "ok")),
        (b"HTTP/2 200", ("2", 200, "")),
        (b"HTTP/1.1 999 Denied", ("1.1", 999, "Denied")),
        (b"HTTP/1.1 OK", ("1.1", None, "OK")),
        (b"HTTP/1.1 2000 OK", ("1.1", None, "2000 OK")),
    ],
)
def test_status_lines(status_line: bytes, expected: tuple[str, int | None, str]):
    head = head_of(status_line + b"\r\n\r\n")
    assert (head.version, head.status, head.reason) == expected


@pytest.mark.parametrize("data", [b"ICY 200 OK\r\n\r\n", b"SSH-2.0-x", b"<html>", b"\r\n\r\n<", b"\r\n" * 20, b"HTTPS"])
def test_what_is_not_http_is_refused_at_once(data: bytes):
    with pytest.raises(MalformedMessage, match="not an HTTP response"):
        read_response_head(data)


@pytest.mark.parametrize("name", WITH_HEAD)
def test_no_part_of_a_head_is_taken_for_a_head(name: str):
    data = WITH_HEAD[name].archived
    size = head_of(data).size
    assert all(read_response_head(data[:length]) is None for length in range(size))
    assert read_response_head(data[:size]) == head_of(data)


def test_control_characters_within_a_value_become_spaces():
    assert head_of(b"HTTP/1.1 200 OK\r\nA: x\ry\0z\r\n\r\n").get("A") == "x y z"


def test_searching_for_the_end_may_go_on_where_it_stopped():
    data = b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\nbody"
    for searched in range(len(data)):
        assert find_head_end(data, searched if find_head_end(data[:searched]) < 0 else 0) == len(data) - 4


@given(st.binary(max_size=300).map(lambda noise: b"HTTP/1.1 200 " + noise + b"\r\n\r\n"))
def test_any_noise_after_a_status_is_read_or_refused(data: bytes):
    head = read_response_head(data)
    assert head is None or 0 < head.size <= len(data)


# --- framing


@pytest.mark.parametrize(
    ("method", "lines", "kind", "length", "fault"),
    [
        ("GET", b"", "close", 0, ""),
        ("GET", b"Content-Length: 5\r\n", "length", 5, ""),
        ("HEAD", b"Content-Length: 5\r\n", "none", 0, ""),
        ("HEAD", b"Transfer-Encoding: chunked\r\n", "none", 0, ""),
        ("GET", b"Content-Length: 5\r\ncontent-length: 5\r\n", "length", 5, ""),
        ("GET", b"Content-Length: 5, 5\r\n", "length", 5, ""),
        ("GET", b"Content-Length: 5\r\nContent-Length: 6\r\n", "close", 0, "unequal"),
        ("GET", b"Content-Length: -5\r\n", "close", 0, "no number"),
        ("GET", b"Content-Length: +5\r\n", "close", 0, "no number"),
        ("GET", b"Content-Length: " + b"9" * 5000 + b"\r\n", "close", 0, "no number"),
        ("GET", b"Transfer-Encoding: chunked\r\n", "chunked", 0, ""),
        ("GET", b"Transfer-Encoding: gzip, Chunked\r\n", "chunked", 0, "did not ask for"),
        ("GET", b"Transfer-Encoding: gzip\r\n", "close", 0, "not chunked"),
        ("GET", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "chunked", 0, "both"),
        ("GET", b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "length", 5, ""),
    ],
)
def test_where_a_body_ends(method: str, lines: bytes, kind: str, length: int, fault: str):
    found = body_length(head_of(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n"), method)
    assert (found.kind, found.length) == (kind, length)
    assert fault in found.fault
    assert bool(fault) == bool(found.fault)


@pytest.mark.parametrize("status", [100, 103, 204, 304])
def test_some_answers_have_no_body_whatever_they_say(status: int):
    assert body_length(head_of(b"HTTP/1.1 %d x\r\nContent-Length: 5\r\n\r\n" % status), "GET").kind == "none"


# --- chunks


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.sampled_from([b"\r\n", b"\n"]),
    st.sampled_from([b"", b";x", b' ; a="b"']),
    st.sampled_from([b"", b"T: 1\r\n", b"T: 1\nU: 2\r\n"]),
    st.lists(st.integers(0, 400), max_size=8),
    st.integers(0, 400),
)
def test_chunks_come_out_alike_however_they_are_split(
    chunks: list[bytes], line_end: bytes, extension: bytes, trailers: bytes, places: list[int], cut: int
):
    whole = b"".join(b"%x%s%s%s%s" % (len(c), extension, line_end, c, line_end) for c in chunks)
    whole += b"0" + extension + line_end + trailers + line_end
    dechunker = Dechunker()
    assert b"".join(dechunker.feed(piece) for piece in split(whole + b"surplus", places)) == b"".join(chunks)
    assert dechunker.finished
    assert dechunker.consumed == len(whole)
    assert not dechunker.fault
    if cut < len(whole):
        shortened = Dechunker()
        assert b"".join(chunks).startswith(b"".join(shortened.feed(piece) for piece in split(whole[:cut], places)))
        assert not shortened.finished
        assert not shortened.fault


@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=6), st.booleans())
def test_broken_chunks_come_out_alike_however_they_are_split(noise: bytes, places: list[int], begins_well: bool):
    data = (b"3\r\nabc\r\n" if begins_well else b"") + noise
    at_once, in_parts = Dechunker(), Dechunker()
    assert at_once.feed(data) == b"".join(in_parts.feed(piece) for piece in split(data, places))
    assert (at_once.begun, at_once.finished, bool(at_once.fault)) == (
        in_parts.begun,
        in_parts.finished,
        bool(in_parts.fault),
    )
    head = head_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert b"".join(payload_chunks(head, [data])) == b"".join(payload_chunks(head, split(data, places)))


@pytest.mark.parametrize("line", [b"5" * 17, b";" + b"x" * 20_000, b"-1", b"0x5", b"5 5", b"", b"5\r"])
def test_what_is_no_chunk_size_is_a_fault(line: bytes):
    dechunker = Dechunker()
    assert dechunker.feed(b"1\r\na\r\n" + line + b"\r\nhello\r\n0\r\n\r\n") == b"a"
    assert dechunker.fault
    assert not dechunker.finished


def test_endless_trailers_are_a_fault():
    dechunker = Dechunker()
    dechunker.feed(b"0\r\n" + b"Trailer: x\r\n" * 10_000)
    assert "trailers" in dechunker.fault


# --- content codings


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
PACKINGS = [*PACK.items(), ("deflate", raw_deflate)]
packings = pytest.mark.parametrize(("coding", "pack"), PACKINGS, ids=lambda value: getattr(value, "__name__", value))


@packings
@given(data=st.binary(max_size=2000))
def test_what_was_packed_comes_out(coding: str, pack: Callable[[bytes], bytes], data: bytes):
    assert decode_content(pack(data), coding, limit_bytes=LIMIT) == data
    assert decode_content(pack(data * 50), coding, limit_bytes=len(data) * 50) == data * 50


@packings
def test_a_cut_body_is_an_error_that_carries_what_came_out(coding: str, pack: Callable[[bytes], bytes]):
    packed = pack(TEXT * 100)
    for length in (1, 5, len(packed) // 2, len(packed) - 1):
        with pytest.raises(ContentUndecodable, match="ends in the middle") as caught:
            decode_content(packed[:length], coding, limit_bytes=LIMIT)
        assert (TEXT * 100).startswith(caught.value.partial)


@packings
def test_a_bomb_stops_at_the_limit(coding: str, pack: Callable[[bytes], bytes]):
    with pytest.raises(ContentUndecodable, match="more than 100000 bytes") as caught:
        decode_content(pack(bytes(30_000_000)), coding, limit_bytes=100_000)
    assert caught.value.partial == bytes(100_000)


@packings
def test_bytes_that_were_never_packed_are_an_error(coding: str, pack: Callable[[bytes], bytes]):
    with pytest.raises(ContentUndecodable):
        decode_content(b"<html>never packed</html>", coding, limit_bytes=LIMIT)


@packings
def test_an_empty_body_is_empty_under_every_coding(coding: str, pack: Callable[[bytes], bytes]):
    assert decode_content(b"", coding, limit_bytes=0) == b""
    assert decode_content(pack(b""), coding, limit_bytes=0) == b""


@pytest.mark.parametrize("rubbish", [b"\0" * 10, b"<!-- cached -->", b"\x1f"])
def test_rubbish_behind_gzip_is_dropped(rubbish: bytes):
    assert decode_content(gzip.compress(TEXT) + rubbish, "gzip", limit_bytes=LIMIT) == TEXT


def test_gzip_members_and_zstd_frames_in_a_row_are_one_body():
    assert decode_content(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", limit_bytes=LIMIT) == b"ab"
    assert decode_content(zstd.compress(b"a") + zstd.compress(b"b"), "zstd", limit_bytes=LIMIT) == b"ab"


def test_codings_are_undone_last_one_first():
    assert decode_content(gzip.compress(brotli.compress(TEXT)), "br, identity,,GZIP", limit_bytes=LIMIT) == TEXT
    assert decode_content(gzip.compress(gzip.compress(TEXT)), "gzip, gzip", limit_bytes=LIMIT) == TEXT


def test_every_step_of_several_codings_is_bounded():
    with pytest.raises(ContentUndecodable, match="more than"):
        decode_content(gzip.compress(gzip.compress(bytes(50_000_000))), "gzip, gzip", limit_bytes=10_000)


@pytest.mark.parametrize("coding", ["identity", "", " , "])
def test_identity_changes_nothing(coding: str):
    assert decode_content(TEXT, coding, limit_bytes=0) == TEXT


def test_an_unknown_coding_is_an_error():
    with pytest.raises(ContentUndecodable, match="unknown content coding 'sdch'"):
        decode_content(TEXT, "sdch", limit_bytes=LIMIT)


def test_a_zstd_window_beyond_what_the_web_allows_is_an_error():
    options = {zstd.CompressionParameter.window_log: 25, zstd.CompressionParameter.enable_long_distance_matching: 1}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(bytes(1 << 25)) + packer.flush()
    with pytest.raises(ContentUndecodable):
        decode_content(packed, "zstd", limit_bytes=1 << 30)


def test_a_request_head_is_read_as_a_response_head_is():
    data = b"\r\nget /a b HTTP/1.1\r\nHost: news.example\r\nX: a\r\n b\r\n\r\nbody"
    head = read_request_head(data)
    assert head is not None
    assert (head.method, head.version, head.status, head.size) == ("GET", "1.1", None, len(data) - 4)
    assert head.headers == (("Host", "news.example"), ("X", "a b"))
    assert read_request_head(data[: head.size - 1]) is None


def test_what_does_not_begin_with_a_request_line_is_no_request():
    with pytest.raises(MalformedMessage, match="HELO"):
        read_request_head(b"HELO news.example\r\n\r\n")
