"""A stream of which the beginning is looked at before it is read: a pipe cannot go back."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast


class Prefixed:
    """*stream*, of which up to *most* bytes, the *opening*, are read already."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self.opening = _filled(stream, most)

    def whole(self) -> BinaryIO:
        """Return it from its beginning; a stream that can go back has gone back."""
        if _seekable(self._stream):
            self._stream.seek(0)
            return self._stream
        return cast("BinaryIO", io.BufferedReader(_Rejoined(self.opening, self._stream)))

    @contextmanager
    def seekable_copy(self) -> Iterator[BinaryIO]:
        """Give it from its beginning as a file that can go back: a temporary one when it cannot itself."""
        if _seekable(self._stream):
            yield self.whole()
            return
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(self.whole(), file)
            file.seek(0)
            yield file


class _Rejoined(io.RawIOBase):
    """What was read of a stream, and then its rest."""

    def __init__(self, opening: bytes, stream: BinaryIO) -> None:
        self._opening, self._stream = opening, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any buffer
        piece = self._opening[: len(buffer)] or self._stream.read(len(buffer))
        self._opening = self._opening[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _filled(stream: BinaryIO, most: int) -> bytes:
    pieces = []
    while most and (piece := stream.read(most)):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def _seekable(stream: BinaryIO) -> bool:
    try:
        return stream.seekable()
    except (AttributeError, OSError):
        return False
