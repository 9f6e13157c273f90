"""The general path, on pages of no known publisher."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from typing import Any

import pytest

from archive.article import Article, text_digest
from archive.extraction import Page, extract
from archive.rules import PageRules

CAPTURED = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
URL = "https://news.example.org/world/2024/05/20/bridge-closed"
LINES = (
    "The old bridge over the river will stay closed to cars until the end of autumn, the city said on Tuesday.",
    "Divers had found cracks in two of its piers, according to a notice of the transport department.",
    "“Nobody wants to be the man who opened it too early,” said the engineer who leads the repairs.",
    "Buses will take the northern embankment until then, and trams are not affected by the closure.",
)
PROSE = "".join(f"<p>{line}</p>" for line in LINES)
TEXT = "\n\n".join(LINES)


def read(body: str | bytes, *, head: str = "", url: str = URL, rules: tuple[PageRules, ...] = ()) -> Article:
    if isinstance(body, str):
        body = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode()
    return extract(Page(body, url, "text/html", CAPTURED), rules)


def ld(value: Any) -> str:
    written = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{written}</script>'


NEWS: dict[str, Any] = {
    "@type": "NewsArticle",
    "headline": "Bridge Closed",
    "datePublished": "2024-05-20T08:00:00+02:00",
}


def test_a_plain_page_gives_title_text_and_their_sources():
    article = read(f"<nav><a href=/a>World</a></nav><article><h1>Bridge Closed</h1>{PROSE}</article>")
    assert (article.title, article.text, article.page_kind) == ("Bridge Closed", TEXT, "article")
    assert article.sources["title"] == "markup"
    assert article.sources["text"] == "markup"
    assert article.text_digest == text_digest(TEXT)
    assert article.extractor.rules is None


def test_what_the_caller_knows_is_left_to_the_caller():
    article = read(f"<h1>Bridge Closed</h1>{PROSE}")
    assert article.captured_at is article.record_id is article.payload_digest is None


def test_sub_headings_and_list_items_are_paragraphs_without_marks():
    article = read(f"<article><h1>T Bridge</h1>{PROSE}<h2>What now</h2><ul><li>One thing is sure to be done.</li>"
                   f"<li>Another thing is not sure.</li></ul>{PROSE.replace('closed', 'shut')}</article>")  # fmt: skip
    paragraphs = article.text.split("\n\n")
    assert paragraphs[4:7] == ["What now", "One thing is sure to be done.", "Another thing is not sure."]


def test_paragraphs_of_line_breaks_are_parted_and_single_breaks_kept():
    article = read(f"<h1>Bridge Closed</h1><div>{'<br><br>'.join(LINES)}<br><br>A verse,<br>and its second line.</div>")
    assert article.text.split("\n\n") == [*LINES, "A verse,\nand its second line."]


def test_captions_and_posts_of_other_sites_are_not_text():
    figure = '<figure><img src="/a.jpg"><figcaption>The bridge. Photo: A. Maker</figcaption></figure>'
    post = (
        '<blockquote class="twitter-tweet"><p>Look</p><a href="https://twitter.com/a/status/1">May 1</a></blockquote>'
    )
    quote = "<blockquote><p>A bridge is a promise between two banks of one river.</p></blockquote>"
    article = read(
        f"<article><h1>Bridge Closed</h1>{figure}{PROSE}{post}{quote}{PROSE.replace('Tuesday', 'Monday')}</article>"
    )
    assert "Photo" not in article.text
    assert "Look" not in article.text
    assert "A bridge is a promise" in article.text
    assert [(i.url, i.caption, i.credit) for i in article.images] == [
        ("https://news.example.org/a.jpg", "The bridge.", "A. Maker")
    ]


def test_links_in_the_text_keep_their_words_and_resolved_addresses():
    body = PROSE.replace("a notice", '<a href="../notice?x=1">a notice</a>')
    article = read(f"<article><h1>Bridge Closed</h1>{body}</article>")
    assert [(link.url, link.title) for link in article.links] == [
        ("https://news.example.org/world/2024/05/notice?x=1", "a notice")
    ]
    assert article.text == TEXT


@pytest.mark.parametrize(
    "block",
    [
        ld([NEWS]),
        ld({"@context": "https://schema.org", "@graph": [{"@type": "WebSite", "name": "Example"}, NEWS]}),
        ld(json.dumps(NEWS)[:-1] + ",}"),
        ld("<!-- " + json.dumps(NEWS) + " -->"),
        ld("//<![CDATA[\n" + json.dumps(NEWS) + "\n//]]>"),
        ld(json.dumps({**NEWS, "description": "X"}).replace("X", "a\n\tb")),
        ld(json.dumps(NEWS).replace('"', "&quot;")),
        ld(json.dumps(NEWS) + ";"),
        ld(json.dumps({"@type": "WebSite"}) + json.dumps(NEWS)),
        ld({**NEWS, "@type": ["Article", "NewsArticle"]}),
        ld({"@type": "WebPage", "mainEntity": NEWS}),
    ],
)
def test_json_ld_is_read_also_where_it_is_broken_in_common_ways(block: str):
    article = read(f"<h1>Bridge Closed</h1>{PROSE}", head=block)
    assert article.published == "2024-05-20T08:00:00+02:00"
    assert article.sources["published"] == "json-ld"


@pytest.mark.parametrize(
    "block", ["", "{", "[" * 5_000, '{"@type": 5, "author": [[], 1, null]}', '{"@type":"NewsArticle"']
)
def test_json_ld_that_cannot_be_read_is_passed_over(block: str):
    assert read(f"<h1>Bridge Closed</h1>{PROSE}", head=ld(block)).text == TEXT


def test_of_several_articles_in_the_data_the_addresss_own_is_taken():
    other = {**NEWS, "headline": "Other", "url": "https://news.example.org/other", "datePublished": "2020-01-01"}
    own = {**NEWS, "url": URL}
    assert read(f"<h1>Bridge Closed</h1>{PROSE}", head=ld([other, own])).published == NEWS["datePublished"]


@pytest.mark.parametrize(
    "tagged", ["Bridge Closed - The Example", "Bridge Closed | World | The Example", "The Example: Bridge Closed"]
)
def test_the_sites_name_is_taken_off_a_title(tagged: str):
    head = f'<title>{tagged}</title><meta property="og:site_name" content="The Example">'
    assert read(PROSE, head=head).title in {"Bridge Closed", "Bridge Closed | World"}
    assert "Example" not in (read(PROSE, head=head).title or "")


def test_a_dash_in_a_headline_is_not_taken_for_the_end_of_it():
    article = read(
        f"<h1>Bridge - or Not a Bridge</h1>{PROSE}", head="<title>Bridge - or Not a Bridge - Example</title>"
    )
    assert article.title == "Bridge - or Not a Bridge"


def test_the_byline_completes_the_first_author_of_the_data():
    head = ld({**NEWS, "author": {"@type": "Person", "name": "Anna Petrova"}})
    byline = (
        '<div class="byline">By <a href="/author/anna">Anna Petrova</a> and <a href="/author/tom">Tom Hale</a></div>'
    )
    article = read(f"<article><h1>Bridge Closed</h1>{byline}{PROSE}</article>", head=head)
    assert article.authors == ["Anna Petrova", "Tom Hale"]
    assert article.sources["authors"] == "markup"


def test_authors_of_teasers_are_not_authors_of_the_article():
    teaser = '<aside><div class="byline">By <a href="/author/x">Some One Else</a></div></aside>'
    head = ld({**NEWS, "author": [{"name": "Anna Petrova"}]})
    assert read(f"<article><h1>Bridge Closed</h1>{PROSE}{teaser}</article>", head=head).authors == ["Anna Petrova"]


def test_a_date_after_the_capture_is_dropped_and_the_next_source_asked():
    head = ld({**NEWS, "datePublished": "2030-01-01T00:00:00Z", "dateModified": "2030-01-01T00:00:00Z"})
    article = read(f"<h1>Bridge Closed</h1>{PROSE}", head=head)
    assert (article.published, article.sources["published"]) == ("2024-05-20", "url")
    assert article.modified is None


def test_what_a_page_does_not_say_stays_unknown():
    article = read(f"<h1>Bridge Closed</h1>{PROSE}", url="https://news.example.org/bridge")
    assert article.authors == []
    assert article.published is article.modified is article.section is article.paywalled is article.language is None
    assert "published" not in article.sources


def test_language_section_and_tags_come_from_where_they_are():
    head = ld({**NEWS, "articleSection": "World", "keywords": "bridges, rivers,bridges"})
    page = f'<html lang="pt_br"><head>{head}</head><body><h1>Bridge Closed</h1>{PROSE}</body></html>'
    article = read(page.encode())
    assert (article.language, article.section, article.tags) == ("pt-BR", "World", ["bridges", "rivers"])


def test_a_paywall_is_told_and_a_cut_text_is_a_stub():
    head = ld({**NEWS, "isAccessibleForFree": "False"})
    article = read(f"<article><h1>Bridge Closed</h1><p>{LINES[0]}</p></article>", head=head)
    assert (article.paywalled, article.page_kind) == (True, "stub")


APPEAL = (
    "<div><h4>Before you go</h4><p>Our reporting is paid for by you, our readers.</p>"
    "<p>If you can, support us from just $2 a month. <a href='/donate?from=article'>Donate</a></p></div>"
)


def test_an_appeal_in_a_box_of_its_own_is_not_text():
    article = read(f"<article><h1>Bridge Closed</h1><div>{PROSE}</div>{APPEAL}</article>")
    assert article.text == TEXT


def test_an_article_about_donations_is_not_taken_for_an_appeal():
    body = "".join(
        f"<p>The {which} donation to the campaign was declared, said the senator, and supporters gave more. "
        f'<a href="/world/donations-to-campaign-{which}">Records</a> show it was $2,800 each.</p>'
        for which in ("first", "second", "third", "fourth")
    )
    article = read(f"<article><h1>Bridge Closed</h1><div>{body}</div></article>")
    assert len(article.text.split("\n\n")) == 4


def test_a_list_of_documents_in_the_text_is_not_taken_for_related_articles():
    items = '<p>The notice names:</p><ul><li><a href="https://law.example.com/a">Bridge Act of 1994</a></li></ul>'
    article = read(f"<article><h1>Bridge Closed</h1>{PROSE}{items}{PROSE.replace('Tuesday', 'Monday')}</article>")
    assert "Bridge Act of 1994" in article.text
    assert article.related == []


def test_a_read_more_line_is_a_related_article():
    more = '<p><strong>Read more:</strong> <a href="/world/piers">Piers Under Water</a></p>'
    article = read(f"<article><h1>Bridge Closed</h1>{PROSE}{more}{PROSE.replace('Tuesday', 'Monday')}</article>")
    assert "Piers" not in article.text
    assert [(link.title, link.url) for link in article.related] == [
        ("Piers Under Water", "https://news.example.org/world/piers")
    ]


def test_a_page_rendered_by_scripts_gives_the_text_of_its_data():
    article = read("<div id=app></div>", head=ld({**NEWS, "articleBody": TEXT}))
    assert (article.text, article.sources["text"]) == (TEXT, "json-ld")


@pytest.mark.parametrize(
    ("body", "head", "kind"),
    [
        ("<h1>Access denied</h1><p>You have been blocked.</p>", "<title>Access denied</title>", "block"),
        ("<p>Checking your browser before you go on.</p>", "<title>Just a moment...</title>", "block"),
        ("<h1>404</h1><p>The page was not found.</p>", "<title>Page not found</title>", "error"),
        ("<p>We value your privacy</p><button>Accept all</button>", "<title>Example</title>", "consent"),
        ("<h1>Bridge Closed</h1>", ld(NEWS), "stub"),
        (PROSE, ld({**NEWS, "@type": "LiveBlogPosting"}), "live"),
        ("".join(f"<h3><a href='/{n}'>Headline number {n} of the day</a></h3>" for n in range(12)), "", "index"),
        ("", "", "error"),
    ],
)
def test_what_stands_in_place_of_an_article_is_named(body: str, head: str, kind: str):
    assert read(body, head=head).page_kind == kind


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"%PDF-1.7 \x00\x01", "text/html", "other"),
        (b'{"a": 1}', "application/json", "other"),
        (b"\x89PNG\r\n\x1a\n", None, "other"),
        (b"<?xml version='1.0'?><rss><channel/></rss>", "application/rss+xml", "other"),
        (b"", "text/html", "stub"),
        (b"   \n", "text/html", "stub"),
    ],
)
def test_payloads_that_are_no_pages_are_told(body: bytes, content_type: str | None, kind: str):
    article = extract(Page(body, URL, content_type, CAPTURED))
    assert (article.page_kind, article.text, article.title) == (kind, "", None)


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 3_000 + b"<p>x</p>",
        b"<b>" * 2_000,
        b"\x00" * 50,
        b"<h1>&#0;&#1;&#xfffe;&#xd800;&#x110000;&bogus;</h1><p>x\x0c\x0by</p>",
        b'<base href="http://[::1"><a href="http://[bad">x</a><link rel=canonical href="http://[">',
        b"<frameset><frame src=a></frameset>",
        b"<?xml version='1.0' encoding='utf-16'?><html><p>x</p></html>",
        b"<script type='application/ld+json'>" + b'{"@graph":' * 900,
        b"<table>" * 500 + b"<form><select><option>",
    ],
)
def test_broken_pages_give_an_article_all_the_same(body: bytes):
    article = extract(Page(body, "http://[::1/x", "text/html", CAPTURED))
    assert article.url == "http://[::1/x"
    json.dumps(article.to_json()).encode("utf-8")


def test_pages_damaged_at_random_give_an_article_all_the_same():
    seed = 20240601
    chance = random.Random(seed)
    inside = f"<article><h1>Bridge Closed</h1>{PROSE}{APPEAL}</article>"
    whole = f"<html><head>{ld(NEWS)}</head><body>{inside}</body></html>".encode()
    for _ in range(150):
        page = bytearray(whole)
        for _ in range(chance.choice((1, 10, 60))):
            at = chance.randrange(len(page))
            if chance.random() < 0.5:
                page[at] = chance.randrange(256)
            else:
                del page[at : at + chance.randrange(40)]
        try:
            extract(Page(bytes(page), URL, "text/html", CAPTURED))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {bytes(page)!r}") from error


# Rules


def rule(name: str, **given: Any) -> PageRules:
    return PageRules(name=name, publisher="Example", hosts=("news.example.org",), **given)


def test_a_rule_that_gives_nothing_falls_back_to_the_general_path_and_the_source_tells():
    own = rule("example/2020", title=lambda _: None, section=lambda _: "From the rule", body=lambda _: [])
    article = read(f"<article><h1>Bridge Closed</h1>{PROSE}</article>", rules=(own,))
    assert (article.title, article.sources["title"]) == ("Bridge Closed", "markup")
    assert (article.section, article.sources["section"]) == ("From the rule", "publisher-rule")
    assert (article.text, article.sources["text"]) == (TEXT, "markup")
    assert article.publisher == "Example"


def test_a_page_is_read_with_the_rules_of_the_day_it_was_captured():
    old = rule("example/1990", valid_to=date(2010, 12, 31), section=lambda _: "old")
    new = rule("example/2011", valid_from=date(2011, 1, 1), section=lambda _: "new")
    page = f"<html><h1>Bridge Closed</h1>{PROSE}</html>".encode()
    for year, name in ((2010, "example/1990"), (2011, "example/2011")):
        article = extract(Page(page, URL, "text/html", datetime(year, 6, 1, tzinfo=UTC)), (new, old))
        assert article.extractor.rules == name


def test_eras_whose_dates_overlap_are_told_apart_by_their_markup():
    first = rule("example/a", recognises=lambda view: bool(view.root.xpath("//*[@class='old']")))
    second = rule("example/b")
    assert read(f"<div class=old>{PROSE}</div>", rules=(first, second)).extractor.rules == "example/a"
    assert read(f"<div>{PROSE}</div>", rules=(first, second)).extractor.rules == "example/b"


def test_rules_of_another_host_are_not_used():
    assert read(PROSE, url="https://other.example.org/a", rules=(rule("example/a"),)).extractor.rules is None
    assert read(PROSE, url="https://www.news.example.org/a", rules=(rule("example/a"),)).extractor.rules == "example/a"
