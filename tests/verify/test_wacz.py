"""WACZ packages: ours are sound, and each way to break one is told by its own rule."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.export import Chosen, Filters, Told, choose, write_wacz
from archive.importing import Importer, Source
from archive.verify import RULES, Report, verify_wacz
from tests.records import HEAD, news, record

Entries = dict[str, bytes]
DEFLATED = zipfile.ZIP_DEFLATED


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a package of three captures that we made."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "a.warc.gz").write_bytes(b"".join(record(n, HEAD + news(n)) for n in (1, 2, 3)))
    with Archive.open(str(folder / "archive")) as archive, closing(Chosen()) as chosen:
        Importer(archive).take(Source(str(folder / "a.warc.gz")))
        choose(archive, Filters(), (), chosen, with_articles=True)
        out = io.BytesIO()
        write_wacz(archive, chosen, out, Told("T", "a test", datetime(2026, 11, 28, tzinfo=UTC)))
    return out.getvalue()


def unpacked(data: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(entries: Entries, *, deflated: tuple[str, ...] = (), described: bool = True) -> bytes:
    """Return a package of *entries*, whose digests are made anew unless it is not *described* so."""
    if described:
        describe(entries)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in entries.items():
            package.writestr(zipfile.ZipInfo(name), data, DEFLATED if name in deflated else zipfile.ZIP_STORED)
    return out.getvalue()


def describe(entries: Entries, **more: object) -> None:
    values = json.loads(entries["datapackage.json"]) | more
    values["resources"] = [
        {"name": name.lower(), "path": name, "hash": f"sha256:{hashlib.sha256(data).hexdigest()}", "bytes": len(data)}
        for name, data in entries.items()
        if not name.startswith("datapackage")
    ]
    text = json.dumps(values).encode()
    entries["datapackage.json"] = text
    digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
    entries["datapackage-digest.json"] = json.dumps({"path": "datapackage.json", "hash": digest}).encode()


def verified(data: bytes, tmp_path: Path) -> Report:
    (tmp_path / "a.wacz").write_bytes(data)
    return verify_wacz(tmp_path / "a.wacz", name="a.wacz")


def index_of(entries: Entries, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Give *entries* an index with lines as *change* makes them, and a list of its one block that fits."""
    lines = change(gzip.decompress(entries["indexes/index.cdx.gz"]).splitlines(keepends=True))
    block = gzip.compress(b"".join(lines), mtime=0)
    entries["indexes/index.cdx.gz"] = block
    first = b" ".join(lines[0].split(b" ", 2)[:2])
    entries["indexes/index.idx"] = first + b" " + json.dumps({"offset": 0, "length": len(block)}).encode() + b"\n"


def line_with(**values: object) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        key, stamp, text = lines[0].split(b" ", 2)
        return [b"%s %s %s\n" % (key, stamp, json.dumps(json.loads(text) | values).encode()), *lines[1:]]

    return change


def resource(entries: Entries, **values: object) -> bytes:
    """Return the package with something else said of its first resource, and digests of datapackage.json that fit."""
    described = json.loads(entries["datapackage.json"])
    described["resources"][0] |= values
    text = json.dumps(described).encode()
    entries["datapackage.json"] = text
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(text).hexdigest()}"}
    entries["datapackage-digest.json"] = json.dumps(digest).encode()
    return packed(entries, described=False)


def without(name: str) -> Callable[[Entries], bytes]:
    def make(entries: Entries) -> bytes:
        del entries[name]
        return packed(entries, described=name != "datapackage.json")

    return make


def with_index(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Entries], bytes]:
    def make(entries: Entries) -> bytes:
        index_of(entries, change)
        return packed(entries)

    return make


def with_entry(name: str, data: bytes, *, described: bool = True) -> Callable[[Entries], bytes]:
    return lambda entries: packed(entries | {name: data}, described=described)


def described(**values: object) -> Callable[[Entries], bytes]:
    def make(entries: Entries) -> bytes:
        describe(entries, **values)
        return packed(entries, described=False)

    return make


def twice(entries: Entries) -> bytes:
    out = io.BytesIO(packed(entries))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as package:
        package.writestr("datapackage.json", entries["datapackage.json"])
    return out.getvalue()


def other_local_name(entries: Entries) -> bytes:
    data = bytearray(packed(entries))
    at = data.index(b"archive/captures")
    data[at : at + 7] = b"ARCHIVE"
    return bytes(data)


def zip64(entries: Entries) -> bytes:
    describe(entries)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in entries.items():
            with package.open(zipfile.ZipInfo(name), "w", force_zip64=name.startswith("archive/")) as entry:
                entry.write(data)
    return out.getvalue()


def encrypted(entries: Entries) -> bytes:
    data = bytearray(packed(entries))
    at = data.index(b"PK\x01\x02")
    data[at + 8 : at + 10] = struct.pack("<H", 1)
    return bytes(data)


