"""Requests as bytes: nothing is added, reordered or re-encoded beyond what the wire needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from crawler.addresses import canonical_host
from crawler.wire.proxy import Proxy

BindAddress = tuple[str, int]

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_BREAKS = re.compile(rb"[\r\n\0]")
_NOT_ON_THE_WIRE = re.compile(rb"[^\x21-\x7e]")  # in a request target; what else RFC 3986 forbids, servers cope with
_DEFAULT_PORTS = {"http": 80, "https": 443}
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # an empty body is announced too (RFC 9110, 8.6)
_OURS = frozenset({b"host", b"content-length", b"proxy-authorization", b"proxy-connection"})
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2


@dataclass(frozen=True, slots=True)
class Route:
    """Which connections may carry a request: equal routes share them."""

    scheme: str
    host: str  # canonical: lower case, ASCII, IPv6 without brackets
    port: int
    proxy: Proxy | None = None
    bind_address: BindAddress | None = None

    @property
    def authority(self) -> str:
        """Return host and port as ``Host`` and ``CONNECT`` spell them, the default port included."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request ready to be sent. *sent* goes out; *kept* is archived: the same without a proxy's credentials."""

    route: Route
    url: str
    method: str
    sent: bytes
    kept: bytes
    closes: bool  # the request itself asks for the connection to be closed


@lru_cache(maxsize=4096)
def _split(url_start: str, proxy: Proxy | None, bind_address: BindAddress | None) -> tuple[Route, bytes]:
    """Return the route and the ``Host`` value for a URL's ``scheme://authority``."""
    scheme, _, authority = url_start.partition("://")
    if "@" in authority:
        raise ValueError("the URL carries a user name; credentials are neither sent nor archived")
    match = _AUTHORITY.fullmatch(authority)
    if match is None or not match[1]:
        raise ValueError(f"no host and port in {authority!r}")
    port = int(match[2]) if match[2] else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise ValueError(f"no port {port}")
    route = Route(scheme, canonical_host(match[1]), port, proxy, bind_address)
    host = route.authority
    return route, (host.rpartition(":")[0] if port == _DEFAULT_PORTS[scheme] else host).encode("ascii")


def prepare(
    method: str,
    url: str,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes = b"",
    *,
    proxy: Proxy | None = None,
    bind_address: BindAddress | None = None,
) -> PreparedRequest:
    """Put a request into bytes: request line, ``Host``, *headers* as given, ``Content-Length`` if there is a body.

    Path and query go out as given; only non-ASCII characters, spaces and control characters are percent-encoded. The
    fragment stays here. ``Host`` and ``Content-Length`` follow from URL and body, so those among *headers* are left
    out, like fields meant for a proxy. A plain-HTTP request through a proxy has the absolute form (RFC 9112, 3.2.2).

    Raises ``ValueError`` for what cannot be sent: another scheme, a URL with credentials, line breaks anywhere, a
    transfer coding; ``addresses.ResolveFailed`` when the host is none.
    """
    if _BREAKS.search(url.encode("utf-8")):
        raise ValueError(f"line break or NUL in the URL {url!r}")
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(f"not an http or https URL: {url!r}")
    name = method.encode("ascii")
    if not _TOKEN.fullmatch(name) or method == "CONNECT":
        raise ValueError(f"not a request method: {method!r}")
    scheme, authority, path, query = match.groups()
    route, host = _split(f"{scheme.lower()}://{authority}", proxy, bind_address)
    target = _encoded((path or "/") + (query or ""))
    if proxy is not None and route.scheme == "http":
        target = b"http://" + host + target
    lines = [name + b" " + target + b" HTTP/1.1", b"Host: " + host]
    closes = False
    for key, value in headers:
        if not _TOKEN.fullmatch(key) or _BREAKS.search(value):
            raise ValueError(f"header {key!r} cannot be sent: not a field name, or a line break in its value")
        field = key.lower()
        if field in _OURS:
            continue
        if field == b"transfer-encoding":
            raise ValueError("requests are sent with Content-Length, not with a transfer coding")
        closes = closes or (field == b"connection" and b"close" in value.lower())
        lines.append(key + b": " + value)
    if body or method in _WITH_BODY:
        lines.append(b"Content-Length: %d" % len(body))
    kept = _message(lines, body)
    if proxy is not None and proxy.authorization and route.scheme == "http":
        lines.append(b"Proxy-Authorization: " + proxy.authorization)
        return PreparedRequest(route, url, method, _message(lines, body), kept, closes)
    return PreparedRequest(route, url, method, kept, kept, closes)


def _message(lines: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join([*lines, b"", body])


def _encoded(target: str) -> bytes:
    return _NOT_ON_THE_WIRE.sub(lambda found: b"%%%02X" % found[0][0], target.encode("utf-8"))
