"""Captures and index segments for tests of what finds them."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from archive import cdxj
from archive.capture import Capture
from archive.place import Place
from archive.storage import Stat
from archive.storage.local import LocalStorage

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def capture(number: int = 1, url: str = "https://news.example/a", **other: object) -> Capture:
    """Capture *number*, taken that many seconds after noon."""
    values: dict[str, object] = {
        "url": url,
        "captured_at": AT + timedelta(seconds=number),
        "record_id": f"<urn:uuid:{number:08d}-0000-4000-8000-000000000000>",
        "record_type": "response",
        "status": 200,
        "mime": "text/html",
        "payload_digest": f"sha256:{number:04d}",
        "place": Place("warc/2026/11/21/a.warc.gz", 1000 * number, 900),
    }
    return Capture(**(values | other))  # type: ignore[arg-type]  # names are checked by the dataclass


def put(storage: LocalStorage, key: str, data: bytes) -> None:
    storage.put(key, data, sha256=hashlib.sha256(data).hexdigest(), replace=True)


def put_segment(storage: LocalStorage, name: str, *captures: Capture) -> str:
    key = f"index/2026/11/21/{name}.cdxj"
    put(storage, key, cdxj.segment(captures))
    return key


class Bucket(LocalStorage):
    """A storage without files of its own, as a bucket is; it counts what is fetched and may lie about it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fetched: list[str] = []
        self.cut_at: int | None = None
        self.sha256: str | None = None

    def open(self, key: str) -> BinaryIO:
        self.fetched.append(key)
        return io.BytesIO(self.read(key)[: self.cut_at])

    def stat(self, key: str) -> Stat | None:
        found = super().stat(key)
        return Stat(key, found.size, self.sha256) if found else None
