"""The catalogue: originals, articles and their versions, search, several processes, damage."""

from __future__ import annotations

import json
import multiprocessing
import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.article import Alternate, Article, Extractor, Image, Link
from archive.capture import IDENTICAL_PAYLOAD, RefersTo, iso
from archive.catalog import Catalog, QueryError, identity_of, normalised, put_in_place
from archive.catalog.identity import untracked
from archive.catalog.query import read as read_query
from archive.errors import IndexDamaged, StorageRefused
from archive.place import Place
from tests.archive.indexed import AT, capture

Entry = tuple[str, Article, Place]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        yield catalog


def entry(number: int, *, day: int = 1, file: str = "articles/a.warc.gz", **fields: object) -> Entry:
    """Article *number* as it stood on that day of January 2026."""
    values: dict[str, object] = {
        "url": f"https://news.example/{number}",
        "title": f"Title {number}",
        "text": f"Text of {number}.",
        "record_id": f"<urn:uuid:response-{number}-{day}>",
        "captured_at": iso(datetime(2026, 1, day, tzinfo=UTC)),
    }
    place = Place(file, 1000 * number + day, 500)
    return f"<urn:uuid:{number}-{day}-{file}>", Article(**(values | fields)), place  # type: ignore[arg-type]


def titles(catalog: Catalog, query: str | None = None, **filters: object) -> list[str | None]:
    return [hit.article.title for hit in catalog.articles(query, **filters)]  # type: ignore[arg-type]


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


# --- captures


def test_an_original_is_the_earliest_whole_response(catalog: Catalog):
    digest = {"payload_digest": "sha256:same"}
    to = RefersTo("<urn:uuid:0>", "https://news.example/", AT)
    catalog.add(
        [
            capture(5, **digest),
            capture(3, "https://news.example/b", **digest),
            capture(1, **digest, record_type="revisit", profile=IDENTICAL_PAYLOAD, refers_to=to),
            capture(2, **digest, truncated="length"),
            capture(0, **digest, status=None),
            capture(-1, **digest, record_type="resource"),
            capture(-2),
        ],
        [],
    )
    assert catalog.original("sha256:same") == capture(3, "https://news.example/b", **digest)
    assert catalog.original("sha256:other") is None


def test_the_latest_capture_is_of_exactly_that_url(catalog: Catalog):
    to = RefersTo(None, "https://news.example/", None)
    revisit = capture(4, record_type="revisit", status=304, mime=None, refers_to=to)
    catalog.add([capture(3), revisit, capture(9, "https://news.example/A")], [])
    assert catalog.latest("https://news.example/a") == revisit
    assert catalog.latest("https://news.example/b") is None


def test_the_nearest_capture_is_that_of_its_time(catalog: Catalog):
    early, late = capture(10), capture(20)
    catalog.add([early, late, capture(15, status=404), capture(15, "https://news.example/b")], [])

    def nearest(seconds: float) -> object:
        return catalog.nearest("https://news.example/a", AT + timedelta(seconds=seconds), status=200)

    assert [nearest(seconds) for seconds in (0, 10, 15, 15.01, 99)] == [early, early, early, late, late]
    assert catalog.nearest("https://news.example/c", AT, status=200) is None


def test_entering_twice_changes_nothing(catalog: Catalog):
    catalog.add([capture(1), capture(1), capture(2)], [entry(1), entry(1), entry(2)])
    before = list(catalog.dump())
    catalog.add([capture(2), capture(1)], [entry(2), entry(1)])
    assert list(catalog.dump()) == before
    assert len(before) == 4
    catalog.check()


def test_what_two_files_hold_counts_where_it_comes_first(tmp_path: Path):
    there = [capture(1, place=Place(f"warc/{name}.warc.gz", 10, 20)) for name in "bac"]
    articles = [(entry(1)[0], entry(1)[1], Place(f"articles/{name}.warc.gz", 10, 20)) for name in "bac"]
    dumps = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        with Catalog(tmp_path / f"{order}.sqlite") as catalog:
            for number in order:
                catalog.add([there[number]], [articles[number]])
            catalog.check()
            dumps.append(list(catalog.dump()))
    assert dumps[0] == dumps[1] == dumps[2]
    assert [json.loads(line)["file"] for line in dumps[0]] == ["articles/a.warc.gz", "warc/a.warc.gz"]


