"""``newswarc archive URL…``"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from crawler.cli.options import common
from crawler.cli.terminal import hang_up, print_json, print_line
from crawler.config import Config, RobotsPolicy
from crawler.exit_codes import ExitCode
from crawler.results import PageResult

log = logging.getLogger(__name__)

_HOST_FIRST = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?([/?#]|$)|[\w-]+:\d+([/?#]|$)")  # a URL but for its scheme


@click.command("archive")
@click.argument("urls", nargs=-1, metavar="URL…")
@click.option("--from", "source", metavar="FILE", help="Read URLs from FILE, one a line; - is standard input.")
@click.option("--requisites/--no-requisites", default=True, help="With images, styles, scripts, fonts. The default.")
@click.option("--robots", type=click.Choice(["obey", "warn", "ignore"]), help="What robots.txt means. Default: warn.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a URL.")
@common
def command(
    settings: Config,
    quiet: bool,
    urls: tuple[str, ...],
    source: str | None,
    requisites: bool,
    robots: RobotsPolicy | None,
    as_json: bool,
) -> int:
    """Archive pages now, with what they need to be shown again."""
    if robots:
        settings = replace(settings, robots=robots)
    wanted = [check(url) for url in urls]
    bad: list[PageResult] = []
    for line in read_lines(source) if source else ():
        try:
            wanted.append(check(line))
        except click.UsageError as error:
            bad.append(PageResult(url=line, error=error.message))
    if not wanted and not bad:
        raise click.UsageError("no URL given; name one, or a file of them with --from FILE")
    for url in wanted:
        settings.proxy_for(url)  # a proxy that cannot be used is told before anything is fetched
    return archive_pages(settings, wanted, bad=bad, requisites=requisites, quiet=quiet, as_json=as_json)


def archive_pages(
    settings: Config,
    wanted: list[str],
    *,
    bad: list[PageResult] | None = None,
    requisites: bool = True,
    quiet: bool,
    as_json: bool,
) -> int:
    """Archive the pages *wanted*, telling each outcome as it comes, those in *bad* first; return the exit code.

    Raises what stopped the run: ``StorageError``, or ``click.Abort`` when it was interrupted, everything being kept.
    """
    from crawler.cli.progress import Progress
    from crawler.run import Finished, run_spider

    results: list[PageResult] = []

    def tell(result: PageResult, store_failed: bool = False) -> None:
        results.append(result)
        if as_json:
            print_json(result.to_json())
        elif not quiet or not result.whole:
            print_line(summary(result))
        if result.error and not store_failed:
            log.error("%s: %s", result.final_url or result.url, result.error)

    for result in bad or ():
        tell(result)
    finished = Finished()
    if wanted:
        with Progress(total=len(dict.fromkeys(wanted)), shown=not quiet) as progress:

            def on_item(result: PageResult, store_failed: bool) -> None:
                with progress.aside():
                    tell(result, store_failed)
                progress.page_done()

            finished = run_spider(
                "pages",
                settings={"NEWSWARC_ROBOTS": settings.robots},
                arguments={"urls": wanted, "requisites": requisites},
                on_item=on_item,
                on_response=progress.response,
            )
    if isinstance(finished.error, BrokenPipeError):  # nobody is told any more, so this is not the end of the list
        hang_up()
        raise click.Abort
    if finished.error is not None:
        raise finished.error
    not_done = len(set(wanted) - {result.url for result in results})
    if not quiet:
        sys.stderr.write(account(results, not_done, finished.stats, settings.archive) + "\n")
    if finished.interrupted:
        raise click.Abort
    return ExitCode.BUG if not_done else exit_code(results)


def check(url: str) -> str:
    """Return *url* stripped. Raises ``click.UsageError`` when it is not an address of a page."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise click.UsageError(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        if _HOST_FIRST.match(url):
            raise click.UsageError(f"{url!r} is not a URL; did you mean https://{url} ?")
        if not parts.scheme:
            raise click.UsageError(f"{url!r} is not a URL; write it whole: https://host/path")
        raise click.UsageError(f"{url!r}: {parts.scheme} is not archived, only http and https are")
    if "@" in parts.netloc:
        raise click.UsageError(f"an address with a user or password in it is not archived: https://…@{host}")
    if not host:
        raise click.UsageError(f"{url!r} is not a URL: it names no host")
    if any(char.isspace() or not char.isprintable() for char in parts.netloc):
        raise click.UsageError(f"{url!r} is not a URL: blanks in the host")
    return url


def read_lines(source: str) -> Iterator[str]:
    """Yield the lines of a file, or of standard input for ``-``; blank ones and ``#`` comments left out."""
    if source == "-":
        lines = sys.stdin.buffer.read()
    else:
        try:
            lines = Path(source).read_bytes()
        except OSError as error:
            raise click.UsageError(f"{source}: cannot be read ({error.strerror})") from error
    for line in map(str.strip, lines.decode("utf-8-sig", "replace").splitlines()):
        if line and not line.startswith("#"):
            yield line


def summary(result: PageResult) -> str:
    """One line for people: outcome, status, title, URL. What went wrong is told on standard error."""
    parts = [f"{result.outcome:9}", str(result.status or "-"), result.final_url or result.url]
    if result.title:
        parts.append(f"“{result.title}”")
    return " ".join(parts)


def account(results: list[PageResult], not_done: int, stats: dict[str, object], location: str) -> str:
    """The last line: how many pages in which outcome, how many requisites, and where they lie."""
    counts: dict[str, int] = {}
    for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    if not_done:
        counts["not done"] = not_done
    pages = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    flawed = sum(not result.whole and result.outcome in ("saved", "unchanged") for result in results)
    if flawed:
        pages += f" ({flawed} of them error pages, cut or unread)"
    needed = [f"{stats[key]} {key.partition('/')[2]}" for key in sorted(stats) if key.startswith("requisites/")]
    return f"{location}: pages: {pages}" + (f"; requisites: {', '.join(needed)}" if needed else "")


def exit_code(results: list[PageResult]) -> ExitCode:
    """All whole: 0. Any failed, cut, or error page: 1. Otherwise some were refused: 6."""
    if any(not result.whole and result.outcome != "refused" for result in results):
        return ExitCode.SOME_FAILED
    if any(result.outcome == "refused" for result in results):
        return ExitCode.REFUSED
    return ExitCode.DONE
