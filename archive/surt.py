"""The key under which captures of a URL are found: its sort-friendly form, as pywb, cdxj-indexer and wayback spell it.

``https://www.Example.com:443/News/?b=1&a=2#top`` becomes ``com,example)/news?a=2&b=1``: the host reversed, everything
in lower case, and what rarely tells pages apart (scheme, ``www``, default port, last slash, order of the query,
session ids, fragment) removed. Different pages can share a key, so the URL itself has the last word in a look-up.

Why not the ``surt`` package, the reference: it is under the AGPL, was last released in 2019, imports ``requests``
through ``tldextract`` (0.2 s), and asks the DNS about hosts such as ``1.2.999``. The rules are those of wayback's
WaybackURLKeyMaker; the tests compare the result with tables made by others.
"""

from __future__ import annotations

import contextlib
import functools
import re
import socket
from urllib.parse import SplitResultBytes, quote_from_bytes, unquote_to_bytes

_SCHEME = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]*:")
_REPEATED_SCHEME = re.compile(rb"(?:https?://)+(?=https?://)")
_PARTS = re.compile(rb"([^:]+):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?")  # RFC 3986, annex B, the scheme given
_WWW = re.compile(rb"www\d*\.")
_NUMERIC_HOST = re.compile(rb"(?:[1-9][0-9]*(?:\.[0-9]+){1,3}|0[0-7]*(?:\.[0-7]+){0,3})")
_DEFAULT_PORTS = {b"http": 80, b"https": 443}
_UNESCAPED = b"!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # beside letters and digits; so never a space in a key
_HEX = frozenset(b"0123456789abcdefABCDEF")

_PATH_SESSIONS = tuple(  # of ASP.NET: /(S(4hqa0555fwsecu455xqckv45))/page.aspx, and the older form without letters
    re.compile(rb"(.*/)" + session + rb"/([^?]+\.aspx.*)", re.DOTALL)
    for session in (rb"\((?:[a-z]\([0-9a-z]{24}\))+\)", rb"\([0-9a-z]{24}\)")
)
_QUERY_SESSIONS = tuple(  # looked for in this order, each at most once, its last occurrence
    re.compile(rb"(.*)(?:" + session + rb")(?:&(.*))?", re.DOTALL)
    for session in (
        rb"jsessionid=[0-9a-z]{32}",
        rb"phpsessid=[0-9a-z]{32}",
        rb"sid=[0-9a-z]{32}",
        rb"aspsessionid[a-z]{8}=[a-z]{24}",
        rb"cfid=[^&]+&cftoken=[^&]+",
    )
)


@functools.lru_cache(maxsize=4096)  # one URL is asked for several times while it is captured
def surt(url: str) -> str:
    """Return the key of *url*: ASCII, without spaces or control characters.

    What is no URL (a port that is no number) is its own key, escaped.
    """
    raw = re.sub(rb"[\n\r\t]", b"", _encoded(url).strip())
    if not raw:
        return "-"
    if raw.startswith(b"filedesc"):  # the header of an ARC file
        return quote_from_bytes(raw, safe=b"%" + _UNESCAPED)
    if not _SCHEME.match(raw):
        raw = b"http://" + raw
    if repeated := _REPEATED_SCHEME.match(raw):  # a slip of hand, the last one counts
        raw = raw[repeated.end() :]
    parts = _PARTS.match(raw)
    assert parts is not None  # every group but the scheme may be empty
    scheme, authority, path, query = parts.groups()
    try:
        host, port = _host_and_port(authority or b"")
    except ValueError:
        return quote_from_bytes(raw, safe=b"%" + _UNESCAPED)
    if not host and path and scheme.startswith(b"http"):  # http:////host/path
        host, _, path = path.lstrip(b"/").partition(b"/")
        path = b"/" + path
    key = _host_key(host, massage=scheme != b"dns")
    rooted = bool(key)
    if not rooted:
        key = scheme + b":"
    elif port and port != _DEFAULT_PORTS.get(scheme.lower()):
        key += b":%d)" % port
    else:
        key += b")"
    path, query = _path_key(path, rooted=rooted), _query_key(query)
    return (key + (path or (b"/" if query else b"")) + query).decode()


