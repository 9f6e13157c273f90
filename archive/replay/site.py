"""What a replay server serves, and under which names: shared by everything that answers."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from archive.access import Access, AccessError, rules_of
from archive.archive import Archive
from archive.errors import StorageError
from archive.replay.frames import Frames
from archive.replay.kept import Kept
from archive.replay.open_files import OpenFiles
from archive.replay.record_cache import RecordCache
from archive.replay.rendering import Rendered
from archive.replay.stored import Store
from archive.replay.timeline import Timeline
from archive.storage.local import LocalStorage

log = logging.getLogger(__name__)

RENDERED_BYTES = 48 << 20  # of documents and style sheets led into the archive, which takes milliseconds each
ACCESS_REFRESH_S = 10.0  # a rule that was added holds within this time


@dataclass(frozen=True, slots=True)
class Options:
    """*public_url* and *pages_url* are the origins that clients see, without a last slash: two host names."""

    public_url: str = "http://127.0.0.1:8080"
    pages_url: str = "http://localhost:8081"
    scripts: bool = False  # replayed scripts run, in their sandbox


@dataclass
class Site:
    """An archive with everything needed to answer for it. Several threads share one."""

    archive: Archive
    options: Options
    frames: Frames = field(default_factory=Frames)

    def __post_init__(self) -> None:
        storage = self.archive.storage
        local = isinstance(storage, LocalStorage)
        self._files = OpenFiles(self.archive, storage) if isinstance(storage, LocalStorage) else None
        self.cache = None if local else RecordCache(self.archive)
        self.store = Store(
            self.archive, self._files.stored if self._files else self.cache.stored if self.cache else None
        )
        self.rendered: Kept[Rendered] = Kept(RENDERED_BYTES)
        self._access = rules_of(self.archive.storage)  # a server that cannot read its rules does not start
        self._access_at = time.monotonic()
        self._lock = threading.Lock()

    @property
    def access(self) -> Access:
        """The rules of access, read anew now and then; if they cannot be, those read before stay in force."""
        if time.monotonic() - self._access_at > ACCESS_REFRESH_S and self._lock.acquire(blocking=False):
            try:
                self._access = rules_of(self.archive.storage)
            except (AccessError, StorageError) as error:
                log.error("%s; the rules read before stay in force", error)
            finally:
                self._access_at = time.monotonic()
                self._lock.release()
        return self._access

    def timeline(self, url: str) -> Timeline:
        return Timeline(self.archive.index, url, self.access)

    def close(self) -> None:
        self.store.close()
        if self._files is not None:
            self._files.close()
