"""Which files there are to be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = (".html", ".htm", ".xhtml", ".warc", ".wacz")  # and each with .gz behind it


def walked(path: str) -> Iterator[str]:
    """Yield *path*, or when it is a directory the pages, WARC files and WACZ packages in it and below, in order.

    In a directory the names decide, as that of whatever else lies there would have to be read to be told; links to
    directories are not followed. Raises ``OSError`` for a directory that cannot be read.
    """
    if path == "-" or not Path(path).is_dir():
        yield path
        return
    with os.scandir(path) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        if entry.is_dir(follow_symlinks=False):
            yield from walked(entry.path)
        elif entry.name.lower().removesuffix(".gz").endswith(SUFFIXES):
            yield entry.path
