"""Archives to be verified, made as a crawl makes them, and ways to damage them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from archive import warc
from archive.article import Article
from archive.capture import Capture
from archive.catalog import Catalog
from archive.names import new_stem
from archive.place import Place
from archive.segment import Segment
from archive.storage.local import LocalStorage
from archive.upload import publish
from tests.archive.exchanges import AT, FIELDS, page

NOW = AT + timedelta(days=1)


def begun(session: Path, kind: str, serial: int) -> tuple[Segment, str]:
    stem = new_stem("articles" if kind == "articles" else "captures", serial, "Test Host", AT)
    info = warc.warcinfo(f"{stem}.warc.gz", FIELDS, date=AT)
    return Segment(session, stem, info), info.id


@dataclass
class Made:
    """What was put into an archive, to fill a catalogue with."""

    captures: list[Capture]
    articles: list[tuple[str, Article, Place]]

    def original(self, payload_digest: str) -> Capture | None:
        """Return the first whole capture with that payload."""
        return next((one for one in self.captures if one.payload_digest == payload_digest), None)


def make_archive(root: Path, session: Path, *, pages: int = 4, segments: int = 2) -> tuple[LocalStorage, Made]:
    """Return an archive of *segments* segments of captures, the last page of each a revisit, and one of articles."""
    session.mkdir()
    storage, made = LocalStorage(root), Made([], [])
    for serial in range(segments):
        segment, warcinfo_id = begun(session, "captures", serial)
        for number in range(pages):
            exchange, response = page(0 if number == pages - 1 else serial * 100 + number)
            with response:
                exchange = replace(exchange, url=f"https://news.example/{serial}/{number}")
                records = warc.capture_records(exchange, warcinfo_id=warcinfo_id, original=made.original)
                made.captures += [entry.capture for entry in segment.append(records) if entry.capture]
        segment.seal()
    segment, warcinfo_id = begun(session, "articles", segments)
    for number, capture in enumerate(made.captures):
        article = Article(url=capture.url, title=f"Title {number}", record_id=capture.record_id, text="Text.")
        record = warc.conversion(article, warcinfo_id=warcinfo_id, date=AT)
        (entry,) = segment.append([record])
        made.articles.append((record.id, article, entry.place))
    segment.seal()
    publish(session, storage)
    return storage, made


@contextmanager
def catalog_of(path: Path, made: Made) -> Iterator[Catalog]:
    with Catalog(path) as catalog:
        catalog.add(made.captures, made.articles)
        yield catalog


def damage(data: bytes, chance: random.Random) -> tuple[bytes, str, int]:
    """Return *data* with one fault, its kind and where it begins."""
    kind = chance.choice(("bit", "byte", "cut", "drop", "insert", "zero", "repeat"))
    at = chance.randrange(len(data))
    span = min(chance.choice((1, 7, 100, 600)), len(data) - at)
    match kind:
        case "bit":
            changed = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        case "byte":
            changed = data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]
        case "cut":
            changed = data[:at]
        case "drop":
            changed = data[:at] + data[at + span :]
        case "insert":
            changed = data[:at] + chance.randbytes(span) + data[at:]
        case "zero":
            changed = data[:at] + bytes(span) + data[at + span :]
        case _:
            changed = data[: at + span] + data[at : at + span] + data[at + span :]
    return changed, kind, at


def fields_of(
    kind: str, block: bytes, leave: tuple[str, ...] = (), changes: dict[str, str] | None = None
) -> list[tuple[str, str]]:
    """Return what a record of type *kind* requires, with *changes* (``_`` for a hyphen), without *leave*."""
    values = {"WARC-Type": kind, "WARC-Record-ID": "<urn:uuid:1>", "WARC-Date": "2026-11-21T20:48:00Z"}
    if kind not in {"warcinfo", "metadata"}:
        values["WARC-Target-URI"] = "https://news.example/"
    if block and kind != "continuation":
        types = {"warcinfo": "application/warc-fields", "request": "application/http;msgtype=request"}
        values["Content-Type"] = types.get(kind, "application/http;msgtype=response")
    values |= {name.replace("_", "-"): value for name, value in (changes or {}).items()}
    return [(name, value) for name, value in values.items() if name not in leave]


def plain(
    kind: str = "response", *, version: str = "1.1", block: bytes = b"", leave: tuple[str, ...] = (), **changes: str
) -> bytes:
    """Return a record as :func:`fields_of` has it, uncompressed, and with nothing made legal."""
    return raw([*fields_of(kind, block, leave, changes), ("Content-Length", str(len(block)))], block, version=version)


def raw(fields: list[tuple[str, str]], block: bytes = b"", *, version: str = "1.1") -> bytes:
    head = f"WARC/{version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields)
    return head.encode() + b"\r\n" + block + b"\r\n\r\n"
