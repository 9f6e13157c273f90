"""What a page asks of those who index and archive it: ``X-Robots-Tag`` fields and ``<meta name="robots">``.

Kept as the page says it, in lower case: ``noarchive`` is said to all, ``googlebot: noarchive`` to one of them;
``unavailable_after: 25 jun 2026 15:00:00 pst`` has its date. ``none`` stands for ``noindex`` and ``nofollow``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

AGENT = "newswarc"
LOOKED_AT = 65_536  # characters of a page in which its meta elements are sought; heads have some 20,000
MAX_DIRECTIVES = 50

_META = re.compile(r"<meta\s[^<>]{0,2000}>")
_NAMES = ("robots", "bot", "newswarc", "slurp", "teoma", "yandex", "archiver")  # one stands in each that counts
_ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_DATED = re.compile(r"unavailable_after\s*:")
_VALUED = re.compile(r"(?:max-snippet|max-image-preview|max-video-preview|unavailable_after)\s*:")
_FOR_ONE = re.compile(r"([a-z0-9_*-]+)\s*:\s*(.*)", re.DOTALL)
_TO_ALL = frozenset({"robots", "*"})
_AGENTS = re.compile(
    r"robots|newswarc|[a-z-]*bot(?:-[a-z]+)?|slurp|teoma|yandex|ia_archiver|archive\.org_bot|duckduckgo"
)


def of_headers(values: Iterable[str]) -> list[str]:
    """Return what ``X-Robots-Tag`` fields of these *values* say, each thing once."""
    found: list[str] = []
    for value in values:
        text = " ".join(value.lower().split())
        agent = ""
        named = _FOR_ONE.fullmatch(text)
        if named and not _VALUED.match(text):
            agent, text = ("" if named[1] in _TO_ALL else named[1]), named[2]
        found += _listed(text, agent)
    return _once(found)


def of_markup(source: str) -> list[str]:
    """Return what the meta elements of a page say, of which *source* is the beginning, each thing once."""
    found: list[str] = []
    for element in _META.findall(source[:LOOKED_AT].lower()):
        if not any(name in element for name in _NAMES):
            continue
        given = {m[0]: html.unescape(m[1] or m[2] or m[3]) for m in _ATTRIBUTE.findall(element)}
        name = given.get("name", "").strip()
        if name and _AGENTS.fullmatch(name):
            found += _listed(" ".join(given.get("content", "").split()), "" if name in _TO_ALL else name)
    return _once(found)


def forbids_archiving(directives: Iterable[str], agent: str = AGENT) -> bool:
    """Tell whether *directives* ask all, or *agent*, not to archive; what is said to search engines is theirs."""
    return not {"noarchive", f"{agent}: noarchive"}.isdisjoint(directives)


def _listed(text: str, agent: str) -> list[str]:
    dated = _DATED.search(text)  # its date may have commas
    parts = [*text[: dated.start()].split(","), text[dated.start() :]] if dated else text.split(",")
    said = [part.strip(" ,;") for part in parts]
    return [f"{agent}: {part}" if agent else part for part in said if part]


def _once(found: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(text[:200] for text in found))[:MAX_DIRECTIVES]