def flipped(entries: Entries) -> bytes:
    data = bytearray(packed(entries))
    at = data.index(b"json-pages-1.0")
    data[at] ^= 1
    return bytes(data)


def pages(*lines: object) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in ({"format": "json-pages-1.0"}, *lines))


PAGE = "pages/pages.jsonl"
CASES: dict[str, Callable[[Entries], bytes]] = {
    "wacz-zip": lambda _: b"PK\x03\x04 and no more",
    "wacz-duplicate": twice,
    "wacz-path": with_entry("../out", b""),
    "wacz-encrypted": encrypted,
    "wacz-stored": lambda entries: packed(entries, deflated=("archive/captures-00001.warc.gz",)),
    "wacz-local-header": other_local_name,
    "wacz-local-extra": zip64,
    "wacz-entry": flipped,
    "wacz-datapackage": without("datapackage.json"),
    "wacz-version": described(wacz_version=2),
    "wacz-profile": described(profile="other"),
    "wacz-resource-missing": lambda entries: resource(entries, path="archive/none.warc.gz"),
    "wacz-resource-size": lambda entries: resource(entries, bytes=1),
    "wacz-resource-digest": lambda entries: resource(entries, hash="sha256:" + "0" * 64),
    "wacz-unlisted": with_entry("more.txt", b"", described=False),
    "wacz-no-digest": lambda entries: packed(
        {name: data for name, data in entries.items() if name != "datapackage-digest.json"}, described=False
    ),
    "wacz-datapackage-digest": with_entry("datapackage-digest.json", b'{"hash": "sha256:0"}', described=False),
    "wacz-no-warc": without("archive/captures-00001.warc.gz"),
    "wacz-no-index": without("indexes/index.cdx.gz"),
    "wacz-no-blocks": without("indexes/index.idx"),
    "wacz-index-block": with_entry("indexes/index.idx", b'a 2026 {"offset": 0, "length": 5}\n'),
    "wacz-index-line": with_index(lambda lines: [*lines, b"zzz no line\n"]),
    "wacz-index-order": with_index(lambda lines: lines[::-1]),
    "wacz-index-place": with_index(line_with(offset="999999999")),
    "wacz-index-url": with_index(line_with(url="https://other.example/")),
    "wacz-unindexed": with_index(lambda lines: lines[1:]),
    "wacz-no-pages": without(PAGE),
    "wacz-page": with_entry(PAGE, pages({"url": "https://news.example/2026/03/01/piece-1"})),
    "wacz-page-unknown": with_entry(PAGE, pages({"url": "https://no.example/", "ts": "2026-01-01T00:00:00Z"})),
}


def test_a_package_of_ours_is_sound(sound: bytes, tmp_path: Path):
    report = verified(sound, tmp_path)
    assert report.ok, list(report.lines())
    assert {code for code in report.codes() if code.startswith("wacz-")} == set()
    assert report.records["response"] == 3
    again = verified(packed(unpacked(sound)), tmp_path)
    assert again.ok, list(again.lines())


def test_every_rule_about_packages_has_a_case():
    assert set(CASES) == {code for code in RULES if code.startswith("wacz-")}


@pytest.mark.parametrize("code", sorted(CASES))
def test_a_broken_package_is_told_by_its_rule(code: str, sound: bytes, tmp_path: Path):
    report = verified(CASES[code](unpacked(sound)), tmp_path)
    assert code in report.codes(), list(report.lines())
    assert report.ok == (RULES[code].severity != "error" and not report.counts["error"])
    if RULES[code].severity == "error":
        assert not report.ok


@pytest.mark.parametrize(
    "change",
    [
        {"offset": "1"},
        {"length": "1"},
        {"filename": "../../etc/passwd"},
        {"filename": "none.warc.gz"},
        {"offset": "-5"},
        {"offset": "x"},
    ],
)
def test_an_index_that_leads_nowhere_is_told(change: dict[str, str], sound: bytes, tmp_path: Path):
    report = verified(with_index(line_with(**change))(unpacked(sound)), tmp_path)
    assert report.codes() & {"wacz-index-place", "wacz-index-line"}, list(report.lines())


def test_a_damaged_record_in_a_package_is_told_with_its_place(sound: bytes, tmp_path: Path):
    entries = unpacked(sound)
    data = bytearray(entries["archive/captures-00001.warc.gz"])
    data[len(data) // 2] ^= 0x20
    entries["archive/captures-00001.warc.gz"] = bytes(data)
    report = verified(packed(entries), tmp_path)
    assert not report.ok
    assert any("archive/captures" in finding.file for finding in report.findings if finding.severity == "error")


def test_no_byte_of_a_package_can_change_unseen(sound: bytes, tmp_path: Path):
    """A control for all of the above: flips all over the package, those in padding and time stamps apart."""
    unseen = []
    for at in range(0, len(sound), len(sound) // 60):
        data = bytearray(sound)
        data[at] ^= 0x08
        if verified(bytes(data), tmp_path).ok:
            unseen.append(at)
    assert len(unseen) <= 3, unseen
