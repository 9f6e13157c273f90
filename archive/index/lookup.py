"""Look-ups over all segments: bisection in each, on local files or on copies of a bucket's.

Each WARC has one sorted segment, ``index/…/<stem>.cdxj``, which never changes; :mod:`archive.index.merged` says how
many become one.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import logging
import mmap
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from io import UnsupportedOperation
from pathlib import Path
from typing import BinaryIO

from archive import cdxj
from archive.capture import Capture
from archive.errors import DiskFull, IndexDamaged, ObjectDamaged, ObjectMissing, StorageUnavailable
from archive.files import is_full
from archive.index import merged as merging
from archive.index.sorted_lines import SortedLines
from archive.storage import Stat, Storage
from archive.surt import plain, surt

log = logging.getLogger(__name__)

REFRESH_S = 30.0  # how long a list of segments is believed: other writers publish theirs at any time

_OPEN_FILES = 200  # a process may have 1,024 files open by default, and each mapped segment is one
_READ_BYTES = 1 << 20


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
        self._opened: OrderedDict[tuple[str, int], SortedLines] = OrderedDict()  # least recently used first
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
        for source in sources:
            with contextlib.suppress(ObjectMissing):  # removed by a rebuild or merge since it was listed
                found = self._lines_of(source).between(start, end)
                # A segment without the key is let go at once: only so many can be open.
                if first := next(found, None):
                    parts.append(_after(first, found))
        if self._open_lines is not None:
            parts.append(sorted(line for line in self._open_lines() if start <= line < end))
        try:
            yield from merging.once(heapq.merge(*parts))
        except IndexDamaged:
            self._forget()
            raise

    def refresh(self) -> dict[str, int]:
        """Look again which segments there are, and return them with their sizes.

        Look-ups do so by themselves every ``refresh_s`` seconds.
        """
        found = {stat.key: stat for stat in self.storage.list(merging.INDEX_PREFIX)}
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
            wanted = {(source.key, source.size) for source in sources}
            for gone in [opened for opened in self._opened if opened not in wanted]:
                del self._opened[gone]
        return segments

    def merge(self) -> int:
        """Write all segments into one merged file, so that look-ups stay quick; return how many are in it.

        Raises ``IndexDamaged`` when a segment is not sorted: nothing is changed then.
        """
        segments = self.refresh()
        with self._lock:
            sources = list(self._sources)
        with self._disk(), tempfile.TemporaryDirectory(prefix="merge-", dir=self._made(self.cache)) as scratch:
            parts = []
            for begin in range(0, len(sources), _OPEN_FILES):
                folder = self._made(Path(scratch) / str(begin))
                batch = [self._opened_source(source) for source in sources[begin : begin + _OPEN_FILES]]
                parts.append(merging.write_merged(batch, folder))
            whole = (
                parts[0] if len(parts) == 1 else merging.write_merged_files([part[0] for part in parts], Path(scratch))
            )
            merging.publish(self.storage, *whole, segments)
        self.refresh()
        return len(segments)

    def _lines_of(self, source: Stat) -> SortedLines:
        """Return *source* opened, most recently used of those kept."""
        name = (source.key, source.size)
        with self._lock:
            if name in self._opened:
                self._opened.move_to_end(name)
                return self._opened[name]
        lines = self._opened_source(source)
        with self._lock:
            self._opened[name] = lines
            while len(self._opened) > _OPEN_FILES:
                self._opened.popitem(last=False)  # closed once nobody reads it any more
        return lines

    def _opened_source(self, source: Stat) -> SortedLines:
        copy = self.cache / source.key
        with self._disk():
            if not (copy.is_file() and copy.stat().st_size == source.size):
                with self.storage.open(source.key) as stream:
                    if (descriptor := _descriptor(stream)) is not None:
                        return SortedLines(_mapped(descriptor), source.key)
                    self._fetch(source, stream, copy)
            with copy.open("rb") as file:
                try:
                    return SortedLines(_mapped(file.fileno()), source.key)
                except IndexDamaged:
                    self._forget()
                    raise

    def _fetch(self, source: Stat, stream: BinaryIO, copy: Path) -> None:
        """Write *stream* to *copy*, whole and checked, or not at all."""
        known = source.sha256 or getattr(self.storage.stat(source.key), "sha256", None)
        incoming = self._made(copy.parent) / f"{copy.name}.{secrets.token_hex(6)}.incoming"
        try:
            digest = hashlib.sha256()
            with incoming.open("xb") as out:
                while piece := stream.read(_READ_BYTES):
                    out.write(piece)
                    digest.update(piece)
                size = out.tell()
            if size != source.size or known not in {None, digest.hexdigest()}:
                raise ObjectDamaged(
                    f"{self.storage.location}: {source.key} came as {size} bytes with sha256 {digest.hexdigest()},"
                    f" not {source.size} bytes with {known or 'an unknown one'}"
                )
            os.replace(incoming, copy)
        finally:
            incoming.unlink(missing_ok=True)

    def _forget(self) -> None:
        """Drop what is open and what was fetched: damaged segments are looked at afresh once they are rebuilt."""
        with self._lock:
            self._opened.clear()
            self._listed_at = None
        shutil.rmtree(self.cache / merging.INDEX_PREFIX, ignore_errors=True)

    def _made(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """Say what a failing local disk means."""
        try:
            yield
        except OSError as error:
            if is_full(error):
                raise DiskFull(f"{self.cache}: no room for the index: {error}") from error
            raise StorageUnavailable(f"{self.cache}: {error}") from error


def _descriptor(stream: BinaryIO) -> int | None:
    """Return the descriptor of a file of this machine; None when the stream is none."""
    try:
        return stream.fileno()
    except (UnsupportedOperation, AttributeError):
        return None


def _mapped(descriptor: int) -> bytes | mmap.mmap:
    # The mapping keeps a descriptor of its own; an empty file cannot be mapped.
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) if os.fstat(descriptor).st_size else b""


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
