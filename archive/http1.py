"""Reading HTTP/1 messages as they crossed the wire: heads, framing, the chunked transfer coding.

Servers bend the grammar and browsers forgive them; so does this module, wherever the meaning stays plain (bare LF,
folded lines, lines without a colon, odd reason phrases). It only reads: the bytes that are stored are never made from
what it returns. Section numbers are those of RFC 9112 (HTTP/1.1) unless another document is named.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from archive.codings import decode_content
from archive.errors import MalformedMessage

__all__ = [
    "MAX_HEAD_BYTES",
    "BodyLength",
    "Dechunker",
    "Head",
    "body_length",
    "decode_content",
    "find_head_end",
    "payload_chunks",
    "read_request_head",
    "read_response_head",
]

# Chromium gives up on heads above 256 KiB; news sites with long policies and many cookies stay under 64 KiB.
MAX_HEAD_BYTES = 256 * 1024

_REMEMBERED_HEADS = 64  # those under way: each is looked at several times between the wire and the archive
_REMEMBERED_BYTES = 8 * 1024  # of one; most are shorter

_MAX_CHUNK_LINE_BYTES = 16 * 1024  # a chunk size with its extensions; 7.1.1 asks for a limit
_MAX_TRAILER_BYTES = 64 * 1024
_NO_BODY = frozenset({204, 304})

_LEADING_BLANK_LINES = re.compile(rb"(?:\r?\n){0,16}")  # a server sends one too many; one that sends more is no server
_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/(\d+(?:\.\d+)?)(?:[ \t]+(\d{3})(?!\d)[ \t]?)?(.*)", re.IGNORECASE | re.DOTALL)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?", re.DOTALL)
_CHUNK_SIZE_SO_FAR = re.compile(rb"[ \t]*[0-9A-Fa-f]{0,16}[ \t]*(?:;.*|\r?\n?)", re.DOTALL)
_CONTENT_LENGTH = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a message: status line or request line, and fields.

    *size* counts every byte up to the body: leading blank lines and the closing blank line included. *version* is
    what follows ``HTTP/``. *status* is None of a request, and when the status line holds no three-digit code. *headers*
    are (name, value) pairs in wire order, as Latin-1 text, folds joined by one space; lines that are no field are left
    out.
    """

    version: str
    status: int | None
    reason: str
    headers: tuple[tuple[str, str], ...]
    size: int
    method: str = ""  # of a request, in upper case

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of field *name*, in any letter case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)

    def get_all(self, name: str) -> list[str]:
        """Return every value of field *name*, in wire order."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def tokens(self, name: str) -> list[str]:
        """Return the comma-separated members of field *name* over all its lines, in lower case."""
        return [token for value in self.get_all(name) for part in value.split(",") if (token := part.strip().lower())]


def find_head_end(data: bytes | bytearray, start: int = 0) -> int:
    """Return the length of the head with its blank line, or -1 while it is incomplete.

    *start* skips what an earlier call has searched (the length *data* had then). Blank lines before the status line
    count as part of the head (2.2 lets a reader skip them).
    """
    leading = _LEADING_BLANK_LINES.match(data)
    assert leading is not None
    found = _HEAD_END.search(data, max(leading.end(), start - 2))
    return found.end() if found else -1


def read_response_head(data: bytes | bytearray) -> Head | None:
    """Read the response head that *data* begins with; None while it is incomplete.

    Raises ``MalformedMessage`` as soon as *data* cannot be the start of an HTTP response.
    """
    leading = _LEADING_BLANK_LINES.match(data)
    assert leading is not None
    begin = leading.end()
    opening = bytes(data[begin : begin + 5]).upper()
    if opening == b"\r":
        return None
    if opening != b"HTTP/"[: len(opening)]:
        raise MalformedMessage(f"not an HTTP response: it begins with {bytes(data[begin : begin + 20])!r}")
    size = find_head_end(data)
    if size < 0:
        return None
    opening = bytes(data[begin:size])
    return _remembered(opening, size) if size <= _REMEMBERED_BYTES else _response_head(opening, size)


def _response_head(head: bytes, size: int) -> Head:
    lines = [line.removesuffix("\r") for line in head.decode("latin-1").split("\n")]
    status_line = _STATUS_LINE.fullmatch(lines[0])
    if status_line is None:
        raise MalformedMessage(f"not an HTTP response: its status line is {lines[0][:80]!r}")
    version, status, reason = status_line.groups()
    return Head(version, int(status) if status else None, reason.strip(" \t"), _read_fields(lines[1:]), size)


_remembered = functools.lru_cache(_REMEMBERED_HEADS)(_response_head)


def read_request_head(data: bytes | bytearray) -> Head | None:
    """Read the request head that *data* begins with; None while it is incomplete.

    Raises ``MalformedMessage`` when its first line is no request line of HTTP/1.
    """
    size = find_head_end(data)
    if size < 0:
        return None
    lines = bytes(data[:size]).lstrip(b"\r\n").decode("latin-1").split("\n")
    method, _, target = lines[0].strip().partition(" ")
    if " HTTP/" not in target.upper():
        raise MalformedMessage(f"its request line is {lines[0][:80].encode('latin-1')!r}")
    fields = _read_fields([line.removesuffix("\r") for line in lines[1:]])
    return Head(target.rpartition("/")[2], None, "", fields, size, method.upper())


def _read_fields(lines: list[str]) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    foldable = False  # a folded line continues the field before it, and only a field (2.2, 5.2)
    for line in lines:
        if line[:1] in {" ", "\t"}:
            if foldable:
                name, value = fields[-1]
                fields[-1] = (name, f"{value} {_clean(line)}".strip())
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")  # 5.1: white space before the colon is removed from a response
        foldable = bool(colon and name)
        if foldable:
            fields.append((name, _clean(value)))
    return tuple(fields)


def _clean(value: str) -> str:
    # RFC 9110, 5.5: CR and NUL within a value are replaced by SP before anything is done with it.
    return value.replace("\r", " ").replace("\0", " ").strip(" \t")


@dataclass(frozen=True, slots=True)
class BodyLength:
    """How the end of a body is found.

    *fault* says in words why the framing cannot be trusted, empty when it can: the message is still read, but its
    connection must not be used again.
    """

    kind: Literal["none", "chunked", "length", "close"]
    length: int = 0  # bytes, for "length"
    fault: str = ""


def body_length(head: Head, method: str) -> BodyLength:
    """Say how the body that follows *head*, the answer to a *method* request, ends (6.3)."""
    status = head.status or 0
    if method == "HEAD" or 100 <= status < 200 or status in _NO_BODY:
        return BodyLength("none")
    # RFC 2616 had "identity" as a transfer coding that changes nothing; servers still send it.
    codings = [coding for coding in head.tokens("Transfer-Encoding") if coding != "identity"]
    lengths = head.get_all("Content-Length")
    if codings:
        if codings[-1] != "chunked":
            return BodyLength("close", fault=f"last transfer coding is {codings[-1]}, not chunked")
        if lengths:
            return BodyLength("chunked", fault="both Transfer-Encoding and Content-Length")
        if len(codings) > 1:
            return BodyLength("chunked", fault=f"transfer codings we did not ask for: {', '.join(codings)}")
        return BodyLength("chunked", fault="Transfer-Encoding in HTTP/1.0" if head.version == "1.0" else "")
    values = {part.strip() for value in lengths for part in value.split(",")}
    if not values:
        return BodyLength("close")
    value = values.pop()
    if values:
        return BodyLength("close", fault=f"Content-Length given several times, unequal: {', '.join(lengths)[:100]}")
    if not _CONTENT_LENGTH.fullmatch(value):
        return BodyLength("close", fault=f"Content-Length is no number: {value[:100]!r}")
    return BodyLength("length", int(value))


class Dechunker:
    """Removes the chunked transfer coding (7.1) from a body that comes in pieces of any size.

    *begun* is set once a first chunk size was read, *finished* at the end of the body; *fault* says in words what
    broke the coding, after which nothing more is read. *consumed* counts the bytes of the coded body; once *finished*,
    everything fed beyond it belongs to something else. Chunk extensions and trailers are passed over; lines may end
    in a bare LF.
    """

    __slots__ = ("_chunk_left", "_pending", "_state", "_trailer_bytes", "begun", "consumed", "fault", "finished")

    def __init__(self) -> None:
        self.begun = self.finished = False
        self.fault = ""
        self.consumed = 0
        self._state: Literal["size", "data", "data-end", "trailer"] = "size"
        self._chunk_left = 0  # bytes of the present chunk still to come
        self._pending = b""  # the start of a line whose end has not come yet
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """Return the payload bytes within *data*."""
        payload: list[bytes] = []
        position = 0
        while position < len(data) and not (self.finished or self.fault):
            if self._state == "data":
                piece = data[position : position + self._chunk_left]
                payload.append(piece)
                self._chunk_left -= len(piece)
                if not self._chunk_left:
                    self._state = "data-end"
            else:
                end = data.find(b"\n", position) + 1
                piece = data[position : end or len(data)]
                self._pending += piece
                self._read_pending(complete=bool(end))
            position += len(piece)
        self.consumed += position
        return payload[0] if len(payload) == 1 else b"".join(payload)

    def _read_pending(self, *, complete: bool) -> None:
        pending = self._pending
        if len(pending) > _MAX_CHUNK_LINE_BYTES:
            self.fault = f"a chunk line of more than {_MAX_CHUNK_LINE_BYTES} bytes"
        elif self._state == "data-end" and pending not in {b"\r", b"\r\n", b"\n"}:
            self.fault = f"chunk data goes on past its size: {pending[:20]!r}"
        elif self._state == "size" and not _CHUNK_SIZE_SO_FAR.fullmatch(pending):
            self.fault = f"no chunk size in {pending[:40]!r}"
        elif complete:
            self._pending = b""
            self._line(pending.removesuffix(b"\n").removesuffix(b"\r"), len(pending))

    def _line(self, line: bytes, size: int) -> None:
        if self._state == "data-end":
            self._state = "size"
        elif self._state == "size":
            match = _CHUNK_SIZE.fullmatch(line)
            if match is None:
                self.fault = f"no chunk size in {line[:40]!r}"
                return
            self.begun = True
            self._chunk_left = int(match[1], 16)
            self._state = "data" if self._chunk_left else "trailer"
        elif line:
            self._trailer_bytes += size
            if self._trailer_bytes > _MAX_TRAILER_BYTES:
                self.fault = f"trailers of more than {_MAX_TRAILER_BYTES} bytes"
        else:
            self.finished = True


def payload_chunks(head: Head, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the payload of a stored message: *pieces*, the bytes after *head*, without their transfer coding.

    The content coding stays. Of a chunked body that was cut or breaks off, what is there is yielded; a body that
    claims to be chunked and does not even begin so (some archivers store it de-chunked) is yielded as it stands.
    """
    if head.tokens("Transfer-Encoding")[-1:] != ["chunked"]:
        yield from pieces
        return
    dechunker = Dechunker()
    rest = iter(pieces)
    opening = b""  # what came so far, while it may still turn out not to be chunked
    for piece in rest:
        payload = dechunker.feed(piece)
        if payload:
            yield payload
        if not dechunker.begun:
            opening += piece
        if dechunker.fault and not dechunker.begun:
            yield opening
            yield from rest
        if dechunker.fault or dechunker.finished:
            return
