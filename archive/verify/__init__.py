"""Verification: WARC files and WACZ packages against their standards, an archive against itself."""

from archive.verify.file import verify_file
from archive.verify.report import Finding, Report
from archive.verify.rules import RULES, Rule, Severity
from archive.verify.wacz import is_zip, verify_wacz
from archive.verify.whole import verify_archive

__all__ = [
    "RULES",
    "Finding",
    "Report",
    "Rule",
    "Severity",
    "is_zip",
    "verify_archive",
    "verify_file",
    "verify_wacz",
]
