"""An archive that the command wrote, opened beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from archive.archive import Archive
from archive.scan import scan
from archive.storage.s3 import S3Options
from tests.command import Command
from tests.servers.weed import ACCESS_KEY, REGION, SECRET_KEY


def opened(command: Command) -> Archive:
    """Open the archive that *command* archives to, with the local state it keeps."""
    if not command.archive.startswith("s3://"):
        return Archive.open(str(command.path))
    endpoint = command.variables["AWS_ENDPOINT_URL_S3"]
    options = S3Options(endpoint, REGION, ACCESS_KEY, SECRET_KEY)
    return Archive.open(command.archive, s3=options, state_dir=command.folder / "state" / "newswarc")


def record_ids(archive: Archive, seen: dict[str, dict[str, list[str]]] | None = None) -> dict[str, list[str]]:
    """Return the ids of the published response and revisit records, each with the faults a reader finds in it.

    *seen* keeps, by key, what was found in each file, so that the next call need not read it again.
    """
    seen = {} if seen is None else seen
    for stat in archive.storage.list("warc/"):
        if stat.key not in seen:
            with archive.storage.open(stat.key) as stream:
                seen[stat.key] = _record_ids(stream)
    return {record_id: faults for found in seen.values() for record_id, faults in found.items()}


def _record_ids(stream: BinaryIO) -> dict[str, list[str]]:
    found = {}
    for record in scan(stream):
        with record:
            if record.type in ("response", "revisit"):
                found[record.id] = [problem.message for problem in record.problems]
    return found


@dataclass(frozen=True)
class Answer:
    """An answer as a published record keeps it."""

    type: str
    status: int
    truncated: str | None

    @property
    def good(self) -> bool:
        return self.status == 200 and (self.truncated is None or self.type == "revisit")


def answers(archive: Archive) -> dict[str, list[Answer]]:
    """Return what the published response and revisit records keep, by URL."""
    found: dict[str, list[Answer]] = {}
    for stat in archive.storage.list("warc/"):
        with archive.storage.open(stat.key) as stream:
            for record in scan(stream):
                with record:
                    if record.type in ("response", "revisit"):
                        status = int(record.block.read(0, 12)[9:])
                        answer = Answer(record.type, status, record.fields.get("WARC-Truncated"))
                        found.setdefault(record.fields.get("WARC-Target-URI") or "", []).append(answer)
    return found


def articles(archive: Archive) -> dict[str, list[dict[str, Any]]]:
    """Return the articles of all published conversion records, as JSON, by URL: once for each record."""
    found: dict[str, list[dict[str, Any]]] = {}
    for stat in archive.storage.list("articles/"):
        with archive.storage.open(stat.key) as stream:
            for record in scan(stream):
                with record:
                    if record.type == "conversion" and record.fields.get("Content-Type") == "application/json":
                        found.setdefault(record.fields.get("WARC-Target-URI") or "", []).append(
                            json.loads(record.block.read())
                        )
    return found


def sessions(archive: Archive) -> list[str]:
    """Return what lies in session directories: what is being written, or waits for the store."""
    if not archive.sessions_dir.is_dir():
        return []
    return sorted(str(path.relative_to(archive.sessions_dir)) for path in archive.sessions_dir.rglob("*"))
