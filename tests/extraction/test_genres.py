"""What an article is besides news, and where it goes on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from archive.article import Article
from archive.extraction import Page, extract

AT = datetime(2026, 11, 21, tzinfo=UTC)
URL = "https://news.example/politics/2026/the-opinion-of-the-court"
PROSE = "The court gave its opinion on Monday, and the minister said that he would read it before he spoke. " * 3


def read(head: str = "", *, url: str = URL, data: object = None, body: str = "") -> Article:
    script = f'<script type="application/ld+json">{json.dumps(data)}</script>' if data is not None else ""
    page = (
        f"<!doctype html><head><title>The opinion of the court</title>{head}{script}</head>"
        f"<body><article><h1>The opinion of the court</h1><p>{PROSE}</p>{body}</article></body>"
    )
    return extract(Page(page.encode(), url, "text/html; charset=utf-8", AT))


@pytest.mark.parametrize(
    ("data", "genre"),
    [
        ({"@type": "OpinionNewsArticle"}, "opinion"),
        ({"@type": ["NewsArticle", "https://schema.org/ReviewNewsArticle"]}, "review"),
        ({"@type": "AdvertiserContentArticle"}, "advertising"),
        ({"@type": "NewsArticle", "genre": "Interview"}, "interview"),
        ({"@type": "NewsArticle", "genre": ["News", "News analysis"]}, "analysis"),
        ([{"@type": "NewsArticle"}, {"@type": "ClaimReview"}], "fact check"),
        ({"@type": "NewsArticle", "genre": "News"}, None),
        ({"@type": "NewsArticle", "genre": 7}, None),
    ],
)
def test_an_articles_own_data_tell_its_genre(data: object, genre: str | None):
    article = read(data=data)
    assert (article.genre, article.sources.get("genre")) == (genre, "json-ld" if genre else None)


@pytest.mark.parametrize(
    ("section", "genre"),
    [
        ("Opinion", "opinion"),
        ("Мнения", "opinion"),
        ("Interviews", "interview"),
        ("社説", "opinion"),
        ("Nachrufe", "obituary"),
        ("Opinion polls", None),
        ("Politics", None),
    ],
)
def test_so_does_its_section_as_a_whole_name(section: str, genre: str | None):
    article = read(f'<meta property="article:section" content="{section}">')
    assert article.section == section
    assert (article.genre, article.sources.get("genre")) == (genre, "markup" if genre else None)


@pytest.mark.parametrize(
    ("path", "genre"),
    [
        ("/opinion/2026/11/21/a-river", "opinion"),
        ("/de/meinung/ein-fluss", "opinion"),
        ("/%D0%BC%D0%BD%D0%B5%D0%BD%D0%B8%D1%8F/1", "opinion"),
        ("/film-reviews/a-river", "review"),
        ("/politics/opinion", None),  # the article's own name
        ("/politics/2026/opinion/of-a-judge", None),  # too deep for a section
    ],
)
def test_so_does_the_section_in_its_address(path: str, genre: str | None):
    assert read(url=f"https://news.example{path}").genre == genre


def test_a_page_that_is_no_article_has_no_genre():
    page = Page(
        b"<title>404 not found</title><h1>404 not found</h1>", "https://news.example/opinion/x", "text/html", AT
    )
    article = extract(page)
    assert (article.page_kind, article.genre) == ("error", None)


@pytest.mark.parametrize(
    ("url", "href", "found"),
    [
        ("https://news.example/a/river", "/a/river/2", True),
        ("https://news.example/a/river", "/a/river?page=2", True),
        ("https://news.example/a/river/2/", "/a/river/3/", True),
        ("https://news.example/a/river.html", "/a/river-2.html", True),
        ("https://news.example/a/river-2.html", "river-3.html#top", True),
        ("https://news.example/a/river", "/a/lake", False),
        ("https://news.example/a/river", "/a/river", False),
        ("https://news.example/a/river", "https://other.example/a/river/2", False),
        ("https://news.example/a/river", "javascript:next()", False),
    ],
)
@pytest.mark.parametrize("where", ["head", "text"])
def test_the_next_page_of_an_article_is_named_and_no_other_article(url: str, href: str, where: str, *, found: bool):
    link = f'<link rel="next" href="{href}">', f'<a rel="nofollow next" href="{href}">Next</a>'
    article = read(link[0], url=url) if where == "head" else read(url=url, body=link[1])
    assert (article.next_page is not None) is found
    if article.next_page:
        assert article.next_page.startswith("https://news.example/a/river")
        assert "#" not in article.next_page
        assert article.sources["next_page"] == "markup"
