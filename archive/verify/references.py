"""What the records of a whole archive say of each other, across its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archive.digests import same_digest
from archive.scan import Scanned
from archive.verify.links import Outside, id_key
from archive.verify.report import Finding

_ANSWERS = frozenset(("response", "resource"))  # what a revisit may stand for
_SHOWS = _ANSWERS | {"revisit"}  # what an article may be extracted from


@dataclass(frozen=True, slots=True)
class _Claim:
    """That a record *of* is of some type and has some payload, as another one says."""

    code: str
    of: str
    digest: str | None
    file: str
    offset: int
    record_id: str


class References:
    """Record ids of the whole archive with what others rely on: some 200 bytes a record, in memory."""

    def __init__(self) -> None:
        self._types: dict[bytes, str] = {}
        self._digests: dict[bytes, str] = {}  # of payloads that revisits may stand for
        self._claims: list[_Claim] = []
        self._outside: list[Outside] = []

    def take(self, record: Scanned, file: str, *, imported: bool = False) -> Iterator[Finding]:
        """Remember *record*; yield what is wrong with it at once.

        What other tools captured is *imported* file by file, in any order: the original of a revisit may be missing.
        """
        fields, key = record.fields, id_key(record.id)
        if key in self._types:
            yield Finding("id-repeated", "another file has a record with this id", file, record.offset, record.id)
        digest = fields.get("WARC-Payload-Digest")
        if record.type in _ANSWERS and digest:
            self._digests[key] = digest
        refers_to = fields.get("WARC-Refers-To")
        if imported:
            if record.type == "revisit" and refers_to:
                self._claims.append(_Claim("revisit-elsewhere", refers_to, digest, file, record.offset, record.id))
        elif record.type == "revisit" and refers_to:
            self._claims.append(_Claim("revisit-unresolved", refers_to, digest, file, record.offset, record.id))
        elif record.type == "conversion" and refers_to:
            self._claims.append(_Claim("article-unresolved", refers_to, None, file, record.offset, record.id))

    def end_of_file(self, seen: dict[bytes, str], outside: list[Outside]) -> None:
        """Take in the ids of a file that was read, and what its records refer to outside of it."""
        self._types.update(seen)
        self._outside += outside

    def finish(self) -> Iterator[Finding]:
        """Yield what refers to records that no file holds, or to records of another kind or payload."""
        for claim in self._claims:
            if fault := self._fault(claim):
                yield Finding(claim.code, fault, claim.file, claim.offset, claim.record_id)
        claimed = {(claim.record_id, claim.of) for claim in self._claims}
        for outside in self._outside:
            if id_key(outside.target) not in self._types and (outside.record_id, outside.target) not in claimed:
                message = f"{outside.name} names {outside.target}, which is not in the archive"
                yield Finding("reference-unresolved", message, outside.file, outside.offset, outside.record_id)

    def _fault(self, claim: _Claim) -> str:
        key = id_key(claim.of)
        kind = self._types.get(key)
        wanted = _SHOWS if claim.code == "article-unresolved" else _ANSWERS
        if kind is None:
            return f"it refers to {claim.of}, which is not in the archive"
        if kind not in wanted:
            return f"it refers to {claim.of}, which is a {kind} record"
        stored = self._digests.get(key)
        if claim.digest and stored and not same_digest(claim.digest, stored):
            return f"its payload digest is {claim.digest}, but {claim.of} has {stored}"
        return ""
