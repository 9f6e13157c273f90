"""WARC/1.1 records, built exactly: our fields in our order, blocks as they crossed the wire, one gzip member a record.

warcio writes the bytes, and is given no reason to touch them: whole raw blocks, every field ours, nothing to parse or
digest. Section numbers are those of the WARC 1.1 standard unless another document is named.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from isal import isal_zlib
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from archive.article import Article
from archive.capture import HEAD_BYTES, IDENTICAL_PAYLOAD, SERVER_NOT_MODIFIED, Capture, RefersTo, iso
from archive.digests import EMPTY, digest, parse_digest
from archive.errors import StorageError
from archive.exchange import Exchange
from archive.payload import Payload, request_payload_digest, response_payload
from archive.spool import Spool
from archive.warc_fields import FIELDS_TYPE, clean_address, clean_name, clean_uri, clean_value, warc_fields

__all__ = [
    "Record",
    "capture_records",
    "conversion",
    "digest",
    "encode",
    "encode_to",
    "new_record_id",
    "parse_digest",
    "response_payload",
    "warcinfo",
]

VERSION = "WARC/1.1"
REQUEST_TYPE = "application/http;msgtype=request"
RESPONSE_TYPE = "application/http;msgtype=response"

# ISA-L's levels are 0 to 3. On news pages of 100 KB, uncompressed, 1 and 2 take the same time and 2 gives the smaller
# file by a hundredth; 3 takes twice as long for another fortieth; zlib's 9 takes ten times as long for a ninth. Most
# bodies come compressed already: 0 makes those a fifth larger, all the others keep their size.
COMPRESSION_LEVEL = 2
_GZIP_WINDOW_BITS = 31  # a gzip member, not a zlib stream

_READ_BYTES = 1 << 16


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


def new_record_id() -> str:
    """Return a fresh record id in angle brackets."""
    return f"<urn:uuid:{uuid.uuid4()}>"


@dataclass(slots=True)
class Record:
    """A record to be written: its type, its named fields in order, its block.

    *fields* are made legal here, whatever was given, and end with Content-Length. A spooled block is read when the
    record is written, and stays its owner's to close.
    """

    type: str
    fields: list[tuple[str, str]]
    block: bytes | Spool

    def __post_init__(self) -> None:
        named = [(clean_name(name), value) for name, value in self.fields]
        self.fields = [
            (name, clean_uri(value) if name.lower().endswith("-target-uri") else clean_value(value))
            for name, value in named
            if name.lower() != "content-length"
        ]
        self.fields.append(("Content-Length", str(len(self.block))))

    def get(self, name: str) -> str | None:
        """Return the first value of field *name*, in any letter case."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), None)

    @property
    def id(self) -> str:
        return self.get("WARC-Record-ID") or ""

    def head(self) -> bytes:
        """Return as much of the block as a reader needs to see its HTTP head."""
        return self.block[:HEAD_BYTES] if isinstance(self.block, bytes) else self.block.read(0, HEAD_BYTES)


class _BlockReader:
    """A block as the stream warcio copies from: read in pieces, never whole, and counted."""

    def __init__(self, block: bytes | Spool) -> None:
        self._block, self.position = block, 0

    def read(self, size: int = _READ_BYTES) -> bytes:
        if isinstance(self._block, bytes):
            piece = self._block[self.position : self.position + size]
        else:
            piece = self._block.read(self.position, size)
        self.position += len(piece)
        return piece


class _Member:
    """Compresses what warcio writes into one gzip member of *out*; :meth:`flush`, called once a record, ends it."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._compressor = isal_zlib.compressobj(COMPRESSION_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW_BITS)

    def write(self, data: bytes) -> None:
        if piece := self._compressor.compress(data):
            self._out.write(piece)

    def flush(self) -> None:
        self._out.write(self._compressor.flush())


class _ExactWriter(WARCWriter):  # type: ignore[misc]  # warcio has no types
    """warcio's writer, told to write what it is given: it would add a digest of its own where a field has none."""

    def ensure_digest(self, record: ArcWarcRecord, block: bool = True, payload: bool = True) -> None:
        """Add nothing."""


