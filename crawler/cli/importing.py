"""``newswarc import PATH…``"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from crawler.cli.options import common
from crawler.cli.progress import FileProgress
from crawler.cli.terminal import print_json, print_line
from crawler.config import Config
from crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.importing import Account, ArticleReader, Importer, Source

log = logging.getLogger(__name__)

_PASSES = 2  # a file is copied, and then read


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--no-articles", is_flag=True, help="Extract no articles; the same command without this does it later.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes. Default: the setting workers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file.")
@common
def command(
    settings: Config, quiet: bool, paths: tuple[str, ...], no_articles: bool, jobs: int | None, as_json: bool
) -> int:
    """WARC and WACZ files of other tools into the archive, articles extracted.

    PATH is a WARC file, gzipped or not, a WACZ package, or a directory with such files in it or below; - is standard
    input. Bytes are kept as they are. A file that is in the archive already changes nothing. Whatever ends an import,
    the same command goes on.
    """
    from archive.archive import Archive
    from archive.importing import Importer, NotImportable, sources

    found = [source for path in paths for source in sources(path)]
    told = _Told(quiet=quiet, as_json=as_json)
    wanted = []
    for one in found:
        if isinstance(one, NotImportable):
            told.refused(str(one))
        else:
            wanted.append(one)
    if not found:
        raise click.UsageError(f"{', '.join(paths)}: no WARC file or WACZ package is in there")
    total = _PASSES * sum(source.size for source in wanted)
    with (
        Archive.open(settings.archive, s3=settings.s3, state_dir=settings.state_dir) as archive,
        FileProgress("importing", shown=not (quiet or as_json)) as progress,
        ExitStack() as stack,
    ):
        importer = Importer(archive, stdin=sys.stdin.buffer, progress=_Moved(progress, total))
        reader = None if no_articles else stack.enter_context(_reader(archive, settings, jobs or settings.workers))
        _run(importer, reader, wanted, told)
    if not quiet:
        sys.stderr.write(told.summary(settings.archive) + "\n")
    return told.code()


def _run(importer: Importer, reader: ArticleReader | None, wanted: list[Source], told: _Told) -> None:
    later = []
    for source in wanted:
        account = importer.take(source)
        if reader is not None and account.warc is not None and account.sha256 is not None:
            with importer.alone(account.sha256):
                reader.read(account)
        if account.waiting:
            later.append(account)  # a file that comes after it may hold what its revisits refer to
        else:
            told.take(account)
    for account in later:
        assert reader is not None
        assert account.sha256 is not None
        with importer.alone(account.sha256):
            reader.read(account)
        told.take(account)


@contextmanager
def _reader(archive: Archive, settings: Config, jobs: int) -> Iterator[ArticleReader]:
    from archive.importing import ArticleReader
    from archive.recorder import RunInfo
    from archive.workers import Workers
    from crawler.publishers import publisher_modules

    workers = Workers(
        jobs,
        memory_bytes=settings.worker_memory_bytes,
        time_limit_s=settings.worker_time_limit_s,
        publishers=publisher_modules(),
    )
    recorder = archive.recorder(
        RunInfo(operator=settings.operator, part_of="import"),
        rotate_at_bytes=settings.rotate_at_bytes,
        rotate_after_s=settings.rotate_after_s,
    )
    try:
        with workers:
            yield ArticleReader(archive, workers, recorder)
    finally:
        recorder.close()


class _Moved:
    """Counts bytes over all files for a progress bar."""

    def __init__(self, progress: FileProgress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self, name: str, count: int) -> None:
        self._done += count
        self._progress(name, self._done, max(self._done, self._total))


class _Told:
    """Tells what becomes of each file, and remembers what the exit code needs."""

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self._quiet, self._as_json = quiet, as_json
        self._outcomes: dict[str, int] = {}
        self._captures = self._articles = self._unread = self._faults = 0

    def refused(self, message: str) -> None:
        from archive.importing import Account

        self.take(Account(message.partition(": ")[0], error=message))

    def take(self, account: Account) -> None:
        self._outcomes[account.outcome] = self._outcomes.get(account.outcome, 0) + 1
        self._articles += account.articles
        self._unread += account.unread
        if account.outcome == "imported":
            self._captures += account.captures
        if account.outcome == "imported":
            self._faults += account.fault_count
        for fault in account.faults if account.outcome != "refused" else ():
            record = f", record {fault.record_id}" if fault.record_id else ""
            log.warning("%s at byte %d%s: %s", account.source, fault.offset, record, fault.what)
        if account.outcome != "refused" and account.fault_count > len(account.faults):
            log.warning("%s: and %d faults more", account.source, account.fault_count - len(account.faults))
        if account.error:
            log.error("%s", account.error)
        if self._as_json:
            print_json(account.to_json())
        elif account.outcome != "refused" and not self._quiet:
            print_line(_line(account))

    def summary(self, location: str) -> str:
        outcomes = self._outcomes
        parts = [f"{outcomes.get('imported', 0):,} imported"]
        if outcomes.get("known"):
            parts.append(f"{outcomes['known']:,} there already")
        if outcomes.get("refused"):
            parts.append(f"{outcomes['refused']:,} not importable")
        found = [f"{self._captures:,} captures", f"{self._articles:,} articles"]
        if self._unread:
            found.append(f"{self._unread:,} pages whose article could not be read")
        if self._faults:
            found.append(f"{self._faults:,} damaged places")
        return f"{location}: files: {', '.join(parts)}; {', '.join(found)}"

    def code(self) -> ExitCode:
        if self._faults:
            return ExitCode.DAMAGE
        return ExitCode.SOME_FAILED if self._unread or self._outcomes.get("refused") else ExitCode.DONE


def _line(account: Account) -> str:
    if account.outcome == "known":
        line = f"known     {account.source}: in the archive already, as {account.warc}"
        return f"{line}; {account.articles:,} articles read" if account.articles else line
    parts = [f"{account.captures:,} captures", f"{account.articles:,} articles"]
    if account.waiting:
        parts.append(f"{account.waiting:,} revisits of what is not in the archive")
    if account.fault_count:
        parts.append(f"{account.fault_count:,} damaged places")
    if account.original:
        parts.append(f"as {account.original} with a copy that can be read record by record")
    return f"imported  {account.source}: {', '.join(parts)}"
