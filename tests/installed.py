"""Things outside Python that a test needs: skipped where a user lacks them, never in CI, which can install them."""

from __future__ import annotations

import os

import pytest


def required(variable: str, how: str) -> str:
    """Return the value of the environment *variable*; skip the test without it, saying *how* to get what it names."""
    value = os.environ.get(variable, "")
    if not value:
        pytest.skip(f"{variable} is not set; {how}")
    return value
