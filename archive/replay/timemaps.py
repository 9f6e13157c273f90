"""TimeMaps: all mementos of a URL, in link format (RFC 7089, 5), as JSON (MemGator's) or as index lines."""

from __future__ import annotations

import json
from datetime import datetime

from archive.replay import addresses
from archive.replay.addresses import Asked
from archive.replay.asked import NOSNIFF, Answer, text
from archive.replay.negotiation import http_date
from archive.replay.site import Site
from archive.replay.timeline import Timeline

PAGE_MEMENTOS = 5000  # of one TimeMap; a URL with more has several, each of which names all others

_HEADERS = [("Access-Control-Allow-Origin", "*"), ("Cache-Control", "no-cache"), NOSNIFF]
FORMS = ("link", "json", "cdxj")


def answer(site: Site, asked: Asked, base: str) -> Answer:
    """Return the TimeMap that *asked* names, 404 when there are no mementos."""
    if asked.form not in FORMS:
        return text(400, f"output={asked.form} not supported; TimeMaps are had as {', '.join(FORMS)}")
    timeline = site.timeline(asked.url)
    shown = timeline.shown()
    pages = -(-len(shown) // PAGE_MEMENTOS)
    number = asked.page or 1
    if not shown or not 1 <= number <= pages:
        return text(
            404, f"{addresses.quoted(asked.url)}: no mementos" + (f" on page {number}" if shown else ""), _HEADERS
        )
    part = shown[(number - 1) * PAGE_MEMENTOS : number * PAGE_MEMENTOS]
    if asked.form == "cdxj":
        lines = b"".join(timeline.line(position) for position in part)
        return Answer(200, [("Content-Type", "text/x-cdxj"), *_HEADERS], lines)
    if asked.form == "json":
        return _json(timeline, shown, part, number, pages, base)
    return _link(timeline, shown, part, number, pages, base)


def _memento(timeline: Timeline, position: int, base: str) -> tuple[str, datetime]:
    stamp = timeline.timestamp(position)
    at = datetime.strptime(stamp + "+0000", "%Y%m%d%H%M%S%z")
    return f"{base}{addresses.web(stamp, timeline.capture(position).url)}", at


def _spans(timeline: Timeline, shown: list[int], base: str) -> list[tuple[int, datetime, datetime]]:
    """Return of each page its number and the times of its first and last memento."""
    return [
        (
            start // PAGE_MEMENTOS + 1,
            _memento(timeline, shown[start], base)[1],
            _memento(timeline, shown[min(start + PAGE_MEMENTOS, len(shown)) - 1], base)[1],
        )
        for start in range(0, len(shown), PAGE_MEMENTOS)
    ]


def _address(timeline: Timeline, form: str, number: int, pages: int, base: str) -> str:
    return f"{base}{addresses.timemap(timeline.url, form, number if pages > 1 else None)}"


def _link(timeline: Timeline, shown: list[int], part: list[int], number: int, pages: int, base: str) -> Answer:
    kind = 'type="application/link-format"'
    lines = []
    for page, since, until in _spans(timeline, shown, base):
        rel = "self" if page == number else "timemap"
        place = _address(timeline, "link", page, pages, base)
        lines.append(f'<{place}>; rel="{rel}"; {kind}; from="{http_date(since)}"; until="{http_date(until)}"')
    lines.append(f'<{base}{addresses.timegate(timeline.url)}>; rel="timegate"')
    lines.append(f'<{addresses.quoted(timeline.url)}>; rel="original"')
    for position in part:
        place, at = _memento(timeline, position, base)
        first = "first " if position == shown[0] else ""
        last = "last " if position == shown[-1] else ""
        lines.append(f'<{place}>; rel="{first}{last}memento"; datetime="{http_date(at)}"')
    return Answer(200, [("Content-Type", "application/link-format"), *_HEADERS], (",\n".join(lines) + "\n").encode())


def _json(timeline: Timeline, shown: list[int], part: list[int], number: int, pages: int, base: str) -> Answer:
    def one(position: int) -> dict[str, str]:
        place, at = _memento(timeline, position, base)
        return {"datetime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "uri": place}

    spans = _spans(timeline, shown, base)
    value: dict[str, object] = {
        "original_uri": timeline.url,
        "self": _address(timeline, "json", number, pages, base),
        "from": f"{spans[number - 1][1]:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{spans[number - 1][2]:%Y-%m-%dT%H:%M:%SZ}",
        "mementos": {"first": one(shown[0]), "last": one(shown[-1]), "list": [one(position) for position in part]},
        "timemap_uri": {form: f"{base}{addresses.timemap(timeline.url, form)}" for form in FORMS},
        "timegate_uri": f"{base}{addresses.timegate(timeline.url)}",
    }
    if pages > 1:
        value["timemap_index"] = [
            {
                "uri": _address(timeline, "json", page, pages, base),
                "from": f"{a:%Y-%m-%dT%H:%M:%SZ}",
                "until": f"{b:%Y-%m-%dT%H:%M:%SZ}",
            }
            for page, a, b in spans
        ]
    return Answer(200, [("Content-Type", "application/json"), *_HEADERS], json.dumps(value, indent=1).encode() + b"\n")
