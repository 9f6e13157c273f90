"""Whether a page declares itself one article: in JSON-LD, OpenGraph or microdata, as far as they can be believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.schema_org import ARTICLE_TYPES
from crawler.discovery import read
from crawler.discovery.declared import MAX_BLOCK_LENGTH, MAX_BLOCKS
from tests.servers import templates
from tests.servers.newsroom import Newsroom

SITE = "https://courier.example"
URL = f"{SITE}/news/a-fair"
ARTICLE = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": "A fair", "url": URL}
OTHER = {"@type": "NewsArticle", "headline": "A bridge", "url": f"{SITE}/news/a-bridge"}


def declares(html: str, url: str = URL) -> bool:
    reading = read(html.encode(), url=url, content_type="text/html; charset=utf-8", content_encoding=None)
    assert reading.form == "page"
    assert not (reading.article and reading.prose)  # asked for only of a page that declares nothing
    return reading.article


def script(block: Any, kind: str = "application/ld+json") -> str:
    text = block if isinstance(block, str) else json.dumps(block)
    return f'<script type="{kind}">{text}</script>'


def meta(name: str, content: str, attribute: str = "property") -> str:
    return f'<meta {attribute}="{name}" content="{content}">'


def item(kind: str, title: str = "<h1>A fair</h1>") -> str:
    return f'<div itemscope itemtype="{kind}">{title}<p itemprop="articleBody">It opens.</p></div>'


# --- JSON-LD


@pytest.mark.parametrize(
    "block",
    [
        ARTICLE,
        [ARTICLE],
        [[{"@type": "Organization"}, ARTICLE]],
        {"@context": "https://schema.org", "@graph": [{"@type": "WebSite"}, {"@type": "WebPage"}, ARTICLE]},
        {"@type": "WebPage", "mainEntity": ARTICLE},
        {"@type": "WebPage", "mainEntity": [ARTICLE]},
        {**ARTICLE, "@type": ["Article", "Thing"]},
        {**ARTICLE, "@type": "http://schema.org/NewsArticle"},
        {**ARTICLE, "@type": "newsarticle"},
        {"@type": "Report"},
        {"@type": "LiveBlogPosting", "headline": "Live", "liveBlogUpdate": [{"@type": "BlogPosting", "headline": "1"}]},
    ],
)
def test_one_article_is_declared_wherever_it_stands_for_itself(block: Any):
    assert declares(script(block))


@pytest.mark.parametrize("kind", sorted(ARTICLE_TYPES))
def test_every_type_of_article_is_one(kind: str):
    assert declares(script({"@type": kind}))


@pytest.mark.parametrize(
    "block",
    [
        {"@type": "WebPage", "name": "An article about articles"},
        {"@type": "ItemList", "itemListElement": [ARTICLE, OTHER]},
        {"@type": "WebPage", "hasPart": [ARTICLE]},
        {"@type": "CollectionPage", "mainEntity": ARTICLE},
        {"@graph": [{"@type": "CollectionPage"}, ARTICLE]},
        {"@graph": [{"@type": ["WebPage", "SearchResultsPage"]}, ARTICLE]},
        {"@type": "ProfilePage", "mainEntity": {"@type": "Person"}},
        [OTHER, {"@type": "Article", "headline": "A school", "url": f"{SITE}/news/a-school"}],
        {"@type": {"a": 1}, "b": "NewsArticle"},
        [None, 7, "NewsArticle", {"@type": [None, ["Article"], 5]}],
        "NewsArticle",
        '{"@type": "WebPage", "isPartOf": {"@type": "NewsArticle", "headline": "cut',
    ],
)
def test_a_listing_and_what_names_articles_only_is_none(block: Any):
    assert not declares(script(block))


def test_what_is_said_of_the_page_beats_what_is_said_beside_it():
    assert not declares(script({"@type": "CollectionPage"}) + meta("og:type", "article") + item("Article"))
    assert not declares(script(ARTICLE) + script({"@type": "ProfilePage"}))
    assert declares(script(ARTICLE) + script({"@type": "Product"}) + script({"@type": "ItemList"}))


@pytest.mark.parametrize(
    "own",
    [
        {"url": URL},
        {"url": "http://www.courier.example/news/a-fair/?utm_source=x#top"},
        {"@id": f"{URL}#article"},
        {"mainEntityOfPage": URL},
        {"mainEntityOfPage": {"@type": "WebPage", "@id": URL}},
        {"mainEntityOfPage": {"url": URL}},
    ],
)
def test_of_several_articles_the_page_is_the_one_with_its_address(own: dict[str, Any]):
    assert declares(script([OTHER, {"@type": "NewsArticle", "headline": "A fair", **own}]))


def test_the_address_may_be_the_canonical_one():
    articles = script([OTHER, ARTICLE])
    assert not declares(articles, url=f"{SITE}/amp/17")
    assert declares(f'<link rel="canonical" href="{URL}">{articles}', url=f"{SITE}/amp/17")


def test_one_article_described_twice_is_one():
    elsewhere = {"url": "https://other.example/"}
    assert declares(script({**ARTICLE, **elsewhere}) + script({"@type": "Article", "name": " A  FAIR", **elsewhere}))
    assert not declares(script({**ARTICLE, **elsewhere}) + script({**OTHER, **elsewhere}))


# --- JSON-LD as it is found

PLAIN = json.dumps(ARTICLE)


@pytest.mark.parametrize(
    "block",
    [
        f"<![CDATA[{PLAIN}]]>",
        f"//<![CDATA[\n{PLAIN}\n//]]>",
        f"/*<![CDATA[*/{PLAIN}/*]]>*/",
        f"<!--\n{PLAIN}\n-->",
        f"// <!--\n{PLAIN}\n// -->",
        f"\n\n\t{PLAIN};",
        PLAIN[:-1] + ",}",
        '{"@type": "NewsArticle", "headline": "A\nfair\t"}',
        '{"@type": "NewsArticle", "headline": "A "great" fair"}',
        '{"@context": "https://schema.org", "@type": "NewsArticle", "headline": "A fa',
        '{"image": {"@type": "ImageObject", "url": "}"}, "@type": "NewsArticle", "headline": "\\"A fair"" }',
    ],
)
def test_json_ld_is_read_wrapped_and_broken(block: str):
    assert declares(script(block))


@pytest.mark.parametrize("kind", ["Application/LD+JSON", "application/ld+json; charset=utf-8", " application/ld+json "])
def test_the_media_type_of_the_script_may_be_written_otherwise(kind: str):
    assert declares(script(ARTICLE, kind))


@pytest.mark.parametrize("kind", ["", "text/javascript", "application/json", "text/template"])
def test_another_script_declares_nothing(kind: str):
    assert not declares(script(ARTICLE, kind))


def test_a_listing_too_broken_to_be_read_is_still_none():
    assert not declares(script('{"@type": "CollectionPage", "name": "a "b" c"}') + meta("og:type", "article"))


@pytest.mark.parametrize(
    "block",
    [
        '{"a":' * 100_000 + '"NewsArticle"',
        "[" * 100_000 + '"NewsArticle"',
        "}" * 100_000 + '"@type":"NewsArticle"',
        '"' * 100_000 + "NewsArticle",
        '{"@type": "NewsArticle", "articleBody": "' + "x" * MAX_BLOCK_LENGTH * 2,
        "/*<!--" * 100_000 + "NewsArticle",
        '"\\' * 100_000 + "article",
    ],
    ids=["objects", "lists", "ends", "quotes", "long", "wrapped", "escapes"],
)
def test_hostile_json_ld_breaks_nothing(block: str):
    declares(script(block))


def test_blocks_beyond_all_measure_are_not_looked_at():
    assert not declares(script({"@type": "WebPage"}) * MAX_BLOCKS + script(ARTICLE))


# --- OpenGraph and microdata


@pytest.mark.parametrize(
    "head",
    [
        meta("og:type", "article"),
        meta("OG:Type", " Article ", "name"),
        meta("og:type", "newsarticle"),
        meta("article:published_time", "2024-05-06T07:08:09Z"),
        meta("og:type", "website") + meta("article:published_time", "2024-05-06"),
    ],
)
def test_opengraph_declares_an_article(head: str):
    assert declares(f"<head>{head}</head>")


@pytest.mark.parametrize(
    "head",
    [
        meta("og:type", "website"),
        meta("og:type", "website") + meta("og:type", "article"),
        meta("og:type", "video"),
        meta("og:type", ""),
        meta("article:publisher", "https://social.example/courier"),
        meta("og:title", "article"),
        "",
    ],
)
def test_opengraph_of_other_pages_declares_none(head: str):
    assert not declares(f"<head>{head}</head>")


@pytest.mark.parametrize(
    "kind",
    [
        "https://schema.org/NewsArticle",
        "http://schema.org/BlogPosting/",
        "Article",
        "https://schema.org/Thing SCHEMA/article",
    ],
)
def test_microdata_of_one_article_with_a_headline_declares_it(kind: str):
    assert declares(item(kind))


def test_microdata_of_teasers_and_of_other_things_declares_none():
    kind = "https://schema.org/NewsArticle"
    assert not declares(item(kind, "<h2>A fair</h2>"))
    assert not declares(item(kind) * 2)
    assert not declares(item("https://schema.org/ItemList"))
    assert not declares(item("https://schema.org/NewsArticleCollection"))


# --- front pages, and what the newsroom of these tests makes


@pytest.mark.parametrize("url", [SITE, f"{SITE}/", "http://www.courier.example:8080/"])
def test_a_front_page_is_no_article_whatever_its_template_says(url: str):
    assert not declares(script({**ARTICLE, "url": url}) + meta("og:type", "article") + item("Article"), url)


def test_an_article_may_be_told_by_a_query_alone():
    assert declares(script(ARTICLE), f"{SITE}/?p=17")


NEWSROOM = Newsroom(40, seed=5)


@pytest.mark.parametrize("article", NEWSROOM.articles, ids=lambda article: str(article.number))
def test_articles_declare_themselves_but_those_without_any_markup(article):
    html = templates.article(article, NEWSROOM.articles, SITE)
    text = html.decode() if isinstance(html, bytes) else html
    assert declares(text, SITE + article.target) == (article.form != "plain")


JSON = st.recursive(
    st.one_of(st.none(), st.integers(), st.sampled_from(["NewsArticle", "CollectionPage", URL, "x"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["@type", "@graph", "mainEntity", "headline", "url", "@id", "mainEntityOfPage"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=15,
)


@given(JSON, st.integers(0, 300))
@settings(deadline=None)
def test_no_json_breaks_it_whole_or_cut(value: Any, end: int):
    text = json.dumps(value)
    declares(script(text))
    declares(script(text[:end]))
