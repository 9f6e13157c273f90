"""Durations, sizes and names as people type them on the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from crawler import units
from crawler.jobs.definition import NAME, NAMES


class Duration(click.ParamType[timedelta]):
    """How long: ``90s``, ``10m``, ``1h``, ``7d``, ``2w``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return units.duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """How much: ``500MB``, ``2GB``; a number alone is bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return units.size(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class JobName(click.ParamType[str]):
    """The name of a job, which is part of file names and of addresses in the archive."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not NAME.fullmatch(str(value)):
            self.fail(f"{value!r} cannot be the name of a job: {NAMES}", param, ctx)
        return str(value)
