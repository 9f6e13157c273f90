"""Durations and sizes are read as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crawler.units import duration, size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h", 3600), ("7d", 604_800), ("2w", 1_209_600), (" 1.5 H ", 5400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-1h", "1y", "1h30", "0s", "1e9w", "99999999999w", "\u0661h", "9" * 400 + "d"]
)
def test_what_is_no_duration_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="90s, 10m, 1h, 7d"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500MB", 500_000_000),
        ("2GB", 2 * 10**9),
        ("64KiB", 65_536),
        ("1.5 gb", 1_500_000_000),
        ("10", 10),
        ("3k", 3000),
    ],
)
def test_sizes(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "0", "2 GBs", "1 mile", "0.1b", "9" * 400 + "GB"])
def test_what_is_no_size_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="500MB or 2GB"):
        size(text)
