from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archive.extraction import Page, extract
from archive.extraction.names import distinct, one, split, without_sites

AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Anna Petrova, John Miller and Reuters", ["Anna Petrova", "John Miller", "Reuters"]),
        ("By Anna Petrova", ["Anna Petrova"]),
        ("Von Jörg Meier und Ute Klein", ["Jörg Meier", "Ute Klein"]),
        ("Par Zoé Blanc et Luc Noir", ["Zoé Blanc", "Luc Noir"]),
        ("Anna Petrova @anna_p", ["Anna Petrova"]),
        ("Anna Petrova (a.petrova@example.org)", ["Anna Petrova"]),
        ("Text: Anna Petrova", ["Anna Petrova"]),
        ("Anna Petrova | John Miller", ["Anna Petrova", "John Miller"]),
        ("Anna Petrova, May 15, 2013", ["Anna Petrova"]),
        ("Martin Luther King, Jr.", ["Martin Luther King, Jr"]),
        ("Anna Petrova – Health Correspondent", ["Anna Petrova"]),  # noqa: RUF001 - as sites part the two
        ("Sandy Anderson", ["Sandy Anderson"]),
        ("Updated", []),
        ("admin", []),
        ("3 min read", []),
        ("https://example.org/author/anna", []),
        ("", []),
        (None, []),
    ],
)
def test_a_byline_gives_its_names_and_nothing_else(byline: str | None, names: list[str]):
    assert split(byline) == names


def test_a_name_given_as_one_is_not_split():
    assert one("Smith & Sons News Agency") == "Smith & Sons News Agency"
    assert one("12 May") is None


def test_spellings_of_one_name_count_once():
    assert distinct(["Anna Petrova", "ANNA PETROVA", "John"]) == ["Anna Petrova", "John"]


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Anna Berg, AP Auto Writer", ["Anna Berg"]),
        ("Anna Berg, MS, RDN", ["Anna Berg"]),
        ("by Anna Berg Monday", ["Anna Berg"]),
        ("Creative Commons License", []),
        ("humans.txt", []),
        ("Biography", []),
    ],
)
def test_roles_degrees_and_days_are_no_authors(byline: str, names: list[str]):
    assert split(byline) == names


def test_signs_of_a_newsroom_and_sites_beside_people_are_left_out():
    assert one("Anna Berg (abe)") == "Anna Berg"
    assert without_sites(["Anna Berg", "Courier.example"]) == ["Anna Berg", "Courier.example"]
    assert without_sites(["Anna Berg", "courier.lt"]) == ["Anna Berg"]
    assert without_sites(["courier.lt"]) == ["courier.lt"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("By Anna Berg", ["Anna Berg"]),
        ("BY ANNA BERG AND OLA DAHL", ["ANNA BERG", "OLA DAHL"]),
        ("Von Hamburg nach Berlin", []),
        ("By Anna Berg and Ola van der Dahl", ["Anna Berg", "Ola van der Dahl"]),
        ("Von Anna Berg, Ola Dahl und Émile Zola", ["Anna Berg", "Ola Dahl", "Émile Zola"]),
        ("Автор: Анна Берг", ["Анна Берг"]),
        ("By Monday the river had risen by a metre", []),
        ("By Anna Berg's own account she slept.", []),
        ("By Sunday", []),
        ("Di Roma", []),
    ],
)
def test_a_line_under_the_headline_can_be_a_byline_without_any_markup(line: str, found: list[str]):
    prose = "The river had risen on Monday, and the minister said that he would read of it before he spoke. " * 3
    page = f"<title>A river</title><body><div><h1>A river</h1><p>{line}</p><p>{prose}</p></div></body>"
    article = extract(Page(page.encode(), "https://news.example/a", "text/html; charset=utf-8", AT))
    assert article.authors == found
    if found:
        assert article.text == prose.strip()
