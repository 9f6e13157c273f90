"""Index and catalogue made again from the WARC files are those that were filled while the files were written."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import warc
from archive.article import Article
from archive.capture import Capture, iso
from archive.catalog import Catalog
from archive.errors import StorageUnavailable
from archive.exchange import Exchange
from archive.index import Index
from archive.manifest import Manifest
from archive.place import Place
from archive.rebuild import Rebuilt, rebuild
from archive.spool import Spool
from archive.storage.local import LocalStorage
from archive.upload import publish
from archive.writer import SegmentWriter

AT = datetime(2026, 11, 21, 20, 48, 0, 123456, tzinfo=UTC)
FIELDS = [("software", "newswarc/0")]


def response(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


PAGES = [  # path, response, how it was cut
    ("/a", response("200 OK", b"<p>one</p>", Content_Type="text/html; charset=utf-8"), None),
    ("/a?utm_source=x", response("200 OK", b"<p>one</p>", Content_Type="text/html"), None),  # a revisit
    ("/old", response("301 Moved", b"", Location="/a"), None),
    ("/missing", response("404 Not Found", b"no", Content_Type="text/html"), None),
    ("/cut", response("200 OK", b"x" * 100)[:-50], "disconnect"),
    ("/cut-head", b"HTTP/1.1 200 OK\r\nContent-Ty", "disconnect"),
    ("/not-http", b"SSH-2.0-OpenSSH\r\n", None),
    ("/чай", response("200 OK", "чай".encode(), Content_Type="text/plain"), None),
    ("/empty", response("204 No Content"), None),
]


@dataclass
class Filled:
    """An archive written as a crawl writes it, and the catalogue filled meanwhile."""

    root: Path
    captures: list[Capture] = field(default_factory=list)
    articles: list[tuple[str, Article, Place]] = field(default_factory=list)

    @property
    def storage(self) -> LocalStorage:
        return LocalStorage(self.root)

    @property
    def state(self) -> Path:
        return self.root / ".newswarc"

    @property
    def catalog_path(self) -> Path:
        return self.state / "catalog.sqlite"

    def write(self, round_number: int = 0, *, sealed: bool = True) -> None:
        """Archive PAGES, an article of each, the second article twice; publish when *sealed*."""
        session = self.state / "sessions" / f"session-{round_number}"
        session.mkdir(parents=True)
        captures, articles = SegmentWriter(session, "captures", FIELDS), SegmentWriter(session, "articles", FIELDS)
        with Catalog(self.catalog_path) as catalog:
            for number, (path, data, truncated) in enumerate(PAGES):
                at = AT + timedelta(hours=round_number, seconds=number)
                with Spool(data) as spool:
                    exchange = Exchange(
                        f"https://news.example{path}", "GET", b"GET / HTTP/1.1\r\n\r\n", spool, at, at,
                        truncated=truncated,  # type: ignore[arg-type]  # one of the literals
                    )  # fmt: skip
                    records = warc.capture_records(
                        exchange, warcinfo_id=captures.warcinfo_id, original=catalog.original
                    )
                    shown = [entry.capture for entry in captures.append(records) if entry.capture]
                    captures.sync()
                    for capture in shown:
                        entries = [self._article(articles, capture, n, at) for n in range(2 if number == 1 else 1)]
                        articles.sync()
                        catalog.add([capture], entries)
                        self.captures.append(capture)
                        self.articles += entries
        if sealed:
            captures.close()
            articles.close()
            publish(session, self.storage)

    def _article(
        self, writer: SegmentWriter, capture: Capture, extraction: int, at: datetime
    ) -> tuple[str, Article, Place]:
        article = Article(
            url=capture.url,
            title=f"Title of {capture.url} \ud83d",
            text=f"Text, read {extraction} times.",
            publisher="Example" if extraction else None,
            article_id="1",
            captured_at=iso(capture.captured_at),
            record_id=capture.record_id,
            page_kind="error" if capture.status == 404 else "article",
        )
        record = warc.conversion(article, warcinfo_id=writer.warcinfo_id, date=at)
        (entry,) = writer.append([record])
        place = entry.place
        return record.id, article, place

    def rebuild(self, *, compare: bool = False) -> Rebuilt:
        return rebuild(self.storage, self.state, self.catalog_path, compare=compare)

    def keys(self, prefix: str) -> list[str]:
        return [found.key for found in self.storage.list(prefix)]

    def files(self) -> dict[str, bytes]:
        return {key: self.storage.read(key) for key in self.keys("")}

    def dump(self) -> list[str]:
        with Catalog(self.catalog_path) as catalog:
            catalog.check()
            return list(catalog.dump())

    def put(self, key: str, data: bytes) -> None:
        self.storage.put(key, data, sha256=hashlib.sha256(data).hexdigest(), replace=True)


@pytest.fixture
def archive(tmp_path: Path) -> Filled:
    filled = Filled(tmp_path / "archive")
    filled.write(0)
    filled.write(1)
    return filled


def changes(done: Rebuilt) -> list[tuple[str, str]]:
    return [(difference.what, difference.message) for difference in done.differences]


def state_files(archive: Filled) -> set[str]:
    return {path.name for path in archive.state.glob("catalog*")}


def test_nothing_differs_from_what_was_filled_while_writing(archive: Filled):
    files, dump = archive.files(), archive.dump()
    types = [capture.record_type for capture in archive.captures]
    assert types.count("revisit") >= 3  # the test covers what it should
    done = archive.rebuild()
    assert done.damage == []
    assert done.differences == []
    assert archive.files() == files
    assert archive.dump() == dump
    assert (done.warcs, done.captures, done.articles) == (4, len(archive.captures), len(archive.articles))
    assert state_files(archive) == {"catalog.sqlite", "catalog.sqlite.lock"}


def test_everything_comes_back_after_index_and_catalogue_are_deleted(archive: Filled):
    files, dump = archive.files(), archive.dump()
    shutil.rmtree(archive.root / "index")
    archive.catalog_path.unlink()
    done = archive.rebuild()
    assert changes(done) == [("segment", "was missing")] * 2 + [("catalogue", "was missing")]
    assert archive.files() == files
    assert archive.dump() == dump


def test_comparing_tells_and_changes_nothing(archive: Filled):
    key = archive.keys("index/")[0]
    archive.put(key, archive.storage.read(key).replace(b"200", b"299"))
    archive.put("index/2026/11/21/stray.cdxj", b"")
    with Catalog(archive.catalog_path) as catalog:
        catalog.add([replace(archive.captures[0], record_id="<urn:x>", place=Place("warc/gone.warc.gz", 0, 1))], [])
    files, dump = archive.files(), archive.dump()
    done = archive.rebuild(compare=True)
    assert [what for what, _ in changes(done)] == ["segment", "segment", "catalogue"]
    assert [difference.message for difference in done.differences][1:] == [
        "belongs to no WARC file",
        "is in no WARC file",
    ]
    assert archive.files() == files
    assert archive.dump() == dump


def test_a_rebuild_mends_what_was_changed(archive: Filled):
    files, dump = archive.files(), archive.dump()
    key = archive.keys("index/")[0]
    archive.put(key, b"")
    archive.put("index/2026/11/21/stray.cdxj", b"")
    with Catalog(archive.catalog_path) as catalog, catalog._writing() as db:
        db.execute("DELETE FROM captures WHERE status = 404")
        db.execute("UPDATE articles SET title = 'other' WHERE page_kind = 'error'")
    done = archive.rebuild()
    assert len(done.differences) == 2 + 2 + 2
    assert ("catalogue", "had another title") in changes(done)
    assert ("catalogue", "was missing") in changes(done)
    assert archive.files() == files
    assert archive.dump() == dump
    assert archive.rebuild().differences == []


@pytest.mark.parametrize("damage", ["deleted", "no database", "cut"])
def test_a_broken_catalogue_gives_way(archive: Filled, damage: str):
    dump = archive.dump()
    if damage == "deleted":
        archive.catalog_path.unlink()
    elif damage == "no database":
        archive.catalog_path.write_bytes(b"hello " * 3000)
    else:
        archive.catalog_path.write_bytes(archive.catalog_path.read_bytes()[:5000])
    done = archive.rebuild()
    assert [difference.what for difference in done.differences] == ["catalogue"]
    assert archive.dump() == dump


def test_rows_of_segments_still_being_written_stay(archive: Filled):
    archive.write(2, sealed=False)
    dump = archive.dump()
    done = archive.rebuild()
    assert done.differences == []
    assert archive.dump() == dump


def test_the_manifest_tells_of_the_segment_as_it_is(archive: Filled):
    key = archive.keys("manifest/")[0]
    files = archive.files()
    manifest = json.loads(files[key])
    manifest["index"]["sha256"] = "0" * 64
    archive.put(key, json.dumps(manifest).encode())
    done = archive.rebuild()
    assert changes(done) == [("manifest", "told of another index segment")]
    assert archive.files() == files
    Manifest.from_bytes(archive.storage.read(key))


def test_a_damaged_record_is_told_and_the_others_are_taken_in(archive: Filled):
    key = archive.keys("warc/")[0]
    first = [capture for capture in archive.captures if capture.place.key == key]
    place = first[3].place
    data = bytearray(archive.storage.read(key))
    data[place.offset + place.length // 2] ^= 0xFF
    archive.put(key, bytes(data))
    done = archive.rebuild()
    assert done.damage
    assert {damage.key for damage in done.damage} == {key}
    assert done.captures == len(archive.captures) - 1
    found = Index(archive.storage, archive.state / "cache").captures(first[4].url)
    assert first[4] in list(found)
    assert any(line.startswith(f"damaged: {key} at ") for line in done.lines())
    assert json.loads(json.dumps(done.to_json()))["damage"]


def test_a_cut_file_keeps_its_whole_records(archive: Filled):
    key = archive.keys("warc/")[0]
    first = [capture for capture in archive.captures if capture.place.key == key]
    archive.put(key, archive.storage.read(key)[: first[-1].place.offset + 10])
    done = archive.rebuild()
    assert done.captures == len(archive.captures) - 1
    assert [damage.key for damage in done.damage] == [key]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"url": 5}',
        b'{"url": "x:", "title": {}}',
        b'{"url": "x:", "text": null}',
        b'{"url": "x:", "images": [5]}',
        b'{"url": "x:", "authors": [1]}',
    ],
)
def test_an_article_that_cannot_be_read_is_told(tmp_path: Path, content: bytes):
    archive = Filled(tmp_path / "archive")
    archive.put("articles/2026/a.warc.gz", plain_record("conversion", content, content_type="application/json"))
    archive.put(
        "articles/2026/b.warc.gz", plain_record("conversion", b'{"url": "x:"}', content_type="application/json")
    )
    done = archive.rebuild()
    assert done.articles == 1
    assert [(damage.key, damage.offset) for damage in done.damage] == [("articles/2026/a.warc.gz", 0)]
    assert "its article cannot be read" in done.damage[0].message


def plain_record(kind: str, block: bytes, *, content_type: str, more: str = "", compress: bool = True) -> bytes:
    head = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{hashlib.md5(block).hexdigest()}>\r\n"
        f"WARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Target-URI: https://news.example/\r\n{more}"
        f"Content-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    record = head.encode() + block + b"\r\n\r\n"
    return gzip.compress(record, mtime=0) if compress else record


def test_files_of_other_tools_are_taken_in(tmp_path: Path):
    archive = Filled(tmp_path / "archive")
    one = response("200 OK", b"1")
    http = "application/http; msgtype=response"
    archive.put("warc/plain.warc", plain_record("response", one, content_type=http, compress=False))
    archive.put("warc/other/x.warc.gz", plain_record("resource", b"\x89PNG", content_type="image/png"))
    archive.put("warc/notes.txt", b"not a WARC")
    both = gzip.compress(
        plain_record("response", one + b"2", content_type=http, compress=False)
        + plain_record("response", one + b"3", content_type=http, compress=False)
    )
    archive.put("warc/shared.warc.gz", both)
    done = archive.rebuild()
    assert archive.keys("index/") == ["index/other/x.cdxj", "index/plain.cdxj", "index/shared.cdxj"]
    types = sorted(
        capture.record_type for capture in Index(archive.storage, tmp_path).captures("https://news.example/")
    )
    assert types[:2] == ["resource", "response"]
    assert any("several records in one gzip member" in damage.message for damage in done.damage)


def test_a_merged_index_is_made_anew_when_a_segment_changes(archive: Filled):
    index = Index(archive.storage, archive.state / "cache", refresh_s=0)
    index.merge()
    files = archive.files()
    assert archive.rebuild().differences == []
    assert archive.files() == files
    key = archive.keys("index/2")[0]
    archive.put(key, archive.storage.read(key).replace(b"200", b"299"))
    index.refresh()
    index.merge()
    assert archive.rebuild().differences
    assert archive.files() == files
    merged = next(key for key in archive.keys("index/merged/") if key.endswith(".cdxj"))
    archive.put(merged, archive.storage.read(merged).replace(b"200", b"299"))
    assert changes(archive.rebuild(compare=True)) == [("merged", "its bytes are not those that were written")]
    archive.rebuild()
    assert archive.files() == files


def test_progress_counts_bytes_to_the_end(archive: Filled):
    told: list[tuple[str, int, int]] = []
    rebuild(archive.storage, archive.state, archive.catalog_path, lambda *step: told.append(step))
    assert [key for key, _, _ in told] == archive.keys("warc/") + archive.keys("articles/")
    assert told[-1][1] == told[-1][2] == sum(len(archive.storage.read(key)) for key, _, _ in told)


def test_an_empty_archive_has_an_empty_catalogue(tmp_path: Path):
    archive = Filled(tmp_path / "archive")
    done = archive.rebuild()
    assert next(iter(done.lines())) == "0 WARC files, 0 records: 0 captures, 0 articles"
    assert archive.dump() == []
    assert list(archive.rebuild().lines())[-1] == "nothing differed"


def test_two_rebuilds_at_once_are_one_too_many(archive: Filled):
    with (archive.state / "rebuild.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StorageUnavailable, match="another rebuild is at work"):
            archive.rebuild()


def test_what_a_crashed_rebuild_left_is_removed(archive: Filled):
    (archive.state / "catalog-0123456789ab.rebuilding").write_bytes(b"half")
    (archive.state / "catalog-0123456789ab.rebuilding-wal").write_bytes(b"half")
    archive.rebuild()
    assert state_files(archive) == {"catalog.sqlite", "catalog.sqlite.lock"}


def test_those_who_use_the_catalogue_meanwhile_see_the_new_one(archive: Filled):
    with Catalog(archive.catalog_path) as catalog, catalog._writing() as db:
        db.execute("DELETE FROM captures")
    with Catalog(archive.catalog_path) as using:
        assert using.latest("https://news.example/a") is None
        archive.rebuild()
        assert using.latest("https://news.example/a") is not None


def test_a_rebuild_that_fails_leaves_the_catalogue_as_it_was(archive: Filled, monkeypatch: pytest.MonkeyPatch):
    dump = archive.dump()
    calls = iter([None, None, None])

    def failing(self: LocalStorage, key: str) -> object:
        if next(calls, 1) is None:
            return original(self, key)
        raise StorageUnavailable("gone")

    original = LocalStorage.open
    monkeypatch.setattr(LocalStorage, "open", failing)
    with pytest.raises(StorageUnavailable, match="gone"):
        archive.rebuild()
    monkeypatch.undo()
    assert archive.dump() == dump
    assert state_files(archive) == {"catalog.sqlite", "catalog.sqlite.lock"}
