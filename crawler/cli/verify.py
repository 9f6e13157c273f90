"""``newswarc verify [PATH…]``"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from archive.verify.report import Finding, Report
from crawler.cli.options import common, open_archive
from crawler.cli.progress import FileProgress
from crawler.cli.terminal import hang_up, print_json, print_line
from crawler.config import Config
from crawler.exit_codes import ExitCode

log = logging.getLogger(__name__)


@click.command("verify")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH…]")
@click.option("--deep", is_flag=True, help="Index and catalogue too are made again and compared.")
@click.option("--strict", is_flag=True, help="Recommendations of the standard count as rules.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding, then one with the account.")
@common
def command(settings: Config, quiet: bool, paths: tuple[Path, ...], deep: bool, strict: bool, as_json: bool) -> int:
    """Check WARC files and WACZ packages, or the whole archive.

    Structure, fields and digests of each record; without PATH also manifests and index against the WARC files.
    """
    from archive.verify import is_zip, verify_archive, verify_file, verify_wacz

    def tell(finding: Finding) -> None:
        if as_json:
            with _heard_or_not():
                print_json({"type": "finding", **finding.to_json()})

    reports = []
    for path in paths:
        try:
            check = verify_wacz if is_zip(path) else verify_file
            reports.append(check(path, name=str(path), strict=strict, listener=tell))
        except OSError as error:
            raise click.UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
        _tell(reports[-1], quiet, as_json)
    if not paths:
        with open_archive(settings) as archive, FileProgress("verifying", shown=not (quiet or as_json)) as progress:
            catalog = archive.ask_catalog(lambda found: found, None) if deep else None
            reports.append(
                verify_archive(
                    archive.storage, deep=deep, catalog=catalog, strict=strict, listener=tell, progress=progress
                )
            )
            damaged = deep and catalog is None
            waiting = len(list(archive.sessions_dir.glob("*/*.warc.gz*")))
        _tell(reports[-1], quiet, as_json)
        if waiting and not quiet:
            log.warning("%d WARC files of other runs are not published yet; the next run mends what was left", waiting)
        if damaged:
            return ExitCode.DAMAGE
    return ExitCode.DONE if all(report.ok for report in reports) else ExitCode.DAMAGE


def _tell(report: Report, quiet: bool, as_json: bool) -> None:
    with _heard_or_not():
        if as_json:
            account = report.to_json()
            del account["findings"]  # each was told as it was found
            print_json({"type": "report", **account})
        elif not quiet or not report.ok:
            for line in report.lines():
                print_line(line)


@contextmanager
def _heard_or_not() -> Iterator[None]:
    """Go on when nobody reads any more: the exit code is a verdict on all that was to be checked."""
    try:
        yield
    except BrokenPipeError:
        hang_up()
