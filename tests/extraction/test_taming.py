"""Markup that parsers choke on is made harmless, in time that grows with its length alone, and nothing else changes."""

from __future__ import annotations

import time
from pathlib import Path

import lxml.html
import pytest

from archive.extraction.taming import MOST_ATTRIBUTES, MOST_DEPTH, MOST_TAGS, flatten, tamed

PAGES = sorted((Path(__file__).parents[1] / "spiders" / "pages").glob("*/*.html"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_real_pages_are_left_alone(path: Path):
    text = path.read_bytes().decode("utf-8", "replace")
    assert tamed(text) == text
    root = lxml.html.document_fromstring(text)
    before = lxml.html.tostring(root)
    flatten(root)
    assert lxml.html.tostring(root) == before


@pytest.mark.parametrize("value", ["", "=x", '="a b>c"', "='<'", ' = "x"'])
def test_attributes_past_the_limit_are_left_out_and_the_text_stays(value: str):
    text = f"<p>before<div {' '.join(f'a{n}{value}' for n in range(40_000))}>within</div>after"
    (div,) = lxml.html.document_fromstring(tamed(text)).iter("div")
    assert len(div.attrib) <= MOST_ATTRIBUTES
    assert (div.text, div.tail) == ("within", "after")


def test_a_long_value_is_no_crowd_of_attributes():
    text = f'<img alt="x" src="data:image/png;base64,{"A" * 100_000}"><p title="{"word " * 5000}">text</p>'
    assert tamed(text) == text


def test_what_is_nested_too_deeply_is_text():
    root = lxml.html.document_fromstring(
        "<div>" * 1_500 + "deep <b>words</b>" + "</div>" * 1_500 + "<p>after</p>",
        parser=lxml.html.HTMLParser(huge_tree=True),
    )
    flatten(root)
    assert max(sum(1 for _ in element.iterancestors()) for element in root.iter()) < MOST_DEPTH
    assert " ".join(root.text_content().split()) == "deep wordsafter"


@pytest.mark.parametrize(
    "text",
    ["<" * 3_000_000, "<a" * 1_500_000, '<a="' * 700_000, "<a ='" * 500_000 + '="' * 500_000, "<a " + "= " * 1_500_000],
    ids=["lt", "tags", "quotes", "mixed quotes", "equals"],
)
def test_it_takes_no_longer_than_the_text(text: str):
    began_s = time.process_time()
    assert tamed(text).count("<") <= MOST_TAGS
    assert time.process_time() - began_s < 5, "it takes a fifth of a second; the square of that would be hours"
