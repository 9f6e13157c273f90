"""Mementos and the TimeGate (RFC 7089): one capture of a URL, as it was answered, and what leads to the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin

from archive.capture import Capture
from archive.errors import ArchiveError, StorageError
from archive.http1 import Head
from archive.replay import addresses, frames, policy, ranges
from archive.replay.addresses import BANNER_ONLY, RAW, Asked
from archive.replay.asked import Answer, Request
from archive.replay.negotiation import accept_datetime, http_date, preference, stamp_date
from archive.replay.rendering import Rendered, decoded, is_text, rendered
from archive.replay.site import Site
from archive.replay.stored import NotReplayable, OriginalMissing, Stored
from archive.replay.timeline import Found, Timeline
from archive.version import VERSION

MAX_AGE_S = 300  # a capture never changes; which one is nearest, and whether it may be shown, does

_LIES = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
_BREAKS = re.compile(r"[\x00-\x1f\x7f]")
_REFRESH = re.compile(r"(\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?)(['\"]?)(.+?)\2\s*", re.IGNORECASE | re.DOTALL)
_FILE = re.compile(r"(attachment|inline)\b.*", re.IGNORECASE | re.DOTALL)


class NotCaptured(ArchiveError):
    """The archive holds no capture of that URL that may be told."""


class Blocked(ArchiveError):
    """A rule of access forbids to show the capture: 451, with the rule's reason."""

    def __init__(self, capture: Capture, reason: str) -> None:
        super().__init__(reason)
        self.capture, self.reason = capture, reason


class CannotReplay(ArchiveError):
    """The capture is there and cannot be shown. *gone* is set when what it needs is not in the archive."""

    def __init__(self, capture: Capture, reason: str, *, gone: bool) -> None:
        super().__init__(reason)
        self.capture, self.reason, self.gone = capture, reason, gone


@dataclass(frozen=True, slots=True)
class Chosen:
    """The capture that answers for a request, and how it is to be shown."""

    timeline: Timeline
    found: Found
    modifier: str
    preference: str | None
    timegate: bool

    @property
    def capture(self) -> Capture:
        return self.found.capture


def choose(site: Site, request: Request, asked: Asked) -> Chosen:
    """Return the capture that answers for *asked*.

    Raises ``BadDatetime``, ``NotCaptured``, ``Blocked``, and what looking into the index raises.
    """
    timegate = asked.kind == "timegate"
    at = asked.at if not timegate else accept_datetime(request.headers.get("accept-datetime")) or datetime.now(UTC)
    wish = preference(request.headers.get("prefer"))
    modifier = asked.modifier
    if wish == "raw":
        modifier = RAW
    elif wish == "banner-only":
        modifier = BANNER_ONLY
    elif wish == "rewritten" and modifier in {RAW, BANNER_ONLY}:
        modifier = ""
    timeline = site.timeline(asked.url)
    found = timeline.closest(at, as_it_is=modifier == RAW)
    if found is None:
        raise NotCaptured(asked.url)
    if not found.verdict.shown:
        raise Blocked(found.capture, found.verdict.reason)
    return Chosen(timeline, found, modifier, wish, timegate)


def read(site: Site, capture: Capture) -> Stored:
    """Return what answers for *capture*. Raises ``CannotReplay`` with the reason in plain words."""
    try:
        return site.store.read(capture)
    except OriginalMissing as error:
        raise CannotReplay(capture, str(error), gone=True) from error
    except NotReplayable as error:
        if site.cache is not None:
            site.cache.drop(capture.place)
        raise CannotReplay(
            capture, f"{error}. What is damaged is never shown; see: newswarc verify", gone=False
        ) from error
    except StorageError as error:
        raise CannotReplay(capture, f"the store did not give the record: {error}", gone=False) from error


def moved(asked: Asked, chosen: Chosen, token: str) -> Answer | None:
    """Return the way to the same page with its last slash, which relative addresses in it need; None when it has it."""
    if chosen.modifier == RAW or not asked.url.startswith("http"):
        return None
    path, captured = asked.url.partition("?")[0], chosen.capture.url.partition("?")[0]
    if path.endswith("/") or not captured.endswith("/") or "#" in path:
        return None
    url = path + "/" + asked.url[len(path) :]
    place = addresses.web(asked.timestamp, url, asked.modifier) if asked.timestamp else addresses.timegate(url)
    return Answer(307, [("Location", frames.address(token, place)), *vary(chosen, [])])


