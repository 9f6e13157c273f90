from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article, Link
from archive.formats import FORMATS, cell, render, render_all

URL = "https://news.example.org/2013/07/02/bridge-a1"
ARTICLE = Article(
    url=URL + "?utm_source=x",
    canonical_url=URL,
    title="Bridge 'Closed'",
    authors=["Anna Petrova", "Tom Hale", "AFP"],
    published="2013-07-02T23:30:00+04:00",
    text="The notice names the notice board.\n\nA second paragraph, a notice of 5 * 3.",
    links=[Link("https://example.org/a(b) c", "the notice"), Link("https://example.org/2", "notice")],
    related=[Link("https://news.example.org/r", "Piers [Under] Water")],
)
HOSTILE = "a\x1b]0;owned\x07b\x9bc\u202ed\u2028e\ud800\x00"


def test_markdown_has_the_shape_of_a_print_version():
    assert render(ARTICLE, "md") == (
        "Bridge 'Closed'\n\n"
        "By Anna Petrova, Tom Hale and AFP\n\n"
        "July 2, 2013\n\n"
        "The notice names [the notice](https://example.org/a%28b%29%20c) board.\n\n"
        "A second paragraph, a [notice](https://example.org/2) of 5 \\* 3.\n\n"
        "Related articles:\n\n"
        "- [Piers \\[Under\\] Water](https://news.example.org/r)\n\n"
        "Original url:\n\n"
        f"<{URL}>\n"
    )


def test_an_article_of_which_little_is_known_prints_what_there_is():
    assert render(Article(url=URL), "md") == f"Original url:\n\n<{URL}>\n"
    for form in FORMATS:
        assert render(Article(url=URL), form).endswith("\n")


@pytest.mark.parametrize(
    "start", ["# not a heading", "- not an item", "+ no", "1. no", "> no", "```no", "===", "---", "|a|"]
)
def test_a_paragraph_is_never_taken_for_markup(start: str):
    body = render(Article(url=URL, text=f"Before.\n\n{start}\n\nAfter."), "md").split("\n\n")[1]
    assert body.startswith(("\\", "1\\."))


def test_a_canonical_address_of_another_site_is_not_named_as_the_original():
    article = Article(url=URL, canonical_url="https://elsewhere.example.com/")
    assert f"<{URL}>" in render(article, "md")


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_lets_control_characters_out(form: str):
    article = Article(
        url=URL + HOSTILE,
        title=HOSTILE,
        authors=[HOSTILE],
        text=f"{HOSTILE}\n\nmore {HOSTILE}",
        links=[Link("https://example.org/" + HOSTILE, "more")],
        related=[Link("https://example.org/" + HOSTILE, HOSTILE)],
        section=HOSTILE,
        captured_at=HOSTILE,
        language=HOSTILE,
    )
    out = render(article, form)
    out.encode("utf-8")
    assert not [c for c in out if (c < " " and c not in "\r\n") or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029\u202e"]


def test_html_is_escaped_and_loads_nothing():
    article = Article(
        url=URL,
        title="<script>alert(1)</script>",
        text='A <b>bold</b> claim & "more"',
        links=[Link("javascript:alert(1)", "bold"), Link('https://example.org/"><script>', "claim")],
        related=[Link("javascript:alert(1)", "<i>x</i>")],
        language='"><script>',
    )
    out = render(article, "html")
    assert "<script" not in out
    assert "<b>" not in out
    assert 'href="javascript' not in out
    assert "src=" not in out


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1+1"])
def test_no_cell_is_a_formula(start: str):
    assert cell(start).startswith("'")


def test_csv_keeps_paragraphs_and_reads_back():
    out = "".join(render_all([(ARTICLE, {"source": "a.html"}), (ARTICLE, {"source": "b.html"})], "csv"))
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["source"] for row in rows] == ["a.html", "b.html"]
    assert rows[0]["text"] == ARTICLE.text
    assert rows[0]["authors"] == "Anna Petrova; Tom Hale; AFP"


def test_json_lines_are_one_object_a_line_and_json_is_an_array():
    pairs = [(ARTICLE, {"source": "a"}), (ARTICLE, {"source": "b"})]
    lines = "".join(render_all(pairs, "jsonl")).splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["a", "b"]
    assert [item["source"] for item in json.loads("".join(render_all(pairs, "json")))] == ["a", "b"]
    assert json.loads("".join(render_all([], "json"))) == []
    assert Article.from_json(json.loads(render(ARTICLE, "json"))) == ARTICLE


def test_an_unknown_format_is_refused_by_name():
    with pytest.raises(ValueError, match="docx"):
        render(ARTICLE, "docx")


@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_any_text_renders_in_every_form(text: str, title: str, anchor: str):
    article = Article(url=URL, title=title, text=text, authors=[title], links=[Link("https://e.org/" + anchor, anchor)])
    for form in FORMATS:
        render(article, form).encode("utf-8")
