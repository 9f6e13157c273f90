"""Which addresses look like forms of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archive.article import Alternate, Article
from archive.catalog.addresses import Address, address_of, is_front, site_of
from archive.catalog.claims import Claim, claims_of, shown_form
from archive.catalog.identity import normalised, untracked

STORY = "news.example/2026/story"
DOC = (Path(__file__).parents[2] / "docs/same-article.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://news.example/2026/story", None),
        ("http://www.news.example:80/2026/story/?utm_source=mail&fbclid=1#comments", None),
        ("HTTPS://WWW2.News.Example:443/2026/story", None),
        ("https://m.news.example/2026/story", None),
        ("https://mobile.news.example/2026/story?gclid=7", None),
        ("https://news.example/2026/story/amp", "amp"),
        ("https://news.example/2026/story/amp/?utm_medium=x", "amp"),
        ("https://news.example/amp/2026/story", "amp"),
        ("https://news.example/2026/amp/story", "amp"),
        ("https://news.example/2026/story?amp", "amp"),
        ("https://news.example/2026/story?amp=1", "amp"),
        ("https://news.example/2026/story?outputType=amp", "amp"),
        ("https://amp.news.example/2026/story", "amp"),
        ("https://www-news-example.cdn.ampproject.org/c/s/www.news.example/2026/story?amp_js_v=0.1&usqp=mq3", "amp"),
        ("https://cdn.ampproject.org/v/news.example/2026/story/amp", "amp"),
        ("https://news-example.cdn.ampproject.org/wp/s/news.example/2026/story", "amp"),
        ("https://www.google.co.uk/amp/s/news.example/2026/story", "amp"),
        ("https://www.bing-amp.com/c/s/amp.news.example/2026/story", "amp"),
        ("https://news.example/2026/story/print", "print"),
        ("https://news.example/print/2026/story/", "print"),
        ("https://news.example/2026/story?print=1", "print"),
        ("https://news.example/2026/story?print=print&utm_source=x", "print"),
        ("https://news.example/2026/story?view=print", "print"),
        ("https://news.example/2026/story?pagewanted=print", "print"),
        ("https://print.news.example/2026/story", "print"),
    ],
)
def test_these_are_the_story(url: str, form: str | None):
    assert address_of(url) == Address(STORY, form)


@pytest.mark.parametrize(
    ("url", "place", "form"),
    [
        ("https://news.example/a.amp.html?id=5", "news.example/a.html?id=5", "amp"),
        ("https://news.example/a.print", "news.example/a", "print"),
        ("https://news.example/a?id=5&amp=1", "news.example/a?id=5", "amp"),
    ],
)
def test_a_form_leaves_the_rest_of_an_address(url: str, place: str, form: str):
    assert address_of(url) == Address(place, form)


@pytest.mark.parametrize(
    "place",
    [
        f"{STORY}?id=5",
        f"{STORY}?page=2",
        f"{STORY}?amp=0",
        f"{STORY}?print=0",
        f"{STORY}?ref=front",
        f"{STORY}-2",
        "news.example/2026/Story",
        "news.example:8080/2026/story",
        "news.example/amplifiers/2026/story",
        "news.example/2026/story/printing",
        "news.example/amp",
        "news.example/print",
        "amp.dev/2026/story",
        "blog.news.example/2026/story",
        "google.com/amplify/s/news.example/2026/story",
        "news.example/c/s/news.example/2026/story",
    ],
)
def test_these_are_no_form_of_another(place: str):
    assert address_of(f"https://{place}") == Address(place)


@pytest.mark.parametrize("url", ["", "amp", "http://[bad/amp", "https://cdn.ampproject.org/c/s/", "mailto:a@b.example"])
def test_what_is_no_address_is_its_own_place(url: str):
    assert address_of(url).form is None


@pytest.mark.parametrize(
    "place", ["a.example", "a.example/index.html", "a.example/en", "a.example:81/", "a.example/Home"]
)
def test_front_pages(place: str):
    assert is_front(place)


@pytest.mark.parametrize("place", ["a.example?p=5", "a.example/story", "a.example/en/story", "a.example/en?id=1", ""])
def test_no_front_pages(place: str):
    assert not is_front(place)


def test_hosts_of_one_site():
    assert site_of("m.a.example/x") == site_of("a.example") == "a.example"
    assert site_of("www.a.co.uk/x") == "a.co.uk" != site_of("b.co.uk")
    assert site_of("127.0.0.1:80/x") == "127.0.0.1:80" != site_of("127.0.0.2:80/x")


def test_the_list_of_tracking_parameters_is_the_one_that_is_used():
    listed = re.findall(r"`([^`]+)`", DOC.split("\n## Parameters\n", 1)[1].split("\n## ", 1)[0])
    dropped = [name for name in listed if not name.startswith("?")]
    assert len(dropped) > 40
    for name in dropped:
        pair = name.replace("*", "any") if "=" in name else f"{name.replace('*', 'any')}=1"
        assert normalised(f"https://a.example/x?{pair}&id=5") == "a.example/x?id=5", name
        assert untracked(f"https://a.example/x?id=5&{pair}") == "https://a.example/x?id=5", name
    for kept in (name for name in listed if name.startswith("?")):
        assert normalised(f"https://a.example/x{kept}") == f"a.example/x{kept}"


def test_what_a_page_claims():
    article = Article(
        "https://news.example/2026/story?from=front",
        canonical_url="https://www.news.example/2026/story",
        publisher="The Example",
        article_id="7",
        alternates=[
            Alternate("https://news.example/2026/story/amp", "amp"),
            Alternate("https://news.example/p/7", "print"),
            Alternate("https://ru.news.example/7", "language", "ru"),
            Alternate("https://ru.news.example/", "language", "ru"),
            Alternate("https://news.example/2026/story?from=front", "language", "en"),
        ],
    )
    assert claims_of(article) == sorted(
        [
            Claim(f"{STORY}?from=front", "self"),
            Claim(STORY, "canonical"),
            Claim(STORY, "amp"),
            Claim("news.example/p/7", "print"),
            Claim("ru.news.example/7", "language", "ru"),
            Claim("The Example #7", "number"),
        ]
    )


@pytest.mark.parametrize(
    "canonical", ["https://news.example/", "https://news.example/index.php", "https://other.test/2026/story", "no URL"]
)
def test_a_canonical_address_that_cannot_be_the_articles_is_no_claim(canonical: str):
    assert claims_of(Article(f"https://{STORY}", canonical_url=canonical)) == [Claim(STORY, "self")]


def test_a_page_that_says_what_it_is_needs_no_address_that_does():
    url = "https://news.example/p/7"
    assert shown_form(Article(url, alternates=[Alternate(url, "print")])) == "print"
    assert shown_form(Article(url, alternates=[Alternate("https://news.example/q", "amp")])) is None
