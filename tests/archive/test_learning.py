"""What is learned of a host from its pages: lines that repeat, and where the text stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.extraction import Page, Reading, read
from archive.extraction.learned import READ_WHOLE_ONE_IN, is_read_whole
from archive.learning import REPEATED_ON, SURE, Learning

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOST = "https://courier.example"
APPEAL = [
    "Ours is a small paper, and a stubborn one.",
    "It has come out every week for forty years, through two floods and one fire in the press room.",
]
OWN = (
    "The {n} council of the harbour town met on Monday to talk about bridge number {n}, shut since the spring.",
    "Nobody on the {n} benches could say when it would open again, or who would pay for the {n} tons of steel.",
    "The mayor told reporter number {n} that the matter would be taken up again after the summer.",
)


def page(number: int, *, title: str | None = None, extra: str = "", body: str | None = None, name: str = "x9f") -> Page:
    """Return a page whose class names say nothing, with an appeal inside the text."""
    own = body or "".join(f"<p>{line.format(n=number)}</p>" for line in OWN)
    appeal = "".join(f"<p>{line}</p>" for line in APPEAL)
    html = f"""<html lang="en"><head><title>{title or f"Bridge {number} stays shut"}</title></head><body>
    <div class="q1"><a href="/">Courier</a> <a href="/news">News</a></div>
    <article class="k2"><h1>{title or f"Bridge {number} stays shut"}</h1>
    <div class="{name}">{own}{extra}<div class="z7">{appeal}</div></div></article>
    <div class="u4"><p>The Courier, Quay Street 1. All letters are read, a few answered.</p></div></body></html>"""
    return Page(html.encode(), f"{HOST}/2026/03/{number}", "text/html", AT)


def reading(learning: Learning, wanted: Page) -> Reading:
    found = read(wanted, (), learning.known(wanted.url))
    learning.add(wanted.url, found.seen)
    return found


def test_a_block_on_three_pages_is_furniture_on_the_next():
    learning = Learning()
    for number in range(1, REPEATED_ON + 1):
        assert APPEAL[1] in reading(learning, page(number)).article.text
    assert reading(learning, page(9)).article.text == "\n\n".join(line.format(n=9) for line in OWN)


def test_the_pages_on_which_it_stood_are_known():
    learning = Learning()
    for number in range(1, 5):
        found = read(page(number), (), learning.known(HOST), explain=True)
        learning.add(page(number).url, found.seen)
    repeating = [out for out in found.left_out if out.text == APPEAL[1]]
    assert [out.why for out in repeating] == ["repeats on other pages of the host"]
    assert repeating[0].line is not None
    assert learning.pages(HOST, repeating[0].line) == tuple(page(number).url for number in (1, 2, 3))


def test_copies_of_one_article_are_one_page():
    learning = Learning()
    for address in ("", "?utm_source=mail", "/amp", "/print", "?ref=1"):
        copy = page(1)
        copy = Page(copy.body, copy.url + address, copy.content_type, AT)
        learning.add(copy.url, read(copy, (), learning.known(copy.url)).seen)
    assert not learning.known(HOST).repeated


def test_pages_that_are_mostly_furniture_are_pages_of_their_own():
    learning = Learning()
    for number in range(1, 5):
        reading(learning, page(number, body=f"<p>{OWN[0].format(n=number)}</p>"))
    assert len(learning.known(HOST).repeated) == len(APPEAL)


def test_attributions_and_sub_headings_stay_though_they_repeat():
    learning = Learning()
    tail = ["What happens next", "The matter is number {n} on the list.", "Reuters contributed to this report."]
    extra = f"<h2>{tail[0]}</h2><p>{tail[1]}</p><p>{tail[2]}</p>"
    for number in range(1, 9):
        found = reading(learning, page(number, extra=extra.format(n=number)))
    text = found.article.text.split("\n\n")
    assert text[-3:] == [line.format(n=8) for line in tail]


@pytest.mark.parametrize(
    "note",
    [
        "This article has been corrected since it was first published.",
        "Correction: an earlier version of this article named the wrong river.",
        "Editor's note: the minister's title was amended on Tuesday.",
        "Anmerkung der Redaktion: In einer früheren Version stand ein falscher Name.",
        "Исправлено: в тексте было неверно указано имя.",
        "訂正があります。詳しくは下の記事をお読みください。",
    ],
)
def test_notes_of_corrections_stay_though_they_repeat(note: str):
    learning = Learning()
    for number in range(1, 9):
        found = reading(learning, page(number, extra=f"<p>{note}</p>"))
    assert found.article.text.split("\n\n")[-1] == note


def test_a_heading_over_nothing_but_furniture_goes_with_it():
    learning = Learning()
    extra = "<h2>Stand with us</h2><p>Every letter that reaches us is pinned to the wall of the kitchen.</p>"
    for number in range(1, 9):
        found = reading(learning, page(number, extra=extra))
    assert found.article.text == "\n\n".join(line.format(n=8) for line in OWN)


def test_hosts_are_learned_apart():
    learning = Learning()
    for number in range(1, 6):
        reading(learning, page(number))
    assert not learning.known("https://gazette.example/1").repeated


def numbers_in_layout(count: int) -> list[int]:
    return [n for n in range(100, 400) if not is_read_whole(page(n).url)][:count]


def test_a_layout_that_held_is_read_alone_and_gives_the_same_article():
    learning = Learning()
    for number in range(SURE):
        assert reading(learning, page(number)).seen.whole  # type: ignore[union-attr]
    for number in numbers_in_layout(20):
        known = learning.known(HOST)
        at_once, whole = read(page(number), (), known), read(page(number), (), type(known)(known.repeated))
        assert at_once.seen is not None
        assert not at_once.seen.whole
        at_once.article.extractor.learned = whole.article.extractor.learned
        assert at_once.article == whole.article


def test_one_page_in_sixteen_is_read_whole_all_the_same():
    read_whole = sum(is_read_whole(f"{HOST}/{number}") for number in range(16_000))
    assert 0.8 < read_whole * READ_WHOLE_ONE_IN / 16_000 < 1.2


def test_another_design_is_read_whole_and_forgets_the_layout():
    learning = Learning()
    for number in range(SURE + 1):
        reading(learning, page(number))
    assert learning.known(HOST).layout is not None
    found = reading(learning, page(99, name="other"))
    assert OWN[1].format(n=99) in found.article.text
    assert found.seen is not None
    assert found.seen.whole
    assert learning.known(HOST).layout is None


def test_a_page_whose_layout_holds_hardly_a_word_is_read_whole():
    learning = Learning()
    for number in range(SURE + 1):
        reading(learning, page(number))
    (number,) = numbers_in_layout(1)
    bare = page(number, body="")
    text = "".join(f"<p>{line.format(n=number)}</p>" for line in OWN)
    body = bare.body.replace(b'<div class="u4">', f'<div class="u4">{text}'.encode())
    moved = Page(body, bare.url, "text/html", AT)
    assert OWN[0].format(n=number) in read(moved, (), learning.known(HOST)).article.text


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_learned_is_kept_beside_the_archive(tmp_path: Path, kept: bool):
    first = Learning.opened(tmp_path / "state" / "learned.sqlite")
    for number in range(SURE + 1):
        reading(first, page(number))
    if kept:
        first.close()
    again = Learning.opened(tmp_path / "state" / "learned.sqlite")
    assert (again.known(HOST) == first.known(HOST)) is kept
    assert bool(again.known(HOST).repeated) is kept
    again.close()


def test_the_record_says_what_was_known():
    learning = Learning()
    assert read(page(1), (), learning.known(HOST)).article.extractor.learned is None
    for number in range(1, 5):
        reading(learning, page(number))
    told = read(page(7), (), learning.known(HOST)).article.extractor.learned
    assert told == learning.known(HOST).digest


def test_halves_of_surrogate_pairs_in_a_title_or_address_are_no_obstacle():
    odd = page(1)
    data = (
        b'<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Bad \\ud83d pair"}</script></head>'
    )
    odd = Page(odd.body.replace(b"</head>", data), odd.url + "\ud83d", odd.content_type, AT)
    assert read(odd, (), Learning().known(odd.url)).article.text
