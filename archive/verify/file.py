"""Verification of one WARC file, in one pass, in memory that its records' sizes do not change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from archive.member import COPIED, GZIP_HEADER
from archive.names import OPEN_SUFFIX
from archive.payload import Message, read_message
from archive.scan import Scanned, scan
from archive.verify.content import check_content
from archive.verify.links import Links
from archive.verify.record import check_record, check_version
from archive.verify.report import Finding, Report


def verify_file(
    source: Path | str | BinaryIO,
    *,
    name: str | None = None,
    strict: bool = False,
    listener: Callable[[Finding], None] | None = None,
    now: datetime | None = None,
) -> Report:
    """Verify the WARC file *source*, a path or a binary stream that need not be seekable.

    *strict* makes warnings count. *listener* is told every finding as it is made. *now* is what dates are held
    against, the present by default. Raises ``OSError`` when the file cannot be read; whatever is in it is reported.
    """
    if isinstance(source, (Path, str)):
        with Path(source).open("rb") as stream:
            return verify_file(stream, name=name or str(source), strict=strict, listener=listener, now=now)
    report = Report(name or "-", strict, files=1, listener=listener)
    check_file(source, report.name, report, now or datetime.now(UTC))
    return report


def check_file(
    stream: BinaryIO,
    name: str,
    report: Report,
    now: datetime,
    *,
    each: Callable[[Scanned], None] | None = None,
    alone: bool = True,
) -> Links:
    """Verify the file that *stream* holds into *report*; *each* is shown every record on the way.

    Unless the file stands *alone*, references out of it are left to the caller, who finds them in what is returned.
    """
    records = scan(stream)
    check = _FileCheck(name, report, now)
    for record in records:
        with record:
            check.record(record)
            if each is not None:
                each(record)
    for problem in records.problems:
        report.add(Finding(problem.code, problem.message, name, problem.offset))
    check.finish(compressed=records.compressed, alone=alone)
    return check.links


class _FileCheck:
    def __init__(self, name: str, report: Report, now: datetime) -> None:
        self.name, self.report, self.now = name, report, now
        self.links = Links(name)
        self.count = 0
        self.ours = False
        # Answers without a body are faults unless the request turns out to be HEAD; either of the two records may come
        # first, and either may name the other (5.7).
        self._heads: set[str] = set()  # ids of requests with HEAD, and of what those name
        self._short: dict[str, Finding] = {}  # by the id of the response
        self._short_by_request: dict[str, str] = {}

    def record(self, record: Scanned) -> None:
        self.count += 1
        self.report.records[record.type or "(none)"] += 1
        for problem in record.problems:
            self._add(record, problem.code, problem.message, problem.offset)
        if "header-cut" in {problem.code for problem in record.problems}:
            for code, text in check_version(record):
                self._add(record, code, text)
            return  # all else that is amiss follows from the cut
        for code, text in check_record(record, self.now):
            self._add(record, code, text)
        message = read_message(record)
        if len(record.block) == record.content_length:
            for code, text in check_content(record, message):
                self._content(record, message, code, text)
        for finding in self.links.check(record):
            self.report.add(finding)
        self._request(record, message)
        self._gzip_header(record)
        if self.count == 1 and record.type != "warcinfo":
            self._add(record, "no-warcinfo", "the file begins with no warcinfo record")

    def finish(self, *, compressed: bool, alone: bool) -> None:
        for finding in (*self._short.values(), *self.links.finish()):
            if alone or finding.code != "reference-outside":
                self.report.add(finding)
        name = self.name.removesuffix(OPEN_SUFFIX)
        if self.count and compressed != name.endswith(".gz") and name.endswith((".warc", ".gz")):
            what = "gzip" if compressed else "not gzip"
            self.report.add(Finding("file-name", f"the file is {what}, its name says otherwise", self.name))

    def _add(self, record: Scanned, code: str, message: str, offset: int | None = None) -> None:
        at = record.offset if offset is None else offset
        self.report.add(Finding(code, message, self.name, at, record.id or None))

    def _content(self, record: Scanned, message: Message | None, code: str, text: str) -> None:
        without_body = message is not None and message.head is not None and len(record.block) == message.head.size
        if code != "http-body-short" or not without_body:
            self._add(record, code, text)
            return
        # The answer to HEAD has the framing of a body and none (RFC 9110, 9.3.2).
        requests = record.fields.get_all("WARC-Concurrent-To")
        if self._heads.isdisjoint((record.id, *requests)):
            self._short[record.id] = Finding(code, text, self.name, record.offset, record.id or None)
            self._short_by_request.update(dict.fromkeys(requests, record.id))

    def _request(self, record: Scanned, message: Message | None) -> None:
        if message is not None and message.method == "HEAD":
            responses = record.fields.get_all("WARC-Concurrent-To")
            self._heads.update((record.id, *responses))
            for response in (*responses, self._short_by_request.get(record.id)):
                self._short.pop(response or "", None)

    def _gzip_header(self, record: Scanned) -> None:
        if self.count == 1 and record.type == "warcinfo" and record.gzip_header:
            said = record.block.read(0, 4096)
            self.ours = b"software: newswarc" in said and COPIED.encode() not in said
        if self.ours and record.gzip_header != GZIP_HEADER:
            text = f"the gzip header is {record.gzip_header.hex()}, newswarc writes {GZIP_HEADER.hex()}"
            self._add(record, "gzip-foreign-header", text)
