"""Articles out of imported captures, in the guarded worker pool, as conversion records of ours.

The catalogue says which captures have none yet: so whatever ended an earlier run, the same command goes on, and files
imported without their articles can have them later.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace

from archive.archive import Archive
from archive.article import Article
from archive.capture import SERVER_NOT_MODIFIED, Capture, iso
from archive.errors import ExtractionFailed, NotArchived, RecordError, StorageError
from archive.examine import Examination, examine_record
from archive.importing.accounts import Account
from archive.pages import HTML_TYPES
from archive.place import Place
from archive.recorder import Recorder
from archive.workers import Workers

log = logging.getLogger(__name__)

AHEAD = 4  # pages a worker
PAGE_BYTES = 64 << 20  # of a record as stored; a longer one is no page
_COMMIT_EVERY = 200  # articles; what a kill costs is extracted again


@dataclass(slots=True)
class _Task:
    capture: Capture
    future: Future[Examination]


class ArticleReader:
    """Extracts articles of the captures in imported files of *archive*, by *workers*, into *recorder*."""

    def __init__(self, archive: Archive, workers: Workers, recorder: Recorder) -> None:
        self.archive, self.workers, self.recorder = archive, workers, recorder
        self._uncommitted = 0
        self._refreshed = False

    def read(self, account: Account) -> None:
        """Extract what the file of *account* has and the catalogue lacks; count it there.

        A revisit whose original is not in the archive (yet) is counted as waiting. Raises ``StorageError``,
        ``WorkersUnavailable``, or ``IndexDamaged`` when the catalogue cannot be asked.
        """
        assert account.warc is not None
        account.waiting = 0
        self._refreshed = False
        under_way: deque[_Task] = deque()
        for capture in self.archive.catalog.unread(account.warc, HTML_TYPES):
            task = self._begun(capture, account)
            if task is not None:
                under_way.append(task)
            while len(under_way) >= AHEAD * self.workers.count:
                self._finish(under_way.popleft(), account)
        while under_way:
            self._finish(under_way.popleft(), account)
        self.recorder.commit()
        self._uncommitted = 0

    def _begun(self, capture: Capture, account: Account) -> _Task | None:
        if not capture.url.lower().startswith(("http:", "https:")) or capture.profile == SERVER_NOT_MODIFIED:
            return None
        try:
            place = self._place(capture)
            if place.length > PAGE_BYTES:
                return None
            reference = self.archive.reference(place)
        except NotArchived:
            account.waiting += 1
            return None
        except (RecordError, StorageError) as error:
            self._given_up(capture, str(error), account)
            return None
        learned = self.archive.learning.known(capture.url)
        return _Task(
            capture,
            self.workers.submit(
                examine_record,
                reference,
                url=capture.url,
                captured_at=capture.captured_at,
                want_article=True,
                want_requisites=False,
                learned=learned,
            ),
        )

    def _place(self, capture: Capture) -> Place:
        """Return where the record lies that answers for *capture*; what was imported just now counts."""
        try:
            return self.archive.written_place(capture)
        except NotArchived:
            if self._refreshed:
                raise
            self._refreshed = True
            self.archive.index.refresh()
            return self.archive.written_place(capture)

    def _finish(self, task: _Task, account: Account) -> None:
        try:
            found = task.future.result()
        except ExtractionFailed as error:
            self._given_up(task.capture, error.reason, account)
            return
        if found.article is None:
            if found.problem:
                self._given_up(task.capture, found.problem, account)
            return
        self.archive.learning.add(task.capture.url, found.seen)
        self.recorder.record_article(_completed(found.article, task.capture))
        account.articles += 1
        self._uncommitted += 1
        if self._uncommitted >= _COMMIT_EVERY:
            self.recorder.commit()
            self._uncommitted = 0

    def _given_up(self, capture: Capture, why: str, account: Account) -> None:
        account.unread += 1
        log.warning(
            "%s, captured %s: kept, but its article could not be read: %s", capture.url, iso(capture.captured_at), why
        )


def _completed(article: Article, capture: Capture) -> Article:
    """Return *article* with what only its *capture* knows."""
    return replace(
        article,
        record_id=capture.record_id,
        payload_digest=capture.payload_digest,
        captured_at=iso(capture.captured_at),
    )
