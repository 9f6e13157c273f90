"""How a crawl ended, in a file: for whoever started it and did not live to see its exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.run import Finished


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run of a crawl ended. *pages* are all of the crawl by outcome, *pages_now* those of this run alone."""

    code: int  # its exit code
    pages: Mapping[str, int] = field(default_factory=dict)
    pages_now: int = 0
    articles: Mapping[str, int] = field(default_factory=dict)  # "extracted", "unreadable", "waiting"
    pending: int = 0
    kept_bytes: int = 0  # of the WARC records written for what was fetched in this run
    drifts: Sequence[str] = ()
    error: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Outcome | None:
        """Return what *text* says, or None when it was not made by a program like this one."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write it to *path*, whole or not at all. Raises ``OSError``."""
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(self.to_json(), encoding="utf-8")
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Outcome | None:
        """Return what was written to *path*, or None when nothing was."""
        try:
            return cls.from_json(path.read_bytes())
        except OSError:
            return None


def outcome_of(finished: Finished, code: int, size: int) -> Outcome:
    """Put together how a run ended that kept *size* bytes."""
    account = finished.account
    error = str(finished.error) if finished.error is not None else ""
    if account is None:
        return Outcome(code, kept_bytes=size, error=error)
    pages = dict(account.outcomes)
    return Outcome(
        code,
        pages={str(name): count for name, count in pages.items()},
        pages_now=sum(pages.values()) if account.ended_now is None else account.ended_now,
        articles=dict(account.articles),
        pending=account.pending,
        kept_bytes=size,
        drifts=[str(drift) for drift in finished.drifted],
        error=error,
    )
