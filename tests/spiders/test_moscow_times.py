"""The publication's pages in every form known: our own pages in its markup, changed as the years change them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import spiders.moscow_times
from archive.article import Article
from archive.extraction import Page, extract
from archive.formats import render
from spiders.moscow_times import PUBLISHER
from tests.spiders import publication
from tests.spiders.publication import BRIDGE, LIBRARY, ORCHARD, RELATED_FORMS, STORIES, Story

SHARED = Path(__file__).parents[2] / ".." / "shared"
REAL = SHARED / "data" / "moscow_times"
CAPTURED = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
RULES = PUBLISHER.rules

by_title = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)


def read(markup: str | bytes, url: str, *, general: bool = False) -> Article:
    body = markup.encode() if isinstance(markup, str) else markup
    return extract(Page(body, url, "text/html; charset=utf-8", CAPTURED), () if general else RULES)


def assert_is(article: Article, story: Story) -> None:
    assert article.text == story.text
    assert article.title == story.title
    assert article.authors == list(story.authors)
    assert article.published == story.published
    assert [link.title for link in article.related] == list(story.related)


@by_title
def test_a_page_gives_its_text_byline_and_related_articles_and_nothing_of_its_furniture(story: Story):
    article = read(publication.page(story), story.url)
    assert_is(article, story)
    assert article.section == story.section
    assert article.tags == list(story.tags)
    assert article.article_id == f"a{story.number}"
    assert article.page_kind == "article"
    assert article.paywalled is False
    assert article.extractor.rules == "moscow_times/2016"


def test_the_time_shown_as_updated_is_the_modification_and_the_row_stamp_is_not():
    assert read(publication.page(ORCHARD), ORCHARD.url).modified == ORCHARD.updated


def test_captions_and_credits_are_pictures_and_not_text():
    article = read(publication.page(ORCHARD), ORCHARD.url)
    assert [(image.caption, image.credit) for image in article.images] == [
        ("The scene on Monday.", "N. Body / TASS"),
        ("A view of the place.", "O. Maker / MT"),
    ]


def test_fields_a_rule_gives_name_the_rule_and_the_rest_their_own_source():
    sources = read(publication.page(ORCHARD), ORCHARD.url).sources
    assert sources["text"] == sources["authors"] == sources["section"] == "publisher-rule"
    assert sources["published"] == "json-ld"


@pytest.mark.parametrize("attributes", [False, True], ids=["classes", "classes and attributes"])
@by_title
def test_made_up_class_names_change_nothing(story: Story, attributes: bool):
    root = publication.parsed(publication.page(story))
    publication.with_noise(root, attributes=attributes)
    assert_is(read(publication.written(root), story.url), story)


@pytest.mark.parametrize("noise", [False, True], ids=["known names", "made-up names"])
@pytest.mark.parametrize("where", ["start", "middle", "end", "bare lines"])
@by_title
def test_an_appeal_inside_the_text_is_left_out(story: Story, where: str, noise: bool):
    root = publication.parsed(publication.page(story))
    publication.with_appeal_inside(root, where)
    if noise:
        publication.with_noise(root, attributes=True)
    assert_is(read(publication.written(root), story.url), story)


@pytest.mark.parametrize("how", RELATED_FORMS)
@pytest.mark.parametrize("general", [False, True], ids=["rules", "general path"])
def test_related_articles_are_told_from_the_text_however_they_are_marked(how: str, general: bool):
    assert_is(read(publication.page(BRIDGE, how=how), BRIDGE.url, general=general), BRIDGE)


@pytest.mark.parametrize("how", RELATED_FORMS)
def test_related_articles_are_told_under_made_up_names(how: str):
    root = publication.parsed(publication.page(BRIDGE, how=how))
    publication.with_noise(root, attributes=True)
    assert_is(read(publication.written(root), BRIDGE.url), BRIDGE)


@pytest.mark.parametrize("noise", [False, True], ids=["known names", "made-up names"])
@pytest.mark.parametrize("inside", [False, True], ids=["after", "inside"])
@by_title
def test_an_appended_article_is_left_to_its_own_address(story: Story, inside: bool, noise: bool):
    other = BRIDGE if story is not BRIDGE else ORCHARD
    root = publication.parsed(publication.page(story))
    publication.with_appended(root, other, inside=inside)
    if noise:
        publication.with_noise(root, attributes=True)
    assert_is(read(publication.written(root), story.url), story)


@by_title
def test_the_page_of_an_appended_address_gives_the_appended_article(story: Story):
    other = BRIDGE if story is not BRIDGE else ORCHARD
    root = publication.parsed(publication.page(story))
    publication.with_appended(root, other, inside=False)
    article = read(publication.written(root), f"{publication.SITE}/all/{other.number}")
    assert (article.title, article.text) == (other.title, other.text)


@by_title
def test_without_rules_neither_appeal_nor_related_label_gets_into_the_text(story: Story):
    article = read(publication.page(story), story.url, general=True)
    assert article.text == story.text
    assert article.sources["text"] == "markup"


@by_title
def test_the_print_version_gives_the_same_article(story: Story):
    article = read(publication.print_page(story), f"{story.url}/pdf")
    assert article.text == story.text
    assert article.authors == list(story.authors)
    assert article.published == story.published[:10]
    assert [link.title for link in article.related] == list(story.related)
    assert article.canonical_url == story.url
    assert article.article_id == f"a{story.number}"


def test_bylines_of_the_archive_are_not_links():
    markup = publication.page(BRIDGE)
    start = markup.index('<a href="https://www.themoscowtimes.com/author/')
    end = markup.index("</a>", start) + len("</a>")
    names = ("Grigory Byman", "Ann Other")
    bare = " and ".join(f'<span class="byline__author__name">{name}</span>' for name in names)
    article = read(markup[:start] + bare + markup[end:], f"{publication.SITE}/archive/old-river-bridge")
    assert article.authors == ["Grigory Byman", "Ann Other"]
    assert article.article_id == "archive/old-river-bridge"


def test_an_old_mirror_in_windows_1251_is_read():
    text = "Мост через реку останется закрытым до конца осени, сообщил во вторник департамент транспорта города. " * 4
    markup = (
        "<html><head><meta http-equiv=Content-Type content='text/html; charset=windows-1251'><title>Мост закрыт</title>"
        f"</head><body><table><tr><td><h1>Мост закрыт</h1><p>{text}</p><p>{text[:90]}</p></td></tr></table>"
    )
    url = "http://www.themoscowtimes.com/news/article/bridge-closed/482112.html"
    article = extract(Page(markup.encode("cp1251"), url, "text/html", CAPTURED.replace(year=2014)), RULES)
    assert article.title == "Мост закрыт"
    assert article.text.startswith("Мост через реку останется закрытым")
    assert article.article_id == "article/482112"
    assert article.extractor.rules == "moscow_times/1994"


def test_both_editions_belong_to_the_publisher_and_are_named_apart():
    assert PUBLISHER.owns("https://ru.themoscowtimes.com/2024/05/20/x-a1")
    assert not PUBLISHER.owns("https://themoscowtimes.com.example.org/")
    russian = read(publication.page(LIBRARY), LIBRARY.url.replace("www.", "ru."))
    assert russian.publisher == "Русская служба The Moscow Times"


@pytest.mark.parametrize(("path", "kind"), [("/live/881", "live"), ("/news/19", "index"), ("/tag/farming", "index")])
def test_pages_that_are_no_articles_say_so(path: str, kind: str):
    assert read(publication.page(LIBRARY), publication.SITE + path).page_kind == kind


def test_a_missing_page_is_an_error_page():
    markup = "<body class=page-item><article class=page><header><h1>Oops!</h1><h2>Gone.</h2></header></article></body>"
    assert read(markup, f"{publication.SITE}/2024/01/01/gone-a5").page_kind == "error"


def test_the_publisher_is_known_without_scrapy_or_trafilatura():
    for path in Path(spiders.moscow_times.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "scrapy" not in source.lower()
        assert "archive.extraction" not in source


# The publication's own pages, where they are at hand.

APPEALS = ("favor to ask", "Dear readers", "refuse to be silenced", "Remind me later", "no matter how small")


@pytest.mark.parametrize("general", [False, True], ids=["rules", "general path"])
def test_real_pages_give_exactly_their_gold(general: bool):
    if not REAL.is_dir():
        pytest.skip("the real pages are not beside this checkout")
    gold = json.loads((REAL / "gold.json").read_text(encoding="utf-8"))
    pages = sorted(REAL.glob("*.html"))
    assert pages
    for path in pages:
        expected = gold[path.name.split("_")[0]]
        body = path.read_bytes()
        url = body.decode().split('<link rel="canonical" href="')[1].split('"')[0]
        article = read(body, url, general=general)
        assert article.text.split("\n\n") == expected["body"], path.name
        assert article.title == expected["title"]
        assert article.authors == expected["authors"]
        assert article.published == expected["published"]
        related = [] if "rel-none" in path.name else expected.get("related", [])
        assert [link.title for link in article.related] == related, path.name
        assert not any(words in article.text for words in (*APPEALS, "Related articles"))
        if not general:
            assert article.section == expected.get("section", "News")
            assert article.tags == expected.get("tags", [])
            if "modified_shown" in expected:
                assert article.modified == expected["modified_shown"]


def test_the_seed_article_prints_in_the_shape_of_its_print_version():
    seed = SHARED / "seeds" / "article-print-version.md"
    if not seed.is_file() or not REAL.is_dir():
        pytest.skip("the seed is not beside this checkout")
    url = "https://www.themoscowtimes.com/2013/05/15/obama-seeks-missile-defense-deal-with-putin-a24008"
    article = read((REAL / "a24008__rel-p_ul__b2025.html").read_bytes(), url)
    wanted = seed.read_text(encoding="utf-8").strip()
    # What a conversion of the printed page left in the seed: a broken paragraph, a bold line, addresses as "#".
    wanted = wanted.replace("State\n\nDepartment", "State Department").replace("The  **Moscow Times**\n\n", "")
    wanted = wanted.replace("By [The Moscow Times](#)", "By The Moscow Times").replace("Putin's sp", "Putin\u2019s sp")
    got = render(article, "md").strip()
    for link in (*article.links, *article.related):
        got = got.replace(f"]({link.url})", "](#)")
    assert got == wanted
