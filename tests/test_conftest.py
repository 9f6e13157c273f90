"""The rule of CI about skipped tests, tried on a test run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPING = """
import pytest

@pytest.fixture
def server():
    pytest.skip("no server; pip install server")

def test_with_server(server): ...

@pytest.mark.skipif(True, reason="no such data beside the checkout")
def test_with_data(): ...
"""


@pytest.mark.parametrize(("ci", "expected"), [("true", "1 skipped, 1 error"), ("", "2 skipped")])
def test_what_could_be_installed_is_not_skipped_in_ci(tmp_path: Path, ci: str, expected: str):
    (tmp_path / "test_it.py").write_text(SKIPPING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert expected in done.stdout.splitlines()[-1]
    assert (done.returncode != 0) == bool(ci)
