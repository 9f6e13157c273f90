"""For every test: in CI, a test that only wants something installed fails instead of being skipped."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

INSTALLABLE = ("pip install", "apt-get install")  # how a reason to skip says what would have to be installed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # A skip's report holds file, line and reason.
    if os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if any(word in reason for word in INSTALLABLE):
            report.outcome = "failed"
            report.longrepr = f"in CI nothing that can be installed may be missing; {reason}"
    return report
