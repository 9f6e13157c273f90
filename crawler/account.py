"""What became of a crawl's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crawler.frontier import Outcome, Reason


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a crawl's pages, by the end of a run. The outcomes and *pending* add up to all pages."""

    outcomes: Mapping[Outcome, int]
    articles: Mapping[str, int]  # "extracted", "unreadable", "waiting"
    pending: int
    reasons: Sequence[Reason]  # why pages were not captured, or not well
    down: Mapping[str, str]  # sites that were given up in this run, and why
    ended_now: int | None = None  # how many more have an outcome than before this run; None when it is the first
    used_up: str | None = None  # of what the run may use up, while pages were still pending
    hubs: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by feed: the WebSub hubs that it names
