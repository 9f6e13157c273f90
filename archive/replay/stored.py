"""The payload that answers for a capture, its bytes checked, its original found where it is a revisit.

An original is looked for by everything that archivers write into a revisit, the surest first: the record's id, its
place in a file (``WARC-Refers-To-Filename`` and ``-File-Offset``), URI and date, and the payload digest.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from archive import names
from archive.archive import READ_WHOLE_BYTES, Archive
from archive.capture import SERVER_NOT_MODIFIED, Capture
from archive.digests import same_digest
from archive.errors import ArchiveError, DigestMismatch, MalformedMessage, MalformedRecord, ObjectMissing, StorageError
from archive.http1 import Head, payload_chunks, read_response_head
from archive.payload import digest_like, read_head
from archive.place import Place
from archive.replay import quick
from archive.replay.kept import Kept
from archive.scan import Scanned, read_record
from archive.scan.record import UNREADABLE
from archive.spool import Spool

_KEPT_LARGE = 4  # unpacked on disk: a film is asked for in many ranges
_KEPT_BYTES = 64 << 20  # of small payloads: the styles and pictures of a site are asked for by each of its pages
_SMALL_BYTES = 1 << 18
_SECOND = timedelta(seconds=1)  # others write dates without fractions


class OriginalMissing(ArchiveError):
    """The capture is a revisit, and what it refers to is not in this archive."""


class NotReplayable(ArchiveError):
    """The capture is there, and its record is not what was written. Never served; the message says what is wrong."""


@dataclass(slots=True)
class Stored:
    """What answers for a capture.

    *head* is that of the answer, of a revisit its own where it has one; None of a resource. *payload* is bytes or, of
    a large one, a spool that others read too. *original* is the capture whose record holds the payload, where that is
    another one. *notes* say what is unusual about the record, in words.
    """

    head: Head | None
    payload: bytes | Spool
    content_type: str | None
    content_encoding: str
    original: Capture | None = None
    truncated: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The status it was answered with; 200 where the record is no HTTP message."""
        return self.head.status if self.head is not None and self.head.status is not None else 200

    def __len__(self) -> int:
        return len(self.payload)

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        if isinstance(self.payload, bytes):
            return self.payload[start : None if length is None else start + length]
        return self.payload.read(start, len(self.payload) - start if length is None else length)


