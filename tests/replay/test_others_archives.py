"""WARC files of other tools: each capture answers with its exact payload, or is told; nothing crashes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from archive import cdxj
from archive.archive import Archive
from archive.capture import Capture
from archive.codings import decode_content
from archive.entries import capture_of, records_in
from archive.payload import payload, read_message
from archive.replay.site import Options, Site
from archive.storage.local import LocalStorage
from tests.archive.indexed import put
from tests.replay.archives import LIBRARY, PAGES, library

SHELF = Path(__file__).parents[2] / "../shared/data/warc"
FILES = sorted(path for folder in ("ipwb", "iipc-dedup", "compressions") for path in (SHELF / folder).glob("*.warc*"))
FILES = [path for path in FILES if path.name.endswith((".warc", ".warc.gz"))]
pytestmark = pytest.mark.skipif(not FILES, reason="../shared/data/warc is not there")


class Bucket:
    """A storage that is no directory of this machine, as far as anyone can tell."""

    def __init__(self, root: Path) -> None:
        self._storage = LocalStorage(root)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


def served(folder: Path, *files: Path, bucket: bool = False) -> tuple[Site, list[tuple[Capture, bytes | None]]]:
    """Return a server of *files*, and their captures with what each holds as its payload."""
    storage = LocalStorage(folder)
    found: list[tuple[Capture, bytes | None]] = []
    for path in files:
        key = f"warc/2026/01/01/{path.name}"
        data = path.read_bytes()
        put(storage, key, data)
        captures = []
        for record in records_in(io.BytesIO(data)):
            if capture := capture_of(record, key):
                pieces = payload(record, read_message(record))
                found.append((capture, None if pieces is None else b"".join(pieces)))
                captures.append(capture)
        put(storage, f"index/2026/01/01/{path.name}.cdxj", cdxj.segment(captures))
    archive = Archive(Bucket(folder), folder / "state") if bucket else Archive(storage, folder / ".newswarc")
    return Site(archive, Options(LIBRARY, PAGES)), found


def raw(capture: Capture) -> str:
    return f"/web/{capture.timestamp14}id_/{capture.url}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_capture_answers_with_its_exact_payload(tmp_path: Path, path: Path) -> None:
    site, found = served(tmp_path, path)
    by_address: dict[str, list[bytes]] = {}
    for capture, body in found:
        if body is not None:
            by_address.setdefault(raw(capture), []).append(body)
    for capture, body in found:
        answer = library(site, raw(capture))
        if body is None:  # a revisit, whose original may be in another file
            assert answer.status in {200, 404}
        elif cdxj.line(capture) is None:
            assert answer.status == 404
        else:
            same = by_address[raw(capture)]  # several of one second and one URL have one address
            assert answer.status == 503 or answer.read() in same or answer.status in {204, 304}
            if answer.status == 503:
                assert b"damaged" in answer.read()
        assert library(site, f"/web/{capture.timestamp14}/{capture.url}").status != 500
        assert library(site, f"/web/timemap/link/{capture.url}").status in {200, 404}
    site.close()


@pytest.mark.parametrize(
    ("original", "revisits"),
    [
        ("20130729-heritrix-original", "20130729-heritrix-revisit-with-http-headers"),
        ("20141129-heritrix-original", "20141129-heritrix-revisit-with-http-headers-and-new-warc-headers"),
    ],
)
def test_revisits_of_another_file_answer_with_the_bytes_of_their_original(
    tmp_path: Path, original: str, revisits: str
) -> None:
    files = [SHELF / "iipc-dedup" / f"{name}.warc.gz" for name in (original, revisits)]
    site, found = served(tmp_path, *files)
    first = {capture.url: body for capture, body in found if capture.record_type == "response"}
    again = [capture for capture, _ in found if capture.record_type == "revisit"]
    assert again
    for capture in again:
        answer = library(site, raw(capture))
        assert (answer.status, answer.read()) == (200, first[capture.url])


@pytest.mark.parametrize(("name", "count"), [(f"{n}memento{'s' if n > 1 else ''}", n) for n in range(1, 6)])
def test_timemaps_count_what_is_there(tmp_path: Path, name: str, count: int) -> None:
    site, found = served(tmp_path, SHELF / "ipwb" / f"{name}.warc")
    counts = {
        library(site, f"/web/timemap/link/{capture.url}").read().count(b'memento"; datetime') for capture, _ in found
    }
    assert count in counts


def test_one_page_under_every_coding_is_the_same_page(tmp_path: Path) -> None:
    texts = set()
    for number, kind in enumerate(("none", "gzip", "gzip_chunked", "brotli")):
        site, found = served(tmp_path / str(number), SHELF / "compressions" / f"transfer_compression_{kind}.warc.gz")
        (capture,) = {capture.url: capture for capture, _ in found if capture.mime == "text/html"}.values()
        answer = library(site, raw(capture))
        coding = answer.header("Content-Encoding") or ""
        assert coding == {"none": "", "gzip": "gzip", "gzip_chunked": "gzip", "brotli": "br"}[kind]
        text = decode_content(answer.read(), coding, limit_bytes=1 << 24)
        assert text.lstrip().startswith(b"<")
        if kind != "gzip_chunked":  # which is of another site
            texts.add(text)
        assert library(site, f"/web/{capture.timestamp14}/{capture.url}").status == 200
    assert len(texts) == 1


def test_records_of_a_bucket_are_fetched_once(tmp_path: Path) -> None:
    site, found = served(tmp_path, SHELF / "ipwb" / "froggie.warc.gz", bucket=True)
    capture, body = next((capture, body) for capture, body in found if body and cdxj.line(capture))
    assert library(site, raw(capture)).read() == body
    (copy,) = (tmp_path / "state/cache/records").glob("*/*")
    assert len(copy.read_bytes()) == capture.place.length
    (tmp_path / capture.place.key).unlink()
    again = Site(Archive(Bucket(tmp_path), tmp_path / "state"), Options(LIBRARY, PAGES))
    assert library(again, raw(capture)).read() == body
    copy.write_bytes(bytes(capture.place.length))  # a copy that is no longer what it was is not served
    third = Site(Archive(Bucket(tmp_path), tmp_path / "state"), Options(LIBRARY, PAGES))
    assert library(third, raw(capture)).status == 503
    assert not copy.exists()
