"""What a verification found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from archive.verify.rules import RULES, SEVERITIES, Severity

KEPT_FINDINGS: Final = 1000  # of each severity, so that a hopeless gigabyte needs no gigabyte to report


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule, at one place. *offset* is in the file as stored; None when it is of the whole file."""

    code: str
    message: str
    file: str
    offset: int | None = None
    record_id: str | None = None

    @property
    def severity(self) -> Severity:
        return RULES[self.code].severity

    @property
    def clause(self) -> str:
        return RULES[self.code].clause

    def line(self) -> str:
        """Return the finding as one sentence for a person."""
        place = self.file if self.offset is None else f"{self.file} at byte {self.offset}"
        record = f", record {self.record_id}" if self.record_id else ""
        clause = self.clause if not self.clause[:1].isdigit() else f"WARC 1.1, {self.clause}"
        source = "" if clause == "newswarc" else f"; {clause}"
        return f"{self.severity}: {place}{record}: {self.message} [{self.code}{source}]"

    def to_json(self) -> dict[str, Any]:
        return {
            "severity": self.severity,
            "code": self.code,
            "clause": self.clause,
            "rule": RULES[self.code].sentence,
            "message": self.message,
            "file": self.file,
            "offset": self.offset,
            "record_id": self.record_id,
        }


@dataclass(slots=True)
class Report:
    """The outcome of verifying one file or one archive. *counts* are exact; *findings* stop at 1,000 of a severity."""

    name: str
    strict: bool = False
    files: int = 0
    records: Counter[str] = field(default_factory=Counter)  # by WARC-Type
    counts: Counter[Severity] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    listener: Callable[[Finding], None] | None = None  # told every finding as it is made

    def add(self, finding: Finding) -> None:
        severity = finding.severity
        self.counts[severity] += 1
        if self.counts[severity] <= KEPT_FINDINGS:
            self.findings.append(finding)
        if self.listener is not None:
            self.listener(finding)

    @property
    def ok(self) -> bool:
        """No error; when strict, no warning either."""
        return not self.counts["error"] and not (self.strict and self.counts["warning"])

    def codes(self) -> set[str]:
        """Return the codes of the findings kept."""
        return {finding.code for finding in self.findings}

    def lines(self) -> Iterator[str]:
        """Yield the report as sentences for a person: errors first, a summary last."""
        for severity in SEVERITIES:
            kept = [finding for finding in self.findings if finding.severity == severity]
            yield from (finding.line() for finding in kept)
            if (more := self.counts[severity] - len(kept)) > 0:
                yield f"… and {more} more of severity {severity}"
        yield self.summary()

    def summary(self) -> str:
        """Return one sentence: the verdict, what was read, what was found."""
        found = ", ".join(
            _plural(self.counts[severity], {"error": "error", "warning": "warning", "info": "note"}[severity])
            for severity in SEVERITIES
            if self.counts[severity]
        )
        total = self.records.total()
        types = f" ({', '.join(f'{count} {kind}' for kind, count in sorted(self.records.items()))})" if total else ""
        files = f"{_plural(self.files, 'file')}, " if self.files != 1 else ""
        verdict = "sound" if self.ok else "NOT SOUND"
        return f"{self.name}: {verdict}; {files}{_plural(total, 'record')}{types}; {found or 'nothing found'}"

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ok": self.ok,
            "strict": self.strict,
            "files": self.files,
            "records": dict(sorted(self.records.items())),
            "counts": {severity: self.counts[severity] for severity in SEVERITIES},
            "findings": [finding.to_json() for finding in self.findings],
        }


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
