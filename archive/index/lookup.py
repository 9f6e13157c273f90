"""Look-ups over all segments: bisection in each, on local files or on copies of a bucket's.

Each WARC has one sorted segment, ``index/…/<stem>.cdxj``, which never changes; :mod:`archive.index.merged` says how
many become one.
"""

from __future__ import annotations

import contextlib
import heapq
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from archive import cdxj
from archive.capture import Capture
from archive.errors import IndexDamaged, ObjectMissing
from archive.index import merged as merging
from archive.index.opened import MAX_FILES, OpenSegments, disk_errors
from archive.names import INDEX_PREFIX
from archive.storage import Stat, Storage
from archive.surt import plain, surt

log = logging.getLogger(__name__)

REFRESH_S = 30.0  # how long a list of segments is believed: other writers publish theirs at any time


class Index:
    """Looks up captures in all segments of *storage*.

    Segments in a bucket are fetched once into *cache*. *open_lines* gives the lines of segments not sealed yet, in any
    order. Look-ups raise ``IndexDamaged`` when a segment is unsorted, cut or not an index, and ``StorageError``.
    Several threads may share one.
    """

    def __init__(
        self,
        storage: Storage,
        cache: Path,
        open_lines: Callable[[], Iterable[bytes]] | None = None,
        *,
        refresh_s: float = REFRESH_S,
    ) -> None:
        self.storage, self.cache, self.refresh_s = storage, cache, refresh_s
        self._open_lines = open_lines
        self._lock = threading.Lock()
        self._sources: list[Stat] = []  # the merged file, and the segments that are not in it
        self._segments = OpenSegments(storage, cache)
        self._listed_at: float | None = None

    def captures(
        self, url: str, *, since: datetime | None = None, until: datetime | None = None, exact: bool = True
    ) -> Iterator[Capture]:
        """Yield the captures of *url* from *since* on and before *until*, oldest first.

        Different URLs may share a key (letter case, session ids, order of the query). With *exact* only captures of
        the URL itself are given (scheme, ``www`` and a last slash make no difference), and those of the others only
        when it has none at all.
        """
        key = surt(url).encode()
        found: dict[str, Capture] = {}
        for line in self.lines(key + b" ", key + b"!"):
            try:
                capture = cdxj.parse(line)
            except ValueError as error:
                self._forget()
                raise IndexDamaged(f"index of {self.storage.location}", str(error)) from error
            found[capture.record_id] = capture
        captures = list(found.values())
        if exact:
            wanted = plain(url)
            captures = [capture for capture in captures if plain(capture.url) == wanted] or captures
        captures.sort(key=lambda capture: (capture.captured_at, capture.record_id))
        for capture in captures:
            if (since is None or since <= capture.captured_at) and (until is None or capture.captured_at < until):
                yield capture

    def closest(self, url: str, at: datetime) -> Capture | None:
        """Return the capture of *url* nearest to *at*, of two equally near the earlier; None when there is none."""
        return min(
            self.captures(url),
            key=lambda capture: (abs(capture.captured_at - at), capture.captured_at, capture.record_id),
            default=None,
        )

    def lines(self, start: bytes, end: bytes) -> Iterator[bytes]:
        """Yield the index lines from *start* on that come before *end*, of all segments, in order, each once."""
        if self._listed_at is None or time.monotonic() - self._listed_at > self.refresh_s:
            self.refresh()
        with self._lock:
            sources = list(self._sources)
        parts: list[Iterable[bytes]] = []
        try:
            for source in sources:
                with contextlib.suppress(ObjectMissing):  # removed by a rebuild or merge since it was listed
                    found = self._segments.get(source).between(start, end)
                    # Only so many files can be open at once: then what one has to say is read before the next.
                    parts.append(found if len(sources) <= MAX_FILES else list(found))
            if self._open_lines is not None:
                parts.append(sorted(line for line in self._open_lines() if start <= line < end))
            yield from merging.once(heapq.merge(*parts))
        except IndexDamaged:
            self._forget()
            raise

    def cuts(self, start: bytes, end: bytes, every_bytes: int) -> list[bytes]:
        """Return where the lines between *start* and *end* can be cut into parts of about *every_bytes* each.

        The first line of each part as the largest segment has it; the same while the segments are the same.
        """
        if self._listed_at is None or time.monotonic() - self._listed_at > self.refresh_s:
            self.refresh()
        with self._lock:
            sources = list(self._sources)
        cuts: list[bytes] = []
        for source in sources:
            if source.size > every_bytes or not cuts:
                with contextlib.suppress(ObjectMissing):
                    found = self._segments.get(source).cuts(start, end, every_bytes)
                    cuts = found if len(found) > len(cuts) else cuts
        return [start, *cuts[1:]] if cuts else []

    def _forget(self) -> None:
        """Drop what is open: damaged segments are looked at afresh once they are rebuilt."""
        self._segments.forget()
        self._listed_at = None

    def refresh(self) -> dict[str, int]:
        """Look again which segments there are, and return them with their sizes.

        Look-ups do so by themselves every ``refresh_s`` seconds.
        """
        found = {stat.key: stat for stat in self.storage.list(INDEX_PREFIX)}
        sizes = {key: stat.size for key, stat in found.items()}
        merged = None
        try:
            merged = merging.read_list(self.storage, found)
        except ObjectMissing:  # withdrawn since it was listed
            pass
        except ValueError as error:
            log.warning("%s of %s is passed over: %s", merging.MERGED_LIST, self.storage.location, error)
        if merged and not merged.fits(sizes):
            log.warning(
                "the merged index of %s no longer fits its segments: newswarc index merge", self.storage.location
            )
            merged = None
        segments = {key: size for key, size in sizes.items() if merging.is_segment(key)}
        sources = [Stat(merged.key, merged.size, merged.sha256)] if merged else []
        sources += [found[key] for key in segments if not merged or key not in merged.segments]
        with self._lock:
            self._sources = sources
            self._listed_at = time.monotonic()
        self._segments.keep_only(sources)
        if len(sources) > MAX_FILES:
            log.info(
                "%s has %d index segments; look-ups become quicker with: newswarc index merge",
                self.storage.location,
                len(sources),
            )
        return segments

    def merge(self) -> int:
        """Write all segments into one merged file, so that look-ups stay quick; return how many are in it.

        Raises ``IndexDamaged`` when a segment is not sorted: nothing is changed then.
        """
        segments = self.refresh()
        with self._lock:
            sources = list(self._sources)
        with disk_errors(self.cache):
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="merge-", dir=self.cache) as scratch:
                parts = []
                for begin in range(0, len(sources), MAX_FILES):
                    folder = Path(scratch) / str(begin)
                    folder.mkdir()
                    batch = [self._segments.open(source) for source in sources[begin : begin + MAX_FILES]]
                    parts.append(merging.write_merged(batch, folder))
                files = [path for path, _, _ in parts]
                whole = parts[0] if len(parts) == 1 else merging.write_merged_files(files, Path(scratch))
                merging.publish(self.storage, *whole, segments)
        self.refresh()
        return len(segments)
