"""A query as it stands in an address, checked: pywb's names, and those of the Internet Archive's server that differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from urllib.parse import parse_qsl

from archive.replay.addresses import BadAddress, last_moment, moment
from archive.replay.cdx.filters import Filter
from archive.surt import surt

LIMIT = 100_000  # pywb's
OUTPUTS = ("cdxj", "text", "json")
FIELDS = ("urlkey", "timestamp", "url", "mime", "status", "digest", "length", "offset", "filename")
_OTHER_NAMES = {
    "original": "url",
    "mimetype": "mime",
    "statuscode": "status",
    "file": "filename",
    "key": "urlkey",
    "u": "url",
    "m": "mime",
    "s": "length",
    "l": "length",
    "o": "offset",
    "d": "digest",
    "t": "timestamp",
    "k": "urlkey",
    "f": "filename",
}
_EXTRA = frozenset(
    {
        "redirect",
        "record_id",
        "date",
        "type",
        "http_mime",
        "truncated",
        "profile",
        "access",
        "robotflags",
        "source",
        "refers_to",
        "refers_to_uri",
        "refers_to_date",
        "orig.length",
        "orig.offset",
        "orig.filename",
    }
)
_TIMESTAMP = re.compile(r"\d{1,14}", re.ASCII)

MatchType = Literal["exact", "prefix", "host", "domain"]


class BadQuery(ValueError):
    """The query cannot be understood: 400, with the message."""


@dataclass(frozen=True, slots=True)
class Query:
    url: str
    match_type: MatchType
    start: bytes  # of the keys that match
    end: bytes
    output: str = "cdxj"
    fields: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    since: str = ""  # 14 digits, both included
    until: str = ""
    collapse_time: int = 0  # digits of the timestamp
    collapse: tuple[tuple[str, int], ...] = ()  # (field, characters of it; 0: all)
    closest: datetime | None = None
    reverse: bool = False
    limit: int = LIMIT
    offset: int = 0
    resolve_revisits: bool = False
    page: int | None = None
    page_size: int = 1  # blocks
    count_pages: bool = False

    @property
    def plain(self) -> bool:
        """Whether the lines are wanted as they stand in the index, all of them."""
        return not (self.filters or self.collapse_time or self.collapse or self.resolve_revisits or self.fields)

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read *text*, what stands behind the question mark. Raises ``BadQuery``."""
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100, errors="surrogateescape")
        except ValueError as error:
            raise BadQuery("too many parameters") from error
        one = dict(reversed(pairs))
        url, match_type = _url(one)
        start, end = _keys(url, match_type)
        output = one.get("output") or "cdxj"
        if output not in OUTPUTS:
            raise BadQuery(f"output={output} not supported")
        collapse = one.get("collapseTime", "")
        closest = one.get("closest", "")
        sort = one.get("sort", "")
        if sort not in {"", "default", "reverse", "closest"}:
            raise BadQuery(f"sort={sort} not supported; reverse and closest are")
        limit = _number(one, "limit", LIMIT)
        return cls(
            url,
            match_type,
            start,
            end,
            output,
            _fields(one.get("fields") or one.get("fl") or ""),
            tuple(_filter(value) for name, value in pairs if name == "filter"),
            _digits(one, "from", first=True) or _digits(one, "from_ts", first=True),
            _digits(one, "to", first=False),
            _number({"collapseTime": collapse}, "collapseTime", 0) if collapse else 0,
            tuple(_collapse(value) for name, value in pairs if name == "collapse" and value),
            _moment(closest) if closest else None,
            _flag(one, "reverse") or sort == "reverse" or limit < 0,
            abs(limit),
            max(0, _number(one, "offset", 0)),
            _flag(one, "resolveRevisits"),
            _number(one, "page", 0) if one.get("page") else None,
            max(1, _number(one, "pageSize", 10)),
            _flag(one, "showNumPages"),
        )


def _url(one: dict[str, str]) -> tuple[str, MatchType]:
    url = one.get("url", "").strip()
    if not url:
        raise BadQuery("A url= param must be specified to query the cdx server")
    match_type = one.get("matchType", "")
    if not match_type:
        if url.startswith("*."):
            return url[2:], "domain"
        return (url[:-1], "prefix") if url.endswith("*") else (url, "exact")
    if match_type not in {"exact", "prefix", "host", "domain"}:
        raise BadQuery(f"Invalid match_type: {match_type}")
    return url, cast("MatchType", match_type)


def _keys(url: str, match_type: MatchType) -> tuple[bytes, bytes]:
    """Return the first key that matches, and the first after it that does not."""
    key = surt(url)
    if match_type == "exact":
        return f"{key} ".encode(), f"{key}!".encode()
    if match_type == "prefix":
        # The key has lost the slash at its end, or got one for a host without a path.
        if url.endswith("/") and not key.endswith("/"):
            key += "/"
        elif url.endswith("?") and not key.endswith("?"):
            key += "?"
        elif not url.endswith("/") and key.endswith("/"):
            key = key[:-1]
        return key.encode(), _after(key.encode())
    host = key.partition(")")[0]
    return f"{host})".encode(), f"{host}{'*' if match_type == 'host' else '-'}".encode()


def _after(prefix: bytes) -> bytes:
    """Return the first bytes that come after everything that begins with *prefix*."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix and prefix[-1] < 0xFF else prefix + b"\xff"


def field_named(name: str) -> str:
    return _OTHER_NAMES.get(name, name)


def _fields(text: str) -> tuple[str, ...]:
    fields = tuple(field_named(name.strip()) for name in text.split(",") if name.strip())
    for name in fields:
        if name not in FIELDS and name not in _EXTRA:
            raise BadQuery(f"no such field: {name[:40]}; fields are {', '.join(FIELDS)}")
    return fields


def _filter(text: str) -> Filter:
    try:
        return Filter.parse(text, field_named)
    except ValueError as error:
        raise BadQuery(f"filter={text[:80]}: {error}") from error


def _collapse(text: str) -> tuple[str, int]:
    name, _, length = text.partition(":")
    if length and not length.isdecimal():
        raise BadQuery(f"collapse={text[:40]}: write field or field:characters")
    return field_named(name), int(length[:9] or 0)


def _digits(one: dict[str, str], name: str, *, first: bool) -> str:
    text = one.get(name, "")
    if not text:
        return ""
    if not _TIMESTAMP.fullmatch(text):
        raise BadQuery(f"{name}={text[:40]}: expected 1 to 14 digits")
    return text.ljust(14, "0") if first else last_moment(text)


def _moment(text: str) -> datetime:
    try:
        if not _TIMESTAMP.fullmatch(text):
            raise BadQuery(f"closest={text[:40]}: expected 1 to 14 digits")
        return moment(text)
    except BadAddress as error:
        raise BadQuery(f"closest={text}: no such time") from error


def _number(one: dict[str, str], name: str, default: int) -> int:
    text = one.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise BadQuery(f"Invalid value for {name}= param: {text[:40]}")
    return int(text)


def _flag(one: dict[str, str], name: str) -> bool:
    return one.get(name, "").lower() in {"1", "true", "yes", "on"}
