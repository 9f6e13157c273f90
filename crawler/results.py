"""What ``newswarc archive`` and ``newswarc crawl`` tell of each URL."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from archive.capture import Capture, iso
from crawler.frontier import Outcome

REPLAY_BASE = "http://127.0.0.1:8080"  # where `newswarc replay` listens by default


@dataclass(slots=True)
class PageResult:
    """One URL's outcome. The names up to *replay_url* are a contract; None where there is nothing to tell.

    *saved*: an answer was captured; *unchanged*: it was the same as before, a revisit was written; *skipped*: not asked
    for; *refused*: robots.txt or the address guard forbade it; *failed*: no answer came, or none that is whole, or, of
    a crawl, an error of the server.
    """

    url: str
    final_url: str | None = None
    status: int | None = None
    outcome: Outcome = "failed"
    captured_at: str | None = None
    warc: str | None = None
    offset: int | None = None
    record_id: str | None = None
    payload_digest: str | None = None
    title: str | None = None
    replay_url: str | None = None
    page_kind: str | None = None
    truncated: str | None = None
    error: str | None = None
    reason: str | None = None  # why it was skipped

    def placed(self, capture: Capture) -> PageResult:
        """Fill in where and as what *capture* was kept; return self."""
        self.final_url = capture.url
        self.status = capture.status
        self.captured_at = iso(capture.captured_at)
        self.warc, self.offset = capture.place.key, capture.place.offset
        self.record_id, self.payload_digest = capture.record_id, capture.payload_digest
        self.truncated = capture.truncated if capture.record_type != "revisit" else None
        self.replay_url = f"{REPLAY_BASE}/web/{capture.timestamp14}/{capture.url}"
        return self

    @property
    def whole(self) -> bool:
        """Whether all went well: a complete answer, no error page, and its article was read."""
        good = self.outcome in ("saved", "unchanged", "skipped")
        return good and self.error is None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
