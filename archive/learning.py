"""What is learned of hosts from their pages, gathered page by page and kept beside the archive.

A cache: it can be deleted, and is learned again. Each host has the lines seen last with the pages they stood on, and
where the texts of its last pages stood.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple
from itertools import zip_longest
from pathlib import Path
from typing import Self
from urllib.parse import quote

from archive.errors import StorageError
from archive.extraction.learned import NOTHING, Layout, Learned, Region, Seen
from archive.files import make_directory
from archive.rules import host_of
from archive.sqlite import BUSY_S, create, transaction, translated, version, write_ahead

REPEATED_ON = 3  # distinct pages; measured on 421 pages with gold: body F1 .918 -> .927, precision and recall up
SAME_ARTICLE = 0.5  # of a page's lines in common with another of the same title: a copy of the same article
SAME_TEXT = 0.9  # the same, whatever the titles
MOST_PAGES = 5_000  # of a host whose titles are remembered
MOST_LINES = 20_000  # of a host that are remembered while they have stood on one page or two; the oldest go first
MOST_REPEATED = 2_000  # of a host
SURE = 5  # pages in a row whose text stood in one place make it the host's layout
MOST_HOSTS = 1_000  # in memory at once

SCHEMA = 1
_TABLES = """
CREATE TABLE lines (
    host  TEXT NOT NULL,
    line  INTEGER NOT NULL,     -- fingerprint
    pages TEXT NOT NULL,        -- the addresses it stood on, at most as many as make it repeat, a line each
    PRIMARY KEY (host, line)
) STRICT, WITHOUT ROWID;
CREATE TABLE pages (
    host  TEXT NOT NULL,
    page  TEXT NOT NULL,
    title INTEGER NOT NULL,     -- fingerprint
    PRIMARY KEY (host, page)
) STRICT, WITHOUT ROWID;
CREATE TABLE places (
    host  TEXT NOT NULL,
    turn  INTEGER NOT NULL,     -- the order of the pages
    place TEXT,                 -- a layout as JSON; NULL: nowhere that could be named
    cut   INTEGER,              -- whether the page, cut to its region, gave the same article; NULL: not tried
    PRIMARY KEY (host, turn)
) STRICT, WITHOUT ROWID;
"""


class Host:
    """What the pages of one host have shown."""

    def __init__(self) -> None:
        self.lines: OrderedDict[int, tuple[str, ...]] = OrderedDict()  # the pages each stood on, up to REPEATED_ON
        self.repeated: dict[int, tuple[str, ...]] = {}
        self.titles: OrderedDict[str, int] = OrderedDict()  # of the pages
        self.places: deque[Layout | None] = deque(maxlen=SURE)
        self.cuts: deque[bool] = deque(maxlen=SURE)  # whether pages, cut to their region, gave the same article
        self.changed = False
        self._known: Learned | None = None

    def known(self) -> Learned:
        """Return what the next page is read with."""
        if self._known is None:
            self._known = Learned(frozenset(self.repeated), self._layout())
        return self._known

    def _layout(self) -> Layout | None:
        last = self.places[-1] if self.places else None
        if last is None or len(self.places) < SURE:
            return None
        if not all(place is not None and place.is_place_of(last) for place in self.places):
            return None
        complete = all(place is not None and place.complete for place in self.places)
        regions = {place.region for place in self.places if place is not None}
        region = regions.pop() if len(regions) == 1 else None
        cut = all(self.cuts) if region is not None and len(self.cuts) == SURE else None
        return Layout(*last.place, complete, region, cut)

    def add(self, url: str, seen: Seen) -> None:
        """Take in what the page at *url* showed. Copies of one article, and captures of one page, count once."""
        if seen.whole and (seen.lines or seen.layout):
            self.places.append(seen.layout)
        if seen.cut is not None:
            self.cuts.append(seen.cut)
        page = self._original(url, seen)
        if seen.title is not None:
            self.titles[page] = seen.title
        for line in seen.lines:
            if line in self.repeated:
                continue
            pages = self.lines.pop(line, ())
            if page not in pages:
                pages = (*pages, page)
            if len(pages) >= REPEATED_ON and len(self.repeated) < MOST_REPEATED:
                self.repeated[line] = pages
            else:
                self.lines[line] = pages[:REPEATED_ON]
        while len(self.lines) > MOST_LINES:
            self.lines.popitem(last=False)
        while len(self.titles) > MOST_PAGES:
            self.titles.popitem(last=False)
        self.changed, self._known = True, None

    def _original(self, url: str, seen: Seen) -> str:
        """Return the address of the page that *url* is another copy of, or *url*."""
        shared: dict[str, int] = {}
        fresh = [line for line in seen.lines if line not in self.repeated]
        for line in fresh:
            for page in self.lines.get(line, ()):
                shared[page] = shared.get(page, 0) + 1
        if not shared:
            return url
        best = max(shared, key=lambda page: shared[page])
        alike = SAME_ARTICLE if seen.title is not None and self.titles.get(best) == seen.title else SAME_TEXT
        return best if shared[best] > alike * len(fresh) and len(fresh) > 1 else url


class Learning:
    """What is known of each host; in memory alone, or kept in a file with :meth:`opened`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._hosts: OrderedDict[str, Host] = OrderedDict()
        self._db: sqlite3.Connection | None = None
        self._kept = True

    @classmethod
    def opened(cls, path: Path) -> Self:
        """Open the file at *path*, made when it is not there. Raises ``StorageError`` when it cannot be used."""
        learning = cls(path)
        with translated(path, "what is learned of hosts", f"delete it: {path}"):
            make_directory(path.parent)
            db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            write_ahead(db)
            db.execute("PRAGMA synchronous = NORMAL")  # a cache: a power cut may take the last of it
            if version(db) == 0:
                create(db, _TABLES, SCHEMA)
            learning._db = db if version(db) == SCHEMA else None
        return learning

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open what is kept at *path*, if it is there, to be read alone: what is added is not kept.

        What cannot be used is as good as not there.
        """
        learning = cls(path)
        with suppress(sqlite3.Error):
            if path.is_file():
                db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False)
                learning._db = db if version(db) == SCHEMA else None
                learning._kept = False
        return learning

    def known(self, url: str) -> Learned:
        """Return what the page at *url* is read with."""
        host = host_of(url)
        return self._host(host).known() if host else NOTHING

    def add(self, url: str, seen: Seen | None) -> None:
        """Take in what the page at *url* showed."""
        host = host_of(url)
        if seen is not None and host:
            self._host(host).add(url, seen)

    def pages(self, url: str, line: int) -> tuple[str, ...]:
        """Return the pages that make *line* repeat on the host of *url*; none when it does not."""
        return self._host(host_of(url)).repeated.get(line, ())

    def _host(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = self._read(name)
            if len(self._hosts) > MOST_HOSTS:
                oldest, dropped = self._hosts.popitem(last=False)
                self._write([(oldest, dropped)])
        self._hosts.move_to_end(name)
        return host

    def _read(self, name: str) -> Host:
        host = Host()
        if self._db is None or self.path is None:
            return host
        with translated(self.path, "what is learned of hosts", f"delete it: {self.path}"):
            for line, pages in self._db.execute("SELECT line, pages FROM lines WHERE host = ?", (name,)):
                stood = tuple(pages.split("\n"))
                (host.repeated if len(stood) >= REPEATED_ON else host.lines)[line] = stood
            for page, title in self._db.execute("SELECT page, title FROM pages WHERE host = ?", (name,)):
                host.titles[page] = title
            for place, cut in self._db.execute("SELECT place, cut FROM places WHERE host = ? ORDER BY turn", (name,)):
                host.places.append(_layout(place))
                if cut is not None:
                    host.cuts.append(bool(cut))
        return host

    def save(self) -> None:
        """Keep what was learned since the last time. Raises ``StorageError`` when it cannot be kept."""
        self._write(self._hosts.items())

    def _write(self, hosts: Iterable[tuple[str, Host]]) -> None:
        if self._db is None or self.path is None or not self._kept:
            return
        changed = [(name, host) for name, host in hosts if host.changed]
        if not changed:
            return
        with translated(self.path, "what is learned of hosts", f"delete it: {self.path}"), transaction(self._db):
            for name, host in changed:
                for table in ("lines", "pages", "places"):
                    self._db.execute(f"DELETE FROM {table} WHERE host = ?", (name,))  # noqa: S608 - names above
                self._db.executemany(
                    "INSERT INTO pages VALUES (?, ?, ?)", ((name, page, title) for page, title in host.titles.items())
                )
                self._db.executemany(
                    "INSERT INTO lines VALUES (?, ?, ?)",
                    ((name, line, "\n".join(pages)) for line, pages in {**host.lines, **host.repeated}.items()),
                )
                rows = zip_longest((json.dumps(astuple(place)) if place else None for place in host.places), host.cuts)
                self._db.executemany(
                    "INSERT INTO places VALUES (?, ?, ?, ?)", ((name, turn, *row) for turn, row in enumerate(rows))
                )
                host.changed = False

    def close(self) -> None:
        """Keep what was learned, and close the file."""
        try:
            self.save()
        except StorageError:
            pass  # a cache: the next crawl learns it again
        finally:
            if self._db is not None:
                self._db.close()
                self._db = None


def _layout(written: str | None) -> Layout | None:
    if written is None:
        return None
    tag, label, parent_tag, parent_label, complete, region, _ = json.loads(written)
    return Layout(tag, label, parent_tag, parent_label, complete, Region(*region) if region else None)
