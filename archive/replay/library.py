"""The plain pages of the library: the start, and the captures of one URL."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from urllib.parse import urlencode

from archive import cdxj
from archive.capture import Capture
from archive.replay import addresses
from archive.replay.addresses import Asked
from archive.replay.asked import Answer
from archive.replay.cdx.query import Query
from archive.replay.html import escape, page
from archive.replay.site import Site

LISTED = 2000  # captures of one URL on a page
_FOUND = 200  # URLs that a search shows
_LOOKED_AT = 200_000  # index lines that one search reads

_STYLE = """
.years { display: flex; flex-wrap: wrap; gap: .3rem .9rem; } .years b { font-weight: 600; }
header { display: flex; justify-content: space-between; align-items: baseline; }
"""
_FORM = (
    '<form action="/" method="get"><input type="text" name="url" aria-label="URL" placeholder="https://news.example/…'
    ' or news.example/2026/*" value="{value}"><button>Look up</button></form>'
)


def start(site: Site, wanted: str) -> Answer:
    """Return the start page; with *wanted*, a URL or a part of one that ends in ``*``, what is found."""
    name = site.archive.storage.location.rstrip("/").rpartition("/")[2].strip(".") or "archive"
    body = (
        f"<main><h1>{escape(name)}</h1><p class=quiet>A web archive. Every page in it is shown as it was captured.</p>"
    )
    body += _FORM.format(value=escape(wanted))
    body += _found(site, wanted) if wanted.strip() else _how()
    return page(name, f"{body}</main>", pages_url=site.options.pages_url, style=_STYLE)


def _how() -> str:
    return (
        '<p class="sans quiet">With a <code>*</code> at the end everything that begins so is listed; <code>*.news'
        ".example</code> takes all hosts of a domain."
        " Programs ask <code>/cdx?url=…</code>, <code>/web/timemap/link/…</code>"
        " and the TimeGate at <code>/web/…</code>.</p>"
    )


def _found(site: Site, wanted: str) -> str:
    text = wanted.strip()[:2000]
    if not text.endswith("*") and not text.startswith("*"):
        timeline = site.timeline(addresses.original(text))
        if len(timeline):
            count = len(timeline)
            url = escape(addresses.quoted(timeline.url))
            link = f'<a href="/web/*/{url}">{escape(timeline.url)}</a>'
            return f"<p>{link} <span class=quiet>{count} capture{'s' if count != 1 else ''}</span></p>"
        text += "*"
    query = Query.parse(urlencode({"url": text}))
    counts: Counter[str] = Counter()
    for line in islice(site.archive.index.lines(query.start, query.end), _LOOKED_AT):
        capture = _parsed(line)
        if capture and site.access.verdict(capture.url, capture.captured_at).listed:
            counts[capture.url] += 1
        if len(counts) > _FOUND:
            break
    if not counts:
        return f"<p>Nothing that begins with <code>{escape(wanted)}</code> is in this archive.</p>"
    rows = "".join(
        f'<tr><td><a href="/web/*/{escape(addresses.quoted(url))}">{escape(url)}</a></td><td>{count}</td></tr>'
        for url, count in islice(counts.items(), _FOUND)
    )
    more = "<p class=quiet>There are more; write more of the address.</p>" if len(counts) > _FOUND else ""
    return f"<table><tr><th>URL<th>captures</tr>{rows}</table>{more}"


def _parsed(line: bytes) -> Capture | None:
    try:
        return cdxj.parse(line)
    except ValueError:
        return None


def captures(site: Site, asked: Asked) -> Answer:
    """Return the page that lists the captures of a URL, newest first."""
    timeline = site.timeline(asked.url)
    count = len(timeline)
    years = Counter(timeline.timestamp(position)[:4] for position in range(count))
    spread = " ".join(f"<span><b>{year}</b> {number}</span>" for year, number in sorted(years.items()))
    rows = []
    for position in range(count - 1, max(-1, count - 1 - LISTED), -1):
        capture, verdict = timeline.capture(position), timeline.verdict(position)
        rows.append(_row(capture, "" if verdict.shown else verdict.reason or "not shown"))
    shown = escape(asked.url)
    if not rows:
        body = f"<main><h1>{shown}</h1><p>It was never captured.</p>{_FORM.format(value=shown)}</main>"
        return page(asked.url, body, pages_url=site.options.pages_url, status=404, style=_STYLE)
    feed = escape(addresses.timemap(asked.url, "json"))
    body = (
        f'<main><h1>{shown}</h1><p class="quiet">{count} capture{"s" if count != 1 else ""}'
        f'{f", the last {LISTED} of them below" if count > LISTED else ""} · <a href="{feed}">as JSON</a></p>'
        f'<p class="years sans">{spread}</p><table><tr><th>captured (UTC)<th>answer<th>type<th></tr>'
        f"{''.join(rows)}</table></main>"
    )
    return page(f"Captures of {asked.url}", body, pages_url=site.options.pages_url, style=_STYLE)


def _row(capture: Capture, withheld: str) -> str:
    time = f"{capture.captured_at:%Y-%m-%d %H:%M:%S}"
    place = escape(addresses.web(capture.timestamp14, capture.url))
    raw = escape(addresses.web(capture.timestamp14, capture.url, addresses.RAW))
    status = "unchanged" if capture.record_type == "revisit" else str(capture.status or "-")
    notes = [f"→ {capture.redirect}"] if capture.redirect else []
    if capture.truncated and capture.record_type != "revisit":
        notes.append(f"cut ({capture.truncated})")
    link = escape(time) if withheld else f'<a href="{place}">{time}</a>'
    told = escape("; ".join(notes))
    last = f'<span class="mark">{escape(withheld)}</span>' if withheld else f'<a href="{raw}">bytes</a> {told}'
    return f'<tr><td class="time">{link}</td><td>{status}</td><td>{escape(capture.mime or "")}</td><td>{last}</td></tr>'
