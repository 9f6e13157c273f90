"""``newswarc export --format …``"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from archive.catalog.query import QueryError
from crawler.cli.options import common, open_archive
from crawler.cli.progress import FileProgress
from crawler.cli.terminal import printable, writing
from crawler.cli.times import Time
from crawler.config import Config
from crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.export import Chosen, Copying, Filters
    from archive.workers import Workers

log = logging.getLogger(__name__)

FORMATS = ("wacz", "warc", "parquet", "jsonl", "csv", "md")
_RECORDS = frozenset({"wacz", "warc"})
_BINARY = frozenset({"warc", "parquet"})
_NO_STREAM = {"wacz": "a file, as export.wacz", "md": "a directory"}


@click.command("export")
@click.argument("query", nargs=-1, metavar="[QUERY]")
@click.option("--format", "form", type=click.Choice(FORMATS), required=True)
@click.option(
    "--output", "-o", metavar="PATH", help="A file or, for md and partitioned parquet, a directory; - streams."
)
@click.option("--url", "urls", multiple=True, help="Only what was captured at this address; may be given again.")
@click.option("--publisher", help="Only of this publication.")
@click.option("--author", help="Only by this author.")
@click.option("--section", help="Only of this section.")
@click.option("--since", type=Time(), help="Published at that time or later.")
@click.option("--until", type=Time(), help="Published before that time.")
@click.option("--as-of", type=Time(), help="As the archive knew them then.")
@click.option("--limit", type=click.IntRange(1), help="At most so many articles, the newest. Default: all.")
@click.option("--no-requisites", is_flag=True, help="Of wacz and warc: without what the pages need to be shown.")
@click.option("--title", help="What a WACZ package is called.")
@common
def command(
    settings: Config,
    quiet: bool,
    query: tuple[str, ...],
    form: str,
    output: str | None,
    urls: tuple[str, ...],
    publisher: str | None,
    author: str | None,
    section: str | None,
    since: datetime | None,
    until: datetime | None,
    as_of: datetime | None,
    limit: int | None,
    no_requisites: bool,
    title: str | None,
) -> int:
    """A part of the archive to hand on, as WACZ, WARC, tables or texts.

    The filters are those of newswarc articles; without any, everything goes out. wacz and warc hold the captures that
    the articles found were read from, with their requests and metadata, the originals of revisits, and what the pages
    need to be shown; the others hold the articles.
    """
    from archive.export import Filters

    if output in {None, "-"} and form in _NO_STREAM:
        raise click.UsageError(f"{form} cannot be streamed; name {_NO_STREAM[form]} with --output")
    if output in {None, "-"} and form in _BINARY and sys.stdout.isatty():
        raise click.UsageError(f"{form} is not for a terminal; name a file with --output")
    if form == "parquet":
        from archive.parquet import require_parquet

        require_parquet()
    words = " ".join(query) or None
    filters = Filters(words, publisher, author, section, since, until, as_of, limit)
    with open_archive(settings) as archive:
        _warn_of_uncatalogued(archive, quiet=quiet)
        try:
            if form in _RECORDS:
                with _workers(settings, wanted=not no_requisites) as workers:
                    return _records(archive, filters, urls, form, output, title, workers, quiet=quiet)
            return _articles(archive, filters, urls, form, output, quiet=quiet)
        except QueryError as error:
            raise click.UsageError(str(error)) from error


@contextmanager
def _workers(settings: Config, *, wanted: bool) -> Iterator[Workers | None]:
    """Give the processes in which pages are parsed; none is started before the first page."""
    if not wanted:
        yield None
        return
    from archive.workers import Workers

    with Workers(
        settings.workers, memory_bytes=settings.worker_memory_bytes, time_limit_s=settings.worker_time_limit_s
    ) as workers:
        yield workers


def _warn_of_uncatalogued(archive: Archive, *, quiet: bool) -> None:
    if not quiet and (count := archive.uncatalogued()):
        log.warning("the catalogue here knows nothing of %d WARC files; enter them with: newswarc index rebuild", count)


def _records(
    archive: Archive,
    filters: Filters,
    urls: tuple[str, ...],
    form: str,
    output: str | None,
    title: str | None,
    workers: Workers | None,
    *,
    quiet: bool,
) -> int:
    from archive.export import Chosen, Copier, Told, choose, write_wacz

    asked = ", ".join(filter(None, (*urls, filters.words()))) or "everything"
    told = Told(
        title or f"Export of {asked}",
        f"part of a newswarc archive: {asked}",
        _now(),
        urls[0] if len(urls) == 1 else None,
    )
    with closing(Chosen()) as chosen, FileProgress("exporting", shown=not quiet and output not in {None, "-"}) as bar:
        kept_back = choose(archive, filters, urls, chosen, with_articles=form == "wacz", workers=workers)
        if not len(chosen):
            return _nothing(asked)
        moved = _Moved(bar, chosen)
        with _opened(output) as out:
            if form == "wacz":
                packed = write_wacz(archive, chosen, out, told, moved=moved)
                done, more = packed.copying, f", {packed.pages:,} pages with articles, {packed.extra_pages:,} others"
            else:
                name = Path(output).name if output not in {None, "-"} else "export.warc.gz"
                copier = Copier(archive, lambda _: (name, out), part_of=told.description, at=told.at, moved=moved)
                copier.captures(chosen)
                done, more = copier.done, ""
    return _told(done, more, kept_back, output, quiet=quiet)


def _told(done: Copying, more: str, kept_back: int, output: str | None, *, quiet: bool) -> int:
    for damage in done.damaged:
        log.error("left out: %s", damage)
    if not quiet:
        parts = [f"{done.captures:,} captures in {done.records:,} records{more}, {done.size / 1e6:,.1f} MB"]
        if kept_back:
            parts.append(f"{kept_back:,} captures kept back by access rules")
        if done.damaged:
            parts.append(f"{len(done.damaged):,} damaged records left out")
        _say(output, "; ".join(parts))
    return ExitCode.DAMAGE if done.damaged else ExitCode.DONE


def _articles(
    archive: Archive, filters: Filters, urls: tuple[str, ...], form: str, output: str | None, *, quiet: bool
) -> int:
    from archive.export import Output, hits, tables

    partitioned = form == "parquet" and output not in {None, "-"} and not str(output).endswith(".parquet")
    found = hits(archive, filters, urls, by_partition=partitioned)
    if form == "md" or partitioned:
        assert output is not None
        with Output(Path(output)).directory() as folder:
            count = (tables.write_markdown if form == "md" else tables.write_partitions)(found, folder)
    else:
        write = {"jsonl": tables.write_jsonl, "csv": tables.write_csv, "parquet": tables.write_parquet}[form]
        with _opened(output) as out:
            count = write(found, out)
    if not quiet:
        _say(output, f"{count:,} {'article' if count == 1 else 'articles'}")
    return ExitCode.DONE


def _nothing(asked: str) -> int:
    log.error("%s: no capture was found; nothing is exported", printable(asked))
    return ExitCode.SOME_FAILED


@contextmanager
def _opened(output: str | None) -> Iterator[BinaryIO]:
    from archive.export import Output

    if output is None or output == "-":
        with writing():
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    with Output(Path(output)).file() as file:
        yield file


def _say(output: str | None, line: str) -> None:
    sys.stderr.write(printable(f"{output if output not in {None, '-'} else 'standard output'}: {line}") + "\n")


def _now() -> datetime:
    """Return the time that an export says it was made, as reproducible-builds.org has it when that is given."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(given), UTC) if given.isdigit() else datetime.now(UTC)


class _Moved:
    """Counts captures copied for a progress bar."""

    def __init__(self, bar: FileProgress, chosen: Chosen) -> None:
        self._bar, self._total, self._done = bar, chosen.stored_bytes(), 0

    def __call__(self, name: str, count: int) -> None:
        self._done += count
        self._bar(name, self._done, self._total)
