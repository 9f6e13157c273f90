"""The open archive of one run: exchanges and articles in, durable records out."""

from __future__ import annotations

import platform
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from archive import warc
from archive.article import Article
from archive.capture import Capture
from archive.catalog.rows import article_row
from archive.errors import ArchiveError
from archive.exchange import Exchange
from archive.place import Place
from archive.sessions import Session
from archive.upload import Uploader
from archive.version import VERSION
from archive.writer import SegmentWriter

if TYPE_CHECKING:
    from archive.archive import Archive

# The fields by which a revisit names the capture of another URL take some 400 bytes: for less it is not worth it.
REVISIT_ELSEWHERE_BYTES = 1024
REMEMBERED_ORIGINALS = 10_000  # some 2 MB; pictures that all pages show are met again and again


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What the ``warcinfo`` record says of a run."""

    operator: str | None = None
    user_agent: str | None = None
    robots: str | None = None
    part_of: str | None = None  # the spider or collection


class Recorder:
    """Writes captures and articles of one run. Not thread-safe: one thread calls it.

    What :meth:`record` and :meth:`record_article` return is durable, indexed and in the catalogue once
    :meth:`commit` has returned, and published to storage once its segment is sealed.
    """

    def __init__(self, archive: Archive, info: RunInfo, *, rotate_at_bytes: int, rotate_after_s: float) -> None:
        self.archive = archive
        left = archive.mend()
        self.session = Session.create(archive.sessions_dir)
        fields = warcinfo_fields(info)
        self._captures = SegmentWriter(
            self.session.path, "captures", fields, rotate_at_bytes=rotate_at_bytes, rotate_after_s=rotate_after_s
        )
        self._articles = SegmentWriter(
            self.session.path, "articles", fields, rotate_at_bytes=rotate_at_bytes, rotate_after_s=rotate_after_s
        )
        # What a crash left is published in the background: a store out of reach is no reason not to capture.
        self._uploaders = {session: Uploader(session.path, archive.storage) for session in [self.session, *left]}
        for session in left:
            self._uploaders[session].wake()
        self._new_captures: list[Capture] = []
        # What revisits refer to, by the id of the capture that the catalogue names: itself if it can be read, if not
        # the next one that was written whole. The oldest is forgotten first.
        self._originals: dict[str, Capture | None] = {}
        self._new_articles: list[tuple[str, Article, Place]] = []

    def record(self, exchange: Exchange, evidence: Sequence[tuple[str, str]], *, whole: bool = False) -> Capture | None:
        """Append the records of one exchange; return its capture, None when no byte of a response came.

        *whole*: no revisit is written, whatever the archive has.
        """
        unsound: list[str] = []
        records = warc.capture_records(
            exchange,
            warcinfo_id=self._captures.warcinfo_id,
            metadata=evidence,
            original=None if whole else lambda payload_digest: self._original(payload_digest, exchange, unsound),
            validated=self._validated(exchange) if _is_conditional(exchange) else None,
        )
        capture = next((entry.capture for entry in self._captures.append(records) if entry.capture), None)
        if capture is not None:
            self._new_captures.append(capture)
            if unsound and capture.record_type == "response" and not capture.truncated:
                self._originals[unsound[0]] = capture
        return capture

    def _original(self, payload_digest: str, exchange: Exchange, unsound: list[str]) -> Capture | None:
        """Return the capture that *exchange* repeats, if writing a revisit of it is worth while.

        The id of one that cannot be read goes to *unsound*: a revisit of it would lose this body, too.
        """
        found = self._uncommitted(payload_digest, exchange.url) or self.archive.ask_catalog(
            lambda catalog: catalog.original(payload_digest, exchange.url), None
        )
        if found is None or (found.url != exchange.url and len(exchange.response) < REVISIT_ELSEWHERE_BYTES):
            return None
        if any(capture is found for capture in self._new_captures):
            return found
        if found.record_id not in self._originals:
            self._remember(found.record_id, found if self.archive.can_read(found.place) else None)
        original = self._originals[found.record_id]
        if original is None:
            unsound.append(found.record_id)
        return original

    def _remember(self, record_id: str, original: Capture | None) -> None:
        self._originals[record_id] = original
        if len(self._originals) > REMEMBERED_ORIGINALS:
            del self._originals[next(iter(self._originals))]

    def _validated(self, exchange: Exchange) -> Capture | None:
        """Return the capture whose validators a conditional request carries: the last that showed the page itself."""
        return self.archive.ask_catalog(lambda catalog: catalog.latest(exchange.url, status=200), None)

    def _uncommitted(self, payload_digest: str, url: str) -> Capture | None:
        """Look among the captures of the group being written, which the catalogue does not know yet."""
        same = [
            capture
            for capture in self._new_captures
            if capture.payload_digest == payload_digest and capture.record_type == "response" and not capture.truncated
        ]
        return next((capture for capture in same if capture.url == url), same[0] if same else None)

    def record_decision(self, url: str, pairs: Sequence[tuple[str, str]], *, about: str | None) -> None:
        """Append a ``metadata`` record of why *url* was not asked for; *about*: the record that says so, by its id."""
        info = self._captures.warcinfo_id
        self._captures.append([warc.decision(url, pairs, about=about, warcinfo_id=info, date=datetime.now(UTC))])

    def record_article(self, article: Article) -> str:
        """Append *article* as a ``conversion`` record of its capture; return the record's id."""
        record = warc.conversion(article, warcinfo_id=self._articles.warcinfo_id, date=datetime.now(UTC))
        article_row(record.id, article, Place("", 0, 0))  # what the catalogue cannot hold fails here, and alone
        (entry,) = self._articles.append([record])
        self._new_articles.append((record.id, article, entry.place))
        return record.id

    def commit(self) -> None:
        """Make durable all that was appended, then enter it into the catalogue."""
        self._captures.sync()
        self._articles.sync()
        captures, self._new_captures = self._new_captures, []
        articles, self._new_articles = self._new_articles, []
        if captures or articles:
            self.archive.ask_catalog(lambda catalog: catalog.add(captures, articles), None)
        for writer in (self._captures, self._articles):
            if writer.due:
                writer.rotate()
                self._uploaders[self.session].wake()

    @property
    def shipped(self) -> list[str]:
        """The storage keys of the WARC files that this run has published, those that a crash had left included."""
        return [key for uploader in self._uploaders.values() for key in uploader.shipped]

    def close(self, wait_s: float | None = None) -> None:
        """Seal what is open and publish it, for at most *wait_s*.

        Each step is tried, whatever befell the one before. Raises the first ``ArchiveError``, with a note for each
        further one; what could not be sealed or published is kept for the next start.
        """
        ends_s = None if wait_s is None else time.monotonic() + wait_s
        steps: list[Callable[[], object]] = [self._captures.close, self._articles.close]
        for session, uploader in self._uploaders.items():
            steps += [partial(_close_uploader, uploader, ends_s), session.remove]
        errors: list[ArchiveError] = []
        for step in steps:
            try:
                step()
            except ArchiveError as error:
                errors.append(error)
        if errors:
            for other in errors[1:]:
                errors[0].add_note(f"also: {other}")
            raise errors[0]


def _close_uploader(uploader: Uploader, ends_s: float | None) -> None:
    uploader.close(wait_s=None if ends_s is None else max(0.0, ends_s - time.monotonic()))


def _is_conditional(exchange: Exchange) -> bool:
    """Tell whether the request carried validators, which come from the last capture of the same URL."""
    head = exchange.request.partition(b"\r\n\r\n")[0].lower()
    return b"\r\nif-none-match:" in head or b"\r\nif-modified-since:" in head


def warcinfo_fields(info: RunInfo) -> list[tuple[str, str]]:
    """Return the ``application/warc-fields`` pairs of a ``warcinfo`` record (WARC 1.1, annex B.1)."""
    pairs = [
        ("software", f"newswarc/{VERSION} (Python {platform.python_version()})"),
        ("hostname", socket.gethostname()),
        ("format", "WARC File Format 1.1"),
        ("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
    ]
    named = {
        "operator": info.operator,
        "http-header-user-agent": info.user_agent,
        "robots": info.robots,
        "isPartOf": info.part_of,
    }
    return pairs + [(name, value) for name, value in named.items() if value]