def test_all_or_nothing_is_entered(catalog: Catalog):
    with pytest.raises(TypeError, match="title is 5"):
        catalog.add([capture(1)], [entry(1), entry(2, title=5)])
    assert list(catalog.dump()) == []


# --- articles


def test_an_article_comes_back_whole(catalog: Catalog):
    record_id, article, place = entry(
        1,
        authors=["Иван Иванов", "B. C"],
        images=[Image("https://news.example/i.png", "caption")],
        related=[Link("https://news.example/2", "Two")],
        paywalled=True,
        sources={"title": "json-ld"},
    )
    catalog.add([], [(record_id, article, place)])
    assert catalog.article(article.url) == (article, place)


def test_half_a_surrogate_pair_is_kept_as_its_record_keeps_it(catalog: Catalog):
    catalog.add([], [entry(1, title="A \ud83d title", text="Text \udc00 here")])
    found = catalog.article("https://news.example/1")
    assert found is not None
    assert (found[0].title, found[0].text) == ("A ? title", "Text ? here")


@pytest.mark.parametrize(
    "asked",
    [
        "https://news.example/old-slug-a5",
        "http://www.news.example/old-slug-a5/?utm_source=mail&fbclid=1#comments",
        "https://news.example/new-slug-a5",
        "https://news.example/canonical",
        "The Example #5",
        "https://news.example/short",
    ],
)
def test_an_article_is_found_by_all_its_addresses(catalog: Catalog, asked: str):
    known = {"publisher": "The Example", "article_id": "5"}
    hops = [
        capture(1, "https://news.example/short", status=301, redirect="https://news.example/shorter"),
        capture(2, "https://news.example/shorter", status=302, redirect="https://news.example/canonical#top"),
    ]
    old = entry(1, day=1, url="https://news.example/old-slug-a5", **known)
    new = entry(
        2, day=2, url="https://news.example/new-slug-a5", canonical_url="https://news.example/canonical", **known
    )
    catalog.add(hops, [old, new, entry(3)])
    found = catalog.article(asked)
    assert found is not None
    assert found[0].title == "Title 2"
    assert [version.article.title for version in catalog.versions(asked)] == ["Title 1", "Title 2"]


def test_redirects_that_go_round_end(catalog: Catalog):
    a, b = "https://news.example/a", "https://news.example/b"
    catalog.add([capture(1, a, status=301, redirect=b), capture(2, b, status=301, redirect=a)], [])
    assert catalog.article(a) is None


def test_an_article_at_a_time_is_of_the_nearest_capture(catalog: Catalog):
    same = {"url": "https://news.example/a"}
    catalog.add([], [entry(number, day=number, **same) for number in (2, 6, 20)])
    for asked, given_ in [(1, 2), (3, 2), (4, 2), (5, 6), (12, 6), (31, 20)]:
        found = catalog.article("https://news.example/a", day(asked))
        assert found is not None
        assert found[0].title == f"Title {given_}"


def test_a_second_extraction_of_a_capture_replaces_the_first_and_is_no_version(catalog: Catalog):
    first = entry(1, file="articles/2026/01/02/a.warc.gz")
    second = entry(1, file="articles/2026/06/01/b.warc.gz", text="Better read.")
    catalog.add([], [second])
    catalog.add([], [first])
    found = catalog.article("https://news.example/1")
    assert found is not None
    assert found[0].text == "Better read."
    assert [version.article.text for version in catalog.versions("https://news.example/1")] == ["Better read."]
    assert titles(catalog, "better") == ["Title 1"]
    assert titles(catalog, '"text of 1"') == []


def test_versions_say_whether_anything_changed(catalog: Catalog):
    same = {"url": "https://news.example/a", "title": "T"}
    texts = ["one", "one", "two", "one"]
    catalog.add([], [entry(number, day=number, text=text, **same) for number, text in enumerate(texts, 1)])
    assert [version.changed for version in catalog.versions("https://news.example/a")] == [True, False, True, True]


def test_a_block_page_does_not_hide_the_article(catalog: Catalog):
    same = {"url": "https://news.example/a"}
    catalog.add([], [entry(1, day=1, **same), entry(2, day=2, page_kind="block", text="Are you a robot?", **same)])
    assert titles(catalog) == ["Title 1"]
    assert titles(catalog, "robot") == []
    found = catalog.article("https://news.example/a", day(2))
    assert found is not None
    assert found[0].title == "Title 1"
    assert [version.article.page_kind for version in catalog.versions("https://news.example/a")] == ["article", "block"]


