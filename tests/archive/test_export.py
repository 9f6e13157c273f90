"""What goes out of an archive: the records that were asked for, byte for byte, with what belongs to them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.article import Article
from archive.capture import IDENTICAL_PAYLOAD, iso
from archive.errors import NotArchived
from archive.export import Chosen, Copier, Filters, NotWritable, Output, Told, choose, hits, tables, write_wacz
from archive.importing import Importer, Source
from archive.recorder import RunInfo
from archive.scan import scan
from archive.storage.local import LocalStorage
from archive.verify import verify_file
from tests.records import HEAD, news, record, record_id

AT = datetime(2026, 11, 28, tzinfo=UTC)
EVERYTHING = Filters()
TOLD = Told("A title", "part of a newswarc archive: a test", AT)
PAGE = "https://news.example/2026/03/01/piece-{}"
REQUEST = {"kind": "request", "content_type": "application/http;msgtype=request"}
LABEL = "sha1:" + "B" * 32


def exchange(n: int, *, page: bytes | None = None) -> list[bytes]:
    """Return a request, a response and metadata of both, as crawlers write them."""
    return [
        record(1000 + n, b"GET / HTTP/1.1\r\n\r\n", url=PAGE.format(n), WARC_Concurrent_To=record_id(n), **REQUEST),
        record(n, HEAD + (page or news(n)), WARC_Payload_Digest=f"sha1:{n:032}"),
        record(2000 + n, b"via: x\r\n", kind="metadata", url=PAGE.format(n),
               content_type="application/warc-fields", WARC_Concurrent_To=record_id(1000 + n)),
    ]  # fmt: skip


def info() -> bytes:
    return record(0, b"software: Wget/1.21.3\r\n", kind="warcinfo", content_type="application/warc-fields")


@pytest.fixture
def archive(tmp_path: Path):
    with Archive.open(str(tmp_path / "archive")) as opened:
        yield opened


def imported(archive: Archive, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert Importer(archive).take(Source(str(path))).outcome == "imported"
    archive.index.refresh()


def extracted(archive: Archive, n: int, **more: object) -> Article:
    (capture,) = archive.captures(PAGE.format(n))
    article = Article(
        url=capture.url,
        title=f"Title {n}",
        text=f"Text {n}.",
        published=f"202{n}-03-01T10:00:00+03:00",
        record_id=capture.record_id,
        captured_at=iso(capture.captured_at),
        **more,  # type: ignore[arg-type]
    )
    recorder = archive.recorder(RunInfo(), rotate_at_bytes=10**9, rotate_after_s=3600)
    recorder.record_article(article)
    recorder.commit()
    recorder.close()
    return article


def warc(archive: Archive, urls: tuple[str, ...] = (), filters: Filters = EVERYTHING) -> tuple[bytes, Copier]:
    out = io.BytesIO()
    copier = Copier(archive, lambda _: ("a.warc.gz", out), part_of="a test", at=AT)
    with closing(Chosen()) as chosen:
        choose(archive, filters, urls, chosen, with_articles=False)
        copier.captures(chosen)
    return out.getvalue(), copier


def members(data: bytes) -> list[bytes]:
    return [data[one.offset : one.offset + one.length] for one in scan(io.BytesIO(data))]


def wacz(archive: Archive, path: Path, **more: object) -> zipfile.ZipFile:
    with closing(Chosen()) as chosen, path.open("w+b") as out:
        choose(archive, Filters(), (), chosen, with_articles=True)
        write_wacz(archive, chosen, out, TOLD, **more)  # type: ignore[arg-type]
    return zipfile.ZipFile(path)


# ---- records


def test_a_subset_has_the_records_of_an_exchange_byte_for_byte_after_their_warcinfo(tmp_path: Path, archive: Archive):
    one, two, three = exchange(1), exchange(2), exchange(3)
    imported(archive, tmp_path / "a.warc.gz", b"".join([info(), *one, *two, *three]))
    data, _ = warc(archive, (PAGE.format(2),))
    first, *others = members(data)
    assert others == [info(), *two]
    assert b"isPartOf: a test" in gzip.decompress(first)
    assert verify_file(io.BytesIO(data), name="a.warc.gz").codes() <= verify_file(tmp_path / "a.warc.gz").codes()


def test_what_describes_a_capture_may_come_after_it(tmp_path: Path, archive: Archive):
    request, response, metadata = exchange(1)
    other = exchange(2)
    imported(archive, tmp_path / "a.warc.gz", b"".join([response, request, metadata, *other]))
    assert members(warc(archive, (PAGE.format(1),))[0])[1:] == [response, request, metadata]


def test_the_original_of_a_revisit_goes_with_it(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join(exchange(1)))
    revisit = record(
        5, HEAD, kind="revisit", url=PAGE.format(5), WARC_Profile=IDENTICAL_PAYLOAD, WARC_Refers_To=record_id(1),
        WARC_Refers_To_Target_URI=PAGE.format(1), WARC_Refers_To_Date="2026-03-01T00:00:01Z",
        WARC_Payload_Digest=f"sha1:{1:032}",
    )  # fmt: skip
    imported(archive, tmp_path / "b.warc.gz", revisit)
    found = members(warc(archive, (PAGE.format(5),))[0])
    assert set(found[1:]) == {revisit, *exchange(1)}


def test_records_of_a_plain_file_become_members_and_are_the_same_inside(tmp_path: Path, archive: Archive):
    records = [gzip.decompress(one) for one in exchange(1)]
    imported(archive, tmp_path / "a.warc", b"".join(records))
    assert [gzip.decompress(one) for one in members(warc(archive)[0])][1:] == records


def test_everything_is_every_capture_once(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join([info(), *exchange(1), *exchange(2)]))
    imported(archive, tmp_path / "b.warc.gz", b"".join([*exchange(2), *exchange(3)]))  # one of them again
    data, copier = warc(archive)
    with_id = [one.id for one in scan(io.BytesIO(data)) if one.type == "response"]
    assert sorted(with_id) == [record_id(n) for n in (1, 2, 3)]
    assert copier.done.captures == 3


def test_a_record_that_changed_since_is_told_and_never_goes_out(tmp_path: Path, archive: Archive):
    bad = record(2, HEAD + news(2), WARC_Block_Digest="sha256:" + "0" * 64)
    imported(archive, tmp_path / "a.warc.gz", b"".join(exchange(1)) + bad)
    data, copier = warc(archive)
    assert [one.id for one in scan(io.BytesIO(data)) if one.type == "response"] == [record_id(1)]
    assert len(copier.done.damaged) == 1
    assert "header says sha256:0000" in copier.done.damaged[0]


def test_an_address_without_captures_is_told(archive: Archive):
    with pytest.raises(NotArchived):
        warc(archive, ("https://nowhere.example/",))


def test_filters_choose_the_captures_that_articles_were_read_from(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join([*exchange(1), *exchange(2)]))
    for n, publisher in ((1, "One"), (2, "Two")):
        extracted(archive, n, publisher=publisher)
    data, _ = warc(archive, filters=Filters(publisher="Two"))
    assert members(data)[1:] == exchange(2)


# ---- packages


def test_a_package_holds_captures_index_pages_and_articles(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join([*exchange(1), *exchange(2), *exchange(3)]))
    extracted(archive, 1)
    with wacz(archive, tmp_path / "a.wacz") as package:
        stored = {info.filename: info.compress_type for info in package.infolist()}
        assert stored["archive/captures-00001.warc.gz"] == stored["indexes/index.cdx.gz"] == zipfile.ZIP_STORED
        pages = [json.loads(line) for line in package.read("pages/pages.jsonl").splitlines()]
        assert pages[1] == {
            "id": record_id(1)[10:-1],
            "url": PAGE.format(1),
            "ts": "2026-03-01T00:00:01Z",
            "title": "Title 1",
            "text": "Text 1.",
        }
        assert len(package.read("pages/extraPages.jsonl").splitlines()) == 3
        data = package.read("archive/captures-00001.warc.gz")
        lines = gzip.decompress(package.read("indexes/index.cdx.gz")).splitlines()
        assert lines == sorted(lines)
        for line in lines:
            values = json.loads(line.split(b" ", 2)[2])
            offset, length = int(values["offset"]), int(values["length"])
            assert values["url"].encode() in gzip.decompress(data[offset : offset + length])
        articles = gzip.decompress(package.read("articles/articles-00001.warc.gz"))
        assert b"WARC-Type: conversion" in articles
        assert json.loads(package.read("datapackage.json"))["wacz_version"] == "1.1.1"


def test_the_index_of_a_package_can_be_searched_block_by_block(
    tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("archive.export.wacz.LINES_A_BLOCK", 2)
    imported(archive, tmp_path / "a.warc.gz", b"".join(part for n in range(1, 6) for part in exchange(n)))
    with wacz(archive, tmp_path / "a.wacz") as package:
        index = package.read("indexes/index.cdx.gz")
        meta, *blocks = package.read("indexes/index.idx").decode().splitlines()
        assert json.loads(meta.split(" ", 2)[2]) == {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}
        found = []
        for block in blocks:
            key, stamp, values = block.split(" ", 2)
            place = json.loads(values)
            lines = gzip.decompress(index[place["offset"] : place["offset"] + place["length"]]).decode().splitlines()
            assert lines[0].startswith(f"{key} {stamp} ")
            found += lines
    assert len(blocks) == 3
    assert len(found) == 5


def test_the_same_captures_give_the_same_package(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join([info(), *exchange(1), *exchange(2)]))
    extracted(archive, 1)
    for name in ("a.wacz", "b.wacz"):
        wacz(archive, tmp_path / name).close()
    assert (tmp_path / "a.wacz").read_bytes() == (tmp_path / "b.wacz").read_bytes()


def test_a_large_package_has_several_files_whose_index_names_the_right_one(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join(part for n in range(1, 5) for part in exchange(n)))
    with wacz(archive, tmp_path / "a.wacz", rotate_at_bytes=1) as package:
        names = [name for name in package.namelist() if name.startswith("archive/")]
        assert len(names) == 4
        for line in gzip.decompress(package.read("indexes/index.cdx.gz")).splitlines():
            values = json.loads(line.split(b" ", 2)[2])
            data = package.read(f"archive/{values['filename']}")
            start = int(values["offset"])
            assert values["url"].encode() in gzip.decompress(data[start : start + int(values["length"])])


# ---- tables


def test_tables_and_texts_hold_each_article_once(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join([*exchange(1), *exchange(2)]))
    extracted(archive, 1, publisher="=Evil/../x", authors=["=cmd()"])
    extracted(archive, 2, publisher=None)
    out = io.BytesIO()
    assert tables.write_jsonl(hits(archive, Filters(), ()), out) == 2
    assert [json.loads(line)["title"] for line in out.getvalue().splitlines()] == ["Title 2", "Title 1"]
    out = io.BytesIO()
    tables.write_csv(hits(archive, Filters(), ()), out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode())))
    assert [row["authors"] for row in rows] == ["", "'=cmd()"]
    assert tables.write_markdown(hits(archive, Filters(), ()), tmp_path / "md") == 2
    files = sorted(str(path.relative_to(tmp_path / "md")) for path in (tmp_path / "md").rglob("*.md"))
    assert [name.rpartition("-")[0] for name in files] == [
        "evil-x/2021/2021-03-01-title-1",
        "unknown/2022/2022-03-01-title-2",
    ]
    text = (tmp_path / "md" / files[0]).read_text()
    front = dict(line.split(": ", 1) for line in text.split("---\n")[1].splitlines())
    assert json.loads(front["authors"]) == ["=cmd()"]
    assert "Text 1." in text.split("---\n", 2)[2]


def test_articles_of_one_address(tmp_path: Path, archive: Archive):
    imported(archive, tmp_path / "a.warc.gz", b"".join([*exchange(1), *exchange(2)]))
    for n in (1, 2):
        extracted(archive, n)
    found = hits(archive, Filters(), (PAGE.format(1),))
    assert [hit.article.title for hit in found] == ["Title 1"]
    assert [hit.article.title for hit in hits(archive, Filters(query="text", limit=1), ())] == ["Title 2"]


def test_parquet_is_typed_and_partitioned_by_publisher_and_year(tmp_path: Path, archive: Archive):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install pyarrow")
    imported(archive, tmp_path / "a.warc.gz", b"".join(part for n in range(1, 4) for part in exchange(n)))
    for n, publisher in ((1, "One/Two"), (2, "One/Two"), (3, None)):
        extracted(archive, n, publisher=publisher)
    (tmp_path / "pq").mkdir()
    assert tables.write_partitions(hits(archive, Filters(), (), by_partition=True), tmp_path / "pq") == 3
    table = parquet.read_table(tmp_path / "pq")
    rows = {row["title"]: row for row in table.to_pylist()}
    assert rows["Title 1"]["published_at"] == datetime(2021, 3, 1, 7, tzinfo=UTC)
    assert rows["Title 1"]["captured_at"] == datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)
    assert {(row["publisher"], row["year"]) for row in rows.values()} == {
        ("One/Two", 2021), ("One/Two", 2022), (None, 2023)
    }  # fmt: skip


# ---- outputs


def test_an_output_is_there_whole_or_not_at_all(tmp_path: Path):
    (tmp_path / "a").write_text("before")
    with pytest.raises(ZeroDivisionError), Output(tmp_path / "a").file() as out:
        out.write(b"half" + bytes(1 // 0))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "before"}
    with Output(tmp_path / "a").file() as out:
        out.write(b"whole")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "whole"}
    with pytest.raises(NotWritable), Output(tmp_path / "a").directory():
        pass
    with pytest.raises(NotWritable), Output(tmp_path / "none" / "a").file():
        pass
    with pytest.raises(ZeroDivisionError), Output(tmp_path / "d").directory() as folder:
        (folder / "x").write_text("half" * (1 // 0))
    assert not (tmp_path / "d").exists()


def test_nothing_that_may_not_go_out_does(tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch):
    imported(archive, tmp_path / "a.warc.gz", b"".join([*exchange(1), *exchange(2)]))
    for n in (1, 2):
        extracted(archive, n)
    monkeypatch.setattr("archive.export.selection.may_go_out", lambda _, capture: capture.url != PAGE.format(1))
    assert members(warc(archive)[0])[1:] == exchange(2)
    assert [hit.article.title for hit in hits(archive, Filters(), ())] == ["Title 2"]
    with wacz(archive, tmp_path / "a.wacz") as package:
        every = b"".join(gzip.decompress(package.read(name)) for name in package.namelist() if name.endswith("gz"))
    assert PAGE.format(1).encode() not in every
    assert PAGE.format(2).encode() in every


def test_records_of_one_file_are_read_where_they_lie_and_no_others(tmp_path: Path):
    class Counting(LocalStorage):
        opened: list[str] = []  # noqa: RUF012 - of this test alone

        def open(self, key: str):
            self.opened.append(key)
            return super().open(key)

    storage = Counting(tmp_path / "archive")
    with Archive(storage, tmp_path / "state") as archive:
        imported(archive, tmp_path / "a.warc.gz", b"".join(exchange(1)))
        imported(archive, tmp_path / "b.warc.gz", b"".join(exchange(2)))
        storage.opened.clear()
        warc(archive, (PAGE.format(1),))
    assert len({key for key in storage.opened if key.startswith("warc/")}) == 1
