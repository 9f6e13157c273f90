"""Lines in the order of their bytes, in any number: what does not fit in memory waits in temporary files."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from archive.files import storage_errors

MEMORY_BYTES = 32 << 20  # of lines; some 50,000 captures
_BUFFER_BYTES = 1 << 20


class LineSorter:
    """Takes lines, each with its line break, in any order, and gives them sorted. Equal ones are all given.

    Raises ``DiskFull`` or ``StorageError`` when temporary files cannot be written.
    """

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._lines: list[bytes] = []
        self._held = 0
        self._runs: list[IO[bytes]] = []

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        self._held += len(line)
        if self._held >= self._memory_bytes:
            self._spill()

    def _spill(self) -> None:
        with storage_errors(Path(tempfile.gettempdir()), "sorting an index"):
            run = tempfile.TemporaryFile(buffering=_BUFFER_BYTES)  # noqa: SIM115 - closed in close()
            self._runs.append(run)
            run.writelines(sorted(self._lines))
            run.flush()
        self._lines, self._held = [], 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield all lines; one pass at a time, and as many as are wanted."""
        parts: list[Iterable[bytes]] = [sorted(self._lines)]
        for run in self._runs:
            run.seek(0)
            parts.append(run)
        return heapq.merge(*parts) if self._runs else iter(parts[0])

    def close(self) -> None:
        for run in self._runs:
            run.close()
        self._runs = []
