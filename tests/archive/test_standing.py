"""Whether an article stands, is gone, or nothing is told: by one capture, and by what the catalogue held before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.article import Alternate, Article
from archive.capture import Capture, iso
from archive.catalog import Catalog
from archive.catalog.history import Earlier
from archive.place import Place
from archive.standing import says_it_is_gone, standing

URL = "https://news.example/2026/01/02/ferry"
FRONT = "https://news.example/"


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def shown(day: int, url: str = URL, *, kind: str = "article", **fields: str) -> Article:
    values = {"title": "Ferry Returns", "text": f"Text of day {day}."} | fields
    return Article(url=url, page_kind=kind, captured_at=iso(at(day)), record_id=f"<urn:{url}:{day}>", **values)  # type: ignore[arg-type]


def captured(day: int, status: int, url: str = URL, redirect: str | None = None) -> Capture:
    place = Place("warc/a.warc.gz", day * 10_000 + len(url), 100)
    return Capture(url, at(day), f"<urn:{url}:{day}>", "response", status, "text/html", None, place, redirect=redirect)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.sqlite") as made:
        yield made


def hold(catalog: Catalog, *held: tuple[Capture, Article | None]) -> None:
    articles = [
        (f"<urn:conversion:{n}:{article.url}>", article, Place("articles/a.warc.gz", n, 10))
        for n, (_, article) in enumerate(held)
        if article is not None
    ]
    catalog.add([capture for capture, _ in held], articles)


@pytest.mark.parametrize(
    ("title", "text", "gone"),
    [
        ("Page not found", "", True),
        ("404", "Oops.", True),
        ("Seite nicht gefunden", "", True),
        ("Страница не найдена", "", True),
        ("Oops!", "The page you were looking for does not exist.", True),
        ("Error", "This article has been removed.", True),
        ("503 Service Unavailable", "Try again later.", False),
        ("Internal Server Error", "", False),
        ("", "", False),
    ],
)
def test_an_error_page_tells_whether_it_is_the_article_or_the_server(title: str, text: str, gone: bool):
    assert says_it_is_gone(Article(URL, title=title, text=text, page_kind="error")) is gone
    assert not says_it_is_gone(Article(URL, title=title, text=text, page_kind="article"))


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [(404, None, "gone"), (410, None, "gone"), (451, None, None), (200, "article", "there"), (200, "live", "there"),
     (200, "block", None), (200, "consent", None), (200, "stub", None), (200, "index", None), (200, None, None),
     (403, None, None), (429, None, None), (500, None, None), (304, None, None), (302, None, None)],
)  # fmt: skip
def test_what_one_capture_tells(status: int, kind: str | None, told: str | None):
    assert standing(status, Article(URL, page_kind=kind) if kind else None) == told


def test_walls_and_failures_are_looked_behind(catalog: Catalog):
    hold(
        catalog,
        (captured(1, 200), shown(1)),
        (captured(2, 404), None),
        (captured(3, 200), shown(3, kind="block")),
        (captured(4, 500), None),
    )
    assert catalog.standing_before(URL, at(2)) == "there"
    assert catalog.standing_before(URL, at(5)) == "gone"
    found = catalog.earlier(shown(5))
    assert found.standing == "gone"
    assert found.article is not None
    assert found.article.text == "Text of day 1."


def test_a_redirect_to_the_front_or_to_what_is_gone_is_gone_and_another_is_not(catalog: Catalog):
    moved = "https://news.example/moved"
    hold(
        catalog,
        (captured(1, 200), shown(1)),
        (captured(2, 302, redirect=FRONT), None),
        (captured(4, 301, redirect=moved), None),
        (captured(5, 404, moved), None),
    )
    assert catalog.standing_before(URL, at(3)) == "gone"
    assert catalog.standing_before(URL, at(5)) == "gone"  # what it leads to is not known yet: the one before counts
    assert catalog.standing_before(URL, at(6)) == "gone"
    assert catalog.standing_before(URL, at(3), lambda _: False) == "there"


def test_redirects_in_a_circle_come_to_an_end(catalog: Catalog):
    other = "https://news.example/other"
    hold(catalog, *((captured(day, 302, url, redirect=to), None) for day in range(1, 25)
                    for url, to in ((URL, other), (other, URL))))  # fmt: skip
    assert catalog.standing_before(URL, at(28)) is None


def test_what_was_never_an_article_has_no_history(catalog: Catalog):
    hold(catalog, (captured(1, 200), shown(1, kind="block")), (captured(2, 404), None))
    assert catalog.earlier(shown(3)) == Earlier()
    assert catalog.shown_at(URL) is None


def test_an_article_that_its_publisher_numbers_is_one_under_any_address(catalog: Catalog):
    numbered = {"publisher": "News", "article_id": "a1"}
    other = "https://news.example/2026/01/02/ferry-returns"
    hold(catalog, (captured(1, 200), shown(1, **numbered)), (captured(3, 200, other), shown(3, other, **numbered)))
    last = catalog.shown_at(URL)
    assert last is not None
    assert last.url == other
    found = catalog.earlier(shown(4, **numbered)).article
    assert found is not None
    assert found.url == other


def test_a_print_version_is_not_looked_for(catalog: Catalog):
    printed = shown(1)
    printed.alternates = [Alternate(URL, "print")]
    hold(catalog, (captured(1, 200), printed))
    assert catalog.shown_at(URL) is None
