"""An article as a reader, a terminal, a spreadsheet or a program wants it.

Whatever comes out is safe where it goes: no control characters reach a terminal, no cell is taken for a formula, no
text is taken for markup.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from archive.article import Article, Link
from archive.rules import host_of

# C0 but tab and line feed, DEL, C1, line and paragraph separators, bidirectional overrides, lone surrogates:
# they move cursors, change titles of terminals, and show text in another order than it is written.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MARKDOWN = re.compile(r"([\\`*_\[\]<>~])|(&)(?=#?\w{1,31};)")
LINE_START = re.compile(r"^(\s*)(?:(#{1,6}(?=\s|$)|[-+](?=\s|$)|[-=]+\s*$|\|)|(\d{1,9})([.)])(?=\s|$))", re.MULTILINE)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for the start of a formula (OWASP, CSV injection)
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
COLUMNS = (
    "url",
    "canonical_url",
    "title",
    "authors",
    "published",
    "modified",
    "publisher",
    "section",
    "tags",
    "language",
    "description",
    "text",
    "image",
    "links",
    "related",
    "paywalled",
    "page_kind",
    "article_id",
    "captured_at",
    "record_id",
    "payload_digest",
    "text_digest",
    "genre",
    "next_page",
)
STYLE = (
    "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.1rem/1.6 Georgia,serif;color:#1a1a1a;background:#fff}"
    "h1{line-height:1.2}.about,footer{color:#555;font:.9rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}.about,footer{color:#999}a{color:#8ab4f8}}"
)


def plain(text: str | None) -> str:
    """Return *text* without characters that command a terminal or change the order of what is read."""
    return UNSAFE.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str | None) -> str:
    """Return *text* safe and on one line."""
    return " ".join(plain(text).split())


def byline(names: Sequence[str]) -> str:
    """Return ``A, B and C``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def shown_day(written: str | None) -> str | None:
    """Return ``May 15, 2013`` for an ISO date or time, by the publisher's own calendar."""
    try:
        day = date.fromisoformat((written or "")[:10])
    except ValueError:
        return None
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def original_url(article: Article) -> str:
    """Return the address to name as the original: the canonical one when it is on the same site, else the captured."""
    if article.canonical_url and host_of(article.canonical_url) == host_of(article.url):
        return article.canonical_url
    return article.url


def markdown(article: Article) -> str:
    """Return the shape of a print version: title, byline, date, body with its links, related articles, original URL."""
    parts = [escape(line(article.title))] if article.title else []
    if article.authors:
        parts.append(f"By {byline([escape(line(name)) for name in article.authors])}")
    day = shown_day(article.published)
    if day:
        parts.append(day)
    parts.extend(_paragraphs(plain(article.text), article.links))
    if article.related:
        parts.append("Related articles:")
        parts.append("\n".join(f"- {_link(line(link.title or link.url), link.url)}" for link in article.related))
    parts.extend(("Original url:", f"<{_target(original_url(article))}>"))
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str, links: Sequence[Link]) -> list[str]:
    """Return the paragraphs in Markdown, each link at the first place after the one before it where its words stand."""
    pieces: list[str] = []
    position = 0
    for link in links:
        words = line(link.title).split()
        if not words:
            continue
        anchor = r"[ \n]".join(map(re.escape, words))
        match = re.compile(rf"(?<!\w){anchor}(?!\w)").search(text, position) or re.compile(anchor).search(
            text, position
        )
        if match:
            pieces.extend((escape(text[position : match.start()]), _link(match[0].replace("\n", " "), link.url)))
            position = match.end()
    pieces.append(escape(text[position:]))
    # A single line break inside a paragraph is kept by two spaces before it (CommonMark 0.31, 6.7).
    paragraphs = (part.strip("\n") for part in re.split(r"\n{2,}", "".join(pieces)))
    return [LINE_START.sub(_escape_start, part).replace("\n", "  \n") for part in paragraphs if part.strip()]


def escape(text: str) -> str:
    """Return *text* with every character that Markdown would take for markup escaped."""
    return MARKDOWN.sub(lambda match: f"\\{match[0]}", text)


def _escape_start(match: re.Match[str]) -> str:
    return f"{match[1]}{match[3]}\\{match[4]}" if match[3] else f"{match[1]}\\{match[2]}"


def _link(title: str, url: str) -> str:
    return f"[{escape(title)}]({_target(url)})"


def _target(url: str) -> str:
    """Return *url* with what would end a Markdown link, or is not allowed in a URL, percent-encoded."""
    return quote(plain(url).replace("\n", ""), safe="%/:?#@!$&'*+,;=~-._[]", encoding="utf-8", errors="replace")


def text(article: Article) -> str:
    """Return the article for a terminal: title, byline, date and paragraphs."""
    head = [line(article.title)] if article.title else []
    if article.authors:
        head.append(f"By {byline([line(name) for name in article.authors])}")
    day = shown_day(article.published)
    if day:
        head.append(day)
    return "\n\n".join([*head, *([plain(article.text)] if article.text else []), line(original_url(article))]) + "\n"


