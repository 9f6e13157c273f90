"""Which addresses look like those of one article: AMP forms and caches, print versions, mobile hosts.

Only what the names say: whether two pages are one article is settled by their texts (:mod:`archive.catalog.groups`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from archive.catalog.identity import normalised

# AMP caches carry the publisher's address in the path, after the type of what is served and "s" for https:
# cdn.ampproject.org/c/s/news.example/a, news-example.cdn.ampproject.org/v/s/news.example/a?amp_js_v=0.1,
# google.com/amp/s/news.example/a, bing-amp.com/c/s/news.example/a.
_CACHES = re.compile(r"^(?:[\w-]+\.)?(?:cdn\.ampproject\.(?:org|net)|bing-amp\.com)$")
_VIEWERS = re.compile(r"^(?:www\.)?google\.[a-z.]{2,6}$")
_CACHED = re.compile(r"^/(?:[acivw]|wp)/(s/)?([^/]+\.[^/]+(?:/.*)?)$")
_VIEWED = re.compile(r"^/amp/(s/)?([^/]+\.[^/]+(?:/.*)?)$")
_OF_CACHES = re.compile(r"^(?:amp_\w+|usqp|aoh|csi|referrer|ampshare)(?:=|$)", re.IGNORECASE)

_FRONT = re.compile(
    r"[^/?]+(?:/(?:(?:index|default|home)(?:\.\w{2,5})?|[a-z]{2})?)?", re.IGNORECASE
)  # /en: of an edition
_YES = frozenset({"", "1", "true", "yes", "y", "on"})
_AMP_NAMES = frozenset({"amp", "_amp", "isamp", "is_amp"})
_PRINT_NAMES = frozenset({"print", "printable", "printview", "print_view", "printpage", "printversion"})
_MODES = frozenset({"outputtype", "output", "view", "mode", "format", "version", "layout", "action", "type", "display"})
_MODES |= {"print", "pagewanted"}
_PRINTED = frozenset({"print", "printable", "printer", "print-version", "printview"})
_PRINT_PARTS = frozenset({"print", "printable", "printview", "print-version", "print.html", "printversion"})
_AMP_PARTS = frozenset({"amp", "amphtml", "amp.html"})
_HOSTS = {"amp": "amp", "print": "print", "m": "", "mobile": ""}
_SUFFIX = re.compile(r"(?<=.)\.(amp|print)(\.\w{2,5})?$", re.IGNORECASE)  # story.amp.html


@dataclass(frozen=True, slots=True)
class Address:
    """*place* is what the addresses of one page's forms share; *form* is ``"amp"``, ``"print"`` or None."""

    place: str
    form: str | None = None


def address_of(url: str) -> Address:
    """Return the place of *url* without scheme, ``www.``, port, fragment, tracking parameters, and form."""
    inner = _out_of_cache(url)
    found = _without_form(normalised(inner or url))
    return Address(found.place, "amp") if inner else found


def is_front(place: str) -> bool:
    """Tell whether *place* is a front page, which many sites call the canonical address of all their pages."""
    return bool(_FRONT.fullmatch(place))


def site_of(place: str) -> str:
    """Return what hosts of one site share: the last two labels, three under ``co.uk`` and the like; with a port."""
    authority = re.split(r"[/?]", place, maxsplit=1)[0]
    host, _, port = authority.partition(":")
    labels = host.split(".")
    if all(label.isdigit() for label in labels):  # an IPv4 address has no parts
        return authority
    second_level = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in {"co", "com", "org", "net", "gov", "ac"}
    site = ".".join(labels[-3 if second_level else -2 :])
    return f"{site}:{port}" if port else site


def _out_of_cache(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    pattern = _CACHED if _CACHES.match(host) else _VIEWED if _VIEWERS.match(host) else None
    inside = pattern.match(parts.path) if pattern else None
    if not inside:
        return None
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _OF_CACHES.match(pair))
    return f"{'https' if inside[1] else 'http'}://{inside[2]}" + (f"?{query}" if query else "")


def _without_form(place: str) -> Address:
    address, _, query = place.partition("?")
    host, slash, path = address.partition("/")
    form: str | None = None
    first, _, rest = host.partition(".")
    if first in _HOSTS and "." in rest:
        host, form = rest.removeprefix("www."), _HOSTS[first] or None
    parts = path.split("/") if slash else []
    kept = [part for part in parts if part.lower() not in _AMP_PARTS]
    if kept and len(kept) < len(parts):
        parts, form = kept, "amp"
    if len(parts) > 1:
        for end, others in ((parts[-1], parts[:-1]), (parts[0], parts[1:])):
            if end.lower() in _PRINT_PARTS:
                parts, form = others, "print"
                break
    if parts and (suffix := _SUFFIX.search(parts[-1])):
        parts, form = [*parts[:-1], parts[-1][: suffix.start()] + (suffix[2] or "")], suffix[1].lower()
    pairs = []
    for pair in query.split("&") if query else []:
        said = _form_in(pair)
        form = said or form
        if said is None:
            pairs.append(pair)
    return Address("/".join([host, *parts]) + (f"?{'&'.join(pairs)}" if pairs else ""), form)


def _form_in(pair: str) -> str | None:
    name, _, value = pair.lower().partition("=")
    if name in _AMP_NAMES and value in _YES | {"amp"}:
        return "amp"
    if name in _PRINT_NAMES and value in _YES | _PRINTED:
        return "print"
    if name in _MODES and value == "amp":
        return "amp"
    return "print" if name in _MODES and value in _PRINTED else None
