"""What the catalogue tells of pages that are watched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.catalog import Catalog
from archive.catalog.watching import young
from tests.archive.indexed import AT, capture
from tests.archive.test_catalog import day, entry

URL = "https://news.example/a"


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        yield catalog


def test_the_history_of_a_page_is_its_last_answers_the_oldest_first(catalog: Catalog):
    shown = [capture(number, URL) for number in range(1, 5)]
    catalog.add([*shown, capture(9, f"{URL}/b"), capture(8, URL, status=None)], [])
    assert catalog.history(URL, 3) == shown[1:]
    assert catalog.history("https://news.example/z", 3) == []


def test_readings_leave_out_what_stood_in_the_place_of_the_article(catalog: Catalog):
    wall = entry(1, day=2, page_kind="consent", title="We value your privacy")
    catalog.add([], [entry(1, day=3, title="Edited"), wall, entry(1, day=1, published="2026-01-01")])
    found = catalog.readings("news.example/1")
    assert [(reading.captured_at, reading.title, reading.published) for reading in found] == [
        (day(1), "Title 1", "2026-01-01"),
        (day(3), "Edited", None),
    ]


def test_young_articles_are_those_of_a_host_that_say_when_they_were_published(catalog: Catalog):
    entries = [
        entry(1, published="2026-01-01T10:00:00Z"),
        entry(2, published="2026-01-09T10:00:00+02:00"),
        entry(3, published="2026-01-10"),
        entry(4),
        entry(5, published="2026-01-10", url="https://www.news.example:8080/5"),
        entry(6, published="2026-01-10", url="https://www.news.example/6"),
        entry(7, published="2026-01-10", page_kind="index"),
        entry(8, published="2026-01-10", url="https://news.example"),
    ]
    catalog.add([], entries)
    urls = {1: "https://news.example/2", 2: "https://news.example/3"}
    expected = {*urls.values(), "https://www.news.example/6", "https://news.example"}
    assert set(catalog.young(["news.example"], day(9))) == expected
    assert catalog.young(["news.example:8080"], day(9)) == ["https://www.news.example:8080/5"]
    assert catalog.young([], day(9)) == []


def test_the_young_are_found_without_a_look_at_the_rest(catalog: Catalog):
    """However many articles are older, or of others."""
    catalog.add([], [entry(1)])
    with closing(sqlite3.connect(catalog.path)) as db:
        asked: list[str] = []
        db.set_trace_callback(asked.append)
        young(db, ["news.example"], AT)
        db.set_trace_callback(None)
        (plan,) = [row[-1] for row in db.execute(f"EXPLAIN QUERY PLAN {asked[0]}") if "articles" in row[-1]]
    assert "USING INDEX articles_by_site (<expr>=? AND sorted_at>?)" in plan


def test_an_earlier_catalogue_gets_the_index_too(tmp_path: Path):
    path = tmp_path / "catalog.sqlite"
    Catalog(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP INDEX articles_by_site")
    with Catalog(path) as catalog:
        assert catalog.young(["news.example"], AT) == []
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT 1 FROM sqlite_master WHERE name = 'articles_by_site'").fetchone()
