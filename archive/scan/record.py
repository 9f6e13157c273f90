"""What a scan yields: a record as it stands in the file, and the faults seen while reading it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.payload import digest_like, payload, read_message
from archive.spool import Spool

# The bytes inflated are then not those that were written, or the fields are not all there.
UNREADABLE = frozenset({"gzip-cut", "gzip-data", "gzip-crc", "gzip-size", "header-cut"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault in the structure of a file.

    *code* is stable; *offset* is a position in the file as stored: of the faulty bytes themselves where they can be
    told, else of the gzip member that holds them.
    """

    code: str
    message: str
    offset: int


class Fields:
    """The named fields of a record, in order, repeats kept; names are found in any letter case."""

    __slots__ = ("_by_name", "pairs")

    def __init__(self, pairs: tuple[tuple[str, str], ...] = ()) -> None:
        self.pairs = pairs
        self._by_name: dict[str, list[str]] = {}
        for name, value in pairs:
            self._by_name.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of field *name*."""
        values = self._by_name.get(name.lower())
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        """Return every value of field *name*, in order."""
        return self._by_name.get(name.lower(), []).copy()

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return self.pairs == other.pairs if isinstance(other, Fields) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Fields({self.pairs!r})"


@dataclass(slots=True, eq=False)
class Scanned:
    """One record as it stands in a file.

    *offset* and *length* span the gzip member (or members) that hold it, or the plain record with the CRLF CRLF that
    ends it. *length* is 0 when the record shares its member with others after it: only the whole member can be read.
    *inner* is where the record starts among the inflated bytes of its member, 0 in every well-made file.
    *version* is what the first line says after ``WARC/``. *header* is the header as it stood, blank line included.
    *block* holds what is there of the block: ``len(block)`` falls short of *content_length* where the file does.
    The caller closes *block* (or uses the record in a ``with``): a large one is a temporary file.
    """

    offset: int
    length: int
    version: str
    fields: Fields
    header: bytes
    content_length: int | None  # as the header claims; None when it does not, or not in digits
    block: Spool
    inner: int = 0
    gzip_header: bytes = b""  # the first ten bytes of the member, empty in a plain file
    problems: list[Problem] = field(default_factory=list)

    @property
    def type(self) -> str:
        """The value of WARC-Type, in lower case; empty when there is none."""
        return (self.fields.get("WARC-Type") or "").lower()

    @property
    def id(self) -> str:
        """The value of WARC-Record-ID as it stands; empty when there is none."""
        return self.fields.get("WARC-Record-ID") or ""

    @property
    def whole(self) -> bool:
        """Whether header, block and end were read without fault."""
        return not self.problems

    @property
    def readable(self) -> bool:
        """Whether header and block are those that were written, and it can be read alone: faults of form are no loss.

        Other tools end records in one line too many, or lines in LF alone; what they captured is there all the same.
        """
        complete = self.content_length == len(self.block) and self.length > 0
        return complete and not any(problem.code in UNREADABLE for problem in self.problems)

    @property
    def block_digest(self) -> str | None:
        """The digest of the block as read, in the algorithm of WARC-Block-Digest: that very label when they agree.

        None when there is no such field, or its algorithm cannot be computed here.
        """
        label = self.fields.get("WARC-Block-Digest")
        return digest_like(label, self.block.chunks()) if label else None

    @property
    def payload_digest(self) -> str | None:
        """The digest of the payload as read, in the algorithm of WARC-Payload-Digest: that label when they agree.

        None also when the payload is not in this record (a revisit, a segment) or cannot be told from the block.
        """
        label = self.fields.get("WARC-Payload-Digest")
        pieces = payload(self, read_message(self)) if label else None
        return digest_like(label, pieces) if label and pieces is not None else None

    def close(self) -> None:
        self.block.close()

    def __enter__(self) -> Scanned:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
