"""A report in words: the same on a terminal, in the page, and at the end of a crawl."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from archive.formats import line

ENDINGS = {
    "finished": "The run finished after {}",
    "interrupted": "The run was interrupted after {}, and the same command goes on",
    "put off": "The run ended after {} with pages still waiting, and the same command goes on",
    "failed": "The run failed after {}",
}
# What was observed of articles, as it is counted in words: one, and several.
OBSERVED = {
    "new": ("new article", "new articles"),
    "changed": ("changed", "changed"),
    "vanished": ("vanished", "vanished"),
    "returned": ("returned", "returned"),
}
FIELDS = {
    "title": "headline",
    "authors": "authors",
    "published": "time of publication",
    "modified": "time of change",
    "section": "section",
    "tags": "tags",
}
HIDDEN = {
    "block": "a block page",
    "consent": "a consent wall",
    "stub": "a stub, as before a paywall",
    "error": "an error page",
    "index": "a list",
}
WAYS = {"added": "added", "removed": "removed", "changed": "rewritten", "moved": "moved"}


def count(number: int, one: str, several: str | None = None) -> str:
    """Return ``1 page``, ``4,812 pages``."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def ending(run: Mapping[str, Any]) -> str:
    """Return how a run ended."""
    how = ENDINGS.get(run["ended_as"], ENDINGS["failed"]).format(span(run["seconds"]))
    return f"{how}; exit code {run['exit_code']}: {run['exit_meaning']}"


def headline(report: Mapping[str, Any]) -> str:
    """Return the figures that matter, in one sentence."""
    pages, articles = report["pages"], report["articles"]
    parts = [f"{count(pages['asked'], 'page')} asked for, {pages['kept']:,} kept"]
    if pages["failed"]:
        parts[0] += f", {pages['failed']:,} failed"
    seen = [count(articles.get(name, 0), *words) for name, words in OBSERVED.items() if articles.get(name)]
    return "; ".join([*parts, ", ".join(seen) or "no article new or changed"])


def change(item: Mapping[str, Any]) -> str:
    """Return what changed of an article: ``headline, 2 paragraphs added, 1 rewritten``."""
    parts = [FIELDS.get(name, name) for name in item.get("fields", {})]
    ways = [(WAYS.get(way, way), number) for way, number in item.get("paragraphs", {}).items() if number]
    for at, (way, number) in enumerate(ways):
        parts.append(f"{count(number, 'paragraph')} {way}" if at == 0 else f"{number:,} {way}")
    return ", ".join(parts) or "nothing that can be named"


def size(number: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"{number:,.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:,.1f} {unit}"


def span(seconds: float | None) -> str:
    """Return a duration as people say it: ``40 s``, ``12 min``, ``3 h``, ``2.5 days``."""
    if seconds is None:
        return "unknown"
    for unit, length, most in (("s", 1, 100), ("min", 60, 6000), ("h", 3600, 2 * 86400), ("days", 86400, float("inf"))):
        if seconds < most:
            value = seconds / length
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f}".removesuffix(".0") + f" {unit}"
    raise AssertionError("unreachable")


def moment(text: str | None) -> str:
    """Return a time of a report to the minute, in UTC."""
    try:
        return f"{datetime.fromisoformat(text or ''):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return line(text)[:40]
