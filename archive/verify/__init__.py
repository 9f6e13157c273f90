"""Verification: WARC files against the standard, an archive against itself."""

from archive.verify.file import verify_file
from archive.verify.report import Finding, Report
from archive.verify.rules import RULES, Rule, Severity
from archive.verify.whole import verify_archive

__all__ = ["RULES", "Finding", "Report", "Rule", "Severity", "verify_archive", "verify_file"]