def encode_to(record: Record, out: Writable) -> None:
    """Write *record* to *out* as one gzip member, in pieces: the memory needed does not grow with the block.

    Raises ``StorageError`` when the block cannot be read, or is not as long as the record's Content-Length says; what
    was written of it is then the caller's to take back.
    """
    stream = _BlockReader(record.block)
    headers = StatusAndHeaders("", record.fields, protocol=VERSION)
    # To warcio no record is a revisit, whose block it would drop: the type that is written stands in our fields.
    written = ArcWarcRecord("warc", "warcinfo", headers, stream, None, None, len(record.block))
    _ExactWriter(_Member(out), gzip=False).write_record(written)
    if str(stream.position) != record.get("Content-Length"):
        raise StorageError(
            f"{record.id}: the block gave {stream.position} bytes where {record.get('Content-Length')} were announced"
        )


def encode(record: Record) -> bytes:
    """Return *record* as one gzip member."""
    out = io.BytesIO()
    encode_to(record, out)
    return out.getvalue()


def _record(
    kind: str,
    record_id: str,
    date: datetime,
    fields: Sequence[tuple[str, str | None]],
    content_type: str,
    block: bytes | Spool,
) -> Record:
    block_digest = digest(block if isinstance(block, bytes) else block.chunks())
    return Record(
        kind,
        [
            ("WARC-Type", kind),
            ("WARC-Record-ID", record_id),
            ("WARC-Date", iso(date)),
            *((name, value) for name, value in fields if value),
            ("WARC-Block-Digest", block_digest),
            ("Content-Type", content_type),
        ],
        block,
    )


def warcinfo(
    filename: str, fields: Sequence[tuple[str, str]], *, date: datetime, record_id: str | None = None
) -> Record:
    """Return the record that begins the file *filename* and says who wrote it, how and under which rules (6.2)."""
    named: list[tuple[str, str | None]] = [("WARC-Filename", filename)]
    return _record("warcinfo", record_id or new_record_id(), date, named, FIELDS_TYPE, warc_fields(fields))


def conversion(article: Article, *, warcinfo_id: str, date: datetime, record_id: str | None = None) -> Record:
    """Return *article* as a record of its own, tied to the response it was read from (6.8).

    *date* is when it was extracted. WARC-Concurrent-To and WARC-IP-Address belong to the capture alone.
    Raises ``ValueError`` when the article does not say which record it comes from.
    """
    if not article.record_id:
        raise ValueError(f"{article.url}: the article names no record it was extracted from")
    text = json.dumps(article.to_json(), ensure_ascii=False, separators=(",", ":"))
    return _record(
        "conversion",
        record_id or new_record_id(),
        date,
        [
            ("WARC-Target-URI", article.url),
            ("WARC-Refers-To", article.record_id),
            ("WARC-Warcinfo-ID", warcinfo_id),
        ],
        "application/json",
        text.encode("utf-8", "replace"),  # half a surrogate pair, which JSON in a page may hold, has no UTF-8 form
    )


def decision(
    url: str,
    pairs: Sequence[tuple[str, str]],
    *,
    about: str | None,
    warcinfo_id: str,
    date: datetime,
    record_id: str | None = None,
) -> Record:
    """Return a ``metadata`` record (6.5) of why *url* was not asked for; *about* is the id of what says so."""
    header = [("WARC-Target-URI", url), ("WARC-Refers-To", about), ("WARC-Warcinfo-ID", warcinfo_id)]
    return _record("metadata", record_id or new_record_id(), date, header, FIELDS_TYPE, warc_fields(pairs))


def _origin(capture: Capture | None) -> RefersTo | None:
    """Return the whole response behind *capture*, never a revisit (6.7); None when it cannot be named in full."""
    if capture is None or (capture.truncated and capture.record_type != "revisit"):
        return None
    if capture.record_type == "response":
        return RefersTo(capture.record_id, capture.url, capture.captured_at)
    found = capture.refers_to
    return found if found and found.record_id and found.url and found.captured_at else None


