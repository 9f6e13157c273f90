"""A row of segments written one after the other: the next begins when one is large or old enough."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from archive import names, warc
from archive.errors import StorageError
from archive.manifest import Entry
from archive.segment import Sealed, Segment
from archive.warc import Record

ROTATE_AT_BYTES = 1_000_000_000  # WARC 1.1, annex C: 10^9 bytes as a practical target
ROTATE_AFTER_S = 3600.0  # an hour's captures is the most that waits for publication


def _now() -> datetime:
    return datetime.now(UTC)


class SegmentWriter:
    """Writes records of one kind into segments of its own in one session directory.

    Not thread-safe. A segment is begun by the first append, so that a writer that is given nothing leaves nothing.
    """

    def __init__(
        self,
        directory: Path,
        kind: names.Kind,
        fields: Sequence[tuple[str, str]],
        *,
        rotate_at_bytes: int = ROTATE_AT_BYTES,
        rotate_after_s: float = ROTATE_AFTER_S,
        host: str | None = None,
        now: Callable[[], datetime] = _now,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """*fields* are the pairs of each segment's ``warcinfo``; *host* stands in file names."""
        self.directory, self.kind = directory, kind
        self.rotate_at_bytes, self.rotate_after_s = rotate_at_bytes, rotate_after_s
        self._fields = list(fields)
        self._host = host or socket.gethostname()
        self._now, self._monotonic_s = now, monotonic_s
        self._serial = 0
        self._segment: Segment | None = None
        self._begun_s = 0.0
        self._lost: Path | None = None  # a damaged segment that held unsynced records
        self.warcinfo_id = warc.new_record_id()  # what the next record appended names as its WARC-Warcinfo-ID

    @property
    def due(self) -> bool:
        """Whether the open segment is large or old enough to be sealed."""
        if self._segment is None:
            return False
        old = self._monotonic_s() - self._begun_s >= self.rotate_after_s
        return self._segment.size >= self.rotate_at_bytes or (old and not self._segment.empty)

    def append(self, records: Sequence[Record]) -> list[Entry]:
        """Write *records*, all or none, into one segment; return where each lies and what it shows.

        Never seals: *warcinfo_id* stays true between the building of records and their writing. Raises ``DiskFull``
        or ``StorageError``; when the segment itself was lost to the error, the next append begins another.
        """
        segment = self._segment or self._begin()
        try:
            return segment.append(records)
        finally:
            self._leave_if_damaged()

    def _begin(self) -> Segment:
        at = self._now()
        stem = names.new_stem(self.kind, self._serial + 1, self._host, at)
        filename = f"{stem}{names.WARC_SUFFIX}"
        record = warc.warcinfo(filename, self._fields, date=at, record_id=self.warcinfo_id)
        self._segment = Segment(self.directory, stem, record)
        self._serial += 1
        self._begun_s = self._monotonic_s()
        return self._segment

    def _leave_if_damaged(self) -> None:
        if self._segment is not None and self._segment.damaged:
            if self._segment.unsynced:
                self._lost = self._segment.path
            self._next()

    def _next(self) -> None:
        self._segment = None
        self.warcinfo_id = warc.new_record_id()

    def sync(self) -> None:
        """Make everything appended durable.

        Raises ``DiskFull`` or ``StorageError``, and does so for good once a segment was lost whose records had not
        been synced: nothing may then be called committed.
        """
        if self._lost:
            raise StorageError(f"{self._lost}: its last records are not confirmed on disk; the next start mends it")
        if self._segment is not None:
            try:
                self._segment.sync()
            finally:
                self._leave_if_damaged()

    def rotate(self) -> Sealed | None:
        """Seal the open segment; the next append begins another. None when there is nothing to seal.

        A segment that holds only its ``warcinfo`` is deleted instead. Raises ``DiskFull`` or ``StorageError``; the
        segment is then left to be mended.
        """
        segment = self._segment
        if segment is None:
            return None
        self._next()
        if segment.empty:
            segment.discard()
            return None
        return segment.seal()

    def close(self) -> Sealed | None:
        """Seal what is open, as :meth:`rotate` does."""
        return self.rotate()
