"""``newswarc verify [PATH…]``"""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli.options import common, open_archive
from crawler.cli.terminal import hang_up, print_json, print_line
from crawler.config import Config
from crawler.exit_codes import ExitCode


@click.command("verify")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH…]")
@click.option("--deep", is_flag=True, help="Index and catalogue too are made again and compared.")
@click.option("--strict", is_flag=True, help="Recommendations of the standard count as rules.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding, then one with the account.")
@common
def command(settings: Config, quiet: bool, paths: tuple[Path, ...], deep: bool, strict: bool, as_json: bool) -> int:
    """Check WARC files, or the whole archive.

    Structure, fields and digests of each record; without PATH also manifests and index against the WARC files.
    """
    from archive.verify import verify_archive, verify_file

    reports = []
    if paths:
        for path in paths:
            if not path.is_file():
                raise click.UsageError(f"{path}: no such file")
            reports.append(verify_file(path, name=str(path), strict=strict))
    else:
        with open_archive(settings) as archive:
            reports.append(verify_archive(archive.storage, deep=deep, catalog=archive.catalog if deep else None))
    try:
        for report in reports:
            if as_json:
                print_json(report.to_json())
                continue
            for line in report.lines():
                if not quiet or not report.ok:
                    print_line(line)
    except BrokenPipeError:  # what was found stands, read or not
        hang_up()
    return ExitCode.DONE if all(report.ok for report in reports) else ExitCode.DAMAGE