def capture_records(
    exchange: Exchange,
    *,
    warcinfo_id: str,
    metadata: Sequence[tuple[str, str]] = (),
    original: Callable[[str], Capture | None] | None = None,
    validated: Capture | None = None,
    record_id: Callable[[], str] = new_record_id,
) -> list[Record]:
    """Return the records of one exchange in the order they are written: request, response or revisit, metadata.

    *metadata* are pairs for the ``metadata`` record (``via``, ``hopsFromSeed``, the robots decision, …), to which the
    exchange's own times are added. *original*, asked with a payload digest, returns an earlier capture with that
    payload: the response then becomes an identical-payload revisit of it. It is not asked about empty or truncated
    payloads. *validated* is the capture whose validators a conditional request carried: a 304 becomes a
    server-not-modified revisit of it. When no byte of a response came, there is no response record.
    """
    payload = response_payload(exchange) if len(exchange.response) else None
    request_id, response_id, metadata_id = record_id(), record_id(), record_id()
    answered, asked = len(exchange.response) > 0, bool(exchange.request)
    wire: list[tuple[str, str | None]] = [
        ("WARC-Warcinfo-ID", warcinfo_id),
        ("WARC-IP-Address", clean_address(exchange.peer) if exchange.peer else None),
        ("WARC-Protocol", exchange.protocol),
        ("WARC-Protocol", exchange.tls.protocol if exchange.tls else None),
        ("WARC-Cipher-Suite", exchange.tls.cipher_suite if exchange.tls else None),
    ]
    records = []
    if asked:
        records.append(
            _record(
                "request",
                request_id,
                exchange.started,
                [
                    ("WARC-Target-URI", exchange.url),
                    ("WARC-Concurrent-To", response_id if answered else metadata_id),
                    *wire,
                    ("WARC-Payload-Digest", request_payload_digest(exchange.request)),
                ],
                REQUEST_TYPE,
                exchange.request,
            )
        )
    if answered:
        shown: list[tuple[str, str | None]] = [
            ("WARC-Target-URI", exchange.url),
            ("WARC-Concurrent-To", request_id if asked else None),
            *wire,
        ]
        revisit = _revisit(exchange, payload, original, validated) if payload else None
        if payload and revisit:
            head = exchange.response.read(0, payload.head.size)
            records.append(_record("revisit", response_id, exchange.started, shown + revisit, RESPONSE_TYPE, head))
        else:
            shown.append(("WARC-Payload-Digest", payload.digest if payload else None))
            shown.append(("WARC-Truncated", exchange.truncated))
            records.append(_record("response", response_id, exchange.started, shown, RESPONSE_TYPE, exchange.response))
    concurrent = response_id if answered else request_id if asked else None
    records.append(
        _record(
            "metadata",
            metadata_id,
            exchange.started,
            [
                ("WARC-Target-URI", exchange.url),
                ("WARC-Concurrent-To", concurrent),
                ("WARC-Warcinfo-ID", warcinfo_id),
            ],
            FIELDS_TYPE,
            warc_fields([*metadata, *_own_metadata(exchange)]),
        )
    )
    return records


def _revisit(
    exchange: Exchange,
    payload: Payload,
    original: Callable[[str], Capture | None] | None,
    validated: Capture | None,
) -> list[tuple[str, str | None]] | None:
    """Return the fields that make a revisit of the response; None when it is to be kept as a response."""
    if exchange.truncated:
        return None
    if payload.head.status == 304:
        # The payload of this record is by definition the validated capture's (6.7.3), and so is the digest: readers
        # that look the original up by digest would not find it under that of an empty body.
        origin = _origin(validated)
        payload_digest = validated.payload_digest if validated else None
        profile, truncated = SERVER_NOT_MODIFIED, None
    elif payload.digest == EMPTY or original is None:
        return None
    else:
        earlier = original(payload.digest)
        same = earlier is not None and earlier.payload_digest == payload.digest
        origin = _origin(earlier) if same else None
        payload_digest = payload.digest
        profile, truncated = IDENTICAL_PAYLOAD, "length"  # 6.7.2: the block stops before the payload
    if origin is None or origin.captured_at is None:
        return None
    return [
        ("WARC-Profile", profile),
        ("WARC-Refers-To", origin.record_id),
        ("WARC-Refers-To-Target-URI", origin.url),
        ("WARC-Refers-To-Date", iso(origin.captured_at)),
        ("WARC-Payload-Digest", payload_digest),
        ("WARC-Truncated", truncated),
    ]


def _own_metadata(exchange: Exchange) -> list[tuple[str, str]]:
    pairs = [("fetchTimeMs", str(round((exchange.ended - exchange.started).total_seconds() * 1000)))]
    names = {"dns": "dnsTimeMs", "connect": "connectTimeMs", "tls": "tlsTimeMs", "first_byte": "firstByteTimeMs"}
    pairs += [(name, f"{exchange.timings_ms[key]:.1f}") for key, name in names.items() if key in exchange.timings_ms]
    if exchange.interim:
        pairs.append(("interimResponsesLeftOut", str(exchange.interim)))
    if exchange.proxy:
        pairs.append(("proxy", exchange.proxy))
    if not len(exchange.response):
        pairs.append(("responseMissing", exchange.truncated or "disconnect"))
    return pairs
