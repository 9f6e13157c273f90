"""Captures and articles as rows of the catalogue, and back."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from archive.article import Article
from archive.capture import Capture, RefersTo, iso, parse_iso
from archive.catalog.claims import claims_of, shown_form
from archive.catalog.copies import sketch
from archive.catalog.identity import identity_of, normalised
from archive.place import Place
from archive.walls import IN_PLACE

# Kinds that show what stood in an article's place; they are kept as evidence, and are no version of it.
EVIDENCE_KINDS = IN_PLACE | {"error", "stub"}
UNLISTED_KINDS = IN_PLACE | {"error", "index"}  # a stub has its title and first lines

_FLAGS = frozenset({"content", "listed"})
_SKETCH = frozenset({"fingerprint", "bands", "numbers", "figures"})
_REQUIRED = frozenset({"record_id", "page_kind", "text"})


def capture_row(capture: Capture) -> dict[str, Any]:
    to = capture.refers_to or RefersTo()
    return {
        "record_id": capture.record_id,
        "url": capture.url,
        "captured_at": iso(capture.captured_at),
        "record_type": capture.record_type,
        "status": capture.status,
        "mime": capture.mime,
        "payload_digest": capture.payload_digest,
        **_place_row(capture.place),
        "truncated": capture.truncated,
        "profile": capture.profile,
        "refers_to": to.record_id,
        "refers_to_uri": to.url,
        "refers_to_date": iso(to.captured_at) if to.captured_at else None,
        "redirect": capture.redirect,
    }


def capture_of(row: sqlite3.Row) -> Capture:
    to_date = row["refers_to_date"]
    to = RefersTo(row["refers_to"], row["refers_to_uri"], parse_iso(to_date) if to_date else None)
    return Capture(
        url=row["url"],
        captured_at=parse_iso(row["captured_at"]),
        record_id=row["record_id"],
        record_type=row["record_type"],
        status=row["status"],
        mime=row["mime"],
        payload_digest=row["payload_digest"],
        place=place_of(row),
        truncated=row["truncated"],
        profile=row["profile"],
        refers_to=None if to == RefersTo() else to,
        redirect=row["redirect"],
    )


def article_row(record_id: str, article: Article, place: Place) -> dict[str, Any]:
    """Return the row of *article*, which the conversion record *record_id* at *place* holds.

    Raises ``ValueError``, ``TypeError`` or ``AttributeError`` when its fields are not of the types they should be.
    """
    article = article.storable()
    values = article.to_json()
    captured_at = _utc_text(article.captured_at) or ""
    text = values.pop("text")
    listed = article.page_kind not in UNLISTED_KINDS
    drawn = sketch(text) if listed else None
    row = {
        "record_id": record_id,
        "capture_id": article.record_id,
        "captured_at": captured_at,
        "identity": identity_of(article),
        "content": int(article.page_kind not in EVIDENCE_KINDS),
        "listed": int(listed),
        "page": normalised(article.url),
        "form": shown_form(article),
        "claims": json.dumps(claims_of(article), ensure_ascii=False),
        "fingerprint": drawn and drawn.fingerprint,
        "bands": drawn and drawn.bands,
        "numbers": drawn and drawn.numbers,
        "figures": drawn and drawn.figures,
        "url": article.url,
        "canonical_url": article.canonical_url,
        "publisher": article.publisher,
        "article_id": article.article_id,
        "page_kind": article.page_kind,
        "language": article.language,
        "published": article.published,
        "sorted_at": sorted_at(article),
        "title": article.title,
        "authors": ", ".join(article.authors),
        "section": article.section,
        "tags": ", ".join(article.tags),
        "description": article.description,
        "text": text,
        "text_digest": article.text_digest,
        "json": json.dumps(values, ensure_ascii=False, sort_keys=True),
    }
    for name, value in row.items():
        kind = int if name in _FLAGS else bytes if name in _SKETCH else str
        if not isinstance(value, kind) and (name in _REQUIRED or value is not None):
            raise TypeError(f"{name} is {value!r}")
    return {**row, **_place_row(place)}


def sorted_at(article: Article) -> str:
    """Return when *article* was published, or captured where that is not known: ISO 8601 in UTC, or empty."""
    return _utc_text(article.published) or _utc_text(article.captured_at) or ""


def article_of(row: sqlite3.Row) -> Article:
    return Article.from_json({"text": row["text"], **json.loads(row["json"])})


def place_of(row: sqlite3.Row) -> Place:
    return Place(row["file"], row["offset"], row["length"])


def _place_row(place: Place) -> dict[str, Any]:
    return {"file": place.key, "offset": place.offset, "length": place.length}


def _utc_text(when: str | None) -> str | None:
    """Return an ISO 8601 time in UTC, the beginning of the day for a date alone; None for what is neither."""
    if not when:
        return None
    try:
        at = datetime.fromisoformat(when)
        return iso(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    except (ValueError, OverflowError):  # overflow: the first or last hours of what datetime knows
        return None
