"""Files that came to be while all the others were read."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Set
from pathlib import Path

from archive.storage import Storage


class Unread:
    """The WARC files that a survey did not read, and that are there: published since it began, or being written here.

    *read* is filled by the survey. *workdir* holds the sessions of this machine's writers.
    """

    def __init__(self, storage: Storage, workdir: Path, read: Set[str]) -> None:
        self._storage, self._workdir, self._read = storage, workdir, read
        self._known: dict[str, bool] = {}

    def holds(self, file: str) -> bool:
        """Tell whether the file with the storage key *file* is one of them. Raises ``StorageError``."""
        if file not in self._known:
            name = glob.escape(file.rpartition("/")[2])
            self._known[file] = file not in self._read and (
                self._storage.stat(file) is not None or any(self._workdir.glob(f"sessions/*/{name}*"))
            )
        return self._known[file]

    def without(self, dump: Iterator[str]) -> Iterator[str]:
        """Yield the rows of a catalogue's *dump* but those of such files: nobody can say yet what they should be."""
        for line in dump:
            if not self.holds(json.loads(line)["file"]):
                yield line
