"""``report.json`` and ``skipped.jsonl`` out of what a run counted, the frontier, and the archive.

    what is small        counts, hosts, reasons, coverage, latency     a dictionary, which the page is made of, too
    what may be long     lists of articles, pages that were missed     written as they are read, one after the other

Its form is told in docs/reports.md; :data:`SCHEMA` goes up when a name changes its meaning or goes.
"""

from __future__ import annotations

import json
import statistics
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from archive.archive import Archive
from archive.capture import iso
from archive.catalog.history import IsListing
from archive.catalog.identity import normalised
from archive.drift import Drift
from archive.formats import to_json
from archive.version import VERSION
from crawler.account import Account
from crawler.exit_codes import ExitCode
from crawler.frontier import Observed
from crawler.frontier.telling import Missed, Telling
from crawler.reports.gone import destination, vanished
from crawler.reports.observing import without_furniture
from crawler.reports.places import REPORT, SKIPPED, Place
from crawler.reports.tally import Host, Tally

SCHEMA = 1
MOST_REASONS = 200
MOST_SOURCES = 500  # feeds and sitemaps told one by one
MOST_HOSTS = 500
MOST_DAYS = 100_000  # of publication; three centuries are some
ON_THE_PAGE = 200  # of each list
LISTS = (
    "changed",
    "vanished",
    "returned",
    "hidden",
    "unread",
    "touched",
    "repeated",
    "new",
)  # as they stand in the report
MOST_LISTED = {
    "new": 1_000,
    "touched": 10_000,
    "hidden": 10_000,
    "unread": 10_000,
    "repeated": 10_000,
}  # the archive has all of them
LATENCIES_S = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 30 * 86400)


