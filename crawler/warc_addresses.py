"""The addresses that WARC files name, such as those of Common Crawl's CC-NEWS: what a publication had online once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from archive.scan import scan

log = logging.getLogger(__name__)

_STATUS_BYTES = 64


def addresses(files: Sequence[Path], wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield the *wanted* addresses of pages in *files*, each once: those that were answered with success.

    What cannot be read of a file costs nothing but itself. Raises ``OSError`` when one cannot be
    opened.
    """
    seen: set[str] = set()
    for file in files:
        before = len(seen)
        with file.open("rb") as stream:
            for record in scan(stream):
                with record:
                    url = (record.fields.get("WARC-Target-URI") or "").strip("<> ")
                    page = record.type in ("response", "revisit") and not url.endswith("/robots.txt")
                    if not page or url in seen or not wanted(url):
                        continue
                    if _succeeded(record.block.read(0, _STATUS_BYTES)):
                        seen.add(url)
                        yield url
        log.info("%s: %d addresses of this publication", file, len(seen) - before)


def _succeeded(start: bytes) -> bool:
    status = start.partition(b"\r\n")[0].split(b" ", 2)[1:2]
    return status != [] and status[0][:1] == b"2"
