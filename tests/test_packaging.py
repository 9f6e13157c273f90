"""What is installed is what is in the tree: a package that pyproject.toml does not list would be missing from it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("archive", "crawler", "spiders")
SUFFIXES = (".py", ".css", ".jinja")  # code, and what pages are made of


def test_a_wheel_holds_every_module(tmp_path: Path) -> None:
    if int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools of 77 or later is missing: pip install 'setuptools>=77'")
    ours = [path for name in PACKAGES for suffix in SUFFIXES for path in (ROOT / name).rglob(f"*{suffix}")]
    modules = {path.relative_to(ROOT).as_posix() for path in ours}
    source = tmp_path / "source"  # setuptools builds within the tree it is given
    for name in [*modules, "pyproject.toml", "README.md", "LICENSE"]:
        copy = source / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("newswarc-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if name.endswith(SUFFIXES)}
    assert held == modules
