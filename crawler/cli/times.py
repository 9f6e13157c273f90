"""Times as people type them on the command line."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click

from archive.capture import parse_iso


class Day(click.ParamType[date]):
    """A day in ISO 8601."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value!r} is no day; write it like 2026-11-21", param, ctx)


class Time(click.ParamType[datetime]):
    """A date, a date and time in ISO 8601, or 4 to 14 digits; UTC where no offset is given."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip().replace(" ", "T", 1)
        if text.isascii() and text.isdigit() and len(text) in (4, 6, 8, 10, 12, 14):
            text = _spelled_out(text)
        try:
            return parse_iso(text)
        except ValueError:
            self.fail(f"{value!r} is not a time; write 2026-11-21, 2026-11-21T20:48:00Z or 20261121204800", param, ctx)


def _spelled_out(digits: str) -> str:
    """``20261121`` → ``2026-11-21``, ``202611212048`` → ``2026-11-21T20:48:00``."""
    date = "-".join(part for part in (digits[:4], digits[4:6], digits[6:8]) if part)
    if len(digits) <= 8:
        return date
    time = digits[8:].ljust(6, "0")
    return f"{date}T{time[:2]}:{time[2:4]}:{time[4:6]}"
