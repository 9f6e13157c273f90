"""A record by where it lies, so that whoever parses it reads it himself: no page passes through the crawl's process."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from archive.errors import DigestMismatch, MalformedRecord
from archive.http1 import payload_chunks
from archive.payload import read_message
from archive.scan import Scanned, read_record


@dataclass(frozen=True, slots=True)
class Reference:
    """One record: *length* bytes at *offset* of the file at *path*, or, where there is no such file, *data* itself."""

    path: Path | None = None
    offset: int = 0
    length: int = 0
    data: bytes | None = None

    def read(self) -> bytes:
        """Return the record as it is stored.

        Raises ``FileNotFoundError`` when the file has another name by now: ask the archive for the record again.
        """
        if self.data is not None:
            return self.data
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)


@dataclass(frozen=True, slots=True)
class Payload:
    """The entity body of a response or resource record, transfer coding removed, and what its head says of it."""

    body: bytes
    content_type: str | None
    content_encoding: str | None
    status: int | None
    robots: tuple[str, ...] = ()  # the values of X-Robots-Tag


def checked(member: bytes) -> Scanned:
    """Return the record that *member* is, its block checked against its own digest. The caller closes its block.

    Raises ``DigestMismatch`` or ``MalformedRecord`` when the bytes are not what was written.
    """
    record = read_record(BytesIO(member), 0)
    wrong = [problem for problem in record.problems if not record.readable or problem.code == "gzip-header"]
    if wrong:
        record.close()
        raise MalformedRecord(wrong[0].message)
    stored = record.fields.get("WARC-Block-Digest")
    computed = record.block_digest
    if stored and computed and computed != stored:
        record.close()
        raise DigestMismatch(str(record.fields.get("WARC-Record-ID")), stored=stored, computed=computed)
    return record


def payload_of(record: Scanned) -> Payload:
    """Return what *record*, a response or resource, holds; its block is closed then.

    Without an HTTP head, which a resource never has and a response of other schemes need not have, it is the block.
    """
    with record.block as block:
        message = read_message(record)
        head = message.head if message else None
        if head is None:
            content_type = record.fields.get("Content-Type") if message is None else None
            return Payload(block.read(), content_type, None, None)
        body = b"".join(payload_chunks(head, block.chunks(head.size)))
    return Payload(
        body,
        head.get("Content-Type"),
        head.get("Content-Encoding"),
        head.status,
        tuple(head.get_all("X-Robots-Tag")),
    )
