"""Verification of a WACZ package: zip file, ``datapackage.json``, the index against the WARC files, pages.

Clauses are those of WACZ 1.1.1. Every byte of the package is read; memory grows with the number of captures, by some
hundred bytes each.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from archive import cdxj
from archive.capture import CAPTURE_TYPES, HEAD_BYTES, Capture
from archive.errors import MalformedRecord
from archive.place import Place
from archive.scan import Scanned
from archive.verify.file import check_file
from archive.verify.report import Finding, Report
from archive.verify.wacz_pages import address_digest, page_fault

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
_VERSIONS = re.compile(r"1\.\d+\.\d+")
_READ_BYTES = 1 << 20
_DESCRIBING = ("datapackage.json", "datapackage-digest.json")
_INDEXES = ("indexes/index.cdx.gz", "indexes/index.cdx", "indexes/index.cdxj")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_SHOWN = 20  # lines of an index of which each fault is told; the rest is counted


def is_zip(path: Path) -> bool:
    """Tell whether the file at *path* begins as a zip file does. Raises ``OSError``."""
    with path.open("rb") as file:
        return file.read(4) in {ZIP_MAGIC, EMPTY_ZIP_MAGIC}


def verify_wacz(
    path: Path,
    *,
    name: str | None = None,
    strict: bool = False,
    listener: Callable[[Finding], None] | None = None,
    now: datetime | None = None,
) -> Report:
    """Verify the WACZ package at *path*. Raises ``OSError`` when it cannot be read; whatever is in it is reported."""
    report = Report(name or str(path), strict, listener=listener)
    with path.open("rb") as file:
        try:
            package = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            report.add(Finding("wacz-zip", f"not a zip file that can be read: {error}", report.name))
            return report
        with package:
            _Check(package, file, report, now or datetime.now(UTC)).run()
    return report


class _Check:
    def __init__(self, package: zipfile.ZipFile, file: BinaryIO, report: Report, now: datetime) -> None:
        self.package, self.file, self.report, self.now = package, file, report, now
        self.entries = {info.filename: info for info in package.infolist() if not info.is_dir()}
        # What each WARC file shows, by its name within the package and the place there: the key of its index line.
        self.captures: dict[tuple[str, int], tuple[int, bytes]] = {}
        self.described: dict[tuple[str, int], tuple[int, bytes]] = {}  # metadata, which some tools index as well

    def run(self) -> None:
        self._zip_rules()
        digests = self._read_all()
        self.readable = digests.keys()
        self._datapackage(digests)
        self._warcs()
        self._index()
        self._page_lists()

    # ---- the zip file

    def _zip_rules(self) -> None:
        seen: set[str] = set()
        for info in self.package.infolist():
            name = info.filename
            if name in seen:
                self._add("wacz-duplicate", f"{name} is in the package more than once")
            seen.add(name)
            if name.startswith("/") or "\\" in name or ".." in name.split("/") or "\0" in name or ":" in name[:3]:
                self._add("wacz-path", f"{name!r} leads out of the package")
            if info.flag_bits & 1:
                self._add("wacz-encrypted", f"{name} is encrypted")
            stored = info.compress_type == zipfile.ZIP_STORED
            must = name.startswith("archive/") or name == "indexes/index.cdx.gz"
            if must and not stored and not info.is_dir():
                self._add("wacz-stored", f"{name} is compressed within the package: no range of it can be read alone")
            self._local_header(info)

    def _local_header(self, info: zipfile.ZipInfo) -> None:
        """Hold an entry's own header against the directory: players read both."""
        self.file.seek(info.header_offset)
        header = self.file.read(30)
        length, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
        name = self.file.read(length)
        flags = int.from_bytes(header[6:8], "little")
        told = name.decode("utf-8" if flags & 0x800 else "cp437", "replace")
        if header[:4] != ZIP_MAGIC or told != info.orig_filename:
            self._add("wacz-local-header", f"the header before {info.filename} names {told!r}")
        elif extra != len(info.extra) and info.filename.startswith(("archive/", "indexes/")):
            message = f"{info.filename} has {extra} more bytes in its own header, {len(info.extra)} in the directory"
            self._add("wacz-local-extra", message)

    def _read_all(self) -> dict[str, tuple[str, int]]:
        """Read every entry; return the SHA-256 and size of each that can be read."""
        digests = {}
        for name, info in self.entries.items():
            hasher, size = hashlib.sha256(), 0
            try:
                with self.package.open(info) as entry:
                    while piece := entry.read(_READ_BYTES):
                        hasher.update(piece)
                        size += len(piece)
            except _UNREADABLE as error:
                self._add("wacz-entry", f"{name} cannot be unpacked: {error}")
                continue
            digests[name] = (hasher.hexdigest(), size)
        return digests

    # ---- datapackage.json

    def _datapackage(self, digests: dict[str, tuple[str, int]]) -> None:
        described = self._json("datapackage.json", "wacz-datapackage")
        if described is None:
            return
        version = described.get("wacz_version")
        if not isinstance(version, str) or not _VERSIONS.fullmatch(version):
            self._add("wacz-version", f"wacz_version is {version!r}")
        if described.get("profile") not in {"data-package", "wacz", "multi-wacz-package"}:
            self._add("wacz-profile", f"profile is {described.get('profile')!r}")
        self._resources(described.get("resources"), digests)
        if "datapackage-digest.json" not in self.entries:
            self._add("wacz-no-digest", "there is no datapackage-digest.json")
            return
        digest = self._json("datapackage-digest.json", "wacz-datapackage-digest")
        found = digests.get("datapackage.json")
        if digest is not None and found is not None and digest.get("hash") != f"sha256:{found[0]}":
            message = f"datapackage-digest.json says {digest.get('hash')!r}, datapackage.json has sha256:{found[0]}"
            self._add("wacz-datapackage-digest", message)

    def _resources(self, resources: object, digests: dict[str, tuple[str, int]]) -> None:
        if not isinstance(resources, list) or not resources:
            self._add("wacz-datapackage", "datapackage.json has no list of resources")
            return
        listed = set()
        for resource in resources:
            path = resource.get("path") if isinstance(resource, dict) else None
            if not isinstance(path, str):
                self._add("wacz-datapackage", f"a resource without path: {str(resource)[:100]}")
                continue
            listed.add(path)
            if path not in self.entries:
                self._add("wacz-resource-missing", f"{path} is listed, and not in the package")
            elif path in digests:
                self._resource(path, resource, *digests[path])
        for name in self.entries:
            if name not in listed and name not in _DESCRIBING:
                self._add("wacz-unlisted", f"{name} is not among the resources")

    def _resource(self, path: str, resource: dict[str, Any], sha256: str, size: int) -> None:
        if resource.get("bytes") != size:
            self._add("wacz-resource-size", f"{path} has {size} bytes, the resource says {resource.get('bytes')!r}")
        label = str(resource.get("hash"))
        algorithm, _, value = label.partition(":")
        if algorithm == "md5":
            with self.package.open(path) as entry:
                hasher = hashlib.md5(usedforsecurity=False)
                while piece := entry.read(_READ_BYTES):
                    hasher.update(piece)
            same = value == hasher.hexdigest()
        else:
            same = label == f"sha256:{sha256}"
        if not same:
            self._add("wacz-resource-digest", f"{path} has sha256:{sha256}, the resource says {label[:100]}")

    def _json(self, name: str, code: str) -> dict[str, Any] | None:
        if name not in self.entries:
            self._add(code, f"there is no {name}")
            return None
        try:
            value = json.loads(self.package.read(name))
        except (*_UNREADABLE, ValueError) as error:
            self._add(code, f"{name} cannot be read: {error}")
            return None
        if not isinstance(value, dict):
            self._add(code, f"{name} holds no object")
            return None
        return value

    # ---- WARC files and their index

    def _warcs(self) -> None:
        warcs = [name for name in self.entries if name.startswith("archive/")]
        if not any(name.endswith((".warc", ".warc.gz")) for name in warcs):
            self._add("wacz-no-warc", "there is no WARC file in archive/")
        beside = [name for name in self.entries if name.startswith("articles/") and name.endswith(".warc.gz")]
        for name in [*warcs, *beside]:
            if not name.endswith((".warc", ".warc.gz")):
                continue
            try:
                with self.package.open(name) as entry:
                    each = self._taker(name) if name.startswith("archive/") else None
                    file = f"{self.report.name}!{name}"
                    check_file(cast("BinaryIO", entry), file, self.report, self.now, each=each, alone=False)
            except _UNREADABLE:
                continue  # told already
            self.report.files += 1

    def _taker(self, name: str) -> Callable[[Scanned], None]:
        short = name.removeprefix("archive/")

        def take(record: Scanned) -> None:
            if not record.readable:
                return
            url = (record.fields.get("WARC-Target-URI") or "").strip("<>")
            if record.type == "metadata":
                self.described[short, record.offset] = (record.length, address_digest(url))
            if record.type not in CAPTURE_TYPES:
                return
            place = Place(name, record.offset, record.length)
            try:
                capture = Capture.from_record(record.fields, record.block.read(0, HEAD_BYTES), place)
            except MalformedRecord:
                return
            if capture is not None and cdxj.line(capture) is not None:
                self.captures[short, record.offset] = (record.length, address_digest(capture.url))

        return take

    def _index(self) -> None:
        name = next((name for name in _INDEXES if name in self.entries), None)
        if name is None:
            self._add("wacz-no-index", f"there is none of {', '.join(_INDEXES)}")
            return
        indexed: set[tuple[str, int]] = set()
        before, faults = b"", 0
        for number, line in enumerate(self._lines(name), 1):
            fault = self._line_fault(line, before, indexed)
            before = line
            if fault:
                faults += 1
                if faults <= _SHOWN:
                    self._add(fault[0], f"{name}, line {number}: {fault[1]}")
        if faults > _SHOWN:
            self._add("wacz-index-line", f"{name}: and {faults - _SHOWN} lines more")
        missing = [key for key in self.captures if key not in indexed]
        for short, offset in missing[:_SHOWN]:
            self._add("wacz-unindexed", f"no line names the capture at {offset} of archive/{short}")
        if len(missing) > _SHOWN:
            self._add("wacz-unindexed", f"and {len(missing) - _SHOWN} captures more")
        if name.endswith(".gz"):
            self._blocks(name)

    def _line_fault(self, line: bytes, before: bytes, indexed: set[tuple[str, int]]) -> tuple[str, str] | None:
        """Return what is wrong with a line of the index: a rule, and in words."""
        try:
            _, stamp, text = line.rstrip(b"\n").split(b" ", 2)
            values = json.loads(text)
            short, offset, length = str(values["filename"]), int(values["offset"]), int(values["length"])
            url = str(values["url"])
        except (ValueError, KeyError, TypeError) as error:
            return "wacz-index-line", f"not a line of CDXJ ({error!r})"
        if line.partition(b"{")[0] < before.partition(b"{")[0]:
            return "wacz-index-order", "it comes after one that sorts behind it"
        if not re.fullmatch(rb"\d{14,17}", stamp):
            return "wacz-index-line", f"its time is {stamp[:40]!r}"
        if f"archive/{short}" not in self.entries:
            return "wacz-index-place", f"it names {short}, which is not in archive/"
        size = self.entries[f"archive/{short}"].file_size
        if offset < 0 or length <= 0 or offset + length > size:
            return "wacz-index-place", f"it points to {offset} and {length} bytes of {short}, which has {size}"
        found = self.captures.get((short, offset)) or self.described.get((short, offset))
        if found is None:
            return "wacz-index-place", f"no capture begins at {offset} of {short}"
        indexed.add((short, offset))
        if found[0] != length:
            return "wacz-index-place", f"the record at {offset} of {short} has {found[0]} bytes, not {length}"
        if found[1] != address_digest(url):
            return "wacz-index-url", f"the record at {offset} of {short} shows another address than {url[:200]}"
        return None

    def _lines(self, name: str) -> Iterator[bytes]:
        inflate = zlib.decompressobj(31) if name.endswith(".gz") else None
        rest = b""
        try:
            with self.package.open(name) as entry:
                while piece := entry.read(_READ_BYTES):
                    while inflate is not None and piece:
                        rest += inflate.decompress(piece)
                        piece = inflate.unused_data
                        if inflate.eof:
                            inflate = zlib.decompressobj(31)
                    *lines, rest = (rest + piece).split(b"\n")
                    yield from (line + b"\n" for line in lines if line.strip())
        except _UNREADABLE as error:
            self._add("wacz-index-block", f"{name} cannot be unpacked: {error}")
            return
        if rest.strip():
            yield rest + b"\n"

    def _blocks(self, name: str) -> None:
        """Check that each line of ``index.idx`` points to a block that begins as it says."""
        if "indexes/index.idx" not in self.entries:
            self._add("wacz-no-blocks", "there is no indexes/index.idx, which says where the blocks of the index begin")
            return
        if not {name, "indexes/index.idx"} <= self.readable:
            return  # told already
        size = self.entries[name].file_size
        end = 0
        for line in self.package.read("indexes/index.idx").splitlines():
            if line.startswith(b"!meta") or not line.strip():
                continue
            try:
                first, values = line[: line.index(b"{")].strip(), json.loads(line[line.index(b"{") :])
                offset, length = int(values["offset"]), int(values["length"])
            except (ValueError, KeyError, TypeError) as error:
                self._add("wacz-index-block", f"index.idx: not a line of it: {line[:80]!r} ({error!r})")
                continue
            if offset != end or length <= 0 or offset + length > size:
                self._add("wacz-index-block", f"index.idx: a block at {offset} of {length} bytes, where {end} is due")
                continue
            end = offset + length
            with self.package.open(name) as entry:
                entry.seek(offset)
                block = entry.read(length)
            stated = values.get("digest")
            if stated and stated != f"sha256:{hashlib.sha256(block).hexdigest()}":
                self._add("wacz-index-block", f"index.idx: the block at {offset} has another digest than {stated}")
            try:
                text = zlib.decompress(block, 31)
            except zlib.error as error:
                self._add("wacz-index-block", f"index.idx: the block at {offset} cannot be unpacked: {error}")
                continue
            if not text.startswith(first):
                self._add("wacz-index-block", f"index.idx: the block at {offset} does not begin with {first[:80]!r}")
        if end != size:
            self._add("wacz-index-block", f"index.idx: its blocks end at {end}, the index at {size}")

    # ---- pages

    def _page_lists(self) -> None:
        if "pages/pages.jsonl" not in self.entries:
            self._add("wacz-no-pages", "there is no pages/pages.jsonl")
        shown = {digest for _, digest in self.captures.values()}
        for name in self.entries:
            if not (name.startswith("pages/") and name.endswith(".jsonl")):
                continue
            try:
                with self.package.open(name) as entry:
                    for number, line in enumerate(entry, 1):
                        if line.strip() and (fault := page_fault(line, number, shown)):
                            self._add(fault[0], f"{name}, line {number}: {fault[1]}")
            except _UNREADABLE:
                continue  # told already

    def _add(self, code: str, message: str) -> None:
        self.report.add(Finding(code, message, self.report.name))
