"""The header of a record: its version line and its named fields (WARC 1.1, 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.scan.record import Fields, Problem

_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Header:
    version: str
    fields: Fields
    content_length: int | None
    problems: list[Problem]


def read_header(raw: bytes, offset: int) -> Header:
    """Read the header *raw*, which begins ``WARC/``; *offset* is where its record stands, for the problems."""
    problems: list[Problem] = []

    def problem(code: str, message: str) -> None:
        problems.append(Problem(code, message, offset))

    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        problem("header-encoding", f"the header is not UTF-8 (byte {error.start} of it): read as Latin-1")
        text = raw.decode("latin-1")
    lines = text.split("\n")
    cut = lines.pop()  # the beginning of a line that has no end, where the header was cut; else empty
    if any(not line.endswith("\r") for line in lines):
        problem("header-line-end", "a header line ends without CR LF")
    if cut:
        lines.append(cut)
    lines = [line.removesuffix("\r") for line in lines]
    version = lines[0][len("WARC/") :]
    pairs: list[tuple[str, list[str]]] = []  # the value in parts, one for each line it was folded over
    for line in lines[1:]:
        if not line:
            continue
        if line[0] in " \t":
            # RFC 2616, 2.2, from which the grammar of WARC is taken: a fold means one space.
            if pairs:
                pairs[-1][1].append(line.strip(" \t"))
            else:
                problem("header-line", "the header begins with a continuation line")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            problem("header-line", f"a header line has no colon: {line[:80]!r}")
            continue
        pairs.append((name, [value.strip(" \t")]))
    fields = Fields(tuple((name, " ".join(filter(None, parts))) for name, parts in pairs))
    lengths = fields.get_all("Content-Length")
    content_length = None
    if not lengths:
        problem("content-length-missing", "the record has no Content-Length")
    elif _DIGITS.fullmatch(lengths[0]):
        content_length = int(lengths[0])
    else:
        problem("content-length-value", f"Content-Length is no number of bytes: {lengths[0][:40]!r}")
    if len(lengths) > 1:
        problem("content-length-repeated", f"Content-Length stands {len(lengths)} times: {', '.join(lengths)[:80]}")
    return Header(version, fields, content_length, problems)
