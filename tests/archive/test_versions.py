"""What counts as an edit between two readings of one article, and what does not."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article, Extractor, Link
from archive.versions import Changes, Rewritten, TextChange, alike, changes, text_change

PARAGRAPHS = (
    "The ferry sailed again on Monday, eleven years after the line was given up.",
    "Two hundred passengers were on board when it left the quay.",
    "The council will pay a third of the costs until the end of next year.",
    "Nobody was hurt when the old pier was taken down in the spring.",
)
BEFORE = Article(
    url="https://news.example/2026/03/02/ferry",
    title="Ferry Returns",
    authors=["Ines Okafor"],
    published="2026-03-02T06:30:00+01:00",
    modified="2026-03-02T07:00:00+01:00",
    section="City",
    tags=["ferry", "harbour"],
    text="\n\n".join(PARAGRAPHS),
)


def texts(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


def test_the_same_reading_has_no_changes():
    found = changes(BEFORE, replace(BEFORE))
    assert not found
    assert found.names == []


def test_each_field_is_told_with_its_value_before_and_after():
    after = replace(BEFORE, title="Night Ferry Returns", authors=["Ines Okafor", "Tomas Lind"], tags=["ferry"])
    found = changes(BEFORE, after)
    assert found.fields == {
        "title": ("Ferry Returns", "Night Ferry Returns"),
        "authors": (["Ines Okafor"], ["Ines Okafor", "Tomas Lind"]),
        "tags": (["ferry", "harbour"], ["ferry"]),
    }
    assert found.names == ["title", "authors", "tags"]


def test_a_time_of_change_alone_is_told_as_that():
    found = changes(BEFORE, replace(BEFORE, modified="2026-03-05T12:00:00+01:00"))
    assert found.only_modified
    assert not changes(BEFORE, replace(BEFORE, modified="2026-03-05T12:00:00+01:00", title="Other")).only_modified


@pytest.mark.parametrize(
    "after",
    [
        replace(BEFORE, tags=["Harbour", "ferry"]),
        replace(BEFORE, title="Ferry  Returns\u200b"),
        replace(BEFORE, section="CITY"),
        replace(BEFORE, published="2026-03-02T05:30:00Z"),
        replace(BEFORE, published="2026-03-02"),
        replace(BEFORE, published="2026-03-02T06:30:00"),
        replace(BEFORE, links=[Link("https://a.example/?utm_source=x")], related=[Link("https://a.example/2")]),
        replace(BEFORE, image="https://a.example/large.jpg?w=1200", description="Another teaser"),
        replace(BEFORE, text=BEFORE.text.replace(" ", "\u00a0")),
        replace(BEFORE, text=texts(" ".join(PARAGRAPHS[:2]), *PARAGRAPHS[2:])),
        replace(BEFORE, text=texts("1,204 views", "Updated: 3 minutes ago", *PARAGRAPHS, "Comments (17)")),
    ],
    ids=["tags", "blanks", "case", "utc", "day", "no-zone", "links", "pictures", "nbsp", "set-otherwise", "counters"],
)
def test_what_changes_by_itself_is_no_edit(after: Article):
    assert not changes(BEFORE, after)


def test_a_field_that_only_another_design_gives_is_no_edit():
    before = replace(BEFORE, section=None, tags=[], sources={"title": "markup", "authors": "markup"})
    after = replace(BEFORE, sources={"title": "json-ld", "authors": "json-ld", "section": "json-ld"})
    assert not changes(before, after)
    assert changes(before, replace(after, title="Other")).names == ["title"]
    assert changes(before, replace(after, sources=before.sources)).names == ["section", "tags"]


def test_a_byline_that_is_taken_out_is_an_edit():
    assert changes(BEFORE, replace(BEFORE, authors=[])).fields == {"authors": (["Ines Okafor"], [])}


def test_a_paragraph_that_tells_of_views_is_one():
    found = changes(BEFORE, replace(BEFORE, text=texts(*PARAGRAPHS, "The video had 2 million views in three days.")))
    assert found.text.added == ("The video had 2 million views in three days.",)


def test_paragraphs_are_added_removed_rewritten_and_moved():
    one, two, three, four = PARAGRAPHS
    assert text_change(texts(one, two), texts(one, three, two)) == TextChange(added=(three,))
    assert text_change(texts(one, two, three), texts(one, three)) == TextChange(removed=(two,))
    again = two.replace("Two hundred", "Some 212")
    assert text_change(texts(one, two, three), texts(one, again, three)) == TextChange(changed=(Rewritten(two, again),))
    assert text_change(texts(one, two, three, four), texts(four, one, two, three)) == TextChange(moved=(four,))
    unlike = "Rain is expected for the rest of this week, with wind from the north."
    replaced = text_change(texts(one, two), texts(one, unlike))
    assert (replaced.added, replaced.removed) == ((unlike,), (two,))


def test_the_same_paragraph_twice_is_counted_twice():
    one, two = PARAGRAPHS[:2]
    assert text_change(texts(one, two, one), texts(one, two)) == TextChange(removed=(one,))


def test_readings_of_two_extractors_are_not_alike():
    assert alike(BEFORE, replace(BEFORE, title="Other"))
    for other in (Extractor(version="9"), Extractor(rules="news/2026"), Extractor(learned="abc")):
        assert not alike(BEFORE, replace(BEFORE, extractor=other))


words = st.lists(st.sampled_from([*PARAGRAPHS, "Short.", "One more thing was said."]), max_size=12)


@given(words, words)
def test_what_is_told_accounts_for_every_paragraph(before: list[str], after: list[str]):
    found = text_change(texts(*before), texts(*after))
    assert bool(found) == (before != after)
    assert len(before) - len(found.removed) == len(after) - len(found.added)
    for paragraph in found.removed:
        assert before.count(paragraph) > after.count(paragraph) or len(found.changed)
    assert len(found.moved) <= len(after)


def test_a_text_of_many_paragraphs_takes_seconds_at_most():
    before = [f"Paragraph number {number} of a very long list of things." for number in range(50_000)]
    began_s = time.process_time()
    found = text_change(texts(*before), texts(*before[::-1], "x" * 5_000_000))
    assert len(found.moved) == len(before) - 1
    assert len(found.added) == 1
    assert time.process_time() - began_s < 20  # it takes half of one; were it quadratic, hours


def test_nothing_and_nothing_are_the_same():
    assert text_change("", "") == TextChange()
    assert not Changes()