def page(article: Article) -> str:
    """Return a self-contained reading page: nothing is loaded from anywhere, everything is escaped."""
    title = html.escape(line(article.title) or line(article.url))
    facts = [
        f"By {html.escape(byline([line(name) for name in article.authors]))}" if article.authors else "",
        html.escape(shown_day(article.published) or ""),
        html.escape(line(article.section)),
    ]
    body = "\n".join(f"<p>{part}</p>" for part in _html_paragraphs(plain(article.text), article.links))
    related = "".join(f"<li>{_anchor(line(link.title or link.url), link.url)}</li>" for link in article.related)
    original = original_url(article)
    captured = f"Captured {html.escape(line(article.captured_at))}. " if article.captured_at else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{html.escape(line(article.language) or "und")}">\n<head>\n'
        '<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f'<style>{STYLE}</style>\n</head>\n<body>\n<article>\n<h1>{title}</h1>\n<p class="about">'
        f"{' · '.join(filter(None, facts))}</p>\n{body}\n"
        + (f"<h2>Related articles</h2>\n<ul>{related}</ul>\n" if related else "")
        + f"</article>\n<footer>{captured}Original: {_anchor(line(original), original)}</footer>\n"
        "</body>\n</html>\n"
    )


def _html_paragraphs(body: str, links: Sequence[Link]) -> Iterator[str]:
    position = 0
    pieces: list[str] = []
    for link in links:
        words = line(link.title)
        found = body.find(words, position) if words else -1
        if found >= 0:
            pieces.extend((html.escape(body[position:found]), _anchor(words, link.url)))
            position = found + len(words)
    pieces.append(html.escape(body[position:]))
    for part in re.split(r"\n{2,}", "".join(pieces)):
        if part.strip():
            yield part.strip("\n").replace("\n", "<br>\n")


def _anchor(title: str, url: str) -> str:
    if not url.lower().startswith(("http://", "https://")):
        return html.escape(title)
    return f'<a href="{html.escape(plain(url))}" rel="noreferrer noopener">{html.escape(title)}</a>'


def to_json(value: Mapping[str, Any], *, indent: int | None = None) -> str:
    """Return JSON that is safe on a terminal: control characters and lone surrogates only as escapes."""
    written = json.dumps(value, ensure_ascii=False, indent=indent)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", written
    )


def row(article: Article, extra: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return an article as cells of a table, each safe in a spreadsheet; lists are joined, links by line."""
    values: dict[str, Any] = {name: getattr(article, name) for name in COLUMNS}
    values["authors"] = "; ".join(article.authors)
    values["tags"] = "; ".join(article.tags)
    values["links"] = "\n".join(link.url for link in article.links)
    values["related"] = "\n".join(link.url for link in article.related)
    return {name: cell(value) for name, value in {**values, **(extra or {})}.items()}


def cell(value: Any) -> str:
    """Return a value as a spreadsheet cell: what would be read as a formula begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    raw = to_json(value) if isinstance(value, Mapping) else str(value)
    written = plain(raw)
    return f"'{written}" if raw.startswith(FORMULA) or written.lstrip().startswith(FORMULA[:4]) else written


def csv_line(cells: Iterable[str]) -> str:
    """Return one line of CSV (RFC 4180, line feeds inside quoted cells)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def _one_csv(article: Article) -> str:
    return csv_line(COLUMNS) + csv_line(row(article).values())


RENDERERS: dict[str, Callable[[Article], str]] = {
    "md": markdown,
    "txt": text,
    "html": page,
    "json": lambda article: to_json(article.to_json(), indent=2) + "\n",
    "jsonl": lambda article: to_json(article.to_json()) + "\n",
    "csv": _one_csv,
}
FORMATS = tuple(RENDERERS)


def render(article: Article, form: str) -> str:
    """Return one article in *form*, one of ``FORMATS``, ending in a line feed.

    Raises ``ValueError`` for another form.
    """
    if form not in RENDERERS:
        raise ValueError(f"no such format: {form}; one of {', '.join(FORMATS)}")
    return RENDERERS[form](article)


def render_all(articles: Iterable[tuple[Article, Mapping[str, Any]]], form: str) -> Iterator[str]:
    """Yield many articles in *form*, each with facts of its own (``source``) for the forms that have fields.

    ``json`` is one array; ``csv`` has one header line; ``md``, ``txt`` and ``html`` are one after the other, the
    first two parted by a line of dashes.
    """
    first = True
    for article, extra in articles:
        yield piece(article, extra, form, first=first)
        first = False
    yield ending(form, empty=first)


def piece(article: Article, extra: Mapping[str, Any], form: str, *, first: bool) -> str:
    """Return one of many articles in *form*, the *first* of them or not; what begins a file or parts them included."""
    if form == "csv":
        return (csv_line([*COLUMNS, *extra]) if first else "") + csv_line(row(article, extra).values())
    if form == "jsonl":
        return to_json({**article.to_json(), **extra}) + "\n"
    if form == "json":
        return ("[\n" if first else ",\n") + to_json({**article.to_json(), **extra}, indent=2)
    return ("" if first or form == "html" else "\n---\n\n") + render(article, form)


def ending(form: str, *, empty: bool, columns: Iterable[str] = ()) -> str:
    """Return what ends a file of many articles in *form*, or is all of it when there is none.

    *columns* are those of ``csv`` beside the article's.
    """
    if form == "json":
        return "[]\n" if empty else "\n]\n"
    return csv_line([*COLUMNS, *columns]) if form == "csv" and empty else ""
