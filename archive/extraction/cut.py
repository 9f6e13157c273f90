"""A page of a known layout, cut to its head, its data and the element around headline and text before it is parsed.

Most of a page is neither: navigation, teasers, scripts. What is cut is found as a parser would find it: scripts and
comments first, then the region's start tag, and its end where as many elements of its name have ended as begun.
"""

from __future__ import annotations

import re
from functools import lru_cache

from archive.extraction.learned import Region

UNREAD = re.compile(r"<(?:(!--)|(script|style|svg|noscript|template)\b([^>]*)>)", re.IGNORECASE)  # no markup inside
HEAD_END = re.compile(r"</head\s*>|<body\b", re.IGNORECASE)
META = re.compile(r"<meta\b[^>]*>", re.IGNORECASE)
DATA = re.compile(r"ld\+json", re.IGNORECASE)


def cut(html: str, region: Region) -> str | None:
    """Return *html* with no more in its body than its data and the one element that *region* tells.

    ``None`` when there is none, or more than one, or no head before it, or no end.
    """
    spared, data = _spared(html)
    head_end = HEAD_END.search(spared)
    if head_end is None:
        return None
    start_tag, ends = _patterns(region)
    head, body = spared[: head_end.start()], spared[head_end.start() :]
    starts = [found.start() for found in start_tag.finditer(body)]
    if len(starts) != 1:
        return None
    depth = 0
    for tag in ends.finditer(body, starts[0]):
        depth += -1 if tag[1] else 1
        if depth == 0:
            meta = "".join(META.findall(body))
            return f"{head}{meta}{data}</head><body>{body[starts[0] : tag.end()]}</body></html>"
    return None


def _spared(html: str) -> tuple[str, str]:
    """Return *html* without comments, scripts and styles, and the scripts among them that are JSON-LD."""
    kept, data = [], []
    at = 0
    while found := UNREAD.search(html, at):
        kept.append(html[at : found.start()])
        close = "-->" if found[1] else f"</{found[2]}"
        end = html.find(close, found.end())
        if end < 0 and found[2]:  # in the other case, as old systems wrote them
            end = html.lower().find(close.lower(), found.end())
        if end < 0:
            at = len(html)
            break
        at = html.find(">", end) + 1 or len(html)
        if found[2] and found[2].lower() == "script" and DATA.search(found[3]):
            data.append(html[found.start() : at])
    kept.append(html[at:])
    return " ".join(kept), "".join(data)


@lru_cache(maxsize=256)
def _patterns(region: Region) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds the region's start tag, and what all start and end tags of its name."""
    named = rf"[^>]*?\s{region.name}\s*=\s*(?P<q>[\"']){re.escape(region.value)}(?P=q)" if region.name else ""
    return (
        re.compile(rf"<{region.tag}\b{named}[^>]*>", re.IGNORECASE),
        re.compile(rf"<(/?){region.tag}\b[^>]*>", re.IGNORECASE),
    )
