"""``report.html``: a report for people, in one file that needs no script, font or picture from elsewhere.

What strangers wrote, as titles and addresses, is escaped by the template, stripped of what commands or turns text, and
cut. Lists are cut, too, with their count and where the whole is: a browser must open it.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from archive.formats import line
from crawler.reports import pictures, words
from crawler.reports.building import Built

LONGEST = 300  # characters of a title or reason
IN_FULL = 60  # changed articles whose paragraphs are shown
PARAGRAPHS = 3  # of each way of changing
HOSTS, REASONS, SOURCES, FILES = 40, 40, 25, 30
OUTCOMES = {
    "saved": "saved",
    "unchanged": "unchanged: the same bytes as before",
    "skipped": "skipped: not asked for",
    "refused": "refused: robots.txt or a private address",
    "failed": "failed",
    "pending": "still waiting",
}
_WEB = re.compile(r"https?://", re.IGNORECASE)


def page(built: Built) -> str:
    """Return the page of a report."""
    style = _resource("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(
        report=built.report,
        first=built.first,
        style=Markup(style),  # noqa: S704 - a file of ours
        style_digest=digest,
        words=words,
        pictures=pictures,
        outcomes=OUTCOMES,
        headline=words.headline(built.report),
        calendar=pictures.calendar(built.report["days"]),
        months=_months(built.report["days"]),
        latency=_latency(built.report["latency_s"]),
        limits={
            "full": IN_FULL,
            "paragraphs": PARAGRAPHS,
            "hosts": HOSTS,
            "reasons": REASONS,
            "sources": SOURCES,
            "files": FILES,
        },
    )


@cache
def _template() -> Template:
    # No loader: no template names another, and no name leads to a file.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"clean": clean, "link": link, "number": _number, "value": _value, "rewritten": rewritten}
    return environment.from_string(_resource("report.html.jinja"))


@cache
def _resource(name: str) -> str:
    return (files("crawler.reports") / name).read_text(encoding="utf-8")


# ---- filters


def clean(text: Any, longest: int = LONGEST) -> str:
    """Return *text* on one line, without what commands or turns it, and not too long."""
    plain = line(str(text if text is not None else "")[: 4 * longest])
    return plain if len(plain) <= longest else f"{plain[:longest]}…"


def link(url: Any, text: Any = None) -> Markup:
    """Return a link to *url* when it is one of the web's, and its text alone otherwise. *text*: what to call it."""
    address = line(str(url or ""))
    shown = clean(text or address)
    if not _WEB.match(address) or len(address) > 2_000:
        return Markup("<bdi>{}</bdi>").format(shown)
    return Markup('<a href="{}" rel="noreferrer noopener nofollow"><bdi>{}</bdi></a>').format(address, shown)


def rewritten(before: str, after: str) -> Markup:
    """Return a paragraph with what was taken out and put in marked word by word."""
    old, new = clean(before, 400).split(), clean(after, 400).split()
    parts: list[str] = []
    for way, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if way == "equal":
            parts.append(escape(" ".join(old[a:b])))
            continue
        if a < b:
            parts.append(Markup("<del>{}</del>").format(" ".join(old[a:b])))
        if c < d:
            parts.append(Markup("<ins>{}</ins>").format(" ".join(new[c:d])))
    return Markup(" ").join(parts)


def _number(value: float) -> str:
    return f"{value:,}"


def _value(value: Any) -> str:
    """Return the value of a field as it is shown."""
    if isinstance(value, list):
        return clean(", ".join(map(str, value)))
    return clean(value)


# ---- figures for pictures


def _latency(latency: Mapping[str, Any]) -> list[tuple[str, int]]:
    named = []
    for part in latency["distribution"]:
        bound = part["up_to"]
        named.append((f"≤ {words.span(bound)}" if bound is not None else "longer", part["articles"]))
    return named


def _months(days: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Return articles by month, or by year when there are many months: the calendar in words."""
    for length in (7, 4):
        counted: dict[str, int] = {}
        for day, number in days.items():
            counted[day[:length]] = counted.get(day[:length], 0) + number
        if len(counted) <= 60:
            break
    return sorted(counted.items())[-200:]
