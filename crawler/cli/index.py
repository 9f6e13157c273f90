"""``newswarc index rebuild|merge``"""

from __future__ import annotations

import click

from crawler.cli.options import common, open_archive
from crawler.cli.progress import FileProgress
from crawler.cli.terminal import print_json, print_line
from crawler.config import Config
from crawler.exit_codes import ExitCode


@click.group("index")
def command() -> None:
    """Rebuild or merge index and catalogue."""


@command.command("rebuild")
@click.option("--json", "as_json", is_flag=True)
@common
def rebuild(settings: Config, quiet: bool, as_json: bool) -> int:
    """Index and catalogue again, from the WARC files alone."""
    from archive.rebuild import rebuild as rebuild_archive

    with open_archive(settings) as archive, FileProgress("rebuilding", shown=not (quiet or as_json)) as progress:
        archive.recover()
        done = rebuild_archive(archive.storage, archive.state_dir, archive.catalog_path, progress)
    if as_json:
        print_json(done.to_json())
    elif not quiet:
        for line in done.lines():
            print_line(line)
    return ExitCode.DAMAGE if done.damage else ExitCode.DONE


@command.command("merge")
@common
def merge(settings: Config, quiet: bool) -> None:
    """Many index segments into one, so that look-ups stay quick."""
    with open_archive(settings) as archive:
        merged = archive.index.merge()
    if not quiet:
        print_line(f"{merged} index segments merged")
