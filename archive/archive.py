"""An opened archive: storage, index and catalogue together, for whoever reads it or writes to it."""

from __future__ import annotations

import glob
import hashlib
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from archive import names
from archive.article import Article
from archive.capture import Capture, RefersTo
from archive.catalog import Catalog
from archive.entries import ENTERED_AT_ONCE, article_of, capture_of, records_in
from archive.errors import (
    IndexDamaged,
    LocationError,
    MalformedRecord,
    NotArchived,
    ObjectMissing,
    RecordError,
    StorageError,
)
from archive.files import make_directory
from archive.index import Index
from archive.learning import Learning
from archive.mending import mend_session
from archive.place import Place
from archive.reference import Payload, Reference, checked, payload_of
from archive.scan import Scanned
from archive.sessions import Session
from archive.sqlite import translated
from archive.storage import Storage
from archive.storage.local import LocalStorage
from archive.storage.opening import open_storage
from archive.upload import publish

if TYPE_CHECKING:
    from archive.recorder import Recorder, RunInfo
    from archive.storage.s3 import S3Options

log = logging.getLogger(__name__)
T = TypeVar("T")

READ_WHOLE_BYTES = 16 << 20  # compressed; of what is repeated most is pictures and styles of some kilobytes


class Archive:
    """One archive. *state_dir* holds what is not archive: catalogue, caches, sessions being written, quarantine."""

    def __init__(self, storage: Storage, state_dir: Path) -> None:
        self.storage, self.state_dir = storage, state_dir
        self._catalog_damaged = False

    @classmethod
    def open(cls, location: str, *, s3: S3Options | None = None, state_dir: Path | None = None) -> Self:
        """Open the archive at *location*, a directory or ``s3://bucket/prefix``; it need not exist yet.

        *state_dir* is where an archive in a bucket keeps its local state; a directory keeps its own in ``.newswarc``.
        Raises ``LocationError`` when the location cannot be understood.
        """
        storage = open_storage(location, s3=s3)
        if isinstance(storage, LocalStorage):
            return cls(storage, storage.root / ".newswarc")
        name = hashlib.sha256(storage.location.encode()).hexdigest()[:16]
        home = state_dir or Path("~/.local/state/newswarc").expanduser()
        return cls(storage, home / name)

    def require(self) -> None:
        """Raise ``LocationError`` when there is no archive to read. A bucket is there, or its first use says so."""
        if isinstance(self.storage, LocalStorage) and not self.storage.root.is_dir():
            raise LocationError(
                f"{self.storage.location}: there is no archive; archive a page first, or name another with --archive"
            )

    @property
    def catalog_path(self) -> Path:
        return self.state_dir / "catalog.sqlite"

    @cached_property
    def catalog(self) -> Catalog:
        with translated(self.catalog_path):
            make_directory(self.state_dir)
        return Catalog(self.catalog_path)

    def ask_catalog(self, use: Callable[[Catalog], T], otherwise: T) -> T:
        """Return what *use* makes of the catalogue; *otherwise* when it is damaged.

        It is a cache: its damage is told once, and stops no writer.
        """
        if not self._catalog_damaged:
            try:
                return use(self.catalog)
            except IndexDamaged as error:
                self._catalog_damaged = True
                log.warning("%s; captures are kept without it", error)
        return otherwise

    @property
    def learned_path(self) -> Path:
        return self.state_dir / "learned.sqlite"

    @cached_property
    def learning(self) -> Learning:
        """What is learned of hosts from their pages; in memory alone when its file cannot be used."""
        try:
            return Learning.opened(self.learned_path)
        except (IndexDamaged, StorageError) as error:
            log.warning("%s; what is learned of hosts in this run is not kept", error)
            return Learning()

    @cached_property
    def index(self) -> Index:
        return Index(self.storage, self.state_dir / "cache")

    @property
    def sessions_dir(self) -> Path:
        return self.state_dir / "sessions"

    def mend(self) -> list[Session]:
        """Mend and seal what crashed writers left behind, and enter it into the catalogue; every whole record is kept.

        Returns their session directories, locked, to be published and removed by the caller. Sessions whose writer
        still runs are left alone. Raises ``DiskFull`` or ``StorageError``; what is left then waits for the next start.
        """
        left = []
        for session in Session.abandoned(self.sessions_dir):
            for account in mend_session(session.path, self.state_dir / "quarantine"):
                log.warning("left by a run that ended early: %s", account)
            self.ask_catalog(partial(self._enter, session.path), None)
            if session.files():
                left.append(session)
            else:
                session.remove()
        return left

    def recover(self) -> None:
        """Mend and publish what crashed writers left behind. Raises as :meth:`mend` and ``publish`` do."""
        for session in self.mend():
            publish(session.path, self.storage)
            session.remove()

    @staticmethod
    def _enter(directory: Path, catalog: Catalog) -> None:
        """Enter the sealed segments in *directory* into the catalogue: their writer may have died before it did."""
        for path in sorted([*directory.glob(f"*{names.WARC_SUFFIX}"), *directory.glob(f"*{names.PLAIN_WARC_SUFFIX}")]):
            stem = names.stem_of(path.name)
            if not path.with_name(stem + names.MANIFEST_SUFFIX).exists():
                continue  # an imported file's own bytes, beside the segment that was made of it
            key = names.keys(stem).warc
            catalog.forget(key)
            captures: list[Capture] = []
            articles: list[tuple[str, Article, Place]] = []
            with path.open("rb") as stream:
                for record in records_in(stream):
                    if capture := capture_of(record, key):
                        captures.append(capture)
                    elif article := article_of(record, key):
                        articles.append(article)
                    if len(articles) >= ENTERED_AT_ONCE or len(captures) >= 10 * ENTERED_AT_ONCE:
                        catalog.add(captures, articles)
                        captures, articles = [], []
            catalog.add(captures, articles)

    def recorder(self, info: RunInfo, *, rotate_at_bytes: int, rotate_after_s: float) -> Recorder:
        """Open the archive for writing, in a session directory of its own."""
        from archive.recorder import Recorder  # noqa: PLC0415 - it needs warcio, which reading does without

        return Recorder(self, info, rotate_at_bytes=rotate_at_bytes, rotate_after_s=rotate_after_s)

    def uncatalogued(self) -> int:
        """Return how many published segments the catalogue here knows nothing of.

        Another machine wrote them, or the catalogue was deleted; ``newswarc index rebuild`` enters them.
        """
        known: set[str] = self.ask_catalog(lambda catalog: catalog.files(), set())
        unknown = [
            stat.key
            for prefix in (names.CAPTURES_PREFIX, names.ARTICLES_PREFIX)
            for stat in self.storage.list(prefix)
            if stat.key not in known
        ]
        return sum(not self._shows_nothing(key) for key in unknown)

    def _shows_nothing(self, key: str) -> bool:
        """Tell whether a file has no captures, as one of wget's has that holds its log alone."""
        if not key.startswith(names.CAPTURES_PREFIX):
            return False
        stat = self.storage.stat(names.index_key(key))
        return stat is not None and not stat.size

    def captures(self, url: str) -> Iterator[Capture]:
        """Yield every capture of *url*, oldest first."""
        return self.index.captures(url)

    def closest(self, url: str, at: datetime) -> Capture:
        """Return the capture of *url* nearest to *at*.

        Raises ``NotArchived`` when there is none.
        """
        capture = self.index.closest(url, at)
        if capture is None:
            raise NotArchived(f"{url}: not in {self.storage.location}; archive it with: newswarc archive {url}")
        return capture

    def read(self, place: Place) -> Scanned:
        """Return the record at *place*, its block checked against its own digest.

        Raises ``DigestMismatch`` or ``MalformedRecord`` when the bytes are not what was written, ``ObjectMissing``
        when the WARC file is gone.
        """
        try:
            return checked(self.stored(place))
        except MalformedRecord as error:
            raise MalformedRecord(f"{place.key} at {place.offset}: {error}; run: newswarc verify") from error

    def can_read(self, place: Place) -> bool:
        """Tell whether the record at *place* is there and is what was written.

        What lies in a bucket alone is taken to be: to ask for it may take long, and stores keep what they were given.
        Of a record of more than :data:`READ_WHOLE_BYTES` it is only seen that it is there.
        """
        whole = place.length <= READ_WHOLE_BYTES
        part = place if whole else Place(place.key, place.offset, 1)
        try:
            member = self._held(part)
            if member is None:
                if not isinstance(self.storage, LocalStorage):
                    return True
                member = self.storage.read(part.key, part.offset, part.length)
            if whole:
                checked(member).block.close()
        except (RecordError, StorageError):
            return False
        return len(member) == part.length

    def reference(self, place: Place) -> Reference:
        """Return how another process on this machine reads the record at *place* itself.

        It is a file while one is here, and the record's bytes otherwise. Raises as :meth:`read` does.
        """
        name = place.key.rpartition("/")[2]
        paths = [path for suffix in (names.OPEN_SUFFIX, "") for path in self._in_sessions(f"{name}{suffix}")]
        if isinstance(self.storage, LocalStorage):
            paths.append(self.storage.root / place.key)
        for path in paths:
            if path.is_file():
                return Reference(path, place.offset, place.length)
        return Reference(data=self.stored(place))

    def _in_sessions(self, name: str) -> Iterator[Path]:
        """Yield the files of that name in session directories, of which there is one a writer."""
        return self.sessions_dir.glob(f"*/{glob.escape(name)}")

    def stored(self, place: Place) -> bytes:
        """Return the bytes at *place* as they are stored, unchecked; what a writer here still holds counts."""
        try:
            return self.storage.read(place.key, place.offset, place.length)
        except ObjectMissing:
            held = self._held(place)
        # A file that is in neither place may have been published between the two looks.
        return self.storage.read(place.key, place.offset, place.length) if held is None else held

    def _held(self, place: Place) -> bytes | None:
        """Return what a writer on this machine still holds at *place*; None when none does."""
        name = place.key.rpartition("/")[2]
        for suffix in (names.OPEN_SUFFIX, ""):  # in the order in which a file has these names
            for path in self._in_sessions(f"{name}{suffix}"):
                try:
                    with path.open("rb") as file:
                        file.seek(place.offset)
                        return file.read(place.length)
                except FileNotFoundError:
                    continue
        return None

    def response(self, capture: Capture) -> Scanned:
        """Return the response record that answers for *capture*: its own, or the original a revisit refers to.

        Raises ``NotArchived`` when the original is not in this archive.
        """
        return self.read(self._response_place(capture))

    def _response_place(self, capture: Capture) -> Place:
        if capture.record_type != "revisit":
            return capture.place
        refers_to = capture.refers_to
        original = self.original(capture)
        if original is None:
            raise NotArchived(
                f"{capture.url}: the revisit {capture.record_id} refers to"
                f" {refers_to.url if refers_to else 'nothing'}, which is not in {self.storage.location}"
            )
        return original.place

    def original(self, revisit: Capture) -> Capture | None:
        """Return the capture that *revisit* stands for; None when it is not in this archive."""
        refers_to = revisit.refers_to
        return self._original(revisit, refers_to) if refers_to else self._same_payload(revisit)

    def _original(self, revisit: Capture, refers_to: RefersTo) -> Capture | None:
        """Return the very capture that *revisit* refers to, by record id or date, and no other of its URL."""
        for capture in self.index.captures(refers_to.url or revisit.url):
            named = capture.record_id == refers_to.record_id or capture.captured_at == refers_to.captured_at
            same = revisit.payload_digest is None or capture.payload_digest == revisit.payload_digest
            if named and same and capture.record_type != "revisit":
                return capture
        return None

    def _same_payload(self, revisit: Capture) -> Capture | None:
        """Return what a revisit stands for that names nothing but a digest, as Heritrix wrote them before WARC 1.1."""
        label = revisit.payload_digest
        if label is None:
            return None
        for capture in self.index.captures(revisit.url):
            if capture.record_type != "revisit" and capture.payload_digest == label:
                return capture
        return self.ask_catalog(lambda catalog: catalog.original(label, revisit.url), None)

    def written_place(self, capture: Capture) -> Place:
        """Return where the record lies that answers for *capture*, for a writer: segments not yet published count.

        Raises as :meth:`response` does.
        """
        if capture.record_type == "revisit" and capture.refers_to is not None and capture.refers_to.record_id:
            named = capture.refers_to.record_id
            original = self.ask_catalog(lambda catalog: catalog.capture(named), None)
            if original is not None:
                return original.place
        return self._response_place(capture)

    def payload(self, capture: Capture) -> Payload:
        """Return the entity body of *capture*, transfer coding removed, content coding kept."""
        return payload_of(self.response(capture))

    def close(self) -> None:
        if "learning" in self.__dict__:
            self.learning.close()
        if "catalog" in self.__dict__:
            self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
