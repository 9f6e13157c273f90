"""A capture: what one archived record shows of one URL at one moment.

:meth:`Capture.from_record` is the only way from a WARC record to a capture, when the record is written and when an
index is rebuilt from it years later, so both come out the same.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable
from urllib.parse import urljoin

from archive.errors import MalformedMessage, MalformedRecord
from archive.http1 import MAX_HEAD_BYTES, Head, read_response_head
from archive.place import Place

HEAD_BYTES = MAX_HEAD_BYTES  # what of a block is looked at: a longer head counts as none

CAPTURE_TYPES = ("response", "revisit", "resource")  # the record types that show a URL; the others describe
IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
SERVER_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# W3C date and time formats as WARC 1.1, 5.4 takes them: from the year alone to nanoseconds, in UTC. Offsets are no
# part of the standard but are met.
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


_SURROGATE = re.compile("[\ud800-\udfff]")


@runtime_checkable
class FieldSource(Protocol):
    """Named fields whose ``get`` does not mind case, as a reader of WARC files gives them."""

    def get(self, name: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class RefersTo:
    """The earlier capture that a revisit stands for (WARC-Refers-To and its -Target-URI and -Date)."""

    record_id: str | None = None
    url: str | None = None
    captured_at: datetime | None = None  # UTC


@dataclass(frozen=True, slots=True)
class Capture:
    """One record that shows a URL, and where it lies.

    *status* is None when the record holds no whole HTTP head: a resource, an old revisit without block, or a
    response cut inside its head. *mime* is what the server said, in lower case, without parameters.
    """

    url: str
    captured_at: datetime  # UTC, microseconds: WARC-Date
    record_id: str  # "<urn:uuid:…>"
    record_type: str  # one of CAPTURE_TYPES
    status: int | None
    mime: str | None
    payload_digest: str | None  # as the record spells it
    place: Place
    truncated: str | None = None  # WARC-Truncated; "length" on every identical-payload revisit, whose body is elsewhere
    profile: str | None = None  # of a revisit: a URI, IDENTICAL_PAYLOAD or SERVER_NOT_MODIFIED among others
    refers_to: RefersTo | None = None  # of a revisit
    redirect: str | None = None  # the absolute Location of a 301, 302, 303, 307 or 308

    @property
    def timestamp14(self) -> str:
        """The time of capture as replay addresses and indexes spell it."""
        return timestamp14(self.captured_at)

    @classmethod
    def from_record(
        cls, fields: FieldSource | Iterable[tuple[str, str]], block_head: bytes, place: Place
    ) -> Capture | None:
        """Read the capture out of a record; None when records of its type show no URL.

        *fields* is anything with a ``get`` that ignores case, or the (name, value) pairs of a record being written.
        *block_head* is the block or its first ``HEAD_BYTES`` bytes; what lies beyond is never looked at.

        Raises ``MalformedRecord`` when a field that every capture has is absent or cannot be read.
        """
        get = _getter(fields)
        kind = (get("WARC-Type") or "").strip().lower()
        if kind not in CAPTURE_TYPES:
            return None
        record_id = bracketed(_required(get, "WARC-Record-ID", place))
        url = _unbracketed(_required(get, "WARC-Target-URI", place))
        date = _required(get, "WARC-Date", place)
        try:
            captured_at = parse_iso(date)
        except ValueError as error:
            raise MalformedRecord(f"{place.key} at {place.offset}: WARC-Date: {error}") from error

        content_type = media_type(get("Content-Type"))
        head = _http_head(block_head[:HEAD_BYTES]) if content_type == "application/http" else None
        status = head.status if head else None
        if head:
            mime = media_type(head.get("Content-Type"))
        else:
            mime = None if content_type == "application/http" or kind == "revisit" else content_type
        digest = get("WARC-Payload-Digest")
        if digest is None and kind == "resource":
            digest = get("WARC-Block-Digest")  # the payload of a resource is its block (WARC 1.1, 6.4)
        return cls(
            url=url,
            captured_at=captured_at,
            record_id=record_id,
            record_type=kind,
            status=status,
            mime=mime,
            payload_digest=digest.strip() if digest else None,
            place=place,
            truncated=(get("WARC-Truncated") or "").strip().lower() or None,
            profile=_unbracketed(get("WARC-Profile") or "") or None if kind == "revisit" else None,
            refers_to=_refers_to(get) if kind == "revisit" else None,
            redirect=_redirect(url, head) if head and status in _REDIRECTS else None,
        )


def bracketed(record_id: str) -> str:
    """Return *record_id* in the one spelling used everywhere, in angle brackets."""
    return f"<{record_id.strip().strip('<>')}>"


def media_type(content_type: str | None) -> str | None:
    """Return ``text/html`` for ``Text/HTML; charset=utf-8``; None for what has no form of a media type."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind if re.fullmatch(r"[!-.0-~]+/[!-.0-~]+", kind) else None


