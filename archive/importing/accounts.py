"""What an import tells of one file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["imported", "known", "refused"]

KEPT_FAULTS = 1000  # told one by one; of a hopeless gigabyte the rest is counted


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in a file that could not be read, or not be trusted: where in the file as given, and what is wrong."""

    offset: int
    what: str
    record_id: str | None = None


@dataclass(slots=True)
class Account:
    """What became of one WARC file.

    *imported*: it is in the archive now; *known*: it was before, and nothing changed; *refused*: nothing in it could be
    read, as *error* says. *fault_count* is exact, *faults* stop at 1,000.
    """

    source: str
    outcome: Outcome = "refused"
    warc: str | None = None  # the segment's key
    size: int = 0
    sha256: str | None = None
    software: str | None = None
    original: str | None = None  # the key of the file's own bytes where the segment is a copy
    records: Counter[str] = field(default_factory=Counter)
    captures: int = 0
    articles: int = 0
    unread: int = 0  # pages whose article could not be read
    waiting: int = 0  # revisits of pages that were not in the archive yet
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    error: str | None = None

    def fault(self, offset: int, what: str, record_id: str | None = None) -> None:
        self.fault_count += 1
        if len(self.faults) < KEPT_FAULTS:
            self.faults.append(Fault(offset, what, record_id))

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "records": dict(sorted(self.records.items()))}
