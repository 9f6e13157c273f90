"""Files of other tools become segments: their bytes kept, their captures found, their faults told."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from backports import zstd

from archive import cdxj, names
from archive.archive import Archive
from archive.errors import ArchiveError, DigestMismatch, NotArchived
from archive.http1 import payload_chunks
from archive.importing import Account, Importer, Source, sources
from archive.importing.sources import NotImportable
from archive.line_sorter import LineSorter
from archive.manifest import Manifest
from archive.payload import read_message
from archive.rebuild import rebuild
from archive.scan import scan
from archive.verify import verify_archive
from tests.records import HEAD, news, record, record_id

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "warc"


def warcinfo(text: bytes = b"software: Wget/1.21.3\r\n") -> bytes:
    return record(0, text, kind="warcinfo", content_type="application/warc-fields")


def plain(*members: bytes) -> bytes:
    return b"".join(map(gzip.decompress, members))


@pytest.fixture
def archive(tmp_path: Path):
    with Archive.open(str(tmp_path / "archive")) as opened:
        yield opened


def taken(archive: Archive, path: Path) -> list[Account]:
    importer = Importer(archive)
    return [importer.take(source) for source in sources(str(path)) if isinstance(source, Source)]


def test_a_file_is_kept_byte_for_byte_and_its_captures_are_found(tmp_path: Path, archive: Archive):
    data = warcinfo() + record(1, HEAD + news(1)) + record(2, HEAD + news(2))
    (tmp_path / "of wget.warc.gz").write_bytes(data)
    (account,) = taken(archive, tmp_path / "of wget.warc.gz")
    assert (account.outcome, account.captures, account.fault_count) == ("imported", 2, 0)
    assert account.software == "Wget/1.21.3"
    assert "wget-1-21-3" in account.warc
    assert archive.storage.read(account.warc) == data
    capture = next(iter(archive.captures("https://news.example/2026/03/01/piece-2")))
    assert archive.payload(capture).body == news(2)
    assert archive.catalog.capture(record_id(2)) == capture
    stem = names.stem_of(account.warc.rpartition("/")[2])
    manifest = Manifest.from_bytes(archive.storage.read(names.keys(stem).manifest))
    assert manifest.sha256 == manifest.imported.sha256 == hashlib.sha256(data).hexdigest()
    assert manifest.imported.name == "of wget.warc.gz"


def test_the_same_bytes_are_the_same_file_whatever_their_name(tmp_path: Path, archive: Archive):
    for name in ("a.warc.gz", "b.warc.gz"):
        (tmp_path / name).write_bytes(warcinfo() + record(1, HEAD + news(1)))
    (first,) = taken(archive, tmp_path / "a.warc.gz")
    before = {stat.key: archive.storage.read(stat.key) for stat in archive.storage.list()}
    (again,) = taken(archive, tmp_path / "b.warc.gz")
    assert (again.outcome, again.warc) == ("known", first.warc)
    assert {stat.key: archive.storage.read(stat.key) for stat in archive.storage.list()} == before


def test_each_warc_of_a_wacz_is_kept_byte_for_byte(tmp_path: Path, archive: Archive):
    inner = {name: record(n, HEAD + news(n)) for n, name in enumerate(("archive/a.warc.gz", "archive/b.warc.gz"), 1)}
    with zipfile.ZipFile(tmp_path / "p.wacz", "w") as package:
        for name, data in inner.items():
            package.writestr(name, data)
        package.writestr("pages/pages.jsonl", "{}\n")
    accounts = taken(archive, tmp_path / "p.wacz")
    assert [archive.storage.read(account.warc) for account in accounts] == list(inner.values())
    assert accounts[0].source.endswith("p.wacz!archive/a.warc.gz")
    assert [account.outcome for account in taken(archive, tmp_path / "p.wacz")] == ["known", "known"]


@pytest.mark.parametrize("form", ["gzip around all", "zstd", "zstd with a dictionary"])
def test_what_cannot_be_read_record_by_record_is_kept_beside_a_copy_that_can(
    form: str, tmp_path: Path, archive: Archive
):
    members = [warcinfo(), record(1, HEAD + news(1)), record(2, HEAD + news(2))]
    dictionary = zstd.train_dict([gzip.decompress(record(n, HEAD + news(n))) for n in range(3, 60)], 4096)
    data = {
        "gzip around all": lambda: gzip.compress(plain(*members), mtime=0),
        "zstd": lambda: b"".join(zstd.compress(plain(member)) for member in members),
        "zstd with a dictionary": lambda: (
            b"\x5d\x2a\x4d\x18"
            + len(dictionary.dict_content).to_bytes(4, "little")
            + dictionary.dict_content
            + b"".join(zstd.compress(plain(member), zstd_dict=dictionary) for member in members)
        ),
    }[form]()
    (tmp_path / "given").write_bytes(data)
    (account,) = taken(archive, tmp_path / "given")
    assert (account.outcome, account.captures, account.fault_count) == ("imported", 2, 0)
    assert archive.storage.read(account.original) == data
    for n in (1, 2):
        capture = next(iter(archive.captures(f"https://news.example/2026/03/01/piece-{n}")))
        assert archive.payload(capture).body == news(n)
    with archive.storage.open(account.warc) as stream:
        assert [one.header + one.block.read() + b"\r\n\r\n" for one in scan(stream)] == list(
            map(gzip.decompress, members)
        )
    assert verify_archive(archive.storage).ok
    (again,) = taken(archive, tmp_path / "given")
    assert again.outcome == "known"


def test_a_changed_original_is_found(tmp_path: Path, archive: Archive):
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(plain(record(1, HEAD + news(1)), record(2, HEAD + news(2)))))
    (account,) = taken(archive, tmp_path / "a.warc.gz")
    path = tmp_path / "archive" / account.original
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert "original-differs" in verify_archive(archive.storage).codes()


def test_damage_is_told_with_its_place_and_the_rest_is_imported(tmp_path: Path, archive: Archive):
    good, bad, last = (record(n, HEAD + news(n)) for n in (1, 2, 3))
    bad = bad[:200] + bytes([bad[200] ^ 0x10]) + bad[201:]
    (tmp_path / "a.warc.gz").write_bytes(good + bad + last)
    (account,) = taken(archive, tmp_path / "a.warc.gz")
    assert (account.outcome, account.captures) == ("imported", 2)
    assert {fault.offset for fault in account.faults} == {len(good)}
    report = verify_archive(archive.storage)
    assert report.ok
    assert "imported-faults" in report.codes()


def test_damage_that_came_after_the_import_is_an_error(tmp_path: Path, archive: Archive):
    (tmp_path / "a.warc.gz").write_bytes(record(1, HEAD + news(1))[:-1])  # cut when it came
    (account,) = taken(archive, tmp_path / "a.warc.gz")
    assert account.outcome == "refused"
    (tmp_path / "b.warc.gz").write_bytes(record(1, HEAD + news(1)) + record(2, HEAD + news(2))[:-1])
    (account,) = taken(archive, tmp_path / "b.warc.gz")
    assert verify_archive(archive.storage).ok
    path = tmp_path / "archive" / account.warc
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:100] + b"?" + path.read_bytes()[101:])
    assert {"warc-sha256", "gzip-cut"} <= verify_archive(archive.storage).codes()


def test_a_record_that_does_not_hash_to_its_digest_is_told_kept_and_not_shown(tmp_path: Path, archive: Archive):
    one = record(1, HEAD + news(1), WARC_Block_Digest="sha1:" + "A" * 32)
    (tmp_path / "a.warc.gz").write_bytes(one)
    (account,) = taken(archive, tmp_path / "a.warc.gz")
    assert "its block hashes to" in account.faults[0].what
    with pytest.raises(DigestMismatch):
        archive.payload(next(iter(archive.captures("https://news.example/2026/03/01/piece-1"))))


@pytest.mark.parametrize(
    "data", [b"", b"<html></html>", b"filedesc://a.arc 0.0.0.0 2 text/plain 3\n1 0 A\n\n", b"PK\x03\x04"]
)
def test_what_holds_no_record_is_refused_and_leaves_nothing(data: bytes, tmp_path: Path, archive: Archive):
    (tmp_path / "a").write_bytes(data)
    found = list(sources(str(tmp_path / "a")))
    assert all(Importer(archive).take(one).error if isinstance(one, Source) else str(one) for one in found)
    assert list(archive.storage.list()) == []
    assert not any(archive.sessions_dir.iterdir()) if archive.sessions_dir.is_dir() else True


def test_index_rebuild_gives_the_same_index_and_catalogue(tmp_path: Path, archive: Archive):
    data = warcinfo() + record(1, HEAD + news(1)) + record(2, b"HTTP/1.1 200 OK\r\nCut: he")
    (tmp_path / "a.warc").write_bytes(plain(data))
    (tmp_path / "b.warc.gz").write_bytes(gzip.compress(plain(record(3, HEAD + news(3)), record(4, HEAD + news(4)))))
    assert [account.outcome for account in taken(archive, tmp_path)] == ["imported", "imported"]
    done = rebuild(archive.storage, archive.state_dir, archive.catalog_path, compare=True)
    assert done.differences == []
    assert done.captures == 4


def test_a_browsertrix_text_page_and_a_wget_address_in_brackets_are_captures(tmp_path: Path, archive: Archive):
    text = record(1, b"The text.", kind="resource", url="urn:text:https://news.example/", content_type="text/plain")
    page = gzip.decompress(record(2, HEAD + news(2), url="https://news.example/of-wget"))
    page = page.replace(b"https://news.example/of-wget", b"<https://news.example/of-wget>")
    (tmp_path / "a.warc").write_bytes(gzip.decompress(text) + page)
    (account,) = taken(archive, tmp_path / "a.warc")
    assert (account.captures, account.fault_count) == (2, 0)
    for url, body in (("urn:text:https://news.example/", b"The text."), ("https://news.example/of-wget", news(2))):
        assert archive.payload(next(iter(archive.captures(url)))).body == body


def test_a_revisit_that_names_a_digest_alone_is_answered_by_the_page_with_that_payload(
    tmp_path: Path, archive: Archive
):
    label = "sha1:" + "B" * 32
    (tmp_path / "a.warc.gz").write_bytes(record(1, HEAD + news(1), url="https://a.example/", WARC_Payload_Digest=label))
    (tmp_path / "b.warc.gz").write_bytes(
        record(2, HEAD, kind="revisit", url="https://a.example/", WARC_Payload_Digest=label)
        + record(3, HEAD, kind="revisit", url="https://b.example/", WARC_Payload_Digest="sha1:" + "C" * 32)
    )
    taken(archive, tmp_path / "a.warc.gz")
    taken(archive, tmp_path / "b.warc.gz")
    assert [archive.payload(capture).body for capture in archive.captures("https://a.example/")] == [news(1)] * 2
    with pytest.raises(NotArchived):
        archive.payload(next(iter(archive.captures("https://b.example/"))))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the WARC files of other tools are not there")
def test_every_capture_of_other_tools_files_answers_with_its_exact_payload(tmp_path: Path, archive: Archive):
    accounts = taken(archive, SHARED)
    assert len(accounts) > 100
    told = {(account.warc, fault.offset) for account in accounts for fault in account.faults}
    indexed = map(cdxj.parse, archive.index.lines(b"", b"\xff"))
    captures = {(capture.place.key, capture.place.offset): capture for capture in indexed}
    answered = 0
    for account in accounts:
        if account.outcome == "refused":
            assert account.error
            continue
        given = Path(account.source).read_bytes()
        assert archive.storage.read(account.original or account.warc) == given
        with archive.storage.open(account.warc) as stream:
            for one in scan(stream):
                with one:
                    capture = captures.get((account.warc, one.offset))
                    if capture is None or one.type == "revisit":
                        continue
                    message = read_message(one)
                    body = one.block.read()
                    if message and message.head:
                        body = b"".join(payload_chunks(message.head, [body[message.head.size :]]))
                    try:
                        assert archive.payload(capture).body == body
                        answered += 1
                    except ArchiveError:
                        assert (account.warc, one.offset) in told
    assert answered > 400
    assert rebuild(archive.storage, archive.state_dir, archive.catalog_path, compare=True).differences == []
    assert verify_archive(archive.storage).ok


def test_lines_are_sorted_whatever_fits_in_memory():
    lines = [f"{hashlib.sha1(str(n).encode()).hexdigest()}\n".encode() for n in range(2000)]
    sorter = LineSorter(memory_bytes=5000)
    for line in lines:
        sorter.add(line)
    assert list(sorter) == sorted(lines)
    assert list(sorter) == sorted(lines)
    sorter.close()


def test_a_stream_is_imported_as_a_file_is(archive: Archive):
    data = record(1, HEAD + news(1))

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.rest = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self.rest.read(min(size, 100))

        def seekable(self) -> bool:
            return False

    account = Importer(archive, stdin=Pipe()).take(Source("-"))
    assert archive.storage.read(account.warc) == data


def test_an_encrypted_member_is_told_and_a_bug_is_not_taken_for_one(tmp_path: Path):
    path = tmp_path / "p.wacz"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("archive/a.warc.gz", b"secret")
        package.writestr("archive/b.warc.gz", b"open")
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the general purpose flags of the first entry, in its own header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    locked, readable = sources(str(path))
    assert isinstance(locked, NotImportable)
    assert "archive/a.warc.gz is encrypted" in str(locked)
    assert isinstance(readable, Source)
    with pytest.raises(RuntimeError, match="ours"), readable.opened():
        raise RuntimeError("ours")
