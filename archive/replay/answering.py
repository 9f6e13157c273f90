"""From a request to its answer: the two listeners, and what each of them serves.

The library has pages of ours, and for programs mementos, TimeMaps and CDX. The pages' listener has replayed documents
and what they need, and nothing else. Everything here is synchronous, called in threads.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs

from archive.errors import ArchiveError, IndexDamaged, StorageError
from archive.replay import addresses, banner, cdx, errors, frames, library, timemaps
from archive.replay.addresses import RAW, WEB, BadAddress
from archive.replay.asked import NOSNIFF, Answer, Request, text
from archive.replay.cdx.filters import FilterTooSlow
from archive.replay.mementos import Blocked, CannotReplay, NotCaptured, choose, memento, moved
from archive.replay.negotiation import BadDatetime
from archive.replay.rewriting import SHIM_PATH, shim
from archive.replay.site import Site

log = logging.getLogger(__name__)

_METHODS = "GET, HEAD, OPTIONS"
_OPEN = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", _METHODS))
_FRAMED = frozenset({"iframe", "frame", "embed", "object"})


def guarded(answer: Callable[[Site, Request], Answer], site: Site, request: Request) -> Answer:
    """Answer *request*; whatever the archive has against it becomes an answer in plain words."""
    if request.method == "OPTIONS":
        allowed = request.headers.get("access-control-request-headers", "")[:500] or "*"
        return Answer(
            204,
            [
                *_OPEN,
                ("Allow", _METHODS),
                ("Access-Control-Allow-Headers", allowed.encode("ascii", "replace").decode()),
            ],
        )
    if request.method not in {"GET", "HEAD"}:
        return text(405, f"{request.method[:20]} is not answered here", [("Allow", _METHODS)])
    try:
        return answer(site, request)
    except (BadAddress, BadDatetime, cdx.BadQuery) as error:
        if request.path == "/cdx":
            return _json(400, {"message": str(error)})
        return text(400, str(error), _OPEN)
    except FilterTooSlow as error:
        return _json(400, {"message": str(error)})
    except (IndexDamaged, StorageError, ArchiveError) as error:
        log.error("%s: %s", request.target[:200], error)
        return text(503, f"The archive cannot answer: {error}", _OPEN)


def on_library(site: Site, request: Request) -> Answer:
    path = request.path
    if path.startswith(WEB):
        return _web(site, request)
    if path == "/cdx":
        return cdx.answer(site, cdx.Query.parse(request.query))
    if path == "/":
        return library.start(site, parse_qs(request.query, errors="replace", max_num_fields=100).get("url", [""])[0])
    if path.startswith("/api/frame/"):
        return _frame(site, path.rpartition("/")[2])
    if path == "/robots.txt":
        return text(200, "User-agent: *\nDisallow: /web/\nDisallow: /cdx")
    return text(404, "There is no such page here. What is archived stands under /web/.")


def _web(site: Site, request: Request) -> Answer:
    asked = addresses.read(request.target[len(WEB) :])
    base = site.options.public_url
    if asked.kind == "timemap":
        return timemaps.answer(site, asked, base)
    if asked.kind == "captures":
        return library.captures(site, asked)
    destination = request.headers.get("sec-fetch-dest", "")
    if destination in _FRAMED:  # a link followed in a frame stays on the listener of the pages
        place = request.target if asked.timestamp else addresses.web("2", asked.url, asked.modifier)
        return Answer(307, [("Location", f"{site.options.pages_url}{place}"), *_OPEN])
    try:
        chosen = choose(site, request, asked)
        if redirect := moved(asked, chosen, ""):
            return redirect
        if chosen.modifier == addresses.BANNER_ONLY or (request.is_navigation and chosen.modifier != RAW):
            return banner.answer(site, chosen)
        return memento(site, request, chosen, base)
    except (NotCaptured, Blocked, CannotReplay) as error:
        return errors.explained(site, request, asked, error, pages=False)


def on_pages(site: Site, request: Request) -> Answer:
    token, target = frames.split(request.target)
    if not target.startswith(WEB):
        if site.options.scripts and request.path == SHIM_PATH:
            headers = [("Content-Type", "text/javascript; charset=utf-8"), ("Cache-Control", "max-age=3600"), NOSNIFF]
            return Answer(200, [*headers, *_OPEN], shim())
        return text(404, "Only replayed pages are served here.", _OPEN)
    asked = addresses.read(target[len(WEB) :])
    if asked.kind not in {"memento", "timegate"}:
        return text(404, "Only replayed pages are served here.", _OPEN)
    if request.is_navigation and not token and asked.modifier != RAW:
        return Answer(307, [("Location", f"{site.options.public_url}{target}")])  # a page is seen under its banner
    # The page itself is asked for without a modifier; if_ is a frame within it.
    framed = token if request.headers.get("sec-fetch-dest") in _FRAMED and asked.modifier != "if_" else ""
    try:
        chosen = choose(site, request, asked)
        if redirect := moved(asked, chosen, token):
            return redirect
        made = memento(site, request, chosen, site.options.pages_url, token=token)
    except (NotCaptured, Blocked, CannotReplay) as error:
        if framed:
            site.frames.shows(framed, asked.url, "")
        return errors.explained(site, request, asked, error, pages=True)
    if framed and not 300 <= made.status < 400:
        site.frames.shows(framed, chosen.capture.url, chosen.capture.timestamp14)
    return made


def _frame(site: Site, token: str) -> Answer:
    frame = site.frames.get(token)
    if frame is None:
        return _json(404, {"message": "no such frame"})
    place = addresses.web(frame.timestamp14, frame.url) if frame.timestamp14 else addresses.timegate(frame.url)
    return _json(
        200,
        {
            "url": frame.url,
            "timestamp": frame.timestamp14,
            "loads": frame.loads,
            "missing": _missing(site, frame.needs, frame.timestamp14),
            "banner": place if frame.url else "",
        },
    )


def _missing(site: Site, urls: Iterable[str], timestamp14: str) -> dict[str, str]:
    """Return which of *urls* the page of that time does not get, and why."""
    found: dict[str, str] = {}
    for url in urls:
        capture = site.timeline(url).closest(addresses.moment(timestamp14)) if timestamp14 else None
        if capture is None:
            found[url] = "never captured"
        elif not capture.verdict.shown:
            found[url] = "not shown"
    return found


def _json(status: int, value: dict[str, object]) -> Answer:
    headers = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return Answer(status, headers, json.dumps(value).encode() + b"\n")
