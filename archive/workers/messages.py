"""Messages on a socket: eight bytes of length, then as many bytes."""

from __future__ import annotations

import socket
import struct
import time

_LENGTH = struct.Struct("!Q")
NUMBER = struct.Struct("!q")


class MessageTooLarge(Exception):
    """The other side announces more than it may; *size* in bytes. The channel is of no use any more."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a message of {size} bytes")
        self.size = size


def send(channel: socket.socket, message: bytes, *, deadline: float | None = None) -> None:
    """Send *message*; *deadline* is on the monotonic clock, in seconds.

    Raises ``TimeoutError`` past the deadline and ``OSError`` when the other side is gone.
    """
    _set_timeout(channel, deadline)
    channel.sendall(_LENGTH.pack(len(message)))
    _set_timeout(channel, deadline)
    channel.sendall(message)


def receive(channel: socket.socket, *, deadline: float | None = None, limit_bytes: int | None = None) -> bytearray:
    """Return the next message.

    Raises ``TimeoutError`` past the deadline, ``EOFError`` or ``OSError`` when the other side is gone, and
    ``MessageTooLarge``.
    """
    (length,) = _LENGTH.unpack(receive_exactly(channel, _LENGTH.size, deadline=deadline))
    if limit_bytes is not None and length > limit_bytes:
        raise MessageTooLarge(length)
    return receive_exactly(channel, length, deadline=deadline)


def receive_exactly(channel: socket.socket, length: int, *, deadline: float | None = None) -> bytearray:
    """Return the next *length* bytes; errors as in :func:`receive`."""
    data = bytearray(length)
    view = memoryview(data)
    while view:
        _set_timeout(channel, deadline)
        received = channel.recv_into(view)
        if not received:
            raise EOFError("the other side is gone")
        view = view[received:]
    return data


def _set_timeout(channel: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        channel.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("past the deadline")
    channel.settimeout(left)