def test_a_block_page_is_shown_when_there_is_nothing_else(catalog: Catalog):
    catalog.add([], [entry(1, page_kind="block")])
    assert catalog.article("https://news.example/1") is not None
    assert titles(catalog) == []


def test_section_fronts_are_not_among_the_articles(catalog: Catalog):
    catalog.add([], [entry(1, page_kind="index"), entry(2, page_kind="stub")])
    assert titles(catalog) == ["Title 2"]


# --- identity


@pytest.mark.parametrize(
    ("article", "identity"),
    [
        (Article("https://a.example/x", publisher="The A", article_id="7"), "The A #7"),
        (Article("https://a.example/x", article_id="7"), "a.example/x"),
        (Article("https://www.a.example/x/?utm_medium=z&id=1#f"), "a.example/x?id=1"),
        (Article("https://m.a.example/x", canonical_url="https://www.a.example/y"), "m.a.example/x"),
        (Article("https://a.example/x", canonical_url="https://a.example/"), "a.example/x"),
        (Article("https://a.example/x", canonical_url="https://a.example/y"), "a.example/x"),
        (Article("https://a.example/x/amp", canonical_url="https://a.example/x"), "a.example/x/amp"),
        (
            Article("https://a.example/x/pdf", publisher="The A", article_id="7", extractor=Extractor(rules="a/print")),
            "a.example/x/pdf",
        ),
        (
            Article(
                "http://a.example/x?p=1",
                publisher="The A",
                article_id="7",
                alternates=[Alternate("https://a.example/x?p=1", "print")],
            ),
            "a.example/x?p=1",
        ),
        (
            Article(
                "https://a.example/x",
                publisher="The A",
                article_id="7",
                alternates=[Alternate("https://a.example/x/amp", "amp")],
            ),
            "The A #7",
        ),
    ],
)
def test_the_identity_of_an_article(article: Article, identity: str):
    assert identity_of(article) == identity


def test_tracking_parameters_go_and_others_stay():
    assert normalised("http://a.example/?utm_source=x&a=1&gclid=2&b=%20&fbclid=3") == "a.example?a=1&b=%20"
    assert normalised("http://a.example/?utm=x&ref=y") == "a.example?utm=x&ref=y"


@pytest.mark.parametrize(
    "added",
    [
        "?PHPSESSID=b6a1&a=1",
        "?a=1&jsessionid=0A",
        ";jsessionid=0AF3.node1?a=1",
        "?a=1&sid=0123456789abcdef0123456789abcdef",
        "?ASPSESSIONIDQABC=X&a=1&session_id=7",
    ],
)
def test_a_session_makes_no_other_page(added: str):
    assert normalised(f"http://a.example/b{added}") == "a.example/b?a=1"
    assert untracked(f"http://a.example/b{added}") == "http://a.example/b?a=1"


@pytest.mark.parametrize("query", ["?s=ferry", "?sid=1234", "?id=0123456789abcdef0123456789abcdef", "?a;b=1"])
def test_what_only_looks_like_a_session_is_kept(query: str):
    assert normalised(f"http://a.example/b{query}") == f"a.example/b{query}"


# --- search


def test_newest_first_without_a_query(catalog: Catalog):
    catalog.add(
        [],
        [
            entry(1, published="2026-01-05T10:00:00+03:00"),
            entry(2, published="2026-01-05"),
            entry(3, published="2026-01-05T06:59:00Z"),
            entry(4, day=9),
            entry(5, published="last week"),
        ],
    )
    assert titles(catalog) == ["Title 4", "Title 1", "Title 3", "Title 2", "Title 5"]
    assert titles(catalog, limit=2) == ["Title 4", "Title 1"]
    assert titles(catalog, "  ") == titles(catalog)


