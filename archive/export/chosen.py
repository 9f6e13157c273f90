"""Which captures go out: any number of them, in a temporary database that has no name and takes disk, not memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby

from archive import cdxj
from archive.capture import Capture, iso
from archive.place import Place

_SHOWN = ("url", "mime", "status", "digest", "length", "offset", "filename")


class Chosen:
    """Captures by where they lie; after copying, where each came to lie; and the conversion records of articles."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(
            # The same record may stand in several files that were imported: it goes out once.
            "CREATE TABLE captures (file, offset, length, record_id, same UNIQUE, line BLOB,"
            " name, new_offset, new_length, PRIMARY KEY (file, offset)) WITHOUT ROWID"
        )
        self._db.execute("CREATE TABLE articles (file, offset, length, PRIMARY KEY (file, offset)) WITHOUT ROWID")

    def add(self, capture: Capture) -> bool:
        """Choose *capture*; tell whether it is new."""
        line = cdxj.line(capture)
        if line is None:
            return False  # a response without a whole head: players would show its first bytes as a page
        place = capture.place
        done = self._db.execute(
            "INSERT OR IGNORE INTO captures (file, offset, length, record_id, same, line) VALUES (?, ?, ?, ?, ?, ?)",
            (place.key, place.offset, place.length, capture.record_id, _same(capture), line),
        )
        return done.rowcount > 0

    def add_article(self, place: Place) -> None:
        """Choose the conversion record at *place*."""
        self._db.execute("INSERT OR IGNORE INTO articles VALUES (?, ?, ?)", (place.key, place.offset, place.length))

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM captures").fetchone()
        return int(count)

    def stored_bytes(self) -> int:
        """Return how many bytes the chosen captures take up where they lie."""
        (total,) = self._db.execute("SELECT coalesce(sum(length), 0) FROM captures").fetchone()
        return int(total)

    def longest_bytes(self) -> int:
        """Return how long the longest chosen capture is where it lies."""
        (longest,) = self._db.execute("SELECT coalesce(max(length), 0) FROM captures").fetchone()
        return int(longest)

    def captures(self) -> Iterator[Capture]:
        """Yield all captures by file and place; more may be chosen meanwhile."""
        at = ("", -1)
        while rows := self._db.execute(
            "SELECT file, offset, line FROM captures WHERE (file, offset) > (?, ?) ORDER BY file, offset LIMIT 500", at
        ).fetchall():
            at = rows[-1][:2]
            for _, _, line in rows:
                yield cdxj.parse(line)

    def files(self) -> list[str]:
        """Return the storage keys of all files that hold a chosen capture."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT file FROM captures ORDER BY file")]

    def in_file(self, file: str) -> dict[int, int]:
        """Return where the chosen records of *file* begin, and how long each is."""
        return dict(self._db.execute("SELECT offset, length FROM captures WHERE file = ? ORDER BY offset", (file,)))

    def articles(self) -> Iterator[Place]:
        for row in self._db.execute("SELECT file, offset, length FROM articles ORDER BY file, offset"):
            yield Place(*row)

    def moved(self, old: Place, name: str, offset: int, length: int) -> None:
        """Note that the record at *old* now lies in the file *name* of the export."""
        self._db.execute(
            "UPDATE captures SET name = ?, new_offset = ?, new_length = ? WHERE file = ? AND offset = ?",
            (name, offset, length, old.key, old.offset),
        )

    def lines(self) -> Iterator[bytes]:
        """Yield the index lines of all that was copied, for where it lies now, sorted as bytes.

        They have what any tool knows, and nothing of what only newswarc reads.
        """
        rows = self._db.execute(
            "SELECT line, name, new_offset, new_length FROM captures WHERE name IS NOT NULL ORDER BY line"
        )
        for _, same in groupby(map(_moved_line, rows), lambda line: line.partition(b"{")[0]):
            yield from sorted(same)

    def copied(self, record_id: str) -> bool:
        """Tell whether the capture with that id was copied."""
        found = self._db.execute(
            "SELECT 1 FROM captures WHERE record_id = ? AND name IS NOT NULL LIMIT 1", (record_id,)
        ).fetchone()
        return found is not None

    def index_ids(self) -> None:
        """Make :meth:`copied` quick: once all is chosen."""
        self._db.execute("CREATE INDEX IF NOT EXISTS by_id ON captures (record_id)")

    def close(self) -> None:
        self._db.close()


def _moved_line(row: tuple[bytes, str, int, int]) -> bytes:
    line, name, offset, length = row
    key, stamp, text = bytes(line).split(b" ", 2)
    values = json.loads(text) | {"offset": str(offset), "length": str(length), "filename": name}
    shown = {name: values[name] for name in _SHOWN if name in values}
    return b"%s %s %s\n" % (key, stamp, json.dumps(shown).encode("ascii"))


def _same(capture: Capture) -> str:
    return f"{capture.record_id} {iso(capture.captured_at)} {capture.payload_digest} {capture.url}"
