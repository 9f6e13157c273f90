"""Articles of one text at several addresses are a group, and stay what they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.article import Alternate, Article
from archive.catalog import Catalog, identity_of, put_in_place, relations, schema
from archive.errors import IndexDamaged
from archive.place import Place
from tests.archive.test_copies import prose

SITE = "https://news.example"
STORY = f"{SITE}/2026/story"

Entry = tuple[str, Article, Place]


def entry(url: str, text: int | str = 1, *, at: int = 1, file: str = "articles/a.warc.gz", **fields: object) -> Entry:
    """An article at *url* with text number *text*, captured on that day of January."""
    shown: dict[str, object] = {
        "title": f"The title of story {text}" if isinstance(text, int) else "A title",
        "text": prose(text) if isinstance(text, int) else text,
        "captured_at": f"2026-01-{at:02d}T00:00:00.000000Z",
        "record_id": f"<urn:uuid:response-{url}-{at}>",
    }
    number = sum(map(ord, f"{url} {at}"))
    return f"<urn:uuid:{url}-{at}-{file}>", Article(url, **(shown | fields)), Place(file, number, 500)  # type: ignore[arg-type]


def amp(url: str) -> list[Alternate]:
    return [Alternate(url, "amp")]


def editions(**urls: str) -> list[Alternate]:
    return [Alternate(url, "language", language) for language, url in urls.items()]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        yield catalog


def grouped(catalog: Catalog) -> dict[str, set[str]]:
    """Return the addresses of each listed article by the group it is in."""
    found: dict[str, set[str]] = {}
    for hit in catalog.in_groups(catalog.articles(limit=1000)):
        assert hit.group is not None
        assert hit.article.url in hit.group.urls
        found.setdefault(hit.group.id, set()).add(hit.article.url)
    return found


def same_as(catalog: Catalog, url: str) -> dict[str, tuple[str, str | None]]:
    found = catalog.article(url)
    assert found is not None
    return {one.url: (one.reason, one.via) for one in catalog.same_as(found[0])}


FORMS = [
    entry(STORY, at=2),
    entry(f"{STORY}/amp", text=" ".join(prose(1).split()[:300]), at=3),
    entry("https://news-example.cdn.ampproject.org/c/s/news.example/2026/story", at=4),
    entry(f"{SITE}/print/2026/story", text=f"{prose(1)} Printed from the site. {prose(60, 50)}", at=5),
    entry(f"{STORY}?from=front", at=6, canonical_url=STORY),
    entry("https://m.news.example/2026/story", at=7),
    entry("https://agency.example/wire/99", text=f"CAPITAL, Thursday. {prose(1)}", at=8),
]


def test_the_forms_of_an_article_are_one_group_and_stay_articles(catalog: Catalog):
    catalog.add([], FORMS)
    assert grouped(catalog) == {"news.example/2026/story": {one[1].url for one in FORMS}}
    assert same_as(catalog, STORY) == {
        f"{STORY}/amp": ("amp", None),
        "https://news-example.cdn.ampproject.org/c/s/news.example/2026/story": ("amp", None),
        f"{SITE}/print/2026/story": ("print", None),
        f"{STORY}?from=front": ("canonical", None),
        "https://m.news.example/2026/story": ("same-address", None),
        "https://agency.example/wire/99": ("near-copy", None),
    }
    assert [len(catalog.versions(one[1].url)) for one in FORMS] == [1] * len(FORMS)


def test_how_alike_the_texts_are_is_told(catalog: Catalog):
    catalog.add([], FORMS)
    alike = {one.url: one.similarity for one in catalog.same_as(FORMS[0][1])}
    assert alike[f"{STORY}?from=front"] == 1.0
    assert 0.7 < (alike[f"{STORY}/amp"] or 0) < 0.8
    assert 0.98 < (alike["https://agency.example/wire/99"] or 0) < 1


def test_spellings_of_one_address_and_slugs_of_one_number_are_versions(catalog: Catalog):
    known = {"publisher": "The Example", "article_id": "7"}
    catalog.add([], [
        entry("http://www.news.example/2026/story?utm_source=x", at=1),
        entry(STORY, at=2),
        entry(f"{SITE}/old-slug-7", 2, at=1, **known),
        entry(f"{SITE}/new-slug-7", 2, at=2, **known),
    ])  # fmt: skip
    assert same_as(catalog, STORY) == {"http://www.news.example/2026/story?utm_source=x": ("same-address", None)}
    assert same_as(catalog, f"{SITE}/new-slug-7") == {f"{SITE}/old-slug-7": ("article-id", None)}
    assert len(catalog.versions(STORY)) == 2


def test_a_publishers_print_version_is_no_version_of_the_article(catalog: Catalog):
    known = {"publisher": "The Example", "article_id": "7"}
    page, printed = f"{SITE}/story-7", f"{SITE}/story-7/pdf"
    catalog.add([], [
        entry(page, at=1, alternates=[Alternate(printed, "print")], **known),
        entry(printed, 2, at=2, alternates=[Alternate(printed, "print")], canonical_url=page, **known),
    ])  # fmt: skip
    assert len(catalog.versions(page)) == 1
    assert same_as(catalog, page) == {printed: ("print", None)}
    assert same_as(catalog, printed) == {page: ("print", None)}


@pytest.mark.parametrize(
    "canonical", [SITE, f"{SITE}/index.html", f"{SITE}/news", STORY, "https://agency.example/wire"]
)
def test_a_canonical_address_of_all_pages_groups_none(catalog: Catalog, canonical: str):
    catalog.add([], [entry(canonical, 50), *(entry(f"{SITE}/{n}", n, canonical_url=canonical) for n in range(2, 12))])
    assert len(grouped(catalog)) == 11
    assert same_as(catalog, f"{SITE}/5") == {}


def test_what_an_address_looks_like_is_not_enough(catalog: Catalog):
    catalog.add([], [entry(f"{SITE}/guitars", 2), entry(f"{SITE}/guitars/amp", 3), entry(f"{SITE}/print/guitars", 4)])
    assert len(grouped(catalog)) == 3


def test_two_pages_that_name_each_other_need_no_text(catalog: Catalog):
    page, form = f"{SITE}/video-7", f"{SITE}/a/7"
    catalog.add([], [entry(page, 2, alternates=amp(form)), entry(form, 3, canonical_url=page)])
    assert same_as(catalog, page) == {form: ("amp", None)}
    catalog.add([], [entry(f"{SITE}/other", 4, canonical_url=page)])
    assert same_as(catalog, page) == {form: ("amp", None)}


def test_forms_whose_article_is_not_archived_are_a_group(catalog: Catalog):
    catalog.add([], [
        entry(f"{STORY}?a=1", canonical_url=STORY), entry(f"{STORY}?a=2", canonical_url=STORY), entry(f"{STORY}/amp")
    ])  # fmt: skip
    assert len(grouped(catalog)) == 1


def test_an_address_that_too_many_name_is_not_believed(catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(relations, "MOST_CLAIMANTS", 3)
    short = "The same few words that all of these pages say; there are more than twenty of them, but less than eighty."
    catalog.add([], [entry(f"{SITE}/{n}", short, canonical_url=STORY) for n in range(3)])
    assert len(grouped(catalog)) == 1
    catalog.add([], [entry(f"{SITE}/4", short, canonical_url=STORY), entry(STORY, short)])
    assert len(grouped(catalog)) == 5


def test_a_text_that_too_many_have_is_a_template(catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(relations, "MOST_BEARERS", 3)
    catalog.add([], [entry(f"https://{n}.example/a") for n in range(3)])
    assert len(grouped(catalog)) == 1
    catalog.add([], [entry("https://4.example/a")])
    assert len(grouped(catalog)) == 4


def test_a_band_that_too_many_texts_share_is_of_a_template(catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    def near(number: int) -> Entry:
        return entry(f"https://{number}.example/a", f"{prose(1)} {prose(70 + number, 5)}", title="Same")

    monkeypatch.setattr(relations, "MOST_LIKE", 3)
    catalog.add([], map(near, range(3)))
    assert len(grouped(catalog)) == 1
    catalog.add([], map(near, range(3, 30)))
    assert len(grouped(catalog)) == 30


def test_groups_hang_together_through_their_members(catalog: Catalog):
    words = prose(1, 1000).split()
    texts = [" ".join(words[at : at + 800]) for at in (0, 80, 160)]
    catalog.add([], [entry(f"https://{n}.example/a", text, title="Same") for n, text in enumerate(texts)])
    assert len(grouped(catalog)) == 1
    assert same_as(catalog, "https://0.example/a") == {
        "https://1.example/a": ("near-copy", None),
        "https://2.example/a": ("near-copy", "https://1.example/a"),
    }


def test_a_copy_of_an_earlier_version_is_one(catalog: Catalog):
    catalog.add([], [entry(STORY, at=1), entry(STORY, 2, at=5), entry("https://agency.example/1", at=2)])
    assert same_as(catalog, STORY) == {"https://agency.example/1": ("near-copy", None)}


def test_what_a_later_extraction_reads_counts(catalog: Catalog):
    wrong = entry(f"{SITE}/a", text=1)
    right = entry(f"{SITE}/a", text=2, file="articles/b.warc.gz")
    catalog.add([], [right, wrong, entry("https://agency.example/1")])
    assert len(grouped(catalog)) == 2


def test_block_pages_and_listings_are_in_no_group(catalog: Catalog):
    kinds = ("article", "block", "consent", "error", "index")
    catalog.add([], [entry(f"{SITE}/{kind}", page_kind=kind) for kind in kinds])
    assert grouped(catalog) == {"news.example/article": {f"{SITE}/article"}}
    shown = catalog.article(f"{SITE}/block")
    assert shown is not None
    assert catalog.same_as(shown[0]) == []


# --- languages


def test_an_edition_in_another_language_has_a_group_of_its_own(catalog: Catalog):
    ru, de = "https://ru.news.example/7", "https://de.news.example/7"
    catalog.add([], [
        entry(STORY, language="en", alternates=editions(en=STORY, ru=ru)),
        entry(f"{STORY}/amp", language="en"),
        entry(ru, 2, at=2, language="ru", alternates=editions(en=STORY, de=de)),
        entry("https://agency.example/ru", 2, at=3, language="ru"),
        entry(de, 3, at=4, language="de"),
    ])  # fmt: skip
    assert len(grouped(catalog)) == 3
    assert same_as(catalog, STORY) == {
        f"{STORY}/amp": ("amp", None),
        ru: ("language", None),
        "https://agency.example/ru": ("language", None),
        de: ("language", ru),
    }
    assert same_as(catalog, de)[STORY] == ("language", ru)
    found = {one.url: one for one in catalog.same_as(entry(STORY)[1])}
    assert (found[ru].language, found[ru].similarity) == ("ru", None)


@pytest.mark.parametrize("case", ["front page", "another language", "another page in its place", "many name it"])
def test_an_edition_that_is_none(catalog: Catalog, case: str):
    ru = "https://ru.news.example/" if case == "front page" else "https://ru.news.example/7"
    other: dict[str, object] = {"language": "de" if case == "another language" else "ru"}
    if case == "another page in its place":
        other["alternates"] = editions(en=f"{SITE}/another")
    catalog.add([], [entry(STORY, language="en", alternates=editions(ru=ru)), entry(ru, 2, **other)])
    if case == "many name it":
        assert same_as(catalog, STORY) == {ru: ("language", None)}
        catalog.add([], [entry(f"{SITE}/another", 3, language="en", alternates=editions(ru=ru))])
    assert same_as(catalog, STORY) == {}
    assert same_as(catalog, ru) == {}


# --- asking by another address


@pytest.mark.parametrize(
    "asked",
    [
        f"{STORY}/amp",
        f"{STORY}?amp=1&utm_source=x",
        f"{SITE}/print/2026/story",
        "http://www.news.example/2026/story/",
        "https://cdn.ampproject.org/c/s/news.example/2026/story",
        f"{SITE}/a/7",
        f"{SITE}/canonical",
    ],
)
def test_an_article_is_found_by_addresses_that_are_not_archived(catalog: Catalog, asked: str):
    catalog.add([], [
        entry(STORY, canonical_url=f"{SITE}/canonical", alternates=amp(f"{SITE}/a/7")), entry(f"{SITE}/b", 2)
    ])  # fmt: skip
    found = catalog.article(asked)
    assert found is not None
    assert found[0].url == STORY


def test_a_canonical_address_of_several_articles_leads_to_none(catalog: Catalog):
    catalog.add([], [entry(f"{SITE}/{n}", n, canonical_url=STORY) for n in (2, 3)])
    assert catalog.article(STORY) is None


# --- whatever the order


POOL = [
    *FORMS,
    entry(f"{SITE}/decoy", 9, canonical_url=STORY),
    entry(STORY, 2, at=9),
    entry(f"{SITE}/other", 2, alternates=editions(ru="https://ru.news.example/7")),
    entry("https://ru.news.example/7", 3, language="ru"),
    entry("https://ru.news.example/7", 4, language="ru", file="articles/b.warc.gz"),
    entry("https://agency.example/4", 4),
]


def state(catalog: Catalog) -> tuple[object, ...]:
    hits = catalog.in_groups(catalog.articles(limit=1000))
    same = {hit.article.url: sorted(map(str, catalog.same_as(hit.article))) for hit in hits}
    return sorted((hit.article.url, hit.group) for hit in hits), same, list(catalog.dump())


def filled(entries: Sequence[Entry], sizes: Sequence[int], dropped: Sequence[Entry] = ()) -> tuple[object, ...]:
    with TemporaryDirectory() as folder, Catalog(Path(folder) / "catalog.sqlite") as catalog:
        moved = [(one[0], one[1], Place("articles/gone.warc.gz", one[2].offset, 1)) for one in dropped]
        catalog.add([], moved)
        left = list(entries)
        for size in sizes:
            catalog.add([], left[:size])
            left = left[size:]
        catalog.forget("articles/gone.warc.gz")
        catalog.add([], left)
        catalog.check()
        return state(catalog)


@settings(max_examples=15, deadline=None)
@given(
    st.permutations(POOL), st.lists(st.integers(1, 5), max_size=6), st.integers(0, len(POOL)), st.integers(0, len(POOL))
)
def test_groups_do_not_depend_on_the_order_of_filling(order: list[Entry], sizes: list[int], count: int, dropped: int):
    some = order[:count]
    gone = [one for one in order[dropped:] if one not in some]
    assert filled(some, sizes, gone) == filled(sorted(some, key=lambda one: one[0]), [])


def test_a_link_is_seen_from_both_ends(catalog: Catalog):
    catalog.add([], POOL)
    hits = {hit.article.url: hit.article for hit in catalog.articles(limit=1000)}
    pairs = {(url, one.url) for url, article in hits.items() for one in catalog.same_as(article)}
    assert {(b, a) for a, b in pairs} == pairs
    assert len(pairs) > 40


def test_a_lost_claim_or_band_is_damage(tmp_path: Path):
    for table in ("claims", "bands"):
        with Catalog(tmp_path / table) as catalog:
            catalog.add([], [entry(STORY)])
            catalog.check()
            with closing(sqlite3.connect(catalog.path)) as db:
                db.execute(f"DELETE FROM {table}")
                db.commit()
            with pytest.raises(IndexDamaged, match=f"its {table} are not those"):
                catalog.check()


# --- a catalogue of an earlier version


def make_second(path: Path) -> None:
    """Make the catalogue at *path* one of schema 2, whose full text was that of the articles, word for word."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            """
            DROP TRIGGER articles_added; DROP TRIGGER articles_removed;
            DROP TABLE articles_fts; DROP VIEW articles_terms;
            CREATE VIRTUAL TABLE articles_fts USING fts5 (
                title, authors, section, tags, description, text,
                content = 'articles', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
            );
            INSERT INTO articles_fts (articles_fts) VALUES ('rebuild');
            CREATE TRIGGER articles_added AFTER INSERT ON articles BEGIN SELECT 1; END;
            CREATE TRIGGER articles_removed AFTER DELETE ON articles BEGIN SELECT 1; END;
            PRAGMA user_version = 2;
            """
        )


def make_earlier(path: Path) -> None:
    """Make the catalogue at *path* one of schema 1, with the identities that it gave."""
    make_second(path)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            """
            DROP VIEW article_versions; DROP VIEW claimed; DROP VIEW banded;
            DROP TRIGGER articles_related; DROP TRIGGER articles_unrelated;
            DROP INDEX articles_by_fingerprint; DROP TABLE claims; DROP TABLE bands;
            ALTER TABLE articles DROP COLUMN form; ALTER TABLE articles DROP COLUMN claims;
            ALTER TABLE articles DROP COLUMN fingerprint; ALTER TABLE articles DROP COLUMN bands;
            ALTER TABLE articles DROP COLUMN numbers; ALTER TABLE articles DROP COLUMN figures;
            ALTER TABLE articles ADD COLUMN canonical_page TEXT NOT NULL DEFAULT '';
            UPDATE articles SET identity = coalesce(canonical_url, page);
            CREATE INDEX articles_by_canonical_page ON articles (canonical_page);
            PRAGMA user_version = 1;
            """
        )
        db.execute(schema._VIEWS.strip())


@pytest.mark.parametrize("earlier", [make_earlier, make_second])
def test_a_catalogue_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path, earlier: Callable[[Path], None]):
    path = tmp_path / "catalog.sqlite"
    with Catalog(path) as catalog:
        catalog.add([], POOL)
        wanted = state(catalog)
    earlier(path)
    with Catalog(path) as catalog:
        catalog.check()
        assert state(catalog) == wanted
        catalog.forget("articles/a.warc.gz")
        catalog.check()
        assert len(list(catalog.dump())) == 1


def test_a_rebuild_after_an_upgrade_keeps_what_a_writer_still_holds(tmp_path: Path):
    path, new = tmp_path / "catalog.sqlite", tmp_path / "new"
    with Catalog(path) as catalog:
        catalog.add([], FORMS)
    make_earlier(path)
    with Catalog(new) as fresh:
        fresh.add([], [entry(f"{SITE}/b", 2, file="articles/b.warc.gz")])
    put_in_place(new, path, lambda file: file == "articles/a.warc.gz")
    with Catalog(path) as catalog:
        catalog.check()
        assert len(grouped(catalog)) == 2
        assert set(grouped(catalog)) == {identity_of(FORMS[0][1]), "news.example/b"}


def test_a_later_version_is_left_alone(tmp_path: Path):
    path = tmp_path / "catalog.sqlite"
    Catalog(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.SCHEMA + 1}")
    with pytest.raises(IndexDamaged, match="a later version of newswarc"):
        Catalog(path)