def memento(site: Site, request: Request, chosen: Chosen, base: str, *, token: str = "") -> Answer:
    """Return the memento itself, its status kept. *base* is the origin it is served from; *token* that of its frame.

    Raises ``CannotReplay``.
    """
    capture = chosen.capture
    stored = read(site, capture)
    raw = chosen.modifier in {RAW, BANNER_ONLY}
    from_pages = base == site.options.pages_url
    headers = links(chosen, base)
    headers += vary(chosen, [] if from_pages else ["sec-fetch-dest"])
    names = (site.options.public_url, site.options.pages_url)
    if raw:
        headers += policy.captured(*names[: 1 if token else 0])
    else:
        headers += policy.replayed(*names, scripts=site.options.scripts, nested=chosen.modifier == "if_")
    headers.append(("Cache-Control", f"max-age={MAX_AGE_S}" if from_pages and not token else "no-cache"))
    _original_headers(headers, stored, capture)
    status = stored.status
    if status < 200 or (status == 304 and len(stored)):
        status = 200  # an interim answer is none
    if raw:
        return _raw(request, chosen, stored, status, headers)
    return _shown(site, request, chosen, stored, status, headers, token)


def _raw(request: Request, chosen: Chosen, stored: Stored, status: int, headers: list[tuple[str, str]]) -> Answer:
    _content_type(headers, stored.content_type)
    coding = stored.content_encoding
    if coding and not _lies(stored):
        headers.append(("Content-Encoding", _clean(coding)))
    headers.append(("Accept-Ranges", "bytes"))
    etag = f'"{chosen.capture.payload_digest or chosen.capture.record_id.strip("<>")}"'
    etag = etag if etag.isascii() else '"-"'
    headers.append(("ETag", etag))
    if status != 200:
        return ranges.answer(stored, headers, status, None)
    if ranges.matches(request.headers.get("if-none-match"), etag):
        return Answer(304, headers)
    if not ranges.holds(request.headers.get("if-range"), etag, http_date(chosen.capture.captured_at)):
        return ranges.answer(stored, headers, status, None)
    return _part(request, stored, headers)


def _part(request: Request, stored: Stored, headers: list[tuple[str, str]]) -> Answer:
    try:
        part = ranges.wanted(request.headers.get("range"), len(stored))
    except ranges.Unsatisfiable:
        return Answer(416, [*headers, ("Content-Range", f"bytes */{len(stored)}")])
    return ranges.answer(stored, headers, 200, part)


def _shown(
    site: Site,
    request: Request,
    chosen: Chosen,
    stored: Stored,
    status: int,
    headers: list[tuple[str, str]],
    token: str,
) -> Answer:
    capture, scripts = chosen.capture, site.options.scripts
    link = linked(capture.timestamp14, token)
    if capture.redirect:
        headers.append(("Location", link(capture.redirect, chosen.modifier)))
    if stored.head and (refresh := _refresh(stored.head, capture.url, link)):
        headers.append(("Refresh", refresh))
    coded, kind = stored.content_encoding, stored.content_type
    if not is_text(kind, chosen.modifier) or not isinstance(stored.payload, bytes):
        if not coded:
            _content_type(headers, kind)
            headers.append(("Accept-Ranges", "bytes"))
            return _part(request, stored, headers) if status == 200 else ranges.answer(stored, headers, status, None)
        body, notes = decoded(stored.read(), coded)
        result = Rendered(body, kind, "", notes)
    else:
        etag = f'"{capture.record_id.strip("<>")[-36:]}-{VERSION}{"-s" if scripts else ""}{chosen.modifier}"'
        if not token and status == 200:
            headers.append(("ETag", etag))
            if ranges.matches(request.headers.get("if-none-match"), etag):
                return Answer(304, headers)
        known = (capture.place, capture.record_id, chosen.modifier, scripts)
        found = None if token else site.rendered.get(known)
        if found is None:
            found = rendered(
                stored.payload,
                content_type=kind,
                content_encoding=coded,
                url=capture.url,
                link=link,
                scripts=scripts,
                as_=chosen.modifier,
            )
            if token:  # the links on a framed page have it in them, so that nobody else can use what was made
                if chosen.modifier != "if_":
                    site.frames.needs(token, found.needs)
            else:
                site.rendered.put(known, found, len(found.body))
        result = found
    _content_type(headers, result.content_type)
    told = [*stored.notes, *result.notes, *([f"the capture was cut: {stored.truncated}"] if stored.truncated else [])]
    headers += [("X-Archive-Note", _clean(note)[:500]) for note in told]
    return Answer(status, headers, result.body)


