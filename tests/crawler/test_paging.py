"""Links that lead to another page of the same listing, told by what they say."""

from __future__ import annotations

import pytest

from crawler.discovery import read

URL = "https://courier.example/culture/"


def paging(html: str) -> list[str]:
    reading = read(html.encode(), url=URL, content_type="text/html; charset=utf-8", content_encoding=None)
    return [link.url.removeprefix(URL) for link in reading.links if link.paging]


def test_it_is_not_looked_for_where_nobody_wants_to_know():
    html = '<a href="older/">Next</a><nav class="pagination"><a href="?page=2">2</a></nav><link rel="next" href="n">'
    asked = {"url": URL, "content_type": "text/html", "content_encoding": None}
    wanted, unwanted = read(html.encode(), **asked), read(html.encode(), **asked, paging=False)
    assert [link.url for link in wanted.links] == [link.url for link in unwanted.links]
    assert [link.paging for link in wanted.links] == [True, True, True]
    assert [link.paging for link in unwanted.links] == [False, False, True]


@pytest.mark.parametrize(
    "words",
    [
        "Next",
        "older stories",
        "Older Stories",
        "« Last page",
        "Mehr laden",
        "Page\n suivante",
        "précédente",
        "Seguinte",
    ],
)
def test_words_for_it(words: str):
    assert paging(f'<p><a href="older-1/">{words}</a> <a href="a/b">Stories of the old town</a></p>') == ["older-1/"]


def test_a_link_to_an_article_is_none():
    assert paging('<h3><a href="more">More</a></h3><a href="x">The last page of a book</a>') == []
