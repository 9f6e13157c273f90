"""Why there is nothing to see, in plain words: tombstones, and marks where a part of a page would be."""

from __future__ import annotations

from archive.capture import Capture
from archive.replay import addresses, policy
from archive.replay.addresses import Asked
from archive.replay.asked import Answer, Request, text
from archive.replay.html import escape, page
from archive.replay.mementos import Blocked, CannotReplay, NotCaptured
from archive.replay.site import Site

MARK = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80" viewBox="0 0 120 80" role="img">'
    b"<title>not in the archive</title>"
    b'<rect x="1" y="1" width="118" height="78" fill="#f4f2ec" stroke="#b9b2a3" stroke-dasharray="5 4"/>'
    b'<text x="60" y="44" text-anchor="middle" font-family="sans-serif" font-size="11" fill="#6b6557">'
    b"not in the archive</text></svg>"
)


def explained(
    site: Site, request: Request, asked: Asked, error: NotCaptured | Blocked | CannotReplay, *, pages: bool
) -> Answer:
    """Return the answer for what cannot be shown: a page to people, a mark to images, a line to others."""
    status, title, reason = _words(asked, error)
    headers: tuple[tuple[str, str], ...] = (("Access-Control-Allow-Origin", "*"), ("Cache-Control", "no-cache"))
    destination = request.headers.get("sec-fetch-dest", "")
    if destination == "image":
        marked = [("Content-Type", "image/svg+xml"), *policy.captured(), ("Cache-Control", "no-cache")]
        return Answer(status, marked, MARK)
    if destination not in {"document", "iframe", "frame"} and "text/html" not in request.headers.get("accept", ""):
        if isinstance(error, Blocked):
            headers = (*headers, ("Link", f'<{site.options.public_url}/>; rel="blocked-by"'))
        return text(status, f"{title}: {reason}", headers)
    body = f"<main><h1>{escape(title)}</h1><p>{escape(reason)}</p>{_ways_on(site, asked, error)}</main>"
    made = page(title, body, pages_url=site.options.pages_url, status=status)
    if pages:  # within the frame; no banner, no way to the library's own pages
        made.headers = [
            header
            for header in made.headers
            if header[0] not in {"Content-Security-Policy", "Cross-Origin-Resource-Policy"}
        ]
        made.headers += policy.tombstone(
            site.options.public_url, site.options.pages_url, nested=asked.modifier == "if_"
        )
    return made


def _words(asked: Asked, error: NotCaptured | Blocked | CannotReplay) -> tuple[int, str, str]:
    if isinstance(error, NotCaptured):
        return 404, "Not in this archive", f"{asked.url} was never captured."
    if isinstance(error, Blocked):
        reason = error.reason or "A rule of this archive blocks it."
        return 451, "Not shown", f"The capture of {asked.url} of {_at(error.capture)} is kept and not shown. {reason}"
    status = 404 if error.gone else 503
    title = "Captured, but what it refers to is missing" if error.gone else "Captured, but it cannot be shown"
    return status, title, f"{asked.url}, captured {_at(error.capture)}: {error.reason}."


def _at(capture: Capture) -> str:
    return f"{capture.captured_at:%-d %B %Y, %H:%M:%S} UTC"


def _ways_on(site: Site, asked: Asked, error: Exception) -> str:
    library, url = site.options.public_url, escape(addresses.quoted(asked.url))
    ways = []
    if not isinstance(error, NotCaptured):
        ways.append(f'<a href="{library}/web/*/{url}">all its captures</a>')
    if asked.url.lower().startswith(("http://", "https://")):
        ways.append(f'<a href="{url}" rel="noreferrer noopener">the live page</a>')
    return f'<p class="sans">{" · ".join(ways)}</p>' if ways else ""
