"""Where reports lie: in the archive's storage under ``crawls/<job>/<start>/``, and on this machine on their way there.

A report is written here first, whole, and shipped then; ``report.json`` goes last, and is what makes a report one. What
cannot be shipped, as the store is out of reach, is shipped after the next crawl.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archive import names
from archive.archive import Archive
from archive.capture import timestamp14
from archive.errors import NotArchived, StorageError
from archive.files import make_directory, storage_errors, sync_directory
from archive.storage import Storage

REPORT, PAGE, SKIPPED = "report.json", "report.html", "skipped.jsonl"
FILES = (SKIPPED, PAGE, REPORT)  # in the order in which they are shipped
STALE_S = 86_400  # what is not whole by then never will be
_PART = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A crawl's report: *job*, and the *start* of the run in 14 digits, UTC."""

    job: str
    start: str

    def key(self, file: str) -> str:
        return f"{names.CRAWLS_PREFIX}{self.job}/{self.start}/{file}"

    def __str__(self) -> str:
        return f"{self.job}/{self.start}"


def part_of_key(name: str) -> str:
    """Return *name* as it may stand in a key: letters, digits, ``.``, ``_`` and ``-``, and no hidden file."""
    return _PART.sub("-", name).strip(".-")[:80] or "crawl"


def free_place(archive: Archive, job: str, started: datetime) -> Place:
    """Return where the report of a run of *job* goes; one that began in the same second as another, a second later."""
    with contextlib.suppress(StorageError):  # it is shipped later, and has its name now
        while archive.storage.stat(_place(job, started).key(REPORT)) is not None:
            started += timedelta(seconds=1)
    while _local(archive, _place(job, started)).exists():
        started += timedelta(seconds=1)
    return _place(job, started)


def _place(job: str, started: datetime) -> Place:
    return Place(part_of_key(job), timestamp14(started))


def _local(archive: Archive, place: Place) -> Path:
    return archive.state_dir / "reports" / place.job / place.start


def make_folder(archive: Archive, place: Place) -> Path:
    """Return the folder in which the report is written before it is shipped."""
    folder = _local(archive, place)
    with storage_errors(folder, "making a place for a report"):
        make_directory(folder)
    return folder


def settle(folder: Path) -> None:
    """Make durable what is in *folder*, so that it may be shipped by any later crawl."""
    with storage_errors(folder, "writing a report"):
        for name in FILES:
            descriptor = os.open(folder / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_directory(folder)


def ship(archive: Archive) -> list[Place]:
    """Put the reports that wait on this machine into the archive's storage; return which.

    Raises ``StorageError``; what could not be shipped waits for the next crawl.
    """
    shipped = []
    for folder in sorted((archive.state_dir / "reports").glob("*/*")):
        place = Place(folder.parent.name, folder.name)
        if not (folder / REPORT).is_file():
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > STALE_S:
                    shutil.rmtree(folder)
            continue
        for name in FILES:
            path = folder / name
            if not path.exists():  # another crawl ships it at this moment
                continue
            with storage_errors(path, "reading a report"), path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            archive.storage.put(place.key(name), path, sha256=sha256)
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
        shipped.append(place)
    return shipped


# ---- reading


def places(storage: Storage, job: str | None = None) -> list[Place]:
    """Return the reports that *storage* holds, of one *job* or of all, the latest last."""
    prefix = f"{names.CRAWLS_PREFIX}{job}/" if job else names.CRAWLS_PREFIX
    found = []
    for stat in storage.list(prefix):
        parts = stat.key.split("/")
        if len(parts) == 4 and parts[3] == REPORT and re.fullmatch(r"\d{14}", parts[2]):
            found.append(Place(parts[1], parts[2]))
    return sorted(found, key=lambda place: (place.start, place.job))


def find(storage: Storage, crawl: str | None) -> Place:
    """Return the report that *crawl* names: a job, ``job/start``, or None for the latest of all.

    Raises ``NotArchived`` when there is none.
    """
    job, _, start = (crawl or "").strip("/").partition("/")
    found = [place for place in places(storage, job or None) if not start or place.start.startswith(start)]
    if found:
        return found[-1]
    what = f"of {crawl}" if crawl else "at all"
    remedy = "see which there are: newswarc report --list" if crawl else "newswarc crawl SPIDER leaves one"
    raise NotArchived(f"{storage.location}: there is no report {what}; {remedy}")


def read(storage: Storage, place: Place) -> dict[str, Any]:
    """Return ``report.json``. Raises ``NotArchived`` when it is none that this version understands."""
    try:
        report = json.loads(storage.read(place.key(REPORT)))
        if not isinstance(report, dict) or "run" not in report:
            raise ValueError("it is no report")
    except ValueError as error:
        raise NotArchived(f"{place.key(REPORT)}: cannot be read ({error})") from error
    return report


def lines(storage: Storage, key: str) -> Iterator[bytes]:
    """Yield the lines of an object, without holding it."""
    with storage.open(key) as stream:
        yield from stream
