"""References in pages and style sheets, resolved to addresses as a browser resolves them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import idna

MAX_URL_LENGTH = 8_192  # servers take less; what is longer is data, or an attack

_ENDS = "".join(map(chr, range(0x21)))  # C0 controls and space, stripped from both ends (WHATWG URL, 4.4)
_INSIDE = str.maketrans("", "", "\t\n\r")  # dropped wherever they stand (the same)
# Any number of slashes, either way, begins a host (WHATWG URL, 4.4: special authority ignore slashes); after the base's
# own scheme one or none does not.
_HOST_NEXT = re.compile(r"[/\\]{2,}|(?P<scheme>https?):(?P<slashes>[/\\]*)", re.IGNORECASE)
_FOREIGN_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# What is percent-encoded beside controls and non-ASCII (WHATWG URL, 1.3: path and special-query percent-encode sets).
_PATH_SET, _QUERY_SET = set(' "<>^`{}'), set(" \"<>'")
_TO_ENCODE = re.compile(r"""[^!#-&(-;=?-\]_a-z|~]""")  # a superset of both
_PLAIN = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+/(?:[\w!$&'()*+,/:;=@~-]|%(?!2[eE])|\.(?!\.?(?:/|\Z|\?)))*+"
    r"(?:\?[\w!$%&()*+,./:;=?@~-]++)?\Z",
    re.ASCII,
)
_CANDIDATE = re.compile(r"[\s,]*+(\S++)")
_DESCRIPTORS = re.compile(r"(?:\([^)]*+\)?|[^,(])*+,?")
_REFRESH = re.compile(
    r"""\s*[\d.]+\s*[;,\s]\s*(?:url\s*=\s*)?(?:"(?P<double>[^"]*)"?|'(?P<single>[^']*)'?|(?P<bare>.+))""",
    re.IGNORECASE | re.DOTALL,
)


def resolve(base: str, reference: str) -> str | None:
    """Return the address that *reference* means on a page at *base*, without fragment; ``None`` if it is not HTTP's.

    As the URL Standard has it: blanks around and line breaks inside are dropped, backslashes are slashes, dot
    segments are removed, the default port is dropped, the host is in lower case and ASCII, and what must be is
    percent-encoded. ``None`` as well for an empty reference, which would mean the page itself, for one with
    credentials, which browsers refuse to load, and for one that no address can be made of.
    """
    if len(reference) > MAX_URL_LENGTH:
        reference = reference.strip(_ENDS).translate(_INSIDE)
    if len(reference) > MAX_URL_LENGTH:
        return None
    return absolute(base, reference)


def absolute(base: str, reference: str) -> str | None:
    """Return what :func:`resolve` does, for references of any length."""
    reference = reference.strip(_ENDS).translate(_INSIDE)
    if not reference or reference.startswith("#"):
        return None
    if _FOREIGN_SCHEME.match(reference):
        return None
    if _PLAIN.match(reference):  # most are plain, and need nothing done
        return reference
    if reference.startswith("/") and not reference.startswith("//") and _PLAIN.match(f"http://host.invalid{reference}"):
        origin = _origin(base)
        return origin and origin + reference
    return _resolve(base, reference)


@lru_cache(maxsize=64)
def _origin(base: str) -> str | None:
    root = _resolve(base, "/.")
    return root and root[:-1]


def _resolve(base: str, reference: str) -> str | None:
    path, mark, query = reference.partition("#")[0].partition("?")
    path = path.replace("\\", "/")
    try:
        parts = _joined(urlsplit(base), _with_host(base, path) + mark + query)
        host, port = parts.hostname, parts.port
        if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
            return None
        netloc = f"[{host}]" if ":" in host else _ascii(host)
    except (ValueError, idna.IDNAError):  # an open bracket, a port that is none, a host that is none
        return None
    if port is not None and port != {"http": 80, "https": 443}[parts.scheme]:
        netloc += f":{port}"
    address = f"{parts.scheme}://{netloc}{_without_dots(_encoded(parts.path, _PATH_SET))}"
    return f"{address}?{_encoded(parts.query, _QUERY_SET)}" if parts.query else address


def _with_host(base: str, path: str) -> str:
    """Return *path*, the reference up to its query, with exactly two slashes where a host begins."""
    found = _HOST_NEXT.match(path)
    if not found:
        return path
    rest, scheme = path[found.end() :], (found["scheme"] or "").lower()
    if not scheme:
        return f"//{rest}"
    if len(found["slashes"]) < 2 and base.lower().startswith(f"{scheme}:"):
        return found["slashes"] + rest
    return f"{scheme}://{rest}"


def _ascii(host: str) -> str:
    """Return *host* as it is looked up: UTS 46, not transitional, as browsers do (WHATWG URL, 3.3)."""
    name = host.lower() if host.isascii() else idna.uts46_remap(host, std3_rules=False, transitional=False)
    labels = [label if label.isascii() else idna.alabel(label).decode("ascii") for label in name.split(".")]
    if not all(0 < len(label) <= 63 for label in (labels[:-1] if labels[-1] == "" else labels)):  # RFC 1035, 2.3.4
        raise ValueError(f"{host!r} has an empty or overlong label")
    return ".".join(labels)


def _joined(base: SplitResult, reference: str) -> SplitResult:
    """Return *reference* as it stands at *base* (RFC 3986, 5.2.2), dot segments and all.

    ``urljoin`` takes a path that begins with two slashes for a host, and drops a semicolon at the end.
    """
    parts = urlsplit(reference, base.scheme)
    if parts.scheme != base.scheme or parts.netloc:
        return parts
    if not parts.path:
        return base._replace(query=parts.query if "?" in reference else base.query)
    path = parts.path if parts.path.startswith("/") else f"{base.path.rpartition('/')[0]}/{parts.path}"
    return base._replace(path=path, query=parts.query)


def _without_dots(path: str) -> str:
    """Return *path*, which is absolute or empty, without dot segments, also encoded ones (WHATWG URL, 4.1 and 4.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        plain = segment.lower().replace("%2e", ".")
        if plain == ".." and kept:
            kept.pop()
        elif plain not in {".", ".."}:
            kept.append(segment)
    if segments and segments[-1].lower().replace("%2e", ".") in {".", ".."}:
        kept.append("")
    return f"/{'/'.join(kept)}"


def srcset_urls(value: str) -> Iterator[str]:
    """Yield the references in a ``srcset`` (HTML Standard, 4.8.4.2.2): commas inside an address belong to it."""
    position = 0
    while found := _CANDIDATE.match(value, position):
        position = found.end()
        if found[1].endswith(","):
            yield found[1].rstrip(",")
        else:
            yield found[1]
            descriptors = _DESCRIPTORS.match(value, position)  # they end at the next comma outside of parentheses
            position = descriptors.end() if descriptors else position


def refresh_target(content: str) -> str | None:
    """Return the reference in a refresh's value, ``5; url=/next`` (HTML Standard, 4.2.5.3), or ``None``."""
    found = _REFRESH.match(content)
    target = found and (found["double"] or found["single"] or found["bare"])
    return target.strip() or None if target else None


def _encoded(text: str, also: set[str]) -> str:
    if not _TO_ENCODE.search(text):
        return text
    return "".join(
        character
        if " " < character < "\x7f" and character not in also
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
        for character in text
    )
