"""Elements as publishers' rules find them."""

from __future__ import annotations

from datetime import UTC, datetime

import lxml.html
import pytest
from lxml.html import HtmlElement

from archive import elements
from archive.article import Image, Link
from archive.rules import PageView

URL = "https://news.example/a/b"


def view(markup: str) -> PageView:
    root: HtmlElement = lxml.html.document_fromstring(f"<html><body>{markup}</body></html>")
    return PageView(root, root, URL, URL, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_class_name_is_a_whole_word():
    page = view("<p class='note'>1</p><p class='notes'>2</p><p class='a\n note b'>3</p><p class='foot-note'>4</p>")
    assert elements.texts(elements.classed(page.root, "note")) == ["1", "3"]
    assert elements.texts(elements.boxes("note", "notes")(page)) == ["1", "2", "3"]


def test_texts_are_lines_each_once():
    page = view("<b>Ada\n  Voss</b><b>Ada Voss</b><b> </b><b>Beat</b>")
    assert elements.texts_at(".//b")(page) == ["Ada Voss", "Beat"]
    assert elements.text_of(None) == ""


def test_paths_give_elements_in_the_order_of_the_expressions():
    page = view("<p>text</p><h2>lead</h2>")
    assert [element.tag for element in elements.paths(".//h2", ".//p", "count(.//p)")(page)] == ["h2", "p"]


def test_links_lead_somewhere_and_say_where():
    page = view("<a href='/x'> To x </a><a href='/y'></a><a>nowhere</a><a href='mailto:a@b.example'>mail</a>")
    assert elements.links(page.root.iter("a"), page.base) == [Link("https://news.example/x", "To x")]


def test_meta_elements_are_found_by_name_and_by_property():
    page = view("<meta name='tag' content=' a  b '><meta property='tag' content='c'><meta name='tag' content=''>")
    assert elements.meta(page, "tag") == ["a b", "c"]


@pytest.mark.parametrize(
    ("caption", "said", "credit"),
    [
        ("A quay. Photograph: N. Body", "A quay.", "N. Body"),
        ("Ein Steg (Foto: Ohne Namen)", "Ein Steg", "Ohne Namen"),
        ("A quay (AFP / Nobody)", "A quay", "AFP / Nobody"),
        ("A quay (in the old harbor)", "A quay (in the old harbor)", None),
        ("", None, None),
    ],
)
def test_the_end_of_a_caption_tells_whose_picture_it_is(caption: str, said: str | None, credit: str | None):
    page = view(f"<div class='p'><img src='/1.jpg'><i>{caption}</i></div><div class='p'><img src='/1.jpg'></div>")
    assert elements.pictures(".//*[@class='p']", ".//i")(page) == [Image("https://news.example/1.jpg", said, credit)]
