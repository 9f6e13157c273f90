"""Print versions: no class names, everything in a row."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from archive.elements import text_of
from archive.rules import PageView, host_of, path_of
from spiders.moscow_times.addresses import RUSSIAN
from spiders.moscow_times.pages import DISCLAIMER

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def is_print(view: PageView) -> bool:
    """Tell whether a page is a print version: by its address, or by its last line."""
    if path_of(view.url).rstrip("/").endswith("/pdf"):
        return next(view.root.iter("article"), None) is None
    return bool(view.root.xpath("//body/p[starts-with(normalize-space(.), 'Original url:')]"))


def drop(view: PageView) -> list[HtmlElement]:
    """Return headline, subtitle, byline, date, caption, disclaimer and address of a print version."""
    found = list(view.root.iter("h1"))
    heading = found[0] if found else None
    after = heading.getnext() if heading is not None else None
    if after is not None and after.tag == "h2":
        found.append(after)
    for line in view.root.iter("p"):
        text = text_of(line)
        before = line.getprevious()
        set_apart = "roboto" in (line.get("style") or "")
        caption = before is not None and before.tag == "img" and line.find("b") is not None
        if set_apart or caption or text.startswith("Original url:") or DISCLAIMER.search(text):
            found.append(line)
    return found


def published(view: PageView) -> str | None:
    """Return the day under the byline of a print version, else that of its address."""
    for line in view.root.iter("p"):
        match = re.fullmatch(r"([A-Z][a-z]+) (\d{1,2}), (\d{4})", text_of(line))
        if match and match[1][:3] in MONTHS:
            return f"{match[3]}-{MONTHS.index(match[1][:3]) + 1:02}-{int(match[2]):02}"
    dated = re.match(r"/(\d{4})/(\d{2})/(\d{2})/", path_of(view.url))
    return "-".join(dated.groups()) if dated else None


def canonical_url(view: PageView) -> str | None:
    """Return the article's own address, which a print version ends with."""
    for line in view.root.iter("p"):
        match = re.match(r"Original url:\s*(https?://\S+)", text_of(line))
        if match:
            return match[1]
    return view.url.removesuffix("/pdf") if view.url.endswith("/pdf") else None


def language(view: PageView) -> str:
    """Return the language of the edition: a print version does not say it."""
    return "ru" if host_of(view.url) in RUSSIAN else "en"
