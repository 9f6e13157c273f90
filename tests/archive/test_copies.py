# ruff: noqa: RUF001 - writing without spaces, and other alphabets
"""Texts that are copies of one another, and those that only look it."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.catalog import copies
from archive.catalog.copies import About, Hint, Text, copied, sketch, words_of

STARTS, ENDS = ("ba", "co", "di", "fu", "ge", "ho", "ji", "ku", "la", "me"), "nrstlm"
WORDS = [start + end for start in STARTS for end in ENDS]


def prose(seed: int, words: int = 400) -> str:
    rng = random.Random(seed)
    return " ".join(f"{rng.choice(WORDS)}{rng.choice(WORDS)}" for _ in range(words))


def about(title: str = "A title of the story", day: int | None = None, site: str = "a.example") -> About:
    return About.of(title, None if day is None else f"2026-03-{day:02d}T10:00:00Z", site)


def alike(a: str, b: str, one: About | None = None, other: About | None = None) -> float | None:
    found = copied(Text.of(a), Text.of(b), one or about(), other or about(site="b.example"))
    assert found == copied(Text.of(b), Text.of(a), other or about(site="b.example"), one or about())
    return found


def test_the_same_words_are_a_copy_whatever_is_between_them():
    text = prose(1)
    assert alike(text, f"«{text.upper().replace(' ', ' — ', 20)}»") == 1.0
    assert sketch(text) == sketch(text.title().replace(" ", "\n\n"))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"CAPITAL, Thursday. {text} With material from the agency.",
        lambda text: " ".join(text.split()[:350]),
        lambda text: " ".join(text.split()[30:]),
        lambda text: text.replace(text.split()[100], "otherwise").replace(text.split()[200], "elsewhere"),
    ],
)
def test_a_copy_that_was_edited_is_one(change):
    text = prose(2)
    found = alike(text, change(text), about(day=3), about(day=4, site="b.example"))
    assert found is not None
    assert 0.8 <= found < 1


def test_half_a_text_is_no_copy():
    assert alike(prose(3), " ".join(prose(3).split()[:200])) is None


def test_short_texts_have_no_copies():
    text = prose(4, copies.LEAST_WORDS - 1)
    assert sketch(text) is None
    assert alike(text, text) is None
    assert sketch(f"{text} more") is not None


def test_two_briefs_under_one_notice_are_two():
    notice = prose(5, 600)
    one, other = (f"{prose(seed, 40)} {notice}" for seed in (6, 7))
    assert copies.similarity(Text.of(one), Text.of(other)) > 0.8
    assert alike(one, other, about("Fire at the mill"), about("Council votes on water", site="b.example")) is None
    assert alike(one, other, about("Fire at the mill"), about("Council votes on water")) is None


@pytest.mark.parametrize("site", ["a.example", "b.example"])
def test_two_editions_of_a_template_are_two(site: str):
    def edition(number: int) -> str:
        rates = random.Random(number)
        lines = (f"{prose(line, 12)} {rates.randint(100, 999)} {prose(line + 50, 8)}" for line in range(12))
        return " ".join(lines)

    assert copies.similarity(Text.of(edition(1)), Text.of(edition(2))) > 0.7
    assert alike(edition(1), edition(2), about("Rates"), about("Rates", site=site)) is None
    named = [f"{prose(8, 600)} This week's winner is {name} of the old town." for name in ("Ann Bell", "Tom Cole")]
    assert copies.similarity(*map(Text.of, named)) > 0.9
    assert alike(*named, about("The winner", 3), about("The winner", 10, site)) is None
    assert alike(*named, about("The winner", 3), about("The winner", 3, site)) is not None


def test_what_stands_in_the_place_of_texts_that_are_paid_for_is_no_copy():
    pitch = prose(9)
    assert alike(pitch, pitch, about("Fire at the mill", 3), about("Council votes on water", 4)) is None
    assert alike(pitch, pitch, about("Fire at the mill", 3), about("Fire at the mill", 4)) == 1.0


def test_a_text_that_is_printed_again_later_is_a_copy_when_it_is_only_cut():
    text = prose(10)
    cut = " ".join(text.split()[:380])
    assert alike(text, cut, about(day=1), about(day=20, site="b.example")) is not None
    assert alike(text, f"{cut} and something of its own", about(day=1), about(day=20, site="b.example")) is None


def test_writing_without_spaces_counts_by_the_character():
    text = "市議会は月曜日、川にかかる橋の修理を延期することを決めた。" * 4
    assert sketch(text) is not None
    assert words_of("東京2026年Ａ") == ["東", "京", "2026", "年", "a"]


def test_forms_of_an_article_agree_and_other_articles_do_not():
    page, other = prose(11), prose(12)
    sidebar = f"{page} {prose(13, 300)}"
    assert copies.agree(Text.of(page), Text.of(sidebar), about(), about("Another"))
    assert copies.agree(Text.of(page), Text.of(" ".join(page.split()[:60])), about(), about())
    assert not copies.agree(Text.of(page), Text.of(other), about(), about())
    assert copies.agree(Text.of(""), Text.of(page), about(), about())
    assert not copies.agree(Text.of(""), Text.of(page), about(), about("Another"))


def test_the_numbers_of_a_text_are_those_that_catalogues_hold():
    # Other numbers, of another version of rensa or on another processor, are another schema of the catalogue.
    found = sketch(f"{prose(14, 100)} 2026")
    assert found is not None
    assert found.fingerprint.hex() == "56bed8bafb483332"
    assert found.figures.hex() == "4ecbc77d"
    assert sha256(found.bands + found.numbers).hexdigest() == (
        "02b5052d0fd726fb97c28b5e3fb351e231ee9ab892756c2a517c52a8ff170555"
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40))
def test_what_is_a_copy_shares_a_band(seed: int, gone: int):
    text = prose(seed, 400)
    cut = " ".join(text.split()[gone:])
    if alike(text, cut) is None or (alike(text, cut) or 0) < 0.9:
        return
    a, b = sketch(text), sketch(cut)
    assert a is not None
    assert b is not None
    assert copies.may_be_copied(Hint.of(a.numbers, a.figures), Hint.of(b.numbers, b.figures))
    assert copies.may_be(Hint.of(a.numbers, a.figures), Hint.of(b.numbers, b.figures), about(day=1), about(day=20))
    assert any(a.bands[at : at + 8] == b.bands[at : at + 8] for at in range(0, 128, 8))


def test_a_template_is_known_without_reading_it():
    def hint(text: str) -> Hint:
        found = sketch(text)
        assert found is not None
        return Hint.of(found.numbers, found.figures)

    text = prose(15)
    one, other = hint(f"{text} 1 2 3 4 5"), hint(f"{text} 1 2 3 6 7")
    assert not copies.may_be_copied(one, other)
    assert copies.may_be_copied(one, hint(f"{text} 1 2 3 4 5 6 7"))
    filled = [hint(f"{prose(seed, 30)} {text}") for seed in (16, 17)]
    assert copies.may_be_copied(*filled)
    assert not copies.may_be(*filled, about(day=1), about(day=8))
    assert copies.may_be(*filled, about(day=1), about(day=1))


def test_days_are_counted_by_the_publishers_calendar():
    assert About.of("T", "2026-03-01T23:30:00-05:00", "a").published == date(2026, 3, 1)
    assert About.of("T", "last week", "a").published is None


def test_what_parses_pages_does_not_load_it():
    modules = "crawler.following, crawler.examiner, crawler.leads, archive.workers.server, archive.catalog"
    told = subprocess.run(
        [sys.executable, "-c", f"import {modules}, sys; print('rensa' in sys.modules)"], capture_output=True, check=True
    )
    assert told.stdout == b"False\n"
