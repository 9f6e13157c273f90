"""Articles, lists, feeds and sitemaps in the markup of The Moscow Times, with words of our own."""

from __future__ import annotations

import html
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from tests.spiders.publication import SITE, Story, page

AUTHORS = ("Vera Antonova", "Tom Hale", "Nadezhda Gromova", "Stepan Orlov", "AFP")
WORDS = """
harbour council ferry winter library grain tower market bridge river school report minister budget train island
letter museum factory night morning road court judge doctor farmer window garden engine paper
""".split()  # noqa: SIM905 - a list of words is easier to read so


def sentences(rng: random.Random, count: int) -> str:
    return " ".join(" ".join(rng.choices(WORDS, k=rng.randint(9, 16))).capitalize() + "." for _ in range(count))


def headline(rng: random.Random, number: int) -> str:
    return f"{' '.join(rng.choices(WORDS, k=5)).title()} No {number}"


def slug_of(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def story(number: int, day: str, section: str, *, site: str = SITE) -> Story:
    """Return the article of that number: the same number, the same words."""
    rng = random.Random(f"{site} {number}")
    title = headline(rng, number)
    authors = rng.sample(AUTHORS, k=rng.choice((1, 1, 2, 3)))
    return Story(
        number=number,
        title=title,
        slug=slug_of(title),
        day=day,
        published=f"{day.replace('/', '-')}T{rng.randrange(24):02}:{rng.randrange(60):02}:00+03:00",
        authors=tuple(authors),
        paragraphs=tuple(sentences(rng, 2) for _ in range(5)),
        related=("An Article of Those Days", "Another of Them", "And a Third")
        if number < 80_000 or number % 10 == 0
        else (),
        section=section.replace("-", " ").title(),
        tags=("Farming",) if number % 4 == 0 else (),
        opinion=section == "opinion",
        site=site,
    )


def newest(stories: dict[int, Story]) -> list[Story]:
    return sorted(stories.values(), key=lambda one: (one.day, one.number), reverse=True)


def items(stories: Iterable[Story]) -> str:
    return "".join(
        f'<div class="col-4"><div class="article-excerpt-default"><a href="{one.url}" title="{html.escape(one.title)}">'
        f'<h3 class="article-excerpt-default__headline">{html.escape(one.title)}</h3></a></div></div>'
        for one in stories
    )


def home(listed: Sequence[Story], web: str, sections: Iterable[str], more: Iterable[str]) -> bytes:
    """The front page: sections, the newest articles, *more* paths, and links of the kinds that robots.txt forbids."""
    forbidden = (
        f'<a href="/preview/{listed[0].number}">Preview</a><a href="/search/harbour">Search</a>'
        '<a href="/contribute2?utm_source=header">Contribute</a>'
        f'<a href="{listed[1].url}?utm_source=home&amp;utm_medium=teaser">Most read</a>'
        '<a href="/tag/farming?sort=new&amp;utm_campaign=home">Farming</a>'
    )
    named = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in sections)
    also = "".join(f'<a href="{path}">{path}</a>' for path in (f"/all/{listed[0].number}", "/live/881", *more))
    return (
        '<!DOCTYPE html><html lang="en"><head><title>The Moscow Times</title><link rel="alternate"'
        f' type="application/rss+xml" href="/rss/news"></head><body class="home"><nav><ul>{named}</ul>{forbidden}</nav>'
        f'{also}{items(listed[:12])}<a href="{listed[0].url}/pdf">Print</a>'
        f'<a href="{_other_edition(web)}/">The other edition</a><a href="https://example.org/">Elsewhere</a></body></html>'
    ).encode()


def _other_edition(web: str) -> str:
    return SITE if web != SITE else SITE.replace("www.", "ru.")


def front(title: str, listed: Iterable[Story], most_read: Iterable[Story]) -> bytes:
    """The first page of a section or topic."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{html.escape(title)}</title></head><body><a href="/news">'
        f'News</a><section y-use="ArticlesLoader">{items(listed)}</section>'
        f'<aside class="sidebar"><h3>Most read</h3>{items(most_read)}</aside></body></html>'
    ).encode()


def archived(one: Story) -> str:
    """An article of the archive: names in its byline are no links, and it has neither number nor print version."""
    address = f"{SITE}/archive/{one.slug}"
    text = page(replace(one, related=())).replace(one.url, address).replace(f"{address}/pdf", "#")
    return re.sub(
        r'<a href="[^"]*/author/[^"]*" class="byline__author__name"[^>]*>([^<]*)</a>', r"<span>\1</span>", text
    )


def rss(stories: Iterable[Story], web: str, *, full: bool = False, authors: bool = False) -> bytes:
    def item(one: Story) -> str:
        at = format_datetime(datetime.fromisoformat(one.published))
        names = one.authors if authors else one.authors[:1]
        body = "".join(f"<p>{part}</p>" for part in one.paragraphs)
        return (
            f"<item><title>{html.escape(one.title)}</title><link>{one.url}</link><guid>{one.url}</guid><pubDate>{at}</pubDate>"
            f"{''.join(f'<dc:creator>{name}</dc:creator>' for name in names)}"
            f"{f'<content:encoded><![CDATA[{body}]]></content:encoded>' if full else ''}</item>"
        )

    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>The Moscow Times</title>'
        f"<link>{web}/</link>{''.join(map(item, stories))}</channel></rss>"
    ).encode()


def urlset(urls: Iterable[str]) -> str:
    return (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        f' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{"".join(urls)}</urlset>'
    )


def news_entry(one: Story, changed: str | None) -> str:
    return (
        f"<url><loc>{one.url}</loc>{f'<lastmod>{changed}</lastmod>' if changed else ''}<news:news><news:publication>"
        "<news:name>The Moscow Times</news:name><news:language>en</news:language></news:publication>"
        f"<news:publication_date>{one.published}</news:publication_date><news:title>{html.escape(one.title)}"
        "</news:title></news:news></url>"
    )
