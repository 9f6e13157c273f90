"""Archives of hand-made records, and a server's answers for them without a server."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive import cdxj
from archive.archive import Archive
from archive.digests import digest
from archive.entries import capture_of, records_in
from archive.replay.answering import guarded, on_library, on_pages
from archive.replay.asked import Answer, Request
from archive.replay.site import Options, Site
from archive.storage.local import LocalStorage
from tests.archive.indexed import put
from tests.records import record, record_id

LIBRARY, PAGES = "http://127.0.0.1:8080", "http://localhost:8081"
WARC = "warc/2026/01/01/made.warc.gz"
NEWS = "https://news.example/a"


def block_digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Made:
    """An archive in *folder* that grows record by record; :meth:`site` closes its file and opens it."""

    folder: Path
    options: Options = field(default_factory=lambda: Options(LIBRARY, PAGES))
    members: list[bytes] = field(default_factory=list)

    def response(
        self,
        url: str = NEWS,
        at: str = "2026-01-01T00:00:00Z",
        body: bytes = b"<p>text</p>",
        *,
        status: str = "200 OK",
        headers: str = "Content-Type: text/html\r\n",
        **fields: Any,
    ) -> int:
        """Add a response; returns its number, for revisits to refer to."""
        number = len(self.members) + 1
        block = f"HTTP/1.1 {status}\r\n{headers}\r\n".encode("latin-1") + body
        fields = {"WARC_Payload_Digest": digest(body), "WARC_Block_Digest": block_digest(block), **fields}
        self.members.append(record(number, block, url=url, at=at, **fields))
        return number

    def revisit(
        self,
        url: str = NEWS,
        at: str = "2026-02-01T00:00:00Z",
        *,
        head: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        profile: str = "identical-payload-digest",
        **fields: Any,
    ) -> int:
        number = len(self.members) + 1
        name = f"http://netpreserve.org/warc/1.1/revisit/{profile}"
        self.members.append(record(number, head, kind="revisit", url=url, at=at, WARC_Profile=name, **fields))
        return number

    def raw(self, block: bytes, **fields: Any) -> int:
        """Add a record of any kind."""
        number = len(self.members) + 1
        self.members.append(record(number, block, **fields))
        return number

    def write(self, key: str = WARC) -> None:
        data = b"".join(self.members)
        storage = LocalStorage(self.folder)
        put(storage, key, data)
        captures = [capture_of(found, key) for found in records_in(io.BytesIO(data))]
        lines = cdxj.segment(capture for capture in captures if capture)
        put(storage, key.replace("warc/", "index/").replace(".warc.gz", ".cdxj"), lines)

    def damage(self, number: int, *, at: int = -20) -> None:
        """Flip a byte within the stored record of that number."""
        path = self.folder / WARC
        data = bytearray(path.read_bytes())
        end = sum(len(member) for member in self.members[:number])
        data[end + at] ^= 0xFF
        path.chmod(0o644)
        path.write_bytes(data)

    def site(self, access: str = "") -> Site:
        self.write()
        if access:
            put(LocalStorage(self.folder), "access.toml", access.encode())
        return Site(Archive.open(str(self.folder)), self.options)


def library(site: Site, target: str, method: str = "GET", **headers: str) -> Answer:
    """Ask the library; ``accept_datetime="…"`` is the header of that name."""
    return guarded(on_library, site, _request(method, target, headers))


def pages(site: Site, target: str, method: str = "GET", **headers: str) -> Answer:
    return guarded(on_pages, site, _request(method, target, headers))


def _request(method: str, target: str, headers: dict[str, str]) -> Request:
    return Request(method, target, {name.replace("_", "-"): value for name, value in headers.items()})


__all__ = ["LIBRARY", "NEWS", "PAGES", "WARC", "Made", "block_digest", "library", "pages", "record_id"]
