"""Lines of a CDXJ index, as pywb reads them, with what a :class:`~archive.capture.Capture` holds beyond that.

    com,example)/news 20261121204800 {"url": "https://example.com/news", "mime": "text/html", "status": "200", …}

*Order.* A segment is sorted as bytes (``LC_ALL=C sort``); a reader that bisects finds nothing in an unsorted one and
does not say so.

*filename* is the whole storage key (``warc/2026/11/21/….warc.gz``). pywb puts its ``archive_paths`` before it as
text, so there stands the archive's own directory with its last slash: ``archive_paths: /archives/mt/``.

*digest* is spelled as in the record: pywb finds the original of a revisit by the URL and date in the revisit record,
and compares the digests of the two lines.

*mime* is ``warc/revisit`` for a revisit and ``unk`` where the server gave none; what the server said stands in
``http_mime`` where that differs. *status* is ``-`` where there is none.

Keys that only newswarc reads: ``record_id``, ``date`` (with microseconds), ``type`` (of a resource), ``http_mime``,
``redirect``, ``truncated``, ``profile``, ``refers_to``, ``refers_to_uri``, ``refers_to_date``; absent when unknown.

Left out of the index is a response to HTTP whose head is not whole: players would serve its first bytes as a page. The
catalogue knows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from archive.capture import Capture, RefersTo, iso, parse_iso
from archive.place import Place
from archive.surt import surt

REVISIT_MIME = "warc/revisit"
UNKNOWN_MIME = "unk"
NONE = "-"


def line(capture: Capture) -> bytes | None:
    """Return the index line of *capture*, line break included; None when it does not belong in the index."""
    if capture.record_type == "response" and capture.status is None and _is_web(capture.url):
        return None
    mime = _shown_mime(capture)
    values: dict[str, str | None] = {
        "url": capture.url,
        "mime": mime,
        "status": NONE if capture.status is None else str(capture.status),
        "digest": capture.payload_digest or NONE,
        "length": str(capture.place.length),
        "offset": str(capture.place.offset),
        "filename": capture.place.key,
        "record_id": capture.record_id,
        "date": iso(capture.captured_at),
        "type": capture.record_type if capture.record_type == "resource" else None,
        "http_mime": capture.mime if capture.mime != mime or mime == REVISIT_MIME else None,
        "redirect": capture.redirect,
        "truncated": capture.truncated,
        "profile": capture.profile,
    }
    if capture.refers_to is not None:
        to = capture.refers_to
        values["refers_to"] = to.record_id
        values["refers_to_uri"] = to.url
        values["refers_to_date"] = iso(to.captured_at) if to.captured_at else None
    known = json.dumps({name: value for name, value in values.items() if value is not None})
    return f"{surt(capture.url)} {capture.timestamp14} {known}\n".encode("ascii")


def parse(data: bytes) -> Capture:
    """Return the capture that *data*, one line of our own index, stands for.

    Raises ``ValueError`` when it is no such line.
    """
    try:
        _, _, text = data.split(b" ", 2)
        values = json.loads(text)
        kind = values.get("type") or ("revisit" if values["mime"] == REVISIT_MIME else "response")
        mime = values.get("http_mime")
        if mime is None and values["mime"] not in {REVISIT_MIME, UNKNOWN_MIME}:
            mime = values["mime"]
        to = tuple(values.get(f"refers_to{end}") for end in ("", "_uri", "_date"))
        return Capture(
            url=values["url"],
            captured_at=parse_iso(values["date"]),
            record_id=values["record_id"],
            record_type=kind,
            status=None if values["status"] == NONE else int(values["status"]),
            mime=mime,
            payload_digest=None if values["digest"] == NONE else values["digest"],
            place=Place(values["filename"], int(values["offset"]), int(values["length"])),
            truncated=values.get("truncated"),
            profile=values.get("profile"),
            refers_to=RefersTo(to[0], to[1], parse_iso(to[2]) if to[2] else None) if any(to) else None,
            redirect=values.get("redirect"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a line of this index: {data[:120]!r} ({error!r})") from error


def segment(captures: Iterable[Capture]) -> bytes:
    """Return the index segment of one WARC file: the lines of its captures, sorted as bytes."""
    return b"".join(sorted(text for capture in captures if (text := line(capture)) is not None))


def _shown_mime(capture: Capture) -> str:
    if capture.record_type == "revisit":
        return REVISIT_MIME
    # A server may say "warc/revisit"; pywb would then look for an original.
    return UNKNOWN_MIME if capture.mime in {None, REVISIT_MIME} else str(capture.mime)


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http:", "https:"))
