"""Pages made to be slow are read in time that grows with their length: each of these took minutes, now a second or so.

No time is asserted: a relapse shows as a test that does not end.
"""

from __future__ import annotations

from archive.extraction.structured import _loads
from tests.extraction.test_extract import PROSE, TEXT, ld, read

HEADED = "<h1>Bridge closed until autumn</h1>"
LEVELS = 380
EMPTY = "<i></i>" * 20_000


def test_thousands_of_links_to_authors_in_one_paragraph_are_looked_at_once():
    links = "<a rel=author href=/author/anna-berg>Anna Berg</a> " * 40_000
    article = read(f"<article>{HEADED}{PROSE}<p>{links}</p></article>")
    assert article.authors == ["Anna Berg"]


def test_thousands_of_links_in_one_paragraph_are_looked_at_once():
    links = "<a href=/x/y>word to read</a> " * 40_000
    article = read(f"<article>{HEADED}{PROSE}<p>Related articles: {links}</p></article>")
    assert article.text == TEXT
    assert [(link.url, link.title) for link in article.related] == [("https://news.example.org/x/y", "word to read")]


def test_thousands_of_appeals_in_one_box_are_looked_at_once():
    asking = "<a href=/donate>Donate</a> " * 40_000
    article = read(f"<article>{HEADED}{PROSE}<div>{asking}</div></article>")
    assert article.text.startswith(TEXT)


def test_what_is_nested_by_the_hundred_is_not_read_at_every_level():
    for tag in (
        "<aside><a href=/x/y>Word of it</a>",
        "<div class=byline>404 404",
        "<time>soon",
        "<div class=date>soon",
        "<div>support us<a href=/donate>now</a>",
        "<div itemprop=author>404",
        "<footer><p>a",
    ):
        article = read(f"<article>{HEADED}{PROSE}</article>{tag * LEVELS}{EMPTY}")
        assert article.title == "Bridge closed until autumn", tag
        assert TEXT in article.text, tag


def test_a_byline_without_end():
    for byline in ("( " * 100_000, "a b " * 100_000, "x@" + "a." * 100_000):
        for head in (f'<meta name="author" content="{byline}">', ld({"@type": "NewsArticle", "author": byline})):
            assert read(PROSE, head=head).authors == []
    assert read(PROSE, head=f'<meta name="author" content="Anna Berg, {"( " * 100_000}">').authors == ["Anna Berg"]


def test_a_caption_without_end():
    figure = f"<figure><img src=/x.jpg><figcaption>{'( | - ' * 60_000}</figcaption></figure>"
    (image,) = read(f"<article>{HEADED}{PROSE}{figure}</article>").images
    assert image.credit is None


def test_a_title_of_thousands_of_parts():
    article = read(PROSE, head=f"<title>{'word - more | ' * 20_000}</title>")
    assert article.title is not None


def test_white_space_and_objects_without_end_in_data():
    assert _loads("x" + " " * 200_000 + "x") == []
    assert _loads('{"a": 1}' + "//" * 200_000) == [{"a": 1}]
    assert _loads('{"a": 1} ' * 200_000) == [{"a": 1}] * 2_000
    article = read(f"<article>{HEADED}{PROSE}</article>", head=ld('{"@type": "NewsArticle"} ' * 100_000))
    assert article.page_kind == "article"


def test_data_in_comments_and_one_after_the_other_are_read():
    for written in (
        '<!-- {"a": 1} -->',
        '//<![CDATA[\n{"a": 1}\n//]]>',
        '<![CDATA[{"a": 1}]]>;',
        '{"a": 1};',
        '<!--\n{"a": 1}\n//--> ;\n',
    ):
        assert _loads(written) == [{"a": 1}], written
    assert _loads('{"a": 1},\n{"b": [2,]}') == [{"a": 1}, {"b": [2]}]
    assert _loads('[{"a": 1}] {"b": 2} {"c"') == [[{"a": 1}], {"b": 2}]