@dataclass(slots=True)
class Built:
    """A report: what is small of it, and of each list the first, for the page."""

    report: dict[str, Any]
    first: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. *error*: what ended it."""

    code: ExitCode
    interrupted: bool = False
    error: str | None = None
    drifted: Sequence[Drift] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds the report of the runs that *telling* tells of, of which *tally* counted the last."""

    archive: Archive
    telling: Telling
    tally: Tally
    account: Account | None
    ending: Ending
    is_listing: IsListing

    def write(self, folder: Path, place: Place) -> Built:
        """Write ``skipped.jsonl`` and ``report.json`` into *folder*, and return what the page is made of."""
        with (folder / SKIPPED).open("w", encoding="ascii") as file:
            for missed in self.telling.missed():
                file.write(json.dumps(self._missed(missed)) + "\n")
        built = Built(self._small(place))
        with (folder / f"{REPORT}.lists").open("w+", encoding="utf-8") as lists:
            counts = built.report["articles"]
            for name in LISTS:
                counts[name], built.first[name] = self._write_list(lists, name)
            lists.seek(0)
            with (folder / f"{REPORT}.part").open("w", encoding="utf-8") as file:
                file.write(to_json(built.report)[:-1])
                while piece := lists.read(1 << 20):
                    file.write(piece)
                file.write("}\n")
        (folder / f"{REPORT}.lists").unlink()
        return built

    def _write_list(self, file: TextIO, name: str) -> tuple[int, list[dict[str, Any]]]:
        count, first, most = 0, [], MOST_LISTED.get(name)
        file.write(f', "{name}": [')
        for count, item in enumerate(self._listed(name), 1):
            if most is None or count <= most:
                file.write((", " if count > 1 else "") + to_json(item))
            if count <= ON_THE_PAGE:
                first.append(item)
        file.write("]")
        return count, first

    def _listed(self, name: str) -> Iterator[dict[str, Any]]:
        for url, title, told in self.telling.observed("changed" if name == "repeated" else name):
            detail = json.loads(told)
            if name in ("changed", "repeated"):
                changed = without_furniture(detail, self.archive.learning.known(url).repeated)
                if changed != (name == "changed"):
                    continue
            yield {"url": url, "title": title, **detail}
        if name == "vanished":
            gone: Iterator[Observed] = vanished(self.archive, self.telling, self.is_listing)
            for one in gone:
                yield {"url": one.url, "title": one.title, **json.loads(one.detail)}

    def _missed(self, page: Missed) -> dict[str, Any]:
        reason = page.reason
        if page.outcome == "pending":
            down = self.account.down.get(page.site) if self.account is not None else None
            waits = f"put off after {page.tries} tries" if page.tries else "it waits for its turn"
            reason = f"the site is left alone for now: {down}" if down else waits
        return {
            "url": page.url,
            "outcome": page.outcome,
            "reason": reason,
            "when": _time(page.ended_at),
            "not_before": _time(page.not_before or None) if page.outcome == "pending" else None,
            "via": page.via,
            "depth": page.depth,
            "kind": page.kind,
            "status": page.status,
        }

    # ---- what is small

    def _small(self, place: Place) -> dict[str, Any]:
        telling, whole = self.telling, Counter[str](self.telling.frontier.outcomes())
        pending = sum(telling.frontier.pending().values())
        if pending:
            whole["pending"] = pending
        run, reasons = telling.outcomes(), telling.frontier.reasons()
        return {
            "schema": SCHEMA,
            "crawl": str(place),
            "archive": self.archive.storage.location,
            "run": self._run(pending),
            "pages": {
                "asked": sum(run.get(name, 0) for name in ("saved", "unchanged", "failed")),
                "kept": run.get("saved", 0) + run.get("unchanged", 0),
                "failed": run.get("failed", 0),
            },
            "outcomes": {
                "run": {**run, "total": sum(run.values())},
                "whole": {**whole, "total": whole.total()},
            },
            "reasons": [reason._asdict() for reason in reasons[:MOST_REASONS]],
            "reasons_left_out": max(0, len(reasons) - MOST_REASONS),
            "requests": self._requests(),
            **self._hosts(),
            "articles": {"read": dict(telling.frontier.articles()), "hidden_by": telling.hidden_by()},
            "coverage": self._coverage(),
            "latency_s": self._latency(),
            "days": dict(sorted(telling.days().items())[-MOST_DAYS:]),
            "drift": [drift.to_json() for drift in self.ending.drifted],
            "warc": self.tally.shipped,
        }

    def _run(self, pending: int) -> dict[str, Any]:
        ending, tally = self.ending, self.tally
        ended_as = (
            "failed" if ending.error else "interrupted" if ending.interrupted else "put off" if pending else "finished"
        )
        return {
            "job": tally.job,
            "spider": tally.spider.name,
            "arguments": tally.spider.crawl_arguments,
            "number": self.telling.run,
            "without_report": self.telling.run - self.telling.reported - 1,
            "started": iso(tally.started),
            "ended": iso(ending.at),
            "seconds": round((ending.at - tally.started).total_seconds(), 1),
            "ended_as": ended_as,
            "error": ending.error,
            "exit_code": int(ending.code),
            "exit_meaning": ending.code.meaning,
            "version": VERSION,
        }

    def _requests(self) -> dict[str, Any]:
        kinds = sorted(self.tally.kinds.items(), key=lambda item: -item[1].stored_bytes)
        return {
            "total": sum(kind.requests for _, kind in kinds),
            "stored_bytes": sum(kind.stored_bytes for _, kind in kinds),
            "by_kind": [
                {"kind": name, "requests": kind.requests, "stored_bytes": kind.stored_bytes} for name, kind in kinds
            ],
        }

    def _hosts(self) -> dict[str, Any]:
        hosts, trouble = self.tally.hosts, self.telling.trouble()
        robots, rests = self.tally.robots(), self.tally.rests()
        down = dict(self.account.down) if self.account is not None else {}
        named = sorted({*hosts, *trouble, *down}, key=lambda name: (-hosts.get(name, Host()).requests, name))
        told = [
            {
                "host": name,
                "requests": (host := hosts.get(name, Host())).requests,
                "statuses": {str(status): count for status, count in sorted(host.statuses.items())},
                "stored_bytes": host.stored_bytes,
                "failed": trouble.get(name, {}).get("failed", 0),
                "refused": trouble.get(name, {}).get("refused", 0),
                "rests": rests.get(name, 0),
                "left_alone": down.get(name),
                "robots": robots.get(name),
            }
            for name in named[:MOST_HOSTS]
        ]
        return {"hosts": told, "hosts_left_out": max(0, len(named) - MOST_HOSTS)}

    def _coverage(self) -> dict[str, Any]:
        """Return what is listed, captured and extracted; of a page that was redirected, what it leads to counts."""
        more: dict[int, Counter[str]] = {}
        reached: dict[str, Counter[str]] = {}
        for redirect in self.telling.listed_redirects():
            if redirect.record_id not in reached:
                reached[redirect.record_id] = self._reached(redirect.record_id)
            more.setdefault(redirect.source, Counter()).update(reached[redirect.record_id])
        told: list[dict[str, Any]] = []
        left_out = 0
        for source in self.telling.sources():
            if len(told) == MOST_SOURCES:
                left_out += 1
                continue
            extra = more.get(source.id, Counter())
            told.append(
                {
                    "url": source.url,
                    "kind": source.kind,
                    "listed": source.listed,
                    "captured": source.captured + extra["captured"],
                    "extracted": source.extracted + extra["extracted"],
                }
            )
        listed, captured, extracted = self.telling.listed()
        extra = sum(reached.values(), Counter())
        return {
            "listed": listed,
            "captured": captured + extra["captured"],
            "extracted": extracted + extra["extracted"],
            "sources": told,
            "sources_left_out": left_out,
        }

    def _reached(self, record_id: str) -> Counter[str]:
        final = destination(self.archive, self.telling, record_id)
        if final is None or not 200 <= final[1] < 300:
            return Counter()
        return Counter(captured=1, extracted=int(self.telling.is_extracted(normalised(final[0]))))

    def _latency(self) -> dict[str, Any]:
        taken = array("d")
        for published, captured_at in self.telling.published_and_captured():
            try:
                at = datetime.fromisoformat(published)
            except ValueError:
                continue
            if at.tzinfo is not None:  # a day alone tells no time
                taken.append(max(0.0, captured_at - at.timestamp()))
        if not taken:
            return {"articles": 0, "median": None, "p90": None, "distribution": []}
        ranked = sorted(taken)
        bounds: list[float | None] = [*LATENCIES_S, None]
        counts = Counter[float | None](next((bound for bound in LATENCIES_S if one <= bound), None) for one in ranked)
        return {
            "articles": len(ranked),
            "median": round(statistics.median(ranked), 1),
            "p90": round(ranked[-(-len(ranked) * 9 // 10) - 1], 1),
            "distribution": [{"up_to": bound, "articles": counts[bound]} for bound in bounds],
        }


def _time(at_s: float | None) -> str | None:
    return iso(datetime.fromtimestamp(at_s, UTC)) if at_s is not None else None
