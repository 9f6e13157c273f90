"""Words as searches compare them, and what is shown of what was found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article
from archive.catalog import Catalog
from archive.catalog.query import read
from archive.catalog.snippets import marked, snippet
from archive.catalog.words import terms, words
from archive.place import Place


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ceasefires", "Ceasefire"),
        ("running", "runs"),
        ("universities", "university"),
        ("Müller", "muller"),
        ("Crème Brûlée", "creme brulee"),
        ("Straße", "STRASSE"),
        ("ёлка", "Елки"),
        ("новости", "новостями"),
        ("Москва", "Москвы"),
        ("зо\u0301лото", "золота"),  # noqa: RUF001 - Russian
        ("\u0438\u0306", "й"),  # decomposed
        ("أَخْبَار", "الأخبار"),
        ("ΑΘΉΝΑ", "Αθήνα"),
        ("İstanbul", "istanbul"),
        ("ﬁre", "fires"),
    ],
)  # fmt: skip
def test_forms_of_a_word_are_one(one: str, other: str):
    assert terms(one) == terms(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("war", "warm"), ("рука", "река"), ("news", "newt"), ("2026", "2025"), ("हिन्दी", "हिन्दू")],
)
def test_other_words_are_others(one: str, other: str):
    assert terms(one) != terms(other)


def test_a_script_without_spaces_is_searched_by_its_letters():
    assert terms("北京大学 in ประเทศ") == "北 京 大 学 in ป ร ะ เ ท ศ"


def test_words_stand_where_they_are_said_to():
    text = "«Ёлки» — naïve, 北京: don't"
    assert [text[word.start : word.end] for word in words(text)] == ["Ёлки", "naïve", "北", "京", "don", "t"]


@given(st.text())
def test_any_text_has_terms_that_a_space_divides(text: str):
    found = terms(text)
    assert found.split(" ") == [word.term for word in words(text)] or found == ""
    assert all(word.term and not word.term.isspace() for word in words(text))


def test_what_is_longer_than_a_word_is_compared_by_its_beginning():
    assert terms("a" * 10_000) == terms("a" * 5_000)


# --- in the catalogue


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        texts = {
            "en": "Two ferries were crossing the harbour when the storms began.",
            "ru": "Паромы вышли из гавани, когда начались штормы; ёлки гнулись.",
            "de": "Die Fähren überquerten den Hafen, als die Stürme begannen.",
            "zh": "渡轮在风暴开始时驶出港口。",
        }
        for number, (language, text) in enumerate(texts.items()):
            article = Article(f"https://news.example/{language}", title=language, language=language, text=text)
            article.captured_at = f"2026-11-21T00:00:0{number}.000000Z"
            catalog.add([], [(f"urn:uuid:{number}", article, Place("articles/a.warc.gz", number, 1))])
        yield catalog


@pytest.mark.parametrize(
    ("query", "found", "shown"),
    [
        ("ferry storm", "en", "Two [ferries] were crossing the harbour when the [storms] began."),
        ('"crosses the harbours"', "en", "Two ferries were [crossing] [the] [harbour] when [the] storms began."),
        ("ferries*", "en", "Two [ferries] were crossing the harbour when the storms began."),
        ("harb*", "en", "Two ferries were crossing the [harbour] when the storms began."),
        ("паром елка", "ru", "[Паромы] вышли из гавани, когда начались штормы; [ёлки] гнулись."),
        ("Faehre OR fahren", "de", "Die [Fähren] überquerten den Hafen, als die Stürme begannen."),
        ("港口", "zh", "渡轮在风暴开始时驶出[港][口]。"),
        ("口港", None, None),
        ("ferry -storms", None, None),
    ],
)
def test_articles_are_found_by_any_form_of_a_word(catalog: Catalog, query: str, found: str | None, shown: str | None):
    hits = catalog.articles(query)
    assert [hit.article.title for hit in hits] == ([found] if found else [])
    assert [str(hit.snippet) for hit in hits] == ([shown] if shown else [])


# --- passages


def test_a_passage_is_the_one_with_most_of_the_words():
    text = "ferry " + "word " * 100 + "the storm held the ferry in the harbour " + "word " * 100
    assert str(snippet(read("ferry storm harbour"), text)) == (
        "…word word word the [storm] held the [ferry] in the [harbour] " + "word " * 12 + "word…"
    )


def test_words_to_leave_out_are_not_marked():
    assert str(snippet(read("ferry -storm"), "a storm, a ferry")) == "a storm, a [ferry]"


def test_a_text_without_them_has_none_and_the_next_is_tried():
    assert snippet(read("ferry"), "a storm", None, "") is None
    assert str(snippet(read("ferry"), "a storm", None, "a ferry")) == "a [ferry]"


def test_a_whole_text_can_be_marked():
    pieces = marked(read("ferry"), "Ferries <b>and</b> a ferry").pieces
    assert [(piece.text, piece.found) for piece in pieces] == [
        ("Ferries", True),
        (" <b>and</b> a ", False),
        ("ferry", True),
    ]


@given(st.text(), st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_pieces_of_a_passage_stand_in_the_text(text: str, word: str):
    found = snippet(read(f'"{word}"'), f"{text} {word}") if terms(word) else None
    if found is not None:
        assert "".join(piece.text for piece in found.pieces).strip("…") in f"{text} {word}".replace("…", "…")
        assert any(piece.found for piece in found.pieces)
