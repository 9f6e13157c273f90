"""Checks of one record by itself: its version, the names and values of its fields, and which of them it has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from archive.capture import media_type, parse_iso
from archive.digests import knows, parse_digest
from archive.scan import Scanned
from archive.verify import grammar, tables

Breach = tuple[str, str]  # code of the rule, message

_CLOCK_SKEW = timedelta(days=1)
_FIRST_WEB_PAGE = datetime(1990, 12, 20, tzinfo=UTC)  # info.cern.ch
_DIGEST_LABEL = re.compile(rf"({grammar.TOKEN.pattern}):([!-~]+)")
_NAMES = {name.lower(): name for name in tables.FORMS}
_SHOWN = 100  # characters of a value in a message


def check_record(record: Scanned, now: datetime) -> Iterator[Breach]:
    """Yield every breach in the header of *record* that can be seen without its block or other records."""
    yield from check_version(record)
    yield from _names(record)
    yield from _presence(record)
    for name, value in record.fields:
        defined = _NAMES.get(name.lower())
        if defined is not None:
            yield from _value(record, defined, value, now)
    yield from _content_type(record)
    yield from _by_type(record)


def check_version(record: Scanned) -> Iterator[Breach]:
    """Yield what is wrong with the version line of *record*."""
    if record.version in tables.DRAFTS:
        yield "version-draft", f"WARC/{record.version} is a draft of the standard"
    elif record.version not in tables.VERSIONS:
        yield "version", f"WARC/{record.version[:_SHOWN]} is no version of the standard"


def _names(record: Scanned) -> Iterator[Breach]:
    for name, value in record.fields:
        if not grammar.TOKEN.fullmatch(name):
            yield "field-name", f"{name[:_SHOWN]!r} is no name for a field"
        if not value.isprintable() and grammar.CONTROL.search(value):
            yield "field-control", f"{name}: control characters in {value[:_SHOWN]!r}"
    lower = [name.lower() for name, _ in record.fields]
    if len(set(lower)) < len(lower):
        for name, count in Counter(lower).items():
            if count > 1 and name in _NAMES and name not in tables.REPEATABLE:
                yield "field-repeated", f"{_NAMES[name]} stands {count} times"


def _presence(record: Scanned) -> Iterator[Breach]:
    kind = record.type
    for name in tables.REQUIRED_OF_ALL:
        if name not in record.fields:
            yield "field-missing", f"no {name}"
    for name, types in tables.REQUIRED.items():
        if kind in types and name not in record.fields:
            yield "field-missing", f"no {name} in a {kind} record"
    for name, types in tables.FORBIDDEN.items():
        if kind in types and name in record.fields:
            yield "field-forbidden", f"{name} in a {kind} record"
    if kind and kind not in tables.TYPES:
        yield "type-unknown", f"a record of type {kind[:_SHOWN]!r}"
    elif kind != "revisit" and "WARC-Profile" in record.fields:
        yield "field-undefined", f"WARC-Profile in a {kind} record"


def _value(record: Scanned, name: str, value: str, now: datetime) -> Iterator[Breach]:
    if not value:
        yield "field-empty", f"{name} has no value"
        return
    shown = f"{name}: {value[:_SHOWN]}"
    match tables.FORMS[name]:
        case "record-id":
            if not grammar.is_bracketed_uri(value):
                yield "record-id", shown
        case "reference":
            if not grammar.is_bracketed_uri(value):
                yield "record-reference", shown
        case "uri":
            yield from _uri(record, value, shown)
        case "date":
            yield from _date(record, value, shown, now)
        case "digest":
            yield from _digest(value, shown)
        case "address" if not grammar.is_address(value):
            yield "ip-address", shown
        case "media-type" if not grammar.is_media_type(value):
            yield "media-type", shown
        case "integer" if not grammar.DIGITS.fullmatch(value):
            yield "integer", shown
        case "token":
            if not grammar.TOKEN.fullmatch(value):
                yield "truncated-reason", shown
            elif value.lower() not in tables.TRUNCATIONS:
                yield "truncated-unknown", shown
        case _:
            pass


def _uri(record: Scanned, value: str, shown: str) -> Iterator[Breach]:
    if value[:1] == "<" and value[-1:] == ">":
        # The grammar of WARC 1.0 had brackets around every URI, its examples had not, and both are met.
        value = value[1:-1]
        if record.version == "1.1":
            yield "uri-brackets", shown
    if not grammar.is_uri(value):
        yield "uri", shown
    elif not grammar.is_legal_uri(value):
        yield "uri-characters", shown


def _date(record: Scanned, value: str, shown: str, now: datetime) -> Iterator[Breach]:
    if not grammar.is_date(value):
        yield "date", shown
        return
    if record.version != "1.1" and not grammar.has_seconds(value):
        yield "date-precision", f"{shown} in a record of WARC/{record.version}"
    at = parse_iso(value.upper())
    if at > now + _CLOCK_SKEW:
        yield "date-future", shown
    elif at < _FIRST_WEB_PAGE:
        yield "date-early", shown


def _digest(value: str, shown: str) -> Iterator[Breach]:
    label = _DIGEST_LABEL.fullmatch(value)
    if label is None:
        yield "digest-form", shown
        return
    if not knows(label[1]):
        yield "digest-algorithm", shown
        return
    try:
        parse_digest(value)
    except ValueError:
        yield "digest-form", shown


def _content_type(record: Scanned) -> Iterator[Breach]:
    kind, content_type = record.type, record.fields.get("Content-Type")
    if content_type is None:
        if record.content_length and kind != "continuation":
            yield "content-type-missing", f"a {kind or 'nameless'} record of {record.content_length} bytes"
        return
    kept_as = media_type(content_type)
    uri = (record.fields.get("WARC-Target-URI") or "").strip("<>").lower()
    if kind == "warcinfo" and content_type.strip() and kept_as != "application/warc-fields":
        yield "content-type-warcinfo", f"Content-Type: {content_type[:_SHOWN]} in a warcinfo record"
    if kind == "resource" and uri.startswith("dns:") and kept_as != "text/dns":
        yield "content-type-dns", f"Content-Type: {content_type[:_SHOWN]} of {uri[:_SHOWN]}"
    if kind in {"request", "response"}:
        if kept_as == "application/http":
            if grammar.msgtype(content_type) not in {None, kind}:
                yield "content-type-msgtype", f"Content-Type: {content_type[:_SHOWN]} in a {kind} record"
        elif uri.startswith(("http:", "https:")):
            yield "content-type-http", f"Content-Type: {content_type[:_SHOWN]} in the {kind} record of a URI of http"


def _by_type(record: Scanned) -> Iterator[Breach]:
    fields = record.fields
    if record.type == "revisit":
        yield from _revisit(record)
    if record.type == "conversion" and "WARC-Refers-To" not in fields:
        yield "conversion-reference", "a conversion record without WARC-Refers-To"
    number = fields.get("WARC-Segment-Number") or ""
    if grammar.DIGITS.fullmatch(number):
        if record.type == "continuation" and int(number) < 2:
            yield "segment-number", f"WARC-Segment-Number: {number[:_SHOWN]} in a continuation record"
        elif record.type in tables.TYPES - {"continuation"} and int(number) != 1:
            yield "segment-number", f"WARC-Segment-Number: {number[:_SHOWN]} in a {record.type} record"


def _revisit(record: Scanned) -> Iterator[Breach]:
    fields = record.fields
    profile = (fields.get("WARC-Profile") or "").strip("<>")
    if profile in tables.IDENTICAL_PAYLOAD:
        if "WARC-Payload-Digest" not in fields:
            yield "profile-digest", "an identical-payload revisit without WARC-Payload-Digest"
    elif profile and profile not in tables.SERVER_NOT_MODIFIED:
        yield "profile-unknown", f"WARC-Profile: {profile[:_SHOWN]}"
    triple = ("WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date")
    missing = [name for name in triple if name not in fields]
    if len(missing) == len(triple):
        yield "revisit-reference", "a revisit that does not say which record it stands for"
    elif missing:
        yield "revisit-triple", f"a revisit without {' and '.join(missing)}"
