"""The WARC files to import, wherever they lie: single files, directories of them, WACZ packages, standard input."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from archive.errors import ArchiveError
from archive.originals import MEMBER

SUFFIXES = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz", ".wacz")
_WARC_SUFFIXES = (".warc", ".warc.gz", ".warc.zst")
_ZIP = b"PK\x03\x04"
ENCRYPTED = 0x1  # of a zip entry's general purpose flags (APPNOTE.TXT, 4.4.4)


class NotImportable(ArchiveError):
    """A file cannot be imported: it cannot be read, or is of a kind that holds no records."""


@dataclass(frozen=True, slots=True)
class Source:
    """One WARC file. *member* is its name in the WACZ package at *path*; *size* is what it takes up there."""

    path: str
    member: str | None = None
    size: int = 0

    @property
    def name(self) -> str:
        """What it is called in messages: its path as given, and the member."""
        return self.path if self.member is None else f"{self.path}{MEMBER}{self.member}"

    @property
    def short_name(self) -> str:
        """What is kept of its name: nothing of the directories on the machine that it lay on."""
        base = "standard input" if self.path == "-" else os.path.basename(self.path)
        return base if self.member is None else f"{base}{MEMBER}{self.member}"

    @contextmanager
    def opened(self, stdin: BinaryIO | None = None) -> Iterator[BinaryIO]:
        """Give its bytes from the beginning. Raises ``NotImportable`` when they cannot be read to the end."""
        try:
            if self.path == "-":
                assert stdin is not None
                yield stdin
            elif self.member is None:
                with Path(self.path).open("rb") as file:
                    yield file
            else:
                with zipfile.ZipFile(self.path) as package, package.open(self.member) as inner:
                    yield cast("BinaryIO", inner)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise NotImportable(f"{self.name}: cannot be unpacked ({error})") from error


def sources(path: str) -> Iterator[Source | NotImportable]:
    """Yield the WARC files at *path*: it alone, those of a WACZ package, or all in a directory and below, in order.

    In a directory the names decide; links to directories are not followed. What cannot be read is yielded as an error.
    """
    if path == "-":
        yield Source(path)
        return
    try:
        if Path(path).is_dir():
            yield from _in_directory(path)
            return
        with Path(path).open("rb") as file:
            package = file.read(len(_ZIP)) == _ZIP
        if package:
            yield from _in_wacz(path)
        else:
            yield Source(path, size=Path(path).stat().st_size)
    except OSError as error:
        yield NotImportable(f"{error.filename or path}: cannot be read ({error.strerror or error})")


def _in_directory(path: str) -> Iterator[Source | NotImportable]:
    with os.scandir(path) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        if entry.is_dir(follow_symlinks=False) or entry.name.lower().endswith(SUFFIXES):
            yield from sources(entry.path)


def _in_wacz(path: str) -> Iterator[Source | NotImportable]:
    try:
        with zipfile.ZipFile(path) as package:
            members = [
                info
                for info in package.infolist()
                if info.filename.startswith("archive/") and info.filename.lower().endswith(_WARC_SUFFIXES)
            ]
    except (zipfile.BadZipFile, NotImplementedError) as error:
        yield NotImportable(f"{path}: a damaged zip file ({error}); not imported")
        return
    if not members:
        yield NotImportable(f"{path}: a zip file without WARC files in archive/; not a WACZ package")
    for info in members:
        if info.flag_bits & ENCRYPTED:  # zipfile raises a RuntimeError then, as a bug of ours might
            yield NotImportable(f"{path}: {info.filename} is encrypted; unpack it with its password and import that")
            continue
        yield Source(path, info.filename, info.file_size)
