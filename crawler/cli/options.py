"""The options every command takes, and what they make: a ``Config`` and an opened archive."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import config
from crawler.config import Config

if TYPE_CHECKING:
    from archive.archive import Archive


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--archive --config --allow-private --quiet --verbose``; it receives ``settings: Config``."""

    @click.option("--archive", "archive", metavar="LOCATION", help="A directory or s3://bucket/prefix.")
    @click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Read FILE instead of ./newswarc.toml.",
    )
    @click.option("--allow-private", is_flag=True, help="Let it connect to loopback and private addresses.")
    @click.option("--quiet", "-q", is_flag=True, help="Errors only.")
    @click.option("--verbose", "-v", is_flag=True, help="Tell every step.")
    @click.pass_context
    @functools.wraps(function)
    def command(
        ctx: click.Context,
        /,
        *,
        archive: str | None,
        config_file: Path | None,
        allow_private: bool,
        quiet: bool,
        verbose: bool,
        **rest: Any,
    ) -> Any:
        start_logging(quiet=quiet, verbose=verbose)
        given: dict[str, Any] = {}
        if archive is not None:
            given["archive"] = archive
        if allow_private or (ctx.obj or {}).get("allow_private"):
            given["allow_private"] = True
        settings = config.load(config_file, given)
        config.use(settings)
        return function(settings=settings, quiet=quiet, **rest)

    return command


def start_logging(*, quiet: bool, verbose: bool) -> None:
    """Send log lines to standard error: warnings, or everything, or errors alone."""
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(levelname)s %(name)s: %(message)s" if verbose else "newswarc: %(message)s"))
    handler.setLevel(level)  # Scrapy gives its loggers levels of their own
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    if verbose:
        for name in ("botocore", "boto3", "urllib3", "s3transfer"):
            logging.getLogger(name).setLevel(logging.INFO)  # at DEBUG they print signed requests


class _OneLine(logging.Formatter):
    """Log records whose message cannot break out of its line or command the terminal; a traceback is indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        from crawler.cli.terminal import printable

        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        from crawler.cli.terminal import printable

        return "\n".join(f"  {printable(line)}" for line in super().formatException(ei).split("\n"))


def open_archive(settings: Config) -> Archive:
    """Open the archive that *settings* name, to be read; there must be one.

    Only writers mend and publish what a crash left behind.
    """
    from archive.archive import Archive

    archive = Archive.open(settings.archive, s3=settings.s3, state_dir=settings.state_dir)
    archive.require()
    return archive
