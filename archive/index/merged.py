"""Many segments in one file, so that look-ups stay quick.

    index/merged/<sha256>.cdxj     the lines of many segments, sorted
    index/merged/merged.json       {"schema": 1, "key", "size", "sha256", "segments": {key: size}}

pywb, which does not look into folders within a folder, reads an archive merged so with ``index_paths:
<archive>/index/merged/`` and ``archive_paths: <archive>/``.

The segments stay, and stay the truth: a merged file that does not fit its list, or one of whose segments is gone or has
another size, is passed over.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from archive.index.sorted_lines import SortedLines
from archive.names import INDEX_PREFIX, INDEX_SUFFIX
from archive.storage import Stat, Storage

MERGED_PREFIX = f"{INDEX_PREFIX}merged/"
MERGED_LIST = f"{MERGED_PREFIX}merged.json"

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Merged:
    """What ``merged.json`` says: the merged file, and the segments in it with their sizes in bytes."""

    key: str
    size: int
    sha256: str
    segments: dict[str, int]

    def to_bytes(self) -> bytes:
        return json.dumps({"schema": _SCHEMA, **asdict(self)}, sort_keys=True, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Merged:
        """Raises ``ValueError`` when *data* is no such list."""
        try:
            found = json.loads(data)
            if found["schema"] != _SCHEMA:
                raise ValueError(f"schema {found['schema']!r}")
            return cls(found["key"], found["size"], found["sha256"], dict(found["segments"]))
        except (KeyError, TypeError) as error:
            raise ValueError(repr(error)) from error

    def fits(self, sizes: dict[str, int]) -> bool:
        """Tell whether file and segments are all there, with the sizes they had."""
        return all(sizes.get(key) == size for key, size in {**self.segments, self.key: self.size}.items())


def is_segment(key: str) -> bool:
    return key.startswith(INDEX_PREFIX) and key.endswith(INDEX_SUFFIX) and not key.startswith(MERGED_PREFIX)


def once(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield sorted *lines*, equal ones once."""
    before = b""
    for line in lines:
        if line != before:
            yield line
        before = line


def write_merged(sources: Sequence[SortedLines], scratch: Path) -> tuple[Path, int, str]:
    """Merge *sources* into one new file in *scratch*; return it, its size and its sha256.

    Raises ``IndexDamaged`` when a source is not sorted.
    """
    return _write(scratch / "merged", [source.all() for source in sources])


def write_merged_files(paths: Sequence[Path], scratch: Path) -> tuple[Path, int, str]:
    """Merge sorted files, as :func:`write_merged` does."""
    with ExitStack() as stack:
        return _write(scratch / "merged", [stack.enter_context(path.open("rb")) for path in paths])


def _write(path: Path, sources: Sequence[Iterable[bytes]]) -> tuple[Path, int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as out:
        for line in once(heapq.merge(*sources)):
            out.write(line)
            digest.update(line)
            size += len(line)
    return path, size, digest.hexdigest()


def publish(storage: Storage, path: Path, size: int, sha256: str, segments: dict[str, int]) -> Merged:
    """Put a merged file and then its list, and remove the file before it.

    After a crash at any moment the archive is as before, or merged: the file has the name of its bytes, and the list
    replaces the one before whole.
    """
    merged = Merged(f"{MERGED_PREFIX}{sha256}.cdxj", size, sha256, segments)
    storage.put(merged.key, path, sha256=sha256)
    text = merged.to_bytes()
    storage.put(MERGED_LIST, text, sha256=hashlib.sha256(text).hexdigest(), replace=True)
    for found in list(storage.list(MERGED_PREFIX)):
        if found.key not in {merged.key, MERGED_LIST}:
            storage.delete(found.key)
    return merged


def withdraw(storage: Storage) -> None:
    """Remove the merged file, its list first; look-ups go to the segments again."""
    storage.delete(MERGED_LIST)
    for found in list(storage.list(MERGED_PREFIX)):
        storage.delete(found.key)


def read_list(storage: Storage, found: dict[str, Stat]) -> Merged | None:
    """Return the list among *found* objects of the index; None when there is none.

    Raises ``ValueError`` when it cannot be read.
    """
    return Merged.from_bytes(storage.read(MERGED_LIST)) if MERGED_LIST in found else None
