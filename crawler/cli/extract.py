"""``newswarc extract PATH…``"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from archive.article import Article
from archive.capture import iso
from archive.errors import ExtractionFailed
from archive.pages import StoredPage, Unreadable, pages_in
from crawler.cli.archive import check
from crawler.cli.options import common
from crawler.cli.terminal import writing
from crawler.config import Config
from crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from archive.workers import Workers

log = logging.getLogger(__name__)

FORMATS = ("jsonl", "json", "md", "txt", "csv", "parquet")


@click.command("extract")
@click.argument("paths", nargs=-1, metavar="PATH…")
@click.option("--url", help="The address of a page that does not tell its own.")
@click.option("--pages", "listing", metavar="FILE", help='Lines of {"path": …, "url": …}.')
@click.option("--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@click.option("--output", "-o", metavar="FILE", help="Write there instead of standard output.")
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
    jobs: int | None,
) -> int:
    """Articles out of pages or WARC files, without archiving.

    PATH is an HTML page, a WARC file or a WACZ package, gzipped or not; - is standard input.
    """
    from archive.workers import Workers
    from crawler.publishers import publisher_modules

    if url:
        check(url)
    inputs = [(path, url) for path in paths] + list(_listed(listing))
    if not inputs:
        raise click.UsageError("no file given; name pages, WARC files, or - for standard input")
    if url and len(inputs) > 1:
        raise click.UsageError("--url is for one page; use --pages for several")
    if form == "parquet" and not output and sys.stdout.isatty():
        raise click.UsageError("parquet is not for a terminal; name a file with --output")
    jobs = jobs or os.cpu_count() or 1
    workers = Workers(
        jobs,
        memory_bytes=settings.worker_memory_bytes,
        time_limit_s=settings.worker_time_limit_s,
        publishers=publisher_modules(),
    )
    run = _Run(workers, ahead=2 * jobs)
    try:
        with writing(output or "standard output"):
            if output:
                with _replacing(Path(output)) as file:
                    _write(run.articles(inputs), form, file)
            else:
                _write(run.articles(inputs), form, sys.stdout.buffer)
    finally:
        workers.close()
    if not quiet:
        sys.stderr.write(
            f"{run.done} article{'' if run.done == 1 else 's'}"
            + (f", {run.failed} failed" if run.failed else "")
            + "\n"
        )
    return ExitCode.SOME_FAILED if run.failed else ExitCode.DONE


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of *path* once it is whole: what stands there may be one of the inputs."""
    if path.exists() and not path.is_file():  # /dev/null, a pipe
        with path.open("wb") as file:
            yield file
        return
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write(articles: Iterator[tuple[Article, dict[str, Any]]], form: str, out: BinaryIO) -> None:
    """Write *articles* as they come: a reader at the other end of a pipe waits for no later one."""
    if form == "parquet":
        from archive.parquet import write_parquet

        write_parquet(articles, out)
        return
    from archive.formats import render_all

    for piece in render_all(articles, form):
        out.write(piece.encode())
        out.flush()


class _Run:
    """Pages in, articles out, in order, a bounded number under way."""

    def __init__(self, workers: Workers, *, ahead: int) -> None:
        self.workers = workers
        self.ahead = ahead  # pages submitted before the oldest is waited for
        self.done = self.failed = 0

    def articles(self, inputs: list[tuple[str, str | None]]) -> Iterator[tuple[Article, dict[str, Any]]]:
        """Yield each article with its ``source``; failures are told and counted."""
        from archive.examine import examine

        under_way: deque[tuple[StoredPage, Future[Any]]] = deque()
        for page in self._pages(inputs):
            future = self.workers.submit(
                examine,
                page.payload,
                url=page.url,
                content_type=page.content_type,
                content_encoding=page.content_encoding,
                captured_at=page.captured_at,
                want_article=True,
                want_requisites=False,
            )
            under_way.append((page, future))
            while len(under_way) > self.ahead:
                yield from self._finished(*under_way.popleft())
        while under_way:
            yield from self._finished(*under_way.popleft())

    def _pages(self, inputs: list[tuple[str, str | None]]) -> Iterator[StoredPage]:
        for path, url in inputs:
            try:
                for page in pages_in(path, stream=sys.stdin.buffer if path == "-" else None, url=url):
                    if isinstance(page, Unreadable):
                        self._tell(str(page))
                    else:
                        yield page
            except Unreadable as error:
                self._tell(str(error))

    def _finished(self, page: StoredPage, future: Future[Any]) -> Iterator[tuple[Article, dict[str, Any]]]:
        try:
            found = future.result()
        except ExtractionFailed as error:
            self._tell(f"{_named(page)}: {error.reason}")
            return
        article: Article | None = found.article
        if article is None:
            self._tell(f"{_named(page)}: {found.problem or 'not a page'}")
            return
        if found.problem:
            log.warning("%s: %s", _named(page), found.problem)
        self.done += 1
        article = replace(
            article,
            captured_at=iso(page.captured_at),
            record_id=page.record_id,
            payload_digest=page.payload_digest,
        )
        yield article, {"source": {"path": page.path, "record_id": page.record_id}}

    def _tell(self, message: str) -> None:
        self.failed += 1
        log.error("%s", message)


def _named(page: StoredPage) -> str:
    return f"{page.path} {page.record_id}" if page.record_id else page.path


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