def test_fields_narrow_the_search(catalog: Catalog):
    catalog.add(
        [],
        [
            entry(
                1, publisher="The Example", authors=["Ann Bell", "Ёлка Петрова"], section="News", published="2026-01-02"
            ),
            entry(2, publisher="Other", authors=["Bea Cole"], section="Opinion", published="2026-01-03"),
        ],
    )
    assert titles(catalog, publisher="the EXAMPLE") == ["Title 1"]
    assert titles(catalog, author="петрова") == ["Title 1"]
    assert titles(catalog, author="cole") == ["Title 2"]
    assert titles(catalog, section="opinion") == ["Title 2"]
    assert titles(catalog, since=day(3)) == ["Title 2"]
    assert titles(catalog, until=day(3)) == ["Title 1"]
    assert titles(catalog, "title", author="bell", section="Opinion") == []


def test_a_search_gives_the_words_around_the_match(catalog: Catalog):
    catalog.add([], [entry(1, text="The talks on a ceasefire resumed in Geneva.")])
    (hit,) = catalog.articles("ceasefire")
    assert str(hit.snippet) == "The talks on a [ceasefire] resumed in Geneva."
    assert (hit.record_id, hit.place, hit.identity) == (entry(1)[0], entry(1)[2], "news.example/1")


def test_a_word_in_the_title_counts_for_more(catalog: Catalog):
    catalog.add([], [entry(1, text="peace " * 2 + "word " * 50), entry(2, title="Peace"), entry(3)])
    assert titles(catalog, "peace") == ["Peace", "Title 1"]


def test_case_and_accents_do_not_count(catalog: Catalog):
    catalog.add([], [entry(1, text="Президент подписал указ"), entry(2, text="un café à Genève")])
    assert titles(catalog, "ПОДПИСАЛ") == ["Title 1"]
    assert titles(catalog, "cafe geneve") == ["Title 2"]


def test_only_the_newest_version_is_searched(catalog: Catalog):
    same = {"url": "https://news.example/a"}
    catalog.add([], [entry(1, day=1, text="soldiers", **same), entry(2, day=5, text="peacekeepers", **same)])
    assert titles(catalog, "soldiers") == []
    assert titles(catalog, "peacekeepers") == ["Title 2"]
    assert titles(catalog) == ["Title 2"]


def test_the_archive_as_it_was_known_at_a_time(catalog: Catalog):
    same = {"url": "https://news.example/a"}
    catalog.add([], [entry(1, day=1, text="soldiers", **same), entry(2, day=5, text="peacekeepers", **same)])
    assert titles(catalog, "soldiers", as_of=day(4)) == ["Title 1"]
    assert titles(catalog, "peacekeepers", as_of=day(4)) == []
    assert titles(catalog, as_of=day(5)) == ["Title 2"]
    assert titles(catalog, as_of=day(1) - timedelta(seconds=1)) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("hello world", {1, 2}),
        ('"hello world"', {1}),
        ("«hello world»", {1}),
        ("“hello world”", {1}),
        ('"hello world', {1}),
        ("hello OR deal", {1, 2, 3, 4}),
        ("hello AND world", {1, 2}),
        ("hello -wide", {1, 4}),
        ("hello NOT wide", {1, 4}),
        ("hello AND NOT (wide OR deal)", {1}),
        ("hello -(wide world)", {1, 4}),
        ("(deal OR wide) hello", {2, 4}),
        ("worl*", {1, 2}),
        ("title:three", {3}),
        ("text:three", set()),
        ("author:bell hello", {1}),
        ("tag:war OR tags:peace", {2, 3}),
        ("Putin's deal", {3}),
        ("Putin's \"deal", {3}),
        ("12:30", {4}),
        ("re:hello", set()),
        ("hello & world!", {1, 2}),
        ("hello-world", {1}),
        ("NEAR(hello world)", set()),
        ("^hello* + {world}", {1, 2}),
        ("hello\0world", {1, 2}),
        ("not and or", set()),
        ("hello \ud800 world", {1, 2}),
        ("C++", set()),
        ("title:", set()),
    ],
)
def test_queries(catalog: Catalog, query: str, found: set[int]):
    catalog.add(
        [],
        [
            entry(1, title="One", text="hello world", authors=["Ann Bell"]),
            entry(2, title="Two", text="hello wide world", tags=["war"]),
            entry(3, title="Three", text="Putin's new deal", tags=["peace"]),
            entry(4, title="Four", text="hello, a deal at 12:30"),
        ],
    )
    assert {int(hit.article.url.rpartition("/")[2]) for hit in catalog.articles(query)} == found


