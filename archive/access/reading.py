"""``access.toml``, the rules of an archive, which lies in it beside its WARC files.

    [[access]]
    url = "https://news.example/2026/03/"    # and all below it; "https://news.example/2026/draft*": all that begins so;
                                             # "*.news.example": a domain and its hosts; "*": all
    access = "block"                         # allow, block, exclude, embargo
    match = "prefix"                         # or "exact"
    since = 2026-03-01                       # of captures from that day on
    until = 2026-04-01                       # and before that one
    days = 90                                # of an embargo: how old a capture must be
    reason = "By order of a court."

A file that cannot be read opens nothing: whoever asks for it gets ``AccessError``.
"""

from __future__ import annotations

import math
import tomllib
from datetime import UTC, date, datetime, time
from typing import Any, cast

from archive.access.rules import Access, Kind, Rule
from archive.errors import ArchiveError, ObjectMissing
from archive.storage import Storage
from archive.surt import surt

ACCESS_KEY = "access.toml"

_KINDS = ("allow", "block", "exclude", "embargo")
_NAMES = {"url", "access", "match", "since", "until", "days", "reason"}


class AccessError(ArchiveError):
    """The rules of access cannot be understood. Nothing is shown until they are corrected; the message says where."""


def rules_of(storage: Storage) -> Access:
    """Return the rules of the archive in *storage*; none when it has no ``access.toml``.

    Raises ``AccessError`` when they cannot be understood, and ``StorageError``.
    """
    try:
        data = storage.read(ACCESS_KEY)
    except ObjectMissing:
        return Access()
    return read_rules(data, f"{storage.location}/{ACCESS_KEY}")


def read_rules(data: bytes, name: str = ACCESS_KEY) -> Access:
    """Read the rules out of a file's bytes; *name* stands in errors.

    Raises ``AccessError``.
    """
    try:
        table = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AccessError(f"{name}: not valid TOML: {error}") from error
    unknown = set(table) - {"access"}
    entries = table.get("access", [])
    if unknown or not isinstance(entries, list):
        raise AccessError(
            f"{name}: {', '.join(sorted(unknown)) or 'access'}: rules stand in [[access]] tables, nothing else"
        )
    return Access(tuple(_rule(f"{name}: rule {number}", entry) for number, entry in enumerate(entries, 1)))


def _rule(where: str, entry: Any) -> Rule:
    if not isinstance(entry, dict):
        raise AccessError(f"{where} is no table")
    if unknown := set(entry) - _NAMES:
        raise AccessError(f"{where}: unknown {', '.join(sorted(unknown))}; known are {', '.join(sorted(_NAMES))}")
    url, kind, match, reason = (entry.get(name, default) for name, default in _TEXTS)
    for name, value in (("url", url), ("access", kind), ("match", match), ("reason", reason)):
        if not isinstance(value, str):
            raise AccessError(f"{where}: {name} is {value!r}; expected text")
    if not url:
        raise AccessError(f'{where} has no url; "*" is every URL')
    if kind not in _KINDS:
        raise AccessError(f"{where}: access is {kind!r}; expected one of {', '.join(_KINDS)}")
    if match not in {"prefix", "exact"}:
        raise AccessError(f"{where}: match is {match!r}; expected prefix or exact")
    days = entry.get("days", 0)
    if isinstance(days, bool) or not isinstance(days, (int, float)) or not math.isfinite(days) or not 0 <= days < 1e6:
        raise AccessError(f"{where}: days is {days!r}; expected a number of days")
    if (kind == "embargo") != (days > 0):
        raise AccessError(f"{where}: days, more than 0, belong to an embargo and to nothing else")
    since, until = (_time(f"{where}: {name}", entry.get(name)) for name in ("since", "until"))
    bordered = url == "*" or not url.endswith("*")
    return Rule(cast("Kind", kind), _key(url), match == "exact", bordered, since, until, days, reason)


_TEXTS = (("url", ""), ("access", ""), ("match", "prefix"), ("reason", ""))


def _key(url: str) -> str:
    """Return what the keys begin with that a rule's *url* names."""
    if url == "*":
        return ""
    return surt(url[2:]).partition(")")[0] if url.startswith("*.") else surt(url.removesuffix("*"))


def _time(where: str, value: Any) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise AccessError(f"{where} is {value!r}; expected a date such as 2026-03-01, without quotes")
