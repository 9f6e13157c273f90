"""Content codings (RFC 9110, 8.4.1) undone within a limit: what a stored payload says once unpacked.

Each coding is undone piece by piece, so that a bomb costs no more memory than the limit allows.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from itertools import count

import brotli
from isal import isal_zlib

from archive.errors import ContentUndecodable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE_BYTES = 1 << 20  # unpacked at a time
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16)))  # RFC 8878, 3.1
_ZSTD_WINDOW_LOG_MAX = 23  # RFC 9659: a decoder of the zstd content coding need not take windows above 8 MB


def decode_content(payload: bytes, content_encoding: str, *, limit_bytes: int) -> bytes:
    """Undo the codings that *content_encoding*, the value of that field, lists; the last one was applied last.

    An empty payload is empty under every coding. Rubbish after the end of gzip, deflate and zstd data is dropped, as
    browsers do.
    Raises ``ContentUndecodable``, carrying what could be unpacked, when a coding lies, is cut, is unknown, or any of
    its steps gives more than *limit_bytes*.
    """
    for coding in reversed([part.strip().lower() for part in content_encoding.split(",")]):
        if coding in {"", "identity"} or not payload:
            continue
        unpack = _UNPACK.get(coding)
        if unpack is None:
            raise ContentUndecodable(f"unknown content coding {coding[:40]!r}", partial=payload)
        payload = _collect(unpack(payload), coding, limit_bytes)
    return payload


def _collect(pieces: Iterator[bytes], coding: str, limit_bytes: int) -> bytes:
    unpacked: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            unpacked.append(piece)
            size += len(piece)
            if size > limit_bytes:
                partial = b"".join(unpacked)[:limit_bytes]
                raise ContentUndecodable(f"{coding} data unpacks to more than {limit_bytes} bytes", partial=partial)
    except (isal_zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:  # type: ignore[misc]  # ISA-L has no types
        raise ContentUndecodable(f"{coding} data is broken: {error}", partial=b"".join(unpacked)) from error
    return unpacked[0] if len(unpacked) == 1 else b"".join(unpacked)


def _inflate(data: bytes, window_bits: int) -> Generator[bytes, None, bytes]:
    """Yield what one zlib, gzip or raw deflate stream unpacks to; the generator's value is what follows the stream."""
    unpacker = isal_zlib.decompressobj(window_bits)
    while not unpacker.eof:
        piece = unpacker.decompress(data, _PIECE_BYTES)
        data = unpacker.unconsumed_tail
        yield piece
        if not (piece or data or unpacker.eof):
            raise EOFError("it ends in the middle")
    return unpacker.unused_data


def _gunzip(data: bytes) -> Iterator[bytes]:
    for member in count():
        if member and not data.startswith(_GZIP_MAGIC):
            return  # padding or rubbish behind the last member
        data = yield from _inflate(data, zlib.MAX_WBITS | 16)


def _undeflate(data: bytes) -> Iterator[bytes]:
    # "deflate" means the zlib format (RFC 9110, 8.4.1.2), yet some servers send it without the zlib wrapper; the
    # two bytes of a zlib header say the method, 8, and are a multiple of 31 together (RFC 1950, 2.2).
    wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
    yield from _inflate(data, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


def _unbrotli(data: bytes) -> Iterator[bytes]:
    unpacker = brotli.Decompressor()
    while not unpacker.is_finished():
        piece = unpacker.process(data, output_buffer_limit=_PIECE_BYTES)
        data = b""
        yield piece
        if not piece and unpacker.can_accept_more_data() and not unpacker.is_finished():
            raise EOFError("it ends in the middle")


def _unzstd(data: bytes) -> Iterator[bytes]:
    for frame in count():
        if frame and not data.startswith(_ZSTD_MAGICS):
            return
        unpacker = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG_MAX})
        while not unpacker.eof:
            piece = unpacker.decompress(data, _PIECE_BYTES)
            data = b""
            yield piece
            if not piece and unpacker.needs_input and not unpacker.eof:
                raise EOFError("it ends in the middle")
        data = unpacker.unused_data


_UNPACK: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