class Store:
    """Reads what answers for captures out of *archive*. Several threads may share one.

    *member* gives the stored bytes of a record; a cache may stand before it.
    """

    def __init__(self, archive: Archive, member: Callable[[Place], bytes] | None = None) -> None:
        self.archive = archive
        self._member = member or archive.stored
        self._large: OrderedDict[Place, Stored] = OrderedDict()
        self._small: Kept[Stored] = Kept(_KEPT_BYTES)
        self._lock = threading.Lock()

    def read(self, capture: Capture) -> Stored:
        """Return what answers for *capture*.

        Raises ``OriginalMissing``, ``NotReplayable`` and ``StorageError``.
        """
        if capture.record_type != "revisit":
            return self._payload(capture)
        return self._of_revisit(capture)

    def close(self) -> None:
        with self._lock:
            for stored in self._large.values():
                if isinstance(stored.payload, Spool):
                    stored.payload.close()
            self._large.clear()

    def _payload(self, capture: Capture) -> Stored:
        place = capture.place
        if (small := self._small.get(place)) is not None:
            return small
        with self._lock:
            kept = self._large.get(place)
            if kept is not None:
                self._large.move_to_end(place)
                return kept
        if (found := self._quickly(capture)) is not None:
            if len(found) <= _SMALL_BYTES:
                self._small.put(place, found, len(found))
            return found
        with self._opened(capture) as (record, notes):
            stored = _stored(record, notes)
        if isinstance(stored.payload, Spool):
            with self._lock:
                self._large[place] = stored
                if len(self._large) > _KEPT_LARGE:
                    self._large.popitem(last=False)  # closed when the last who reads it lets go
        return stored

    def _quickly(self, capture: Capture) -> Stored | None:
        """Return what answers for *capture* where its record is as most are; None where it takes a closer look."""
        if capture.place.length > READ_WHOLE_BYTES or capture.record_type != "response":
            return None
        try:
            record = quick.read(self._member(capture.place))
        except StorageError:
            return None
        if record is None or record.type != "response":
            return None
        fields = record.fields
        if fields.get("warc-record-id", "").strip("<> ") != capture.record_id.strip("<>"):
            return None
        if not fields.get("content-type", "").startswith("application/http"):
            return None
        try:
            head = read_response_head(record.block)
        except MalformedMessage:
            return None
        if head is None:
            return None
        payload = b"".join(payload_chunks(head, [record.block[head.size :]]))
        truncated = fields.get("warc-truncated")
        return Stored(head, payload, head.get("Content-Type"), _coding(head), None, truncated)

    def _opened(self, capture: Capture) -> _Opened:
        place = capture.place
        try:
            if place.length > READ_WHOLE_BYTES:
                with self.archive.storage.open(place.key) as stream:
                    record = read_record(stream, place.offset)
            else:
                record = read_record(self._member(place), 0)
        except MalformedRecord as error:
            raise NotReplayable(f"{place.key} at {place.offset}: {error}") from error
        except ObjectMissing as error:
            raise NotReplayable(f"{error}; its WARC file is gone") from error
        try:
            return _Opened(record, _checked(record, capture))
        except BaseException:
            record.close()
            raise

    def _of_revisit(self, revisit: Capture) -> Stored:
        with self._opened(revisit) as (record, _):
            fields = record.fields
            try:
                head = read_head(record.block) if len(record.block) else None
            except MalformedMessage:
                head = None
            container, offset = fields.get("WARC-Refers-To-Filename"), fields.get("WARC-Refers-To-File-Offset")
            body = b"".join(payload_chunks(head, record.block.chunks(head.size))) if head else b""
        original = self._original(revisit, container, offset)
        if original is None:
            if body and not revisit.truncated:  # some archivers keep the payload in the revisit
                return Stored(head, body, head.get("Content-Type") if head else None, _coding(head))
            to = revisit.refers_to
            named = f"{to.url or revisit.url} of {to.captured_at:%Y-%m-%d %H:%M:%S}" if to and to.captured_at else ""
            raise OriginalMissing(
                f"{revisit.url}: the server sent what it had sent before, so only a reference was kept, to"
                f" {named or 'an earlier capture'}; that capture is not in this archive"
            )
        stored = self._payload(original)
        not_modified = revisit.profile is not None and revisit.profile.lower().endswith("server-not-modified")
        if head is None or head.status is None or head.status == 304 or not_modified:
            head = stored.head
        coding = _coding(head) or stored.content_encoding
        kind = (head.get("Content-Type") if head else None) or stored.content_type
        return Stored(head, stored.payload, kind, coding, original, stored.truncated, stored.notes)

    def _original(self, revisit: Capture, container: str | None, offset: str | None) -> Capture | None:
        """Return the capture whose payload *revisit* stands for; never another revisit."""
        to = revisit.refers_to
        urls = dict.fromkeys([*([to.url] if to and to.url else []), revisit.url])
        candidates = [
            capture
            for url in urls
            for capture in self.archive.index.captures(url)
            if capture.record_type != "revisit" and _same_payload(revisit, capture)
        ]
        for fits in _ways(revisit, container, offset):
            if found := next(filter(fits, candidates), None):
                return found
        return self._catalogued(revisit)

    def _catalogued(self, revisit: Capture) -> Capture | None:
        """Ask the catalogue, which knows captures of other URLs by record id and digest, where there is one."""
        to = revisit.refers_to
        if not self.archive.catalog_path.exists():
            return None
        named = to.record_id if to else None
        if named and (found := self.archive.ask_catalog(lambda catalog: catalog.capture(named), None)):
            return found if found.record_type != "revisit" else None
        digest = revisit.payload_digest
        if digest is None or _not_modified(revisit):
            return None
        return self.archive.ask_catalog(lambda catalog: catalog.original(digest), None)


class _Opened:
    """A record read, with what is unusual about it; closed at the end of the ``with``."""

    def __init__(self, record: Scanned, notes: tuple[str, ...]) -> None:
        self.record, self.notes = record, notes

    def __enter__(self) -> tuple[Scanned, tuple[str, ...]]:
        return self.record, self.notes

    def __exit__(self, *_: object) -> None:
        self.record.close()


