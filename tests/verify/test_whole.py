"""Verification of whole archives: everything is held against everything."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from pathlib import Path

import pytest

from archive import warc
from archive.archive import Archive
from archive.article import Article
from archive.capture import IDENTICAL_PAYLOAD
from archive.catalog import Catalog
from archive.errors import ObjectDamaged, StorageUnavailable
from archive.importing import Importer, Source
from archive.index import Index
from archive.storage.local import LocalStorage
from archive.upload import publish
from archive.verify import RULES, Report, verify_archive
from tests.archive.exchanges import AT, records_of
from tests.archive.scanning import reading
from tests.records import HEAD, record, record_id
from tests.verify.archives import NOW, Made, begun, catalog_of, damage, make_archive
from tests.verify.test_rules import OF_ARCHIVES

FAULTS = 300
tested: set[str] = set()


@pytest.fixture
def archive(tmp_path: Path) -> tuple[LocalStorage, Made]:
    return make_archive(tmp_path / "archive", tmp_path / "session")


def verified(storage: LocalStorage, **how: object) -> Report:
    return verify_archive(storage, now=NOW, **how)  # type: ignore[arg-type]  # handed on


def keys(storage: LocalStorage, prefix: str) -> list[str]:
    return [found.key for found in storage.list(prefix)]


def path_of(storage: LocalStorage, key: str) -> Path:
    return Path(storage.location) / key


def rewrite(storage: LocalStorage, key: str, data: bytes) -> None:
    path_of(storage, key).write_bytes(data)


def test_what_a_crawl_wrote_is_sound_and_nothing_is_found(archive: tuple[LocalStorage, Made], tmp_path: Path):
    storage, made = archive
    (Path(storage.location) / "crawls/one").mkdir(parents=True)
    (Path(storage.location) / "crawls/one/report.json").write_text("{}")
    seen: list[tuple[str, int, int]] = []
    with catalog_of(tmp_path / "catalog.sqlite", made) as catalog:
        report = verified(storage, deep=True, catalog=catalog, strict=True, progress=lambda *step: seen.append(step))
    assert report.findings == []
    assert report.ok
    assert (report.files, report.records["revisit"], report.records["conversion"]) == (3, 2, 8)
    warcs = {key for key in keys(storage, "") if key.endswith(".warc.gz")}
    assert {step[0] for step in seen} == warcs
    assert seen[-1][1] == seen[-1][2] == sum(one.size for one in storage.list() if one.key in warcs)


def test_any_fault_in_any_file_is_found(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    index = Index(storage, Path(storage.location).parent / "cache")
    index.merge()
    files = keys(storage, "")
    assert {key.split("/")[0] for key in files} == {"warc", "articles", "index", "manifest"}
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    missed = []
    for _ in range(FAULTS):
        key = chance.choice(files)
        sound = storage.read(key)
        changed, kind, at = damage(sound, chance)
        if changed == sound:
            continue
        rewrite(storage, key, changed)
        report = verified(storage)
        rewrite(storage, key, sound)
        if report.ok:
            missed.append((key, kind, at))
    assert missed == []
    assert verified(storage).findings == []


def found(report: Report) -> set[str]:
    tested.update(report.codes())
    return report.codes()


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("manifest/", "manifest-missing"),
        ("index/", "index-missing"),
        ("warc/", "warc-missing"),
        ("articles/", "warc-missing"),
    ],
)
def test_a_file_that_is_gone_is_missed(archive: tuple[LocalStorage, Made], prefix: str, code: str):
    storage, _ = archive
    key = keys(storage, prefix)[-1]
    path_of(storage, key).unlink()
    report = verified(storage)
    assert code in found(report)
    assert found(report) <= {code, "revisit-unresolved", "article-unresolved"}
    assert not report.ok


def test_a_flipped_bit_in_a_warc_is_found_by_record_and_by_file(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    key = keys(storage, "warc/")[0]
    data = bytearray(storage.read(key))
    data[len(data) // 2] ^= 1
    rewrite(storage, key, bytes(data))
    report = verified(storage)
    assert "warc-sha256" in found(report)
    assert any(finding.file == key and finding.offset for finding in report.findings)


def test_bytes_that_say_nothing_are_still_bytes_of_the_file(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    key = keys(storage, "articles/")[0]
    rewrite(storage, key, storage.read(key) + b"\0")
    assert found(verified(storage)) >= {"warc-size", "warc-sha256", "garbage"}


def test_a_manifest_that_is_no_manifest_is_told(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    key = keys(storage, "manifest/")[0]
    rewrite(storage, key, b"{}")
    assert found(verified(storage)) >= {"manifest-form"}


def test_a_manifest_that_tells_of_something_else_is_told(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    key = keys(storage, "manifest/")[0]
    sound = storage.read(key)
    manifest = json.loads(sound)
    manifest["records"]["warcinfo"] += 1
    rewrite(storage, key, json.dumps(manifest, sort_keys=True, indent=1).encode() + b"\n")
    report = verified(storage)
    assert found(report) == {"manifest-differs"}
    assert "records is " in report.findings[0].message
    rewrite(storage, key, sound.replace(b"\n", b"\r\n"))
    assert found(verified(storage)) == {"manifest-differs"}


def test_index_lines_out_of_order_are_told(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    key = keys(storage, "index/")[0]
    rewrite(storage, key, b"".join(reversed(storage.read(key).splitlines(keepends=True))))
    assert found(verified(storage)) == {"index-differs"}


def test_objects_that_belong_nowhere_are_told(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    (Path(storage.location) / "warc/notes.txt").write_text("mine")
    report = verified(storage)
    assert found(report) == {"object-stray"}
    assert report.ok
    assert not verified(storage, strict=True).ok


def test_an_empty_archive_is_told(tmp_path: Path):
    assert found(verified(LocalStorage(tmp_path / "none"))) == {"archive-empty"}


def test_a_revisit_without_its_original_is_told(archive: tuple[LocalStorage, Made]):
    storage, _ = archive
    first = keys(storage, "warc/")[0].rpartition("/")[2].removesuffix(".warc.gz")
    for key in keys(storage, ""):
        if first in key:
            path_of(storage, key).unlink()
    report = verified(storage)
    assert found(report) == {"revisit-unresolved", "article-unresolved"}
    assert all("is not in the archive" in finding.message for finding in report.findings)


def test_an_article_of_another_record_than_its_field_says_is_told(tmp_path: Path):

    storage, made = make_archive(tmp_path / "archive", tmp_path / "session", segments=1)
    segment, warcinfo_id = begun(tmp_path / "session", "articles", 9)
    article = Article(url="https://news.example/", record_id=made.captures[0].record_id)
    record = warc.conversion(article, warcinfo_id=warcinfo_id, date=AT)
    record.block = bytes(record.block).replace(b"record_id", b"record-id")
    record.fields = [pair for pair in record.fields if pair[0] != "WARC-Block-Digest"]
    segment.append([record])
    segment.seal()
    publish(tmp_path / "session", storage)
    assert found(verified(storage)) == {"article-form"}


def test_a_reference_to_a_record_that_is_nowhere_is_told(tmp_path: Path):

    (tmp_path / "session").mkdir()
    segment, _ = begun(tmp_path / "session", "captures", 0)
    with records_of(1, warcinfo_id="<urn:uuid:nowhere>") as records:
        segment.append(records)
    segment.seal()
    storage = LocalStorage(tmp_path / "archive")
    publish(tmp_path / "session", storage)
    report = verified(storage)
    assert found(report) == {"reference-unresolved"}
    assert report.ok


def test_a_record_that_stands_in_two_files_is_told(archive: tuple[LocalStorage, Made], tmp_path: Path):
    storage, _ = archive
    stem = keys(storage, "warc/")[0].rpartition("/")[2].removesuffix(".warc.gz")
    for key in [key for key in keys(storage, "") if stem in key]:
        target = path_of(storage, key.replace(stem, stem[:-1] + ("0" if stem[-1] != "0" else "1")))
        target.write_bytes(storage.read(key))
    assert "id-repeated" in found(verified(storage))


def test_a_merged_index_that_is_not_what_its_list_says_is_told(archive: tuple[LocalStorage, Made], tmp_path: Path):
    storage, _ = archive
    Index(storage, tmp_path / "cache").merge()
    assert verified(storage).findings == []
    (merged,) = (key for key in keys(storage, "index/merged/") if key.endswith(".cdxj"))
    sound = storage.read(merged)
    rewrite(storage, merged, sound.replace(b"200", b"404", 1))
    assert found(verified(storage)) == {"merged-differs"}
    rewrite(storage, merged, sound)
    rewrite(storage, "index/merged/old.cdxj", b"")
    assert found(verified(storage)) == {"object-stray"}


def test_only_a_deep_verification_looks_at_the_catalogue(archive: tuple[LocalStorage, Made], tmp_path: Path):
    storage, made = archive
    half = Made(made.captures[:-1], made.articles)
    with catalog_of(tmp_path / "half.sqlite", half) as catalog:
        assert verified(storage, catalog=catalog).findings == []
        report = verified(storage, deep=True, catalog=catalog)
        assert found(report) == {"catalog-behind"}
        assert report.ok
    with Catalog(tmp_path / "other.sqlite") as catalog:
        wrong = [(record_id, article, made.captures[0].place) for record_id, article, _ in made.articles]
        catalog.add(made.captures, wrong)
        report = verified(storage, deep=True, catalog=catalog)
        assert found(report) == {"catalog-differs"}
        assert len(report.findings) == len(made.articles)


def test_what_the_store_cannot_give_is_told_and_a_store_that_fails_is_raised(archive: tuple[LocalStorage, Made]):
    storage, _ = archive

    class Damaged(LocalStorage):
        def open(self, key: str):
            raise ObjectDamaged(f"{key}: checksum")

    assert "object-unreadable" in found(verified(Damaged(storage.root)))

    class Gone(LocalStorage):
        def open(self, key: str):
            raise StorageUnavailable("no answer")

    with pytest.raises(StorageUnavailable):
        verified(Gone(storage.root))


def test_the_hash_in_the_manifest_is_what_finds_bits_that_change_nothing(archive: tuple[LocalStorage, Made]):
    """A cut between two records leaves a sound file: only the manifest knows that there was more."""

    storage, _ = archive
    key = keys(storage, "articles/")[0]
    data = storage.read(key)
    last = max(record.offset for record in reading(data).records)
    rewrite(storage, key, data[:last])
    report = verified(storage)
    assert found(report) == {"warc-size", "warc-sha256", "manifest-differs"}
    assert hashlib.sha256(data[:last]).hexdigest() in " ".join(report.lines())


def test_imported_files_are_held_against_what_they_were(archive: tuple[LocalStorage, Made], tmp_path: Path):
    storage, _ = archive
    revisit = record(1, HEAD, kind="revisit", WARC_Refers_To=record_id(99), WARC_Profile=IDENTICAL_PAYLOAD)
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(gzip.decompress(revisit) + b"strangers' bytes"))
    with Archive(storage, tmp_path / "state") as opened:
        account = Importer(opened).take(Source(str(tmp_path / "a.warc.gz")))
    assert account.original is not None
    assert found(verified(storage)) >= {"revisit-elsewhere"}
    assert verified(storage).ok
    (tmp_path / "b.warc.gz").write_bytes(record(2, HEAD + b"?") + b"strangers' bytes")
    with Archive(storage, tmp_path / "state") as opened:
        Importer(opened).take(Source(str(tmp_path / "b.warc.gz")))
    assert found(verified(storage)) >= {"revisit-elsewhere", "imported-faults"}
    assert verified(storage).ok
    rewrite(storage, account.original, b"others")
    assert found(verified(storage)) >= {"original-differs"}


def test_every_rule_about_archives_was_broken_above():
    if len(tested) < 3:
        pytest.skip("the tests above did not run")
    assert tested >= OF_ARCHIVES, OF_ARCHIVES - tested
    assert tested <= set(RULES)
