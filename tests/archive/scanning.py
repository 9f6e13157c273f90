"""Scanning for tests: every block read, and closed again."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

from archive.scan import Fields, Problem, Scanned, scan


@dataclass
class Seen:
    """What a scan yielded, with the block as bytes."""

    record: Scanned
    block: bytes

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def name(self) -> str:
        """The last part of the record id."""
        return self.id.strip("<>").rpartition(":")[2]

    @property
    def offset(self) -> int:
        return self.record.offset

    @property
    def length(self) -> int:
        return self.record.length

    @property
    def header(self) -> bytes:
        return self.record.header

    @property
    def fields(self) -> Fields:
        return self.record.fields

    @property
    def whole(self) -> bool:
        return self.record.whole

    @property
    def codes(self) -> set[str]:
        return {problem.code for problem in self.record.problems}


def seen(record: Scanned) -> Seen:
    with record:
        return Seen(record, record.block.read())


@dataclass
class Reading:
    """A whole file: its records, and the problems that belong to none of them."""

    records: list[Seen]
    problems: list[Problem]

    @property
    def names(self) -> list[str]:
        return [record.name for record in self.records]

    @property
    def blocks(self) -> list[bytes]:
        return [record.block for record in self.records]

    @property
    def codes(self) -> set[str]:
        return {problem.code for problem in self.problems}


def reading(source: bytes | BinaryIO, *, base: int = 0) -> Reading:
    records = scan(io.BytesIO(source) if isinstance(source, bytes) else source, base=base)
    return Reading([seen(record) for record in records], records.problems)