def _ways(revisit: Capture, container: str | None, offset: str | None) -> Iterator[Callable[[Capture], bool]]:
    to = revisit.refers_to
    if to and to.record_id:
        yield lambda capture: capture.record_id == to.record_id
    if container and offset and offset.isdigit():
        file = names_of(container)
        yield lambda capture: names_of(capture.place.key) == file and capture.place.offset == int(offset)
    if to and to.captured_at:
        at = to.captured_at
        yield lambda capture: capture.captured_at == at
        yield lambda capture: abs(capture.captured_at - at) < _SECOND
    if revisit.payload_digest and not _not_modified(revisit):
        yield lambda capture: capture.payload_digest is not None
    if _not_modified(revisit):  # the server said that the page is as it was: the last one before
        yield lambda capture: capture.status == 200 and capture.captured_at <= revisit.captured_at


def names_of(path: str) -> str:
    """Return the name of a WARC file without folders and without the mark of its packing."""
    return path.rpartition("/")[2].removesuffix(".gz").removesuffix(names.OPEN_SUFFIX)


def _not_modified(revisit: Capture) -> bool:
    return revisit.status == 304 or revisit.profile == SERVER_NOT_MODIFIED


def _same_payload(revisit: Capture, capture: Capture) -> bool:
    """Tell whether the digests, where both are told and comparable, do not speak against it."""
    one, other = revisit.payload_digest, capture.payload_digest
    if one is None or other is None or _not_modified(revisit):
        return True
    return same_digest(one, other) or one.partition(":")[0].lower() != other.partition(":")[0].lower()


def _checked(record: Scanned, capture: Capture) -> tuple[str, ...]:
    """Return what is unusual about *record*, in words.

    Raises ``NotReplayable`` when its bytes are not those that were written, or are those of another record.
    """
    where = f"{capture.place.key} at {capture.place.offset}"
    broken = [problem.message for problem in record.problems if problem.code in UNREADABLE]
    if broken or record.content_length != len(record.block):
        short = f"{len(record.block)} of {record.content_length} bytes are there"
        raise NotReplayable(f"{where}: the record is damaged: {broken[0] if broken else short}")
    if record.id.strip("<> ") != capture.record_id.strip("<>"):
        raise NotReplayable(
            f"{where}: the index says {capture.record_id}, the file has {record.id}; newswarc index rebuild"
        )
    stored = record.fields.get("WARC-Block-Digest")
    computed = record.block_digest
    if stored and computed and not same_digest(stored, computed):
        raise NotReplayable(
            f"{where}: the record is damaged: {DigestMismatch(record.id, stored=stored, computed=computed)}"
        )
    if (not stored or computed is None) and record.type != "revisit":
        _check_payload(record, where)
    return tuple(problem.message for problem in record.problems)


def _check_payload(record: Scanned, where: str) -> None:
    """Hold the payload against its digest where the block has none. Some writers digest it with its chunks."""
    label, found = record.fields.get("WARC-Payload-Digest"), record.payload_digest
    if not label or found is None or record.fields.get("WARC-Truncated") or same_digest(label, found):
        return
    head = _head(record)
    if head and digest_like(label, record.block.chunks(head.size)) == label:
        return
    raise NotReplayable(f"{where}: the record is damaged: {DigestMismatch(record.id, stored=label, computed=found)}")


def _head(record: Scanned) -> Head | None:
    content_type = (record.fields.get("Content-Type") or "").lower()
    if record.type == "resource" or (content_type and not content_type.startswith("application/http")):
        return None
    try:
        return read_head(record.block)
    except MalformedMessage:
        return None


def _coding(head: Head | None) -> str:
    return ", ".join(head.get_all("Content-Encoding")) if head else ""


def _stored(record: Scanned, notes: tuple[str, ...]) -> Stored:
    head = _head(record)
    truncated = record.fields.get("WARC-Truncated")
    start = head.size if head else 0
    pieces = record.block.chunks(start)
    payload: bytes | Spool
    if len(record.block) > READ_WHOLE_BYTES:
        payload = Spool()
        for piece in payload_chunks(head, pieces) if head else pieces:
            payload.write(piece)
    else:
        payload = b"".join(payload_chunks(head, pieces) if head else pieces)
    kind = (
        head.get("Content-Type") if head else record.fields.get("Content-Type") if record.type == "resource" else None
    )
    return Stored(head, payload, kind, _coding(head), None, truncated, notes)
