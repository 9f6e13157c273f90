"""The pages of the generated publication (:mod:`tests.servers.publication_site`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING, Any

from tests.servers.newsroom import SECTIONS, TAGS, Article

if TYPE_CHECKING:
    from tests.servers.publication_site import Publication

NAME = "The Lower River Courier"
TRACKING = "utm_source=rss&utm_medium=feed&utm_campaign=all"
_MENU = "".join(f'<li><a href="/{name}/">{name.title()}</a></li>' for name in (*SECTIONS, "sport"))
_FOOTER = (
    '<footer class="footer"><ul><li><a href="/about">About</a></li><li><a href="/inside/">Inside the paper</a></li>'
    "</ul><p>Printed on the lower river. All rights reserved.</p></footer>"
)
_LETTER = (
    '<div class="newsletter"><h3>The morning letter</h3><p>Sign up for our newsletter and get the day in your inbox.'
    '</p><form action="/newsletter"><input name="email"><button>Sign up</button></form></div>'
)


def page(title: str, head: str, body: str, *, charset: str = "utf-8", language: str = "en") -> bytes:
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="{charset}">'
        f"<title>{escape(title)} | {NAME}</title>\n{head}</head>\n"
        f'<body><header><a class="logo" href="/">{NAME}</a><nav><ul>{_MENU}</ul></nav></header>\n{body}\n'
        f"{_FOOTER}</body></html>\n"
    ).encode(charset, "xmlcharrefreplace")


# ---- articles


def published(item: Article) -> str:
    return f"{item.day}T{6 + item.number % 12:02d}:30:00+01:00"


def article(
    item: Article, articles: Sequence[Article], base: str, least_bytes: int = 0, *, charset: str = "utf-8"
) -> bytes:
    """Return the page of *item*; a large one has a large script in it, as the pages of real publications do."""
    byline = " and ".join(
        f'<a rel="author" class="author" href="/search/?author={number}">{escape(name)}</a>'
        for number, name in enumerate(item.authors)
    )
    tags = "".join(f'<li><a rel="tag" href="/tag/{tag}">{tag}</a></li>' for tag in item.tags)
    related = "".join(
        f'<li><a href="{articles[number].target}">{escape(articles[number].title)}</a></li>' for number in item.related
    )
    body = (
        f'<main><article class="story"><h1>{escape(item.title)}</h1>\n'
        f'<p class="byline">By {byline} <time datetime="{published(item)}">{item.day:%d %B %Y}</time></p>\n'
        f'<div class="story__body">\n{_paragraphs(item, articles)}\n</div>\n<ul class="tags">{tags}</ul></article>\n'
        + (f'<aside class="related"><h2>Read more</h2><ul>{related}</ul></aside>' if related else "")
        + f"{_LETTER}</main>"
    )
    made = page(item.title, _head(item, base), body, charset=charset, language=item.language)
    if len(made) < least_bytes:
        state = json.dumps({"stories": [{"id": n, "title": item.title} for n in range(least_bytes // 40)]})
        padding = f'<script type="application/json">{state}'[: least_bytes - len(made)].encode() + b"</script>"
        made = made.replace(b"</body>", padding + b"</body>")
    return made


def _paragraphs(item: Article, articles: Sequence[Article]) -> str:
    parts: list[str] = []
    for number, paragraph in enumerate(item.paragraphs):
        text = escape(paragraph, quote=False)
        if paragraph.startswith("## "):
            parts.append(f"<h2>{text[3:]}</h2>")
        elif paragraph.startswith("* "):
            before = parts.pop() if parts[-1].endswith("</ul>") else "<ul></ul>"
            parts.append(f"{before.removesuffix('</ul>')}<li>{text[2:]}</li></ul>")
        elif number == len(item.paragraphs) - 1 and item.mentions:
            first, _, rest = text.partition(" ")
            parts.append(f'<p><a href="{articles[item.mentions[0]].target}">{first}</a> {rest}</p>')
        else:
            parts.append(f"<p>{text}</p>")
    return "\n".join(parts)


def _head(item: Article, base: str) -> str:
    if item.form == "json-ld":
        data: dict[str, Any] = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": item.title,
            "datePublished": published(item),
            "author": [{"@type": "Person", "name": name} for name in item.authors],
            "articleSection": item.section.title(),
            "mainEntityOfPage": base + item.target,
        }
        return (
            f'<script type="application/ld+json">{json.dumps(data)}</script>\n'
            f'<link rel="canonical" href="{item.target}">\n'
        )
    if item.form == "opengraph":
        return (
            f'<meta property="og:type" content="article"><meta property="og:title" content="{escape(item.title)}">\n'
            f'<meta property="article:published_time" content="{published(item)}">\n'
            f'<meta property="og:url" content="{base}{item.target}">\n'
        )
    return ""


# ---- listings


def _teasers(items: Sequence[Article], *, prose: bool = True) -> str:
    return "".join(
        f'<div class="teaser"><h3><a href="{item.target}">{escape(item.title)}</a></h3>'
        + (f"<p>{escape(item.paragraphs[0], quote=False)}</p>" if prose else "")
        + f"<time>{item.day}</time></div>\n"
        for item in items
    )


def front(publication: Publication) -> bytes:
    head = '<link rel="alternate" type="application/rss+xml" title="All news" href="/rss">\n'
    topics = "".join(f'<li><a href="/tag/{tag}">{tag}</a></li>' for tag in TAGS)
    body = f"<main>{_teasers(publication.newest[:10])}<ul>{topics}</ul></main>"
    return page("News", head, body)


def listing(title: str, items: Sequence[Article]) -> bytes:
    return page(title, "", f"<main><h1>{title}</h1>{_teasers(items, prose=False)}</main>")


def section_address(section: str, number: int) -> str:
    """Return the address of a page of a section, *number* 0 being the first: each section pages in its own way."""
    first = f"/{section}/"
    if number == 0:
        return first
    return {
        "news": f"/news/{number + 1}",
        "world": f"/world/?page={number + 1}",
        "business": f"/business/more/{number * 20}",
        "culture": f"/culture/older-{number}/",
        "opinion": f"/opinion/page/{number + 1}/",
    }[section]


def section(section: str, items: Sequence[Article], number: int, addresses: list[str], following: str | None) -> bytes:
    """Return a page of a section; what the button of the business section loads is a fragment."""
    title = f"{section.title()}, page {number + 1}"
    teasers, head, paging = _teasers(items, prose=section in ("news", "business")), "", ""
    if section == "opinion":
        head = '<link rel="alternate" type="application/atom+xml" href="/feeds/older.atom">\n'
    if following:
        if section == "news":
            paging = f'<a rel="next" href="{following}">Next</a>'
        elif section == "world":
            pages = "".join(f'<a href="{address}">{n + 1}</a> ' for n, address in enumerate(addresses))
            paging = f'<nav class="pagination">{pages}</nav>'
        elif section == "business":
            paging = f'<button class="load-more" data-url="{following}">Load more</button>'
        elif section == "culture":
            paging = f'<p><a href="{following}">Older stories</a></p>'
        else:
            head += f'<link rel="next" href="{following}">\n'
    if section == "business" and number:
        return f'<div class="teasers">{teasers}</div>{paging}'.encode()
    return page(title, head, f"<main><h1>{title}</h1>{teasers}{paging}</main>")


# ---- feeds, sitemaps, robots.txt


def rss(base: str, items: Sequence[Article]) -> bytes:
    entries = "".join(
        f"<item><title>{escape(item.title)}</title><link>{base}{item.target}?{escape(TRACKING)}</link>"
        f'<guid isPermaLink="false">courier-{item.number}</guid>'
        f"<pubDate>{format_datetime(datetime.combine(item.day, time(6, 30), UTC))}</pubDate>"
        f"<description>{escape(item.paragraphs[0])}</description></item>\n"
        for item in items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{NAME}</title><link>{base}/</link>'
        f"<description>All news</description>\n{entries}</channel></rss>\n"
    ).encode()


def atom(base: str, items: Sequence[Article]) -> bytes:
    entries = "".join(
        f"<entry><title>{escape(item.title)}</title><id>tag:courier.example,2026:{item.number}</id>"
        f'<link href="{item.target}"/><published>{item.day}T06:30:00Z</published>'
        f"<updated>{item.day}T07:00:00Z</updated></entry>\n"
        for item in items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{base}/">'
        f"<title>{NAME}, older</title><id>tag:courier.example,2026:older</id>\n{entries}</feed>\n"
    ).encode()


def sitemap_index(base: str, parts: int) -> bytes:
    listed = "".join(
        f"<sitemap><loc>{base}/sitemaps/articles-{part + 1}.xml.gz</loc></sitemap>\n" for part in range(parts)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{listed}</sitemapindex>\n"
    ).encode()


def sitemap(base: str, items: Sequence[Article]) -> bytes:
    listed = "".join(f"<url><loc>{base}{item.target}</loc><lastmod>{item.day}</lastmod></url>\n" for item in items)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{listed}</urlset>\n"
    ).encode()


def robots(base: str) -> bytes:
    return (
        "User-agent: *\nDisallow: /private/\nAllow: /private/open/\nDisallow: /search/\n\n"
        f"Sitemap: {base}/sitemaps/index.xml\n"
    ).encode()


# ---- the rest


def about() -> bytes:
    return page("About", "", "<main><h1>About</h1><p>A paper of the lower river, since 1911.</p></main>")


def gone() -> bytes:
    return page("Not found", "", "<main><h1>Not found</h1><p>There is no such page.</p></main>")


def inside(links: Sequence[str], elsewhere: str) -> bytes:
    items = "".join(
        f'<li><a href="{escape(link.replace("{elsewhere}", elsewhere))}">{number}</a></li>'
        for number, link in enumerate(links)
    )
    return page("Inside the paper", "", f"<main><h1>Inside the paper</h1><ul>{items}</ul></main>")


def calendar(root: str, year: int, month: int) -> bytes:
    following = f"{year + month // 12}/{month % 12 + 1:02d}"
    body = f'<main><h1>{year}/{month:02d}</h1><p>No events.</p><a href="{root}{following}">Next month</a></main>'
    return page(f"Calendar {year}/{month:02d}", "", body)


def maze() -> bytes:
    return page("Maze", "", '<main><h1>Maze</h1><p><a href="a/b/">Deeper</a></p></main>')
