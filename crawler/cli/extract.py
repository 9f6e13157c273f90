"""``newswarc extract PATH…``"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.archive import check
from crawler.cli.options import common
from crawler.cli.terminal import printable, writing
from crawler.config import Config
from crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from archive.bulk import PartFile
    from archive.learning import Learning
    from crawler.bulk import Bulk

log = logging.getLogger(__name__)

FORMATS = ("jsonl", "json", "md", "txt", "csv", "parquet")
EXPLAINED = ("jsonl", "json")
Inputs = list[tuple[str, str | None]]  # path, and the address of a page that does not tell its own


@click.command("extract")
@click.argument("paths", nargs=-1, metavar="PATH…")
@click.option("--url", help="The address of a page that does not tell its own.")
@click.option("--pages", "listing", metavar="FILE", help='Lines of {"path": …, "url": …}.')
@click.option("--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@click.option("--output", "-o", metavar="FILE", help="Write there instead of standard output.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run with the same --output stopped.")
@click.option("--learn", is_flag=True, help="Learn from these pages, too, what repeats on their hosts.")
@click.option("--explain", is_flag=True, help="Say of each article what was left out of its text, and why.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes. Default: one a core.")
@common
def command(
    settings: Config,
    quiet: bool,
    paths: tuple[str, ...],
    url: str | None,
    listing: str | None,
    form: str,
    output: str | None,
    resume: bool,
    learn: bool,
    explain: bool,
    jobs: int | None,
) -> int:
    """Articles out of pages or WARC files, without archiving.

    PATH is an HTML page, a WARC file or a WACZ package, gzipped or not, or a directory with such files in it or below;
    - is standard input.
    """
    from archive.bulk import NotResumable, PartFile
    from crawler.bulk import Bulk

    if url:
        check(url)
    inputs = _walked([*((path, url) for path in paths), *_listed(listing)])
    if not inputs:
        raise click.UsageError("no file given; name pages, WARC files, directories of them, or - for standard input")
    if url and len(inputs) > 1:
        raise click.UsageError("--url is for one page; use --pages for several")
    if form == "parquet":
        from archive.parquet import require_parquet

        require_parquet()
        if not output and sys.stdout.isatty():
            raise click.UsageError("parquet is not for a terminal; name a file with --output")
    if resume and (output is None or not _is_file(output)):
        raise click.UsageError("--resume goes on with the file of --output; there is none")
    if resume and any(path == "-" for path, _ in inputs):
        raise click.UsageError("--resume cannot go on with standard input, which nothing tells to be the same again")
    if learn and resume:
        raise click.UsageError("--learn cannot go on where another run stopped: what that had learned is gone")
    if explain and form not in EXPLAINED:
        raise click.UsageError(f"--explain is for --format {' and '.join(EXPLAINED)}")
    with writing(output or "standard output"), _known(settings) as learning:
        try:
            part = PartFile(Path(output), resume=resume) if output is not None and _is_file(output) else None
        except NotResumable as error:
            raise click.UsageError(str(error)) from error
        bulk = partial(Bulk, inputs, form, part=part, learning=learning, learn=learn, explain=explain)
        return _run(settings, quiet, bulk, output, jobs or os.cpu_count() or 1, part)


@contextmanager
def _known(settings: Config) -> Iterator[Learning]:
    """Give what the archive has learned of hosts, where there is one; what this run learns is not kept there."""
    from archive.archive import Archive
    from archive.learning import Learning

    with Archive.open(settings.archive, s3=settings.s3, state_dir=settings.state_dir) as archive:
        yield Learning.read(archive.learned_path)


def _run(
    settings: Config, quiet: bool, prepared: Callable[..., Bulk], output: str | None, jobs: int, part: PartFile | None
) -> int:
    from archive.bulk import NotResumable
    from archive.workers import Workers
    from crawler.publishers import publisher_modules

    finished = False
    bulk: Bulk | None = None
    try:
        workers = Workers(
            jobs,
            memory_bytes=settings.worker_memory_bytes,
            time_limit_s=settings.worker_time_limit_s,
            publishers=publisher_modules(),
        )
        with workers:
            bulk = prepared(workers=workers)
            if part is not None:
                bulk.to_part(part)
            elif output is not None:
                with Path(output).open("wb") as file:
                    bulk.to_stream(file)
            else:
                bulk.to_stream(sys.stdout.buffer)
        finished = True
    except NotResumable as error:
        raise click.UsageError(f"{output}.part cannot be gone on with: {error}; remove it to begin anew") from error
    finally:
        if part is not None and not finished and part.leave():
            sys.stderr.write(
                printable(f"newswarc: what is done is kept in {part.part}; --resume goes on with it") + "\n"
            )
    assert bulk is not None
    drifted = bulk.drifts()
    for drift in drifted:
        sys.stderr.write(printable(str(drift)) + "\n")
    if not quiet:
        sys.stderr.write(printable(bulk.summary()) + "\n")
    code = ExitCode.DRIFTED if drifted else ExitCode.SOME_FAILED if bulk.failed else ExitCode.DONE
    if part is not None:
        part.close()
    return code


def _is_file(output: str) -> bool:
    """Tell whether *output* is, or can be, a file: not /dev/null, not a pipe."""
    return not Path(output).exists() or Path(output).is_file()


def _walked(given: Sequence[tuple[str, str | None]]) -> Inputs:
    from archive.bulk import walked

    found: Inputs = []
    for path, url in given:
        try:
            inside = [(file, url) for file in walked(path)]
        except OSError as error:
            raise click.UsageError(f"{error.filename or path}: cannot be read ({error.strerror})") from error
        if not inside:
            raise click.UsageError(f"{path}: no page, WARC file or WACZ package is in this directory")
        found += inside
    return found


def _listed(listing: str | None) -> Iterator[tuple[str, str | None]]:
    if listing is None:
        return
    try:
        text = sys.stdin.read() if listing == "-" else Path(listing).read_text("utf-8-sig")
    except OSError as error:
        raise click.UsageError(f"{listing}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{listing}: not UTF-8 text: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            yield str(item["path"]), item.get("url")
        except (ValueError, KeyError, TypeError) as error:
            raise click.UsageError(f'{listing}, line {number}: not a {{"path": …, "url": …}} object') from error
