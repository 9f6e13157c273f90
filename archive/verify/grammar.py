"""The grammar of field values (WARC 1.1, 4 and 5), as predicates."""

from __future__ import annotations

import re
from ipaddress import ip_address

from archive.capture import parse_iso

TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
DIGITS = re.compile(r"[0-9]+")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # TEXT is anything but controls; a tab is white space

_MEDIA_TYPE = re.compile(
    rf"{TOKEN.pattern}/{TOKEN.pattern}"
    rf'(?:[ \t]*;[ \t]*(?:{TOKEN.pattern}[ \t]*=[ \t]*(?:{TOKEN.pattern}|"(?:[^"\\]|\\.)*"))?)*[ \t]*'
)
_MSGTYPE = re.compile(r';[ \t]*msgtype[ \t]*=[ \t]*"?([^\s";]*)', re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_SPACE = re.compile(r"[\s\x00-\x20\x7f]")
# RFC 3986, 2: reserved and unreserved characters and escapes. Square brackets are allowed in a host alone.
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:"
    r"(?://(?:[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]]|%[0-9A-Fa-f]{2})*(?=[/?#]|$))?"
    r"(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
    r"(?:#(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)?"
)
# W3C-DTF, in UTC, with up to nine digits of a second's fraction (5.4). RFC 3339, 5.6 allows t and z in lower case.
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z)?)?)?", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII | re.IGNORECASE)


def is_uri(text: str) -> bool:
    """Whether *text* can be taken for a URI: a scheme, something after it, no white space or control characters."""
    found = _SCHEME.match(text)
    return found is not None and len(text) > found.end() and not _SPACE.search(text)


def is_legal_uri(text: str) -> bool:
    """Whether every character of *text* is one that RFC 3986 allows at its place."""
    return _URI.fullmatch(text) is not None


def is_bracketed_uri(text: str) -> bool:
    """Whether *text* is a URI in angle brackets, as record ids are."""
    return text[:1] == "<" and text[-1:] == ">" and "<" not in text[1:] and ">" not in text[:-1] and is_uri(text[1:-1])


def is_date(text: str) -> bool:
    """Whether *text* is a UTC time of any precision that WARC 1.1 allows, and one there is."""
    if not _DATE.fullmatch(text):
        return False
    try:
        parse_iso(text.upper())
    except ValueError:
        return False
    return True


def has_seconds(text: str) -> bool:
    """Whether *text* has the one form that WARC 1.0 allows, ``YYYY-MM-DDThh:mm:ssZ``."""
    return _SECONDS.fullmatch(text) is not None


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone is no part of RFC 4291, 2.2


def is_media_type(text: str) -> bool:
    return _MEDIA_TYPE.fullmatch(text) is not None


def msgtype(media_type: str) -> str | None:
    """Return the parameter that says which HTTP message it is, in lower case; None when there is none."""
    found = _MSGTYPE.search(media_type)
    return found[1].lower() if found else None
