"""Verification of files: right both ways on others' corpora and on our own, whatever is done to them."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path

import pytest

from archive.verify import Finding, verify_file
from archive.verify.report import KEPT_FINDINGS
from tests.archive.scanning import Seen, reading
from tests.verify.archives import NOW, damage, make_archive, plain

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "warc"
JHOVE = SHARED / "jhove"
FAULTS = 300

needs_jhove = pytest.mark.skipif(not JHOVE.is_dir(), reason="the JHOVE corpus is not there")
needs_others = pytest.mark.skipif(not SHARED.is_dir(), reason="the WARC files of other tools are not there")


# --- others' files


@needs_jhove
def test_all_of_jhoves_invalid_files_and_none_of_its_valid_ones_are_flagged():
    flagged = {path.name: not verify_file(path, strict=True).ok for path in sorted(JHOVE.glob("*valid-*"))}
    assert len(flagged) == 76
    assert {name for name, bad in flagged.items() if bad} == {name for name in flagged if name.startswith("invalid-")}


@needs_jhove
def test_a_broken_recommendation_is_a_warning_unless_strict():
    path = JHOVE / "invalid-warcfile-contenttype-warcinfo-recommended.warc"
    report = verify_file(path)
    assert report.ok
    assert report.codes() == {"content-type-warcinfo"}
    assert "content-type-missing" in verify_file(JHOVE / "invalid-warcfile-contenttype-recommended.warc").codes()


# What is wrong with each file of other tools that is not sound; the rest of the corpus is.
NOT_SOUND = {
    "transfer_compression_none_truncated.warc.gz": {"block-short", "gzip-cut"},
    "20141124-heritrix-server-not-modified.warc.gz": {"record-end"},
    "HTTP204.warc": {"record-end", "garbage", "payload-digest"},
    "HTTP404.warc": {"record-end", "payload-digest"},
    "broken.warc": {"record-end", "garbage"},
    "baconIpsum_chunked.warc": {"block-digest", "payload-digest"},
    "baconIpsum_chunkedWithMetadata.warc": {"block-digest", "payload-digest"},
    "baconIpsum_chunked_httpTrailors.warc": {"block-digest", "payload-digest", "record-end"},
}
HAND_MADE = {"header-line-end", "record-end"}  # with an editor that left out the CRs


@needs_others
def test_files_of_other_tools_are_judged_by_what_is_in_them():
    others = [path for folder in ("compressions", "iipc-dedup", "ipwb") for path in (SHARED / folder).iterdir()]
    paths = [path for path in others if path.name.endswith((".warc", ".warc.gz"))]
    assert len(paths) > 40
    for path in paths:
        report = verify_file(path)
        errors = {finding.code for finding in report.findings if finding.severity == "error"}
        assert report.records.total()
        assert report.ok or errors == NOT_SOUND.get(path.name) or errors >= HAND_MADE, (path.name, errors)


@needs_others
@pytest.mark.parametrize("name", ["ipwb/IAH-20080430204825-00000-blackbook.warc.gz", "iipc-dedup/hello-world.warc"])
def test_a_crawl_by_another_tool_is_sound(name: str):
    assert verify_file(SHARED / name).ok


# --- our own


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("archive")
    storage, _ = make_archive(root / "a", root / "session", pages=8, segments=1)
    (found,) = storage.list("warc/")
    return storage.read(found.key)


def test_what_we_write_is_sound_to_the_last_recommendation(tmp_path: Path):
    for number in range(10):
        storage, _ = make_archive(tmp_path / f"a{number}", tmp_path / f"s{number}", pages=number + 1)
        for found in storage.list():
            if found.key.endswith(".warc.gz"):
                report = verify_file(Path(storage.location) / found.key, strict=True, now=NOW)
                assert report.codes() <= {"reference-outside"}, list(report.lines())


def unpacked(data: bytes) -> tuple[bytes, str]:
    return gzip.decompress(data), "a.warc"


def packed(data: bytes) -> tuple[bytes, str]:
    return data, "a.warc.gz"


@pytest.mark.parametrize("form", [packed, unpacked])
def test_faults_are_found_where_they_are_and_cost_no_other_record(ours: bytes, form):
    data, name = form(ours)
    sound = {record.id: record for record in reading(data).records}
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(FAULTS):
        changed, kind, _ = damage(data, chance)
        if changed == data:
            continue
        first, common = difference(data, changed)
        report = verify_file(io.BytesIO(changed), name=name, now=NOW)
        errors = [finding for finding in report.findings if finding.severity == "error"]
        hit = next((one for one in sound.values() if one.offset <= first < one.offset + one.length), None)
        start = hit.offset if hit else len(data)
        end = max(len(changed) - common, (hit.offset + hit.length if hit else len(data)) + len(changed) - len(data))
        if errors:
            assert any(start <= (error.offset or 0) <= max(start, end) for error in errors), (kind, first, errors)
        found = {record.id: record for record in reversed(reading(changed).records)}
        for key, record in sound.items():
            if record.offset + record.length < first or record.offset >= len(data) - common:
                assert found[key].header == record.header, (kind, first, record.offset)
                assert found[key].block == record.block
                assert found[key].length == record.length
        # What no file can show by itself: a cut between two records; bits that fill up a byte of a deflate stream, and
        # are never read; and, where there is no gzip to check it, another text in a header. A manifest shows them all.
        if not errors:
            at_a_boundary = kind == "cut" and any(first == record.offset for record in sound.values())
            nothing_read = same(found, sound)
            in_a_header = not name.endswith(".gz") and hit is not None and first < hit.offset + len(hit.header)
            assert at_a_boundary or in_a_header or nothing_read, (kind, first)


def same(found: dict[str, Seen], sound: dict[str, Seen]) -> bool:
    return {key: (one.header, one.block) for key, one in found.items()} == {
        key: (one.header, one.block) for key, one in sound.items()
    }


def difference(old: bytes, new: bytes) -> tuple[int, int]:
    """Return where two byte strings begin to differ, and how many bytes at their ends do not."""
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    common = next((at for at in range(shorter - first) if old[-1 - at] != new[-1 - at]), shorter - first)
    return first, common


def test_a_stream_that_cannot_seek_is_verified_alike(ours: bytes):
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    broken = bytearray(ours)
    broken[len(broken) // 2] ^= 4
    for data in (ours, bytes(broken)):
        seen = [verify_file(stream(data), name="a.warc.gz", now=NOW) for stream in (io.BytesIO, Pipe)]
        assert seen[0].findings == seen[1].findings


def test_every_finding_is_told_but_not_every_one_is_kept():
    told: list[Finding] = []
    record = plain(WARC_Date="yesterday")
    report = verify_file(io.BytesIO(record * (KEPT_FINDINGS + 5)), name="a.warc", listener=told.append)
    assert report.counts["error"] == KEPT_FINDINGS + 5
    assert sum(finding.severity == "error" for finding in told) == KEPT_FINDINGS + 5
    assert sum(finding.severity == "error" for finding in report.findings) == KEPT_FINDINGS
    assert any("5 more of severity error" in line for line in report.lines())