def timestamp14(at: datetime) -> str:
    """Return the 14 digits ``YYYYMMDDhhmmss`` of *at*, in UTC."""
    return f"{_utc(at):%Y%m%d%H%M%S}".rjust(14, "0")


def iso(at: datetime) -> str:
    """Return *at* in ISO 8601, UTC, with all six digits of microseconds: ``2026-11-21T20:48:00.123456Z``."""
    return _utc(at).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_iso(text: str) -> datetime:
    """Return the UTC time of a WARC-Date in any precision WARC 1.1 allows, the year alone to nanoseconds.

    What is not given is the earliest it can be; digits past microseconds are dropped; a leap second is the second
    after it. Raises ``ValueError`` when it is no such date.
    """
    match = _DATE.fullmatch(text.strip().upper())  # RFC 3339, 5.6: t and z may be in lower case
    if not match:
        raise ValueError(f"not a date in the form 2026-11-21T20:48:00.123456Z: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    leap = second == "60"
    try:
        at = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            59 if leap else int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
            tzinfo=UTC,
        ) + timedelta(seconds=leap)
        if zone and zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
            at = at - offset if zone[0] == "+" else at + offset
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no such date: {text!r} ({error})") from error
    return at


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"a time without zone: {at!r}")
    return at.astimezone(UTC)


class _Pairs:
    """The first value of each name among (name, value) pairs."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), value)

    def get(self, name: str, /) -> str | None:
        return self._values.get(name.lower())


class _Get(Protocol):
    def __call__(self, name: str, /) -> str | None: ...


def _getter(fields: FieldSource | Iterable[tuple[str, str]]) -> _Get:
    source = fields if hasattr(fields, "get") else _Pairs(fields)  # not isinstance: of a protocol it is slow

    def get(name: str, /) -> str | None:
        value = source.get(name)
        # Bytes that are no UTF-8 arrive as surrogates, which no index or database can hold: in a URI they are escapes.
        return value if value is None or value.isascii() else _SURROGATE.sub(_escape, value)

    return get


def _escape(surrogate: re.Match[str]) -> str:
    byte = ord(surrogate[0]) - 0xDC00
    return f"%{byte:02X}" if 0x80 <= byte <= 0xFF else "\N{REPLACEMENT CHARACTER}"


def _required(get: _Get, name: str, place: Place) -> str:
    value = (get(name) or "").strip()
    if not value:
        raise MalformedRecord(f"{place.key} at {place.offset}: the record has no {name}")
    return value


def _unbracketed(uri: str) -> str:
    """WARC 1.0's grammar put URIs in angle brackets, and wget wrote them so."""
    uri = uri.strip()
    return uri[1:-1].strip() if uri.startswith("<") and uri.endswith(">") else uri


def _http_head(block_head: bytes) -> Head | None:
    try:
        return read_response_head(block_head)
    except MalformedMessage:
        return None


def _refers_to(get: _Get) -> RefersTo | None:
    record_id, url, date = (get(f"WARC-Refers-To{end}") for end in ("", "-Target-URI", "-Date"))
    if not (record_id or url or date):
        return None
    try:
        captured_at = parse_iso(date) if date else None
    except ValueError:  # the revisit is still a capture; its original is then found by record id or digest
        captured_at = None
    return RefersTo(bracketed(record_id) if record_id else None, _unbracketed(url) if url else None, captured_at)


def _redirect(url: str, head: Head) -> str | None:
    location = head.get("Location")
    if not location or not location.strip():
        return None
    with contextlib.suppress(UnicodeError):  # bytes beyond ASCII are UTF-8 in practice; head values are latin-1 text
        location = location.encode("latin-1").decode()
    try:
        return urljoin(url, location.strip())
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        return None
