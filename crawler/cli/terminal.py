"""What may be written to a terminal, and how."""

from __future__ import annotations

import errno
import json
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from archive.errors import DiskFull
from archive.files import is_full


def printable(text: str) -> str:
    """Return *text* on one line, with nothing in it that a terminal would act on.

    Control, format (bidirectional overrides among them), surrogate and unassigned characters become ``\\u…`` escapes.
    """
    return "".join(
        char if char.isprintable() or char == "\u00ad" else char.encode("unicode_escape").decode()
        for char in unicodedata.normalize("NFC", text)
    )


def print_json(value: dict[str, Any]) -> None:
    """Write one JSON object as one line on standard output, and flush it: a reader may be waiting for it."""
    from archive.formats import to_json

    with writing():
        line = to_json(value)
        sys.stdout.write((line if _writes_unicode() else json.dumps(json.loads(line))) + "\n")
        sys.stdout.flush()


def print_line(text: str) -> None:
    """Write one printable line on standard output."""
    encoding = sys.stdout.encoding or "utf-8"
    with writing():
        sys.stdout.write(printable(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()


def print_bytes(data: bytes) -> None:
    """Write *data* on standard output as it is."""
    with writing():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def writing(name: str = "standard output") -> Iterator[None]:
    """Say what it means that *name* cannot be written.

    Raises ``BrokenPipeError`` when nobody reads any more, ``DiskFull``, or ``click.UsageError``.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EIO:  # the terminal is gone
            raise BrokenPipeError(*error.args) from error
        if isinstance(error, BrokenPipeError):
            raise
        message = f"{name}: cannot be written ({error.strerror})"
        raise (DiskFull if is_full(error) else click.UsageError)(message) from error


def hang_up() -> None:
    """Let standard output lead nowhere: its reader is gone, and Python would complain of that when it ends."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives


def occupy_standard_streams() -> None:
    """Open what was closed of standard input, output and error, as by ``>&-``.

    Their descriptors would go to the next files opened, and what is meant for a terminal into a WARC file.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - as above


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
