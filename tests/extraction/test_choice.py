"""Which blocks of a page are its article, and what is parsed of a page whose layout is known."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from archive.extraction import Page, extract
from archive.extraction.choice import choose, with_company
from archive.extraction.cut import cut
from archive.extraction.learned import Region
from archive.extraction.page import parse
from archive.extraction.prose import blocks

LINES = [
    "The old bridge was shut on Monday morning, and nobody could say for how long it would stay so.",
    "Engineers had found cracks in two of its nine piers, the widest of them as wide as a thumb.",
    "The ferry sails every twenty minutes; on market days there is a second boat, the council said.",
]
TEXT = "".join(f"<p>{line}</p>" for line in LINES)


def chosen(body: str) -> list[str]:
    root = parse(f"<html><head><title>T</title></head><body>{body}</body></html>")
    assert root is not None
    return [block.text for block in with_company(choose(blocks(root)).blocks)]


@pytest.mark.parametrize(
    "around",
    [
        "<article>{}</article>",
        "<div><div><div>{}</div></div></div>",
        '<div class="paywall">{}</div>',
        '<form id="page">{}</form>',
        '<div class="overflow-hidden photo-story">{}</div>',
        "<table><tr><td>{}</td></tr></table>",
    ],
)
def test_prose_is_found_whatever_it_stands_in(around: str):
    menu = "<ul>" + "".join(f'<li><a href="/{n}">Section number {n}</a></li>' for n in range(30)) + "</ul>"
    assert chosen(menu + around.format(TEXT) + menu) == LINES


def test_a_text_cut_in_pieces_by_boxes_is_whole():
    pieces = "".join(f'<div class="part"><p>{line}</p><p>{line[::-1]}.</p></div><aside>Box</aside>' for line in LINES)
    assert len(chosen(f"<main>{pieces}</main>")) == 2 * len(LINES)


def test_comments_longer_than_the_article_are_no_text():
    comments = "".join(
        f"<div><p>I, number {n}, have crossed that bridge for forty years, and never fell in.</p></div>"
        for n in range(40)
    )
    assert chosen(f'<article>{TEXT}</article><section class="comments">{comments}</section>') == LINES


@pytest.mark.parametrize("name", ["newsletter-box", "relatedArticles", "social-share", "author-bio", "image-caption"])
def test_boxes_named_as_furniture_are_left_out(name: str):
    box = f'<div class="{name}"><p>This has a whole sentence in it, of more than forty letters.</p></div>'
    first, rest = f"<p>{LINES[0]}</p>", "".join(f"<p>{line}</p>" for line in LINES[1:])
    assert chosen(f"<div>{first}{box}{rest}</div>") == LINES


def test_sub_headings_lists_quotes_and_rows_keep_their_order():
    inner = (
        f"<p>{LINES[0]}</p><h2>Cracks</h2><p>{LINES[1]}</p><p>Two are urgent:</p><ul><li>Pier 2</li>"
        "<li>Pier 7</li></ul><blockquote>Nobody knew.</blockquote><table><tr><th>Pier</th><th>Crack</th></tr>"
        f"<tr><td>2</td><td>9 mm</td></tr></table><p>{LINES[2]}</p>"
    )
    between = ["Two are urgent:", "Pier 2", "Pier 7", "Nobody knew.", "Pier | Crack", "2 | 9 mm"]
    assert chosen(f"<div>{inner}</div>") == [LINES[0], "Cracks", LINES[1], *between, LINES[2]]


def test_a_standfirst_is_text_and_a_date_line_is_not():
    summary = "Cracks in two of nine piers close the oldest crossing of the river."
    html = (
        f'<html><head><meta name="description" content="{summary}"></head><body><article><header>'
        f"<h1>Old bridge shut</h1><div>{summary}</div><p>Monday, 2 March 2026, by our correspondent</p></header>"
        f"<div>{TEXT}</div></article></body></html>"
    )
    article = extract(Page(html.encode(), "https://n.example/1", "text/html", datetime(2026, 3, 3, tzinfo=UTC)))
    assert article.text.split("\n\n") == [summary, *LINES]


@pytest.mark.parametrize("depth", [100, 3000])
def test_deep_and_wide_pages_take_time_in_step_with_their_size(depth: int):
    # Told by the growth from one size to four times that, not by the clock: quadratic work would grow sixteenfold.
    def seconds(count: int) -> float:
        body = "<div>" * depth + TEXT * count + "</div>" * depth
        root = parse(f"<html><body>{body}</body></html>")
        assert root is not None
        on_page = blocks(root)
        began = time.process_time()
        choose(on_page)
        return time.process_time() - began

    seconds(100)
    assert seconds(2000) < 12 * max(seconds(500), 0.001)


REGION = Region("article", "class", "story wide")
DATA = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "</div>"}</script>'


def cut_page(before: str = "", inside: str = "", after: str = "") -> str | None:
    return cut(
        f"<html lang='en'><head><title>T</title><script>if (a<b) '<body>'</script></head><body>{before}"
        f"<article data-id=7 class='story wide'><h1>T</h1>{inside}{TEXT}</article>{after}</body></html>",
        REGION,
    )


def test_a_page_is_cut_to_its_head_its_data_and_its_region():
    shorter = cut_page("<nav><p>Menu</p></nav>", "<script>x</script>", f"<footer>Foot</footer>{DATA}")
    assert shorter is not None
    root = parse(shorter)
    assert root is not None
    assert root.get("lang") == "en"
    assert root.findtext(".//title") == "T"
    assert [block.text for block in blocks(root)] == ["T", *LINES]
    assert DATA in shorter


@pytest.mark.parametrize(
    "inside",
    ["<article>An article in it</article>", "<!-- </article> -->", "<script>'</article>'</script>", "<article/>"],
)
def test_a_region_ends_where_as_many_have_ended_as_begun(inside: str):
    shorter = cut_page(inside=inside)
    assert shorter is None or LINES[2] in shorter


@pytest.mark.parametrize(
    "html",
    [
        "<p>No head at all</p>",
        "<html><head></head><body><article class='other'>x</article></body></html>",
        "<html><head></head><body>" + "<article class='story wide'>x</article>" * 2,
        "<html><head></head><body><article class='story wide'>never ended",
    ],
)
def test_what_cannot_be_cut_surely_is_not_cut(html: str):
    assert cut(html, REGION) is None