def plain(url: str) -> str:
    """Return *url* without what never tells pages apart: scheme, ``www``, default port, fragment, last slash.

    Two URLs of one key with one plain form are taken for the same page; others of that key only for want of these.
    """
    raw = _encoded(url).strip().partition(b"#")[0]
    if not _SCHEME.match(raw):
        raw = b"http://" + raw
    parts = _PARTS.match(raw)
    assert parts is not None
    scheme, authority, path, query = parts.groups()
    if authority is None:
        return raw.decode(errors="backslashreplace")
    try:
        host, port = _host_and_port(authority)
    except ValueError:
        return raw.decode(errors="backslashreplace")
    www = _WWW.match(host)
    place = host[www.end() :] if www else host
    if port and port != _DEFAULT_PORTS.get(scheme.lower()):
        place += b":%d" % port
    place += quote_from_bytes(path.rstrip(b"/"), safe=b"%" + _UNESCAPED).encode()
    if query:
        place += b"?" + quote_from_bytes(query, safe=b"%" + _UNESCAPED).encode()
    return place.decode(errors="backslashreplace")


def _encoded(url: str) -> bytes:
    try:
        return url.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        return url.encode(errors="surrogatepass")


def _host_and_port(authority: bytes) -> tuple[bytes, int | None]:
    """Split an authority; user, password and the brackets of an IPv6 address are dropped.

    Raises ``ValueError`` when the port is none.
    """
    split = SplitResultBytes(b"", authority.rstrip(b":"), b"", b"", b"")
    return split.hostname or b"", split.port or None


def _host_key(host: bytes, *, massage: bool) -> bytes:
    host = _unescaped(host)
    if not host.isascii():
        with contextlib.suppress(UnicodeError):  # what is no name in IDNA stands there as escaped bytes
            host = host.decode(errors="ignore").encode("idna")
    host = host.replace(b"..", b".").strip(b".")
    host = _dotted(host) or _escaped(host.lower()).lower()
    if massage and (www := _WWW.match(host)):
        host = host[www.end() :]
    return b",".join(reversed(host.split(b".")))


def _dotted(host: bytes) -> bytes | None:
    """Return a numeric host (``3279880203``, ``0177.1``) in dotted form, as ``inet_aton`` reads it."""
    if host.isdigit():
        return socket.inet_ntoa((int(host[-40:]) & 0xFFFFFFFF).to_bytes(4, "big")).encode()
    if not _NUMERIC_HOST.fullmatch(host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host.decode())).encode()
    except OSError:
        return None


def _path_key(path: bytes, *, rooted: bool) -> bytes:
    path = _unescaped(path)
    if rooted:
        path = _without_dots(path)
    path = _escaped(path).lower()
    for session in _PATH_SESSIONS:
        if match := session.fullmatch(path):
            path = match[1] + match[2]
    return path[:-1] if path.endswith(b"/") and len(path) > 1 else path


def _without_dots(path: bytes) -> bytes:
    """Resolve ``.`` and ``..`` and drop empty segments, but for a last one."""
    kept: list[bytes] = []
    for segment in path.split(b"/")[1:]:
        if segment == b".":
            continue
        if segment == b".." and kept:
            kept.pop()
        else:
            kept.append(segment)
    if not kept:
        return b"/"
    return b"/" + b"".join(segment + b"/" for segment in kept[:-1] if segment) + kept[-1]


def _query_key(query: bytes | None) -> bytes:
    query = _escaped(_unescaped(query or b"")).lower()
    for session in _QUERY_SESSIONS:
        if match := session.fullmatch(query):
            query = match[1] + (match[2] or b"")
    if not query:
        return b""
    # Sorted by name, then value: "a" before "a=", though "=" sorts after "&" and digits.
    return b"?" + b"&".join(
        b"=".join(pair) for pair in sorted(tuple(part.split(b"=", 1)) for part in query.split(b"&"))
    )


def _escaped(data: bytes) -> bytes:
    return quote_from_bytes(data, safe=_UNESCAPED).encode()


def _unescaped(data: bytes) -> bytes:
    """Undo percent escapes until none is left, ``%2541`` to ``A``."""
    for _ in range(8):
        plainer = unquote_to_bytes(data)
        if plainer == data:
            return data
        data = plainer
    # Deeper nesting is made to cost time: the same in one pass. Escapes never overlap, so the order does not matter.
    out = bytearray()
    for byte in data:
        out.append(byte)
        while len(out) >= 3 and out[-3] == 0x25 and out[-2] in _HEX and out[-1] in _HEX:
            out[-3:] = bytes([int(out[-2:], 16)])
    return bytes(out)
