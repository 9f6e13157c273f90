"""Records as two readers that are not ours see them: warcio and FastWARC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator


@dataclass(frozen=True)
class Seen:
    """One record: its named fields in lower case, and its block."""

    type: str
    fields: tuple[tuple[str, str], ...]
    block: bytes

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key == name.lower()), None)


def warc_files(archive: Path, folder: str = "warc") -> list[Path]:
    return sorted((archive / folder).rglob("*.warc.gz"))


def by_warcio(path: Path) -> Iterator[Seen]:
    with path.open("rb") as file:
        for record in ArchiveIterator(file, no_record_parse=True):
            fields = tuple((name.lower(), value) for name, value in record.rec_headers.headers)
            yield Seen(record.rec_type, fields, record.raw_stream.read())


def by_fastwarc(path: Path) -> Iterator[Seen]:
    with path.open("rb") as file:
        for record in FastIterator(file, parse_http=False):
            fields = tuple((name.lower(), value) for name, value in record.headers.astuples())
            yield Seen(record.headers["WARC-Type"], fields, record.reader.read())


def all_records(archive: Path, folder: str = "warc") -> list[Seen]:
    return [record for path in warc_files(archive, folder) for record in by_warcio(path)]
