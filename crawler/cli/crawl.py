"""``newswarc crawl SPIDER``"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli import code_of
from crawler.cli.options import common
from crawler.cli.terminal import hang_up, print_json, print_line, printable
from crawler.cli.times import Day
from crawler.cli.values import Duration, JobName, Size
from crawler.config import Config
from crawler.exit_codes import ExitCode
from crawler.revisiting.ladder import Ladder

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from archive.drift import Drift
    from crawler.account import Account
    from crawler.frontier import Reason
    from crawler.reports.writing import Written
    from crawler.results import PageResult
    from crawler.run import Finished

log = logging.getLogger(__name__)

OF_ARCHIVE = "pages"  # the spider that crawls nothing
LONGEST_TOLD = 300  # characters; strangers' addresses have any length
REASONS_TOLD = 12  # the most frequent ones; a crawl of a large site has many


@click.command("crawl")
@click.argument("spider", metavar="SPIDER")
@click.option("-a", "arguments", multiple=True, metavar="K=V", help="An argument of the spider.")
@click.option("-s", "overrides", multiple=True, metavar="K=V", help="One of Scrapy's settings.")
@click.option("--since", type=Day(), help="Only articles published on this day or later.")
@click.option("--until", type=Day(), help="Only articles published on this day or earlier.")
@click.option(
    "--max-pages",
    type=click.IntRange(1),
    metavar="N",
    help="Ask for no more than N pages, of an interrupted crawl those of its earlier runs included; feeds, sitemaps"
    " and what articles need to be shown do not count.",
)
@click.option(
    "--max-bytes", type=Size(), metavar="SIZE", help="End this run once so much was received, as 500MB or 2GB."
)
@click.option("--max-time", type=Duration(), metavar="DURATION", help="End this run after so long, as 30m or 2h.")
@click.option("--order", type=click.Choice(["newest", "oldest"]), help="Which articles come first, by their days.")
@click.option(
    "--from-warc",
    "warcs",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Ask also for the publication's pages that this WARC file names, as those of CC-NEWS do; may be repeated.",
)
@click.option(
    "--noarchive",
    type=click.Choice(["record", "obey"]),
    help="What it means that a page asks not to be archived; default from the configuration.",
)
@click.option("--job", type=JobName(), metavar="NAME", help="The job it is run for: it has a frontier of its own.")
@click.option(
    "--outcome", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write as JSON how it ended."
)
@click.option("--requisites", is_flag=True, help="Images, styles, scripts and fonts of articles too.")
@click.option("--recrawl", is_flag=True, help="Ask again for articles that the archive holds.")
@click.option(
    "--ladder",
    metavar="TEXT",
    help='How long after its publication an article is asked for again, as "1h, 6h, 1d"; "" for never.',
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a page asked for.")
@common
def command(
    settings: Config,
    quiet: bool,
    spider: str,
    arguments: tuple[str, ...],
    overrides: tuple[str, ...],
    since: date | None,
    until: date | None,
    max_pages: int | None,
    max_bytes: int | None,
    max_time: timedelta | None,
    order: str | None,
    warcs: tuple[Path, ...],
    noarchive: str | None,
    job: str | None,
    outcome: Path | None,
    requisites: bool,
    recrawl: bool,
    ladder: str | None,
    as_json: bool,
) -> int:
    """Run one spider into the archive; interrupted, the same command goes on.

    newswarc publishers lists the spiders of publications; generic takes any site: -a start=https://example.org/
    """
    from crawler.run import run_spider, spider_names

    names = [name for name in spider_names() if name != OF_ARCHIVE]
    if spider == OF_ARCHIVE:
        raise click.UsageError(f"{spider} is what newswarc archive runs: newswarc archive URL…")
    if spider not in names:
        raise click.UsageError(f"there is no spider {spider}; there are {', '.join(names)}")
    given: dict[str, Any] = _pairs("-a", arguments)
    days = {"since": since, "until": until}
    given |= {name: day.isoformat() for name, day in days.items() if day is not None}
    if max_pages is not None:
        given["max_pages"] = max_pages
    if order is not None:
        given["order"] = order
    if requisites:
        given["requisites"] = True
    revisiting = {"NEWSWARC_RECRAWL": recrawl} | ({} if ladder is None else {"NEWSWARC_LADDER": _ladder(ladder)})
    from crawler.cli.progress import CrawlProgress
    from crawler.received import Received

    received = Received()

    def watch(crawler: Crawler) -> None:
        progress.watch(crawler)
        received.watch(crawler)

    def tell(result: PageResult, store_failed: bool = False) -> None:
        if as_json:
            with progress.aside():
                print_json(result.to_json())
        if result.error and not store_failed:
            log.info("%s: %s: %s", result.url, result.outcome, result.error)

    with CrawlProgress(shown=not quiet) as progress:
        finished = run_spider(
            spider,
            settings={
                **revisiting,
                "NEWSWARC_JOB": job,
                "NEWSWARC_BUDGET_BYTES": max_bytes or 0,
                "NEWSWARC_BUDGET_S": max_time.total_seconds() if max_time else 0,
                "NEWSWARC_NOARCHIVE": noarchive or settings.noarchive,
                "NEWSWARC_FROM_WARC": [str(file) for file in warcs],
                **_pairs("-s", overrides),
            },
            arguments=given,
            on_item=tell,
            on_crawler=watch,
        )
    if finished.hosts:
        finished.drifted = _drifts(settings, finished.hosts)
    code = _code(finished)
    report = _report(settings, finished, code)
    if report is not None and report.error is not None and code in (ExitCode.DONE, ExitCode.SOME_FAILED):
        code = code_of(report.error)
    if outcome is not None:  # before anything is told: whoever reads that may be gone
        _write(outcome, finished, code, received.bytes)
    if isinstance(finished.error, BrokenPipeError):  # nobody is told any more
        hang_up()
        raise click.Abort
    if finished.account is not None and not quiet:
        for line in [*summary(spider, settings.archive, finished), *_told_of(report, settings.archive)]:
            if as_json:
                click.echo(printable(line), err=True)
            else:
                print_line(line)
    for drift in finished.drifted:
        click.echo(printable(str(drift)), err=True)
        if as_json:
            print_json({"drift": drift.to_json()})
    if finished.error is not None:
        raise finished.error
    return code


def _write(path: Path, finished: Finished, code: ExitCode, size: int) -> None:
    from crawler.outcome import outcome_of

    try:
        outcome_of(finished, code, size).write(path)
    except OSError as failed:
        log.error("%s: how the crawl ended cannot be written there (%s)", path, failed.strerror)


def _drifts(settings: Config, hosts: Sequence[str]) -> list[Drift]:
    from archive.archive import Archive
    from crawler.drift import lasting_drifts

    with Archive.open(settings.archive, s3=settings.s3, state_dir=settings.state_dir) as archive:
        return lasting_drifts(archive, hosts)


def _code(finished: Finished) -> ExitCode:
    if isinstance(finished.error, BrokenPipeError):
        return ExitCode.INTERRUPTED
    return exit_code(finished) if finished.error is None else code_of(finished.error)


def _report(settings: Config, finished: Finished, code: ExitCode) -> Written | None:
    from archive.archive import Archive
    from crawler.reports.building import Ending
    from crawler.reports.writing import write_report

    if finished.tally is None:
        return None
    error = None if finished.error is None else str(finished.error) or type(finished.error).__name__
    ending = Ending(code, finished.interrupted, error, finished.drifted)
    with Archive.open(settings.archive, s3=settings.s3, state_dir=settings.state_dir) as archive:
        try:
            return write_report(archive, finished.tally, finished.account, ending)
        except Exception:
            log.exception("no report of this run: a bug; what was captured is kept")
            return None


def _told_of(report: Written | None, location: str) -> list[str]:
    if report is None:
        return []
    from crawler.reports import words
    from crawler.reports.places import PAGE

    where = f"{location.rstrip('/')}/{report.place.key(PAGE)}"
    waits = "" if report.shipped else " (waits on this machine: the store could not be reached)"
    return [f"  {words.headline(report.report)}", f"  report: {where}{waits}"]


def _ladder(text: str) -> str:
    try:
        Ladder.parsed(text)
    except ValueError as error:
        raise click.UsageError(f"--ladder: {error}") from error
    return text


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"{option} {text!r}: write NAME=VALUE")
        pairs[name.strip()] = value
    return pairs


def summary(spider: str, location: str, finished: Finished) -> list[str]:
    """Return the last lines: what became of how many pages, why some are missing, and how to go on."""
    account = finished.account
    assert account is not None
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in account.outcomes.items())
    total = sum(account.outcomes.values()) + account.pending
    lines = [
        f"{location}: {spider}: {total:,} {'page' if total == 1 else 'pages'}: {outcomes or 'none done'}"
        + (f", {account.pending:,} still waiting" if account.pending else "")
        + (f"; in this run {account.ended_now:,}" if account.ended_now is not None else "")
        + _articles(account)
    ]
    lines += [f"  {_told(reason)}" for reason in account.reasons[:REASONS_TOLD]]
    if (more := len(account.reasons) - REASONS_TOLD) > 0:
        lines.append(f"  and {more:,} other {'reason' if more == 1 else 'reasons'}")
    lines += [f"  {site} is left alone for now: {why}" for site, why in account.down.items()]
    if account.used_up:
        lines.append(f"  {account.used_up} are used up")
    if account.pending or account.articles.get("waiting"):
        lines.append("  run the same command again to go on")
    return lines


def _told(reason: Reason) -> str:
    outcome = "not readable" if reason.outcome == "unreadable" else reason.outcome
    why = f": {_short(reason.reason)}" if reason.reason else ""
    return f"{reason.pages:,} {outcome}{why}{': ' if reason.pages == 1 else '; the first: '}{_short(reason.url)}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"


def _articles(account: Account) -> str:
    told = {"extracted": "read", "unreadable": "not readable", "waiting": "still to be read"}
    found = [f"{account.articles[name]:,} {word}" for name, word in told.items() if account.articles.get(name)]
    return f"; articles: {', '.join(found)}" if found else ""


def exit_code(finished: Finished) -> ExitCode:
    """Return how the crawl ended: a link that leads nowhere (404, 410) is the site's, and no failure of the crawl."""
    account = finished.account
    if finished.interrupted and (account is None or account.pending or account.articles.get("waiting")):
        return ExitCode.INTERRUPTED  # or it was done just then
    if account is None:  # it is a spider of Scrapy's own kind, or its account could not be made
        return ExitCode.DONE if finished.stats.get("finish_reason") == "finished" else ExitCode.BUG
    if finished.drifted:
        return ExitCode.DRIFTED  # before single pages that failed, of which a large crawl always has some
    left_over = account.pending and not account.used_up  # what --max-bytes and --max-time leave is as they want it
    if account.outcomes.get("failed") or account.articles.get("unreadable") or left_over or account.down:
        return ExitCode.SOME_FAILED
    if account.outcomes.get("refused") and not any(account.outcomes.get(good) for good in ("saved", "unchanged")):
        return ExitCode.REFUSED
    return ExitCode.DONE
