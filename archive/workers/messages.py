"""Messages on a socket: eight bytes of length, then as many bytes.

One system call sends a message and, as a rule, one receives it: each lets other threads have the interpreter, and takes
a while to get it back. So limits of time are the kernel's (:func:`limit`), set once, not Python's, which ask before
every call.
"""

from __future__ import annotations

import socket
import struct

_LENGTH = struct.Struct("!Q")
NUMBER = struct.Struct("!q")

_TIMEVAL = struct.Struct("@ll")  # seconds, microseconds (socket(7), SO_RCVTIMEO)
_PIECE_BYTES = 1 << 16  # most messages are smaller


class MessageTooLarge(Exception):
    """The other side announces more than it may; *size* in bytes. The channel is of no use any more."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a message of {size} bytes")
        self.size = size


def limit(channel: socket.socket, seconds: float) -> None:
    """Have whatever waits for the other side of *channel* raise ``TimeoutError`` after *seconds*."""
    value = _TIMEVAL.pack(int(seconds), max(1, int(seconds % 1 * 1_000_000)))
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def send(channel: socket.socket, message: bytes) -> None:
    """Send *message*. Raises ``TimeoutError``, and ``OSError`` when the other side is gone."""
    rest = [memoryview(_LENGTH.pack(len(message))), memoryview(message)]
    while rest:
        try:
            sent = channel.sendmsg(rest)
        except BlockingIOError as error:
            raise TimeoutError("the other side takes too long") from error
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if rest:
            rest[0] = rest[0][sent:]


def receive(channel: socket.socket, begun: bytes = b"", *, limit_bytes: int | None = None) -> bytearray:
    """Return the next message, of which *begun* was received already.

    Raises ``TimeoutError``, ``EOFError`` or ``OSError`` when the other side is gone, and ``MessageTooLarge``.
    """
    data = bytearray(begun)
    while len(data) < _LENGTH.size:
        data += some(channel)
    (length,) = _LENGTH.unpack_from(data)
    if limit_bytes is not None and length > limit_bytes:
        raise MessageTooLarge(length)
    del data[: _LENGTH.size]
    return _filled(channel, data, length)


def some(channel: socket.socket) -> bytes:
    """Return what there is to be received, at least one byte; errors as in :func:`receive`."""
    try:
        data = channel.recv(_PIECE_BYTES)
    except BlockingIOError as error:
        raise TimeoutError("the other side takes too long") from error
    if not data:
        raise EOFError("the other side is gone")
    return data


def receive_number(channel: socket.socket) -> int:
    """Return a bare number, as :data:`NUMBER` packs it; errors as in :func:`receive`."""
    number: int = NUMBER.unpack(_filled(channel, bytearray(), NUMBER.size))[0]
    return number


def _filled(channel: socket.socket, data: bytearray, length: int) -> bytearray:
    """Return *data* with what is still to come of its *length* bytes."""
    received = len(data)
    data.extend(bytes(length - received))
    with memoryview(data) as view:
        while received < length:
            try:
                size = channel.recv_into(view[received:])
            except BlockingIOError as error:
                raise TimeoutError("the other side takes too long") from error
            if not size:
                raise EOFError("the other side is gone")
            received += size
    return data