@pytest.mark.parametrize(
    ("query", "position", "reason"),
    [
        ("(hello", 0, "an opening bracket that nothing closes"),
        ("hello (a (b)", 6, "an opening bracket that nothing closes"),
        ("hello)", 5, "a closing bracket that nothing opened"),
        ("hello OR", 8, "a word is missing beside OR"),
        ("AND hello", 0, "a word is missing beside AND"),
        ("hello OR OR there", 9, "a word is missing beside OR"),
        ("hello NOT", 9, "a word is missing beside NOT"),
        ("-hello", 0, "only words to leave out"),
        ("a OR -hello", 5, "only words to leave out"),
        ("&", 0, "there is no word in it"),
        ('""', 0, "there is no word in it"),
        ("(" * 30 + "a" + ")" * 30, 20, "brackets more than 20 deep"),
        ("a " * 300, 0, "more than 200 words"),
    ],
)
def test_a_query_without_meaning_says_where(catalog: Catalog, query: str, position: int, reason: str):
    with pytest.raises(QueryError, match=reason) as caught:
        catalog.articles(query)
    assert caught.value.position == position
    assert isinstance(caught.value, ValueError)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*"()\"*:-+^{}«»'&,. \0", "AND", "OR", "NOT", "NEAR", " ", "a", "title:", "ё"])).map(
        "".join
    )
)
def test_no_text_makes_the_search_engine_stumble(query: str):
    try:
        fts5 = read_query(query).fts5
    except QueryError:
        return
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE texts USING fts5 (title, authors, section, tags, description, text)")
        db.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (fts5,)).fetchall()


# --- several at once, damage, replacement


def fill(path: Path, worker: int) -> None:
    with Catalog(path) as catalog:
        for number in range(20):
            catalog.add([capture(1000 * worker + number)], [entry(100 * worker + number), entry(number)])


