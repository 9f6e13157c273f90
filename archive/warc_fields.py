"""Named fields and their values, in the only forms the WARC grammar allows, whatever a stranger's page put in them.

A line break inside a value would begin a field of the stranger's choosing, so nothing reaches a record except through
:func:`clean_name`, :func:`clean_value` and :func:`clean_uri`. Section numbers are those of WARC 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import quote

FIELDS_TYPE = "application/warc-fields"

_NOT_TOKEN = re.compile(r"[^!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
# Controls of both sets, and what Unicode counts as a line break: readers differ in which of them end a line.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LEGAL_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@lru_cache(maxsize=256)  # a writer has some thirty names, and uses them a dozen times a record
def clean_name(name: str) -> str:
    """Return *name* as a ``token`` (4, grammar): each run of other characters becomes one hyphen."""
    return _NOT_TOKEN.sub("-", name) or "-"


def clean_value(value: str) -> str:
    """Return *value* as one line of text: each run of control characters becomes a space, ends are trimmed."""
    if value.isascii() and value.isprintable():
        return value.strip()
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _CONTROLS.sub(" ", value)).strip()


def clean_uri(uri: str) -> str:
    """Return *uri* with every character that RFC 3986 does not allow at its place percent-encoded, as UTF-8.

    What is legal is never touched. Square brackets stay in the host, a first ``#`` stays; a per cent sign that begins
    no escape becomes ``%25``. Percent-encoding these changes nothing for an index key, which undoes it.
    """
    if _LEGAL_URI.fullmatch(uri):
        return uri
    uri = uri.strip()
    authority = _AUTHORITY.match(uri)
    end = authority.end() if authority else 0
    rest, hash_sign, fragment = uri[end:].partition("#")
    return _escape(uri[:end], ":/@[]") + _escape(rest) + hash_sign + _escape(fragment)


def _escape(part: str, extra: str = ":/?@") -> str:
    return quote(_STRAY_PERCENT.sub("%25", part), safe=f"%!$&'()*+,;={extra}", errors="surrogatepass")


def clean_address(address: str) -> str | None:
    """Return *address* as WARC-IP-Address has it (5.10): RFC 5952, no brackets, no zone; None when it is none.

    An IPv4 server reached over an IPv6 socket (``::ffff:192.0.2.1``) is named by its IPv4 address.
    """
    try:
        ip = ip_address(address.strip("[] ").partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ip)


def warc_fields(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return *pairs* as an ``application/warc-fields`` block, one a line; pairs without a value are left out."""
    lines = [f"{clean_name(name)}: {text}\r\n" for name, value in pairs if (text := clean_value(value))]
    return "".join(lines).encode()


def read_fields(block: bytes) -> dict[str, str]:
    """Return the pairs of an ``application/warc-fields`` block by their names in lower case, the first of each."""
    found: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon and value.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found
