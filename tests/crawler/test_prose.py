"""What makes a page of unknown kind an article: its prose, of which a listing has little, however long its teasers."""

from __future__ import annotations

import pytest

from crawler.discovery import read
from crawler.leads import MIN_PROSE
from tests.servers import templates
from tests.servers.newsroom import Newsroom

ARTICLES = Newsroom(60, seed=3).articles
PLAIN = [article for article in ARTICLES if article.form == "plain"]
LEAD = " ".join(PLAIN[0].paragraphs[:2])[:250]


def prose(html: bytes | str) -> int:
    data = html if isinstance(html, bytes) else html.encode()
    reading = read(data, url="https://courier.example/news/", content_type="text/html", content_encoding=None)
    assert not reading.article
    return reading.prose


def cards(form: str) -> str:
    return "".join(form.format(url=article.target, title=article.title, lead=LEAD) for article in ARTICLES[:20])


@pytest.mark.parametrize("article", PLAIN, ids=lambda article: str(article.number))
def test_an_article_has_its_paragraphs(article):
    html = templates.article(article, ARTICLES, "https://courier.example")
    assert prose(html) >= sum(len(part) for part in article.paragraphs if not part.startswith(("#", "*")))


@pytest.mark.parametrize(
    "form",
    [
        '<div><h3><a href="{url}">{title}</a></h3><p>{lead}</p></div>',
        '<h2><a href="{url}">{title}</a></h2><p>{lead}</p><p>By Ines Okafor</p>',
        '<a href="{url}"><h3>{title}</h3><p>{lead}</p></a>',
        '<div class="title"><a href="{url}">{title}</a></div><div><div><p>{lead}</p></div></div>',
        '<article><h3><a href="{url}">Brief</a></h3><p>{lead}</p></article>',
        '<p><a href="{url}">{title}</a></p>',
    ],
)
def test_a_listing_with_long_teasers_has_none(form: str):
    assert prose(f"<html><body><h1>News</h1>{cards(form)}</body></html>") < MIN_PROSE


def test_teasers_below_an_article_take_nothing_from_it():
    body = "".join(f"<p>{part}</p>" for part in PLAIN[1].paragraphs)
    form = '<h3><a href="{url}">{title}</a></h3><p>{lead}</p>'
    assert prose(f"<h1>Title</h1>{body}{cards(form)}") == prose(f"<h1>Title</h1>{body}")


def test_an_article_below_a_menu_of_headlines_keeps_its_paragraphs():
    links = "".join(f'<li><a href="{article.target}">{article.title}</a></li>' for article in ARTICLES[:20])
    body = "".join(f"<p>{part}</p>" for part in PLAIN[1].paragraphs)
    assert prose(f"<ul>{links}</ul><h1>Title</h1>{body}") == prose(f"<h1>Title</h1>{body}")