def test_several_processes_fill_one_catalogue(tmp_path: Path):
    path = tmp_path / "catalog.sqlite"
    spawning = multiprocessing.get_context("spawn")
    workers = [spawning.Process(target=fill, args=(path, number)) for number in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Catalog(path) as catalog:
        catalog.check()
        assert len(list(catalog.dump())) == 60 + 60 + 20


def test_several_threads_share_one_object(catalog: Catalog):
    def add(worker: int) -> None:
        for number in range(10):
            catalog.add([], [entry(100 * worker + number)])
            assert catalog.article(f"https://news.example/{100 * worker + number}")

    threads = [threading.Thread(target=add, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(titles(catalog, limit=100)) == 30


def read_whole(path: Path) -> None:
    with Catalog(path) as catalog:
        catalog.check()
        list(catalog.dump())


@pytest.mark.parametrize("damage", ["not a database", "cut", "overwritten", "another schema", "another database"])
def test_a_damaged_catalogue_says_how_to_make_it_again(tmp_path: Path, damage: str):
    path = tmp_path / "catalog.sqlite"
    if damage == "not a database":
        path.write_bytes(b"hello " * 1000)
    elif damage == "another database":
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE captures (a)")
        db.close()
    else:
        with Catalog(path) as catalog:
            catalog.add([capture(number) for number in range(200)], [entry(number) for number in range(200)])
        if damage == "another schema":
            db = sqlite3.connect(path)
            db.execute("PRAGMA user_version = 99")
            db.close()
        else:
            data = bytearray(path.read_bytes())
            data[4096 : len(data) if damage == "cut" else 60_000] = b"" if damage == "cut" else bytes(60_000 - 4096)
            path.write_bytes(data)
    with pytest.raises(IndexDamaged, match=r"catalog\.sqlite: .*newswarc index rebuild"):
        read_whole(path)


def test_a_full_text_index_that_says_something_else_is_damage(tmp_path: Path):
    path = tmp_path / "catalog.sqlite"
    with Catalog(path) as catalog:
        catalog.add([], [entry(1)])
        catalog.check()
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER articles_removed")
    db.execute("DELETE FROM articles")
    db.commit()
    db.close()
    with Catalog(path) as catalog, pytest.raises(IndexDamaged):
        catalog.check()


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path):
    (tmp_path / "catalog.sqlite").mkdir()
    with pytest.raises(StorageRefused, match="cannot be opened"):
        Catalog(tmp_path / "catalog.sqlite")


def test_a_dump_does_not_depend_on_the_order_of_filling(tmp_path: Path):
    entries = [entry(number, day=1 + number % 5) for number in range(30)]
    captures = [capture(number) for number in range(30)]
    dumps = []
    for seed in range(3):
        random.Random(seed).shuffle(entries)
        random.Random(seed).shuffle(captures)
        with Catalog(tmp_path / f"{seed}.sqlite") as catalog:
            for number in range(30):
                catalog.add([captures[number]], [entries[number]])
            dumps.append(list(catalog.dump()))
    assert dumps[0] == dumps[1] == dumps[2]
    assert len(dumps[0]) == 60


def test_a_catalogue_put_in_place_is_seen_by_those_who_use_the_old_one(tmp_path: Path):
    path, new = tmp_path / "catalog.sqlite", tmp_path / "new"
    with Catalog(path) as using, Catalog(path) as writing:
        using.add([capture(1), capture(2, place=Place("warc/open.warc.gz", 1, 2))], [entry(1)])
        with Catalog(new) as fresh:
            fresh.add([capture(3)], [entry(3)])
        put_in_place(new, path, lambda file: file == "warc/open.warc.gz")
        writing.add([capture(4)], [])
        assert titles(using) == ["Title 3"]
        ids = [json.loads(line)["record_id"] for line in using.dump()]
        assert ids == [entry(3)[0], *(capture(number).record_id for number in (2, 3, 4))]
        using.check()
    assert not new.exists()
    with Catalog(path) as again:
        again.check()
        assert len(list(again.dump())) == 4


def test_putting_in_place_while_others_write_loses_no_row_of_open_files(tmp_path: Path):
    path = tmp_path / "catalog.sqlite"
    stop = threading.Event()
    written: list[str] = []

    def write() -> None:
        with Catalog(path) as catalog:
            number = 0
            while not stop.is_set():
                number += 1
                one = capture(number)
                catalog.add([one], [])
                written.append(one.record_id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            with Catalog(tmp_path / f"new-{number}") as fresh:
                fresh.add([], [entry(number)])
            put_in_place(tmp_path / f"new-{number}", path, lambda file: file.startswith("warc/"))
    finally:
        stop.set()
        writer.join(60)
    with Catalog(path) as catalog:
        catalog.check()
        rows = [json.loads(line) for line in catalog.dump()]
    assert {row["record_id"] for row in rows if row["table"] == "captures"} == set(written)
    assert [row["title"] for row in rows if row["table"] == "articles"] == ["Title 9"]


def test_a_catalogue_that_cannot_be_read_gives_way(tmp_path: Path):
    path, new = tmp_path / "catalog.sqlite", tmp_path / "new"
    path.write_bytes(b"no database " * 1000)
    (tmp_path / "catalog.sqlite-wal").write_bytes(b"left over")
    with Catalog(new) as fresh:
        fresh.add([capture(3)], [])
    put_in_place(new, path, lambda _: True)
    with Catalog(path) as catalog:
        catalog.check()
        assert len(list(catalog.dump())) == 1


# --- what drift is told from


def test_the_facts_of_a_host_are_its_newest_captures_in_their_order_each_once(catalog: Catalog):
    entries = [entry(n, day=n, authors=["A B"] if n % 2 else []) for n in range(1, 10)]
    again = entry(9, day=9, file="articles/b.warc.gz", authors=["C D"], title="Read again")
    others = [
        entry(20, url="https://other.example/1", record_id="<urn:uuid:other>"),
        entry(21, url="https://sub.news.example/1", record_id="<urn:uuid:sub>"),
        entry(22, url="https://news.example.org/1", record_id="<urn:uuid:org>"),
        entry(23, url="http://www.news.example:8080/1", day=10, record_id="<urn:uuid:port>"),
    ]
    catalog.add([], [*reversed(entries), again, *others])
    facts = catalog.facts("news.example", 4)  # of which one is an earlier extraction
    assert [fact.url for fact in facts] == [
        "https://news.example/8",
        "https://news.example/9",
        "http://www.news.example:8080/1",
    ]
    assert [fact.title for fact in facts if fact.url.endswith("/9")] == ["Read again"]
    assert ["authors" in fact.has for fact in facts if fact.url.endswith("/8")] == [False]
    assert len(catalog.facts("news.example", 100)) == 10
    assert catalog.facts("absent.example", 100) == []