def linked(timestamp14: str, token: str) -> addresses.Link:
    """Return what gives the address of a URL in the archive as a page captured at *timestamp14* refers to it."""
    plain = f"/web/{timestamp14}"
    framed = f"/frame/{token}/web/{timestamp14}" if token else plain

    def link(url: str, modifier: str) -> str:
        return f"{framed if not modifier or modifier == 'if_' else plain}{modifier}/{addresses.quoted(url)}"

    return link


def links(chosen: Chosen, base: str) -> list[tuple[str, str]]:
    """Return the headers that Memento clients go by."""
    timeline, position, capture = chosen.timeline, chosen.found.position, chosen.capture
    url, modifier = addresses.quoted(chosen.timeline.url), chosen.modifier
    shown = timeline.shown()
    before, after = timeline.neighbours(position)
    roles: dict[int, list[str]] = {position: []}
    for role, at in (("first", shown[0]), ("last", shown[-1]), ("prev", before), ("next", after)):
        if at is not None:
            roles.setdefault(at, []).append(role)
    links = [
        f'<{url}>; rel="original"',
        f'<{base}/web/{url}>; rel="timegate"',
        f'<{base}/web/timemap/link/{url}>; rel="timemap"; type="application/link-format"',
    ]
    for at, names in sorted(roles.items()):
        stamp = timeline.timestamp(at)
        rel = " ".join([*names, "memento"])
        date = stamp_date(stamp)
        place = addresses.web(stamp, timeline.capture(at).url, modifier)
        links.append(f'<{base}{place}>; rel="{rel}"; datetime="{date}"')
    return [
        ("Memento-Datetime", stamp_date(capture.timestamp14)),
        ("Link", ", ".join(links)),
        ("Content-Location", f"{base}{addresses.web(capture.timestamp14, capture.url, modifier)}"),
    ]


def vary(chosen: Chosen, more: list[str]) -> list[tuple[str, str]]:
    names = [*(["accept-datetime"] if chosen.timegate else []), *(["prefer"] if chosen.preference else []), *more]
    found = [("Vary", ", ".join(names))] if names else []
    return [*found, ("Preference-Applied", chosen.preference)] if chosen.preference else found


def _original_headers(headers: list[tuple[str, str]], stored: Stored, capture: Capture) -> None:
    """Add the headers that the server sent, under names of their own: none of them has an effect here."""
    for name, sent in stored.head.headers if stored.head else ():
        if _NAME.fullmatch(name):
            value = _clean(sent)
            headers.append((f"X-Archive-Orig-{name}", value))
            kind = name.lower() if name[:8].lower() == "content-" else ""
            if kind == "content-disposition" and _FILE.fullmatch(value):
                headers.append(("Content-Disposition", value))
            elif kind == "content-range" and stored.status == 206:
                headers.append(("Content-Range", value))
            elif kind == "content-language":
                headers.append(("Content-Language", value))
    if stored.original is not None:
        headers.append(
            ("X-Archive-Payload-Of", _clean(f"{stored.original.timestamp14} {addresses.quoted(stored.original.url)}"))
        )
    if capture.truncated and capture.record_type != "revisit":
        headers.append(("X-Archive-Truncated", _clean(capture.truncated)))


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)


def _refresh(head: Head, url: str, link: addresses.Link) -> str | None:
    match = _REFRESH.fullmatch(head.get("Refresh") or "")
    if match is None:
        return None
    try:
        return f"{_clean(match[1])}{link(urljoin(url, match[3]), '')}"
    except ValueError:
        return None


def _lies(stored: Stored) -> bool:
    """Tell whether the payload is plainly not in the coding it claims: a browser would show nothing of it."""
    last = stored.content_encoding.rpartition(",")[2].strip().lower()
    magic = _LIES.get(last)
    if last in {"", "identity"} or not len(stored):
        return True
    return magic is not None and not stored.read(0, len(magic)).startswith(magic[: len(stored)])


def _content_type(headers: list[tuple[str, str]], kind: str | None) -> None:
    """Add the type. Without one a browser would guess, which nosniff forbids: then it is bytes."""
    headers.append(("Content-Type", _clean(kind or "").strip() or "application/octet-stream"))


def _clean(value: str) -> str:
    """Return *value* as one line of Latin-1, which is what headers can hold."""
    if value.isascii() and value.isprintable():
        return value.strip()
    return _BREAKS.sub(" ", value).encode("latin-1", "replace").decode("latin-1").strip()
