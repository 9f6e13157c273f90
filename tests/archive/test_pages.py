"""Pages are found wherever they lie."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.pages import StoredPage, Unreadable, pages_in
from archive.warc import Record, encode

HTML = b"<html><head><title>A</title></head><body><p>Text.</p></body></html>"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


def record(kind: str, block: bytes, content_type: str, number: int = 1) -> bytes:
    fields = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>"),
        ("WARC-Date", "2026-03-01T00:00:00Z"),
        ("WARC-Target-URI", f"https://news.example/{number}"),
        ("Content-Type", content_type),
    ]
    return encode(Record(kind, fields, block))


def found(path: Path, data: bytes) -> list[StoredPage | Unreadable]:
    path.write_bytes(data)
    return list(pages_in(str(path)))


WARC = record("response", HEAD + HTML, "application/http;msgtype=response")


@pytest.mark.parametrize(
    "data", [HTML, gzip.compress(HTML), WARC, gzip.decompress(WARC)], ids=["html", "html.gz", "warc.gz", "warc"]
)
def test_a_page_is_told_by_its_content_whatever_its_name(data: bytes, tmp_path: Path) -> None:
    (page,) = found(tmp_path / "named.anything", data)
    assert isinstance(page, StoredPage)
    assert page.payload == HTML


def test_the_warcs_in_a_wacz_are_read(tmp_path: Path) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("archive/data.warc.gz", WARC)
        file.writestr("pages/pages.jsonl", "{}")
    (page,) = found(tmp_path / "a.wacz", package.getvalue())
    assert isinstance(page, StoredPage)
    assert (page.url, page.payload) == ("https://news.example/1", HTML)
    assert page.path.endswith("a.wacz!archive/data.warc.gz")
    assert page.captured_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_resources_are_pages_and_responses_that_are_no_http_do_no_harm(tmp_path: Path) -> None:
    data = (
        record("response", HTML, "text/html", 1)
        + record("resource", HTML, "text/html", 2)
        + record("response", b"HTTP/1.1 404 Gone\r\nContent-Type: text/html\r\n\r\n" + HTML, "application/http", 3)
        + record("response", b"not http at all", "application/http;msgtype=response", 4)
    )
    pages = [page for page in found(tmp_path / "a.warc.gz", data) if isinstance(page, StoredPage)]
    assert [(page.url, page.payload) for page in pages][-1] == ("https://news.example/2", HTML)
    assert {page.url for page in pages} <= {"https://news.example/1", "https://news.example/2"}


def test_a_cut_warc_gives_what_is_whole_and_tells_the_rest(tmp_path: Path) -> None:
    second = record("response", HEAD + HTML * 500, "application/http;msgtype=response", 2)
    first, *rest = found(tmp_path / "a.warc.gz", WARC + second[: len(second) // 2])
    assert isinstance(first, StoredPage)
    assert any(isinstance(item, Unreadable) for item in rest)


@pytest.mark.parametrize("data", [b"", b"  \n", b"PK\x03\x04broken", gzip.compress(HTML, mtime=0)[:-12]])
def test_what_cannot_be_read_says_so(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"a\.file"):
        found(tmp_path / "a.file", data)
