"""``newswarc jobs list|run|due|serve|units|history``"""

from __future__ import annotations

import logging
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import config
from crawler.cli.options import common
from crawler.cli.terminal import print_json, print_line
from crawler.config import Config, ConfigError
from crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.jobs.alerts import Alerter
    from crawler.jobs.definition import Job
    from crawler.jobs.ledger import Run
    from crawler.jobs.running import Context, Work

log = logging.getLogger(__name__)

ALERTS_S = 15.0  # how long the end waits for what is still to be told
HISTORY = 20  # runs told, unless asked for more


@click.group("jobs")
def command() -> None:
    """Scheduled crawls: run them now, when due, or stay and run them on time."""


# ---- what is defined, and what was run


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job.")
@common
def list_jobs(settings: Config, quiet: bool, as_json: bool) -> None:
    """The jobs defined: their schedules, next and last runs."""
    del quiet
    from crawler.run import spider_names

    context, jobs = _loaded(settings)
    known = spider_names()
    for job in jobs.values():
        told = _told(context, job, known)
        if as_json:
            print_json(told)
        else:
            for line in _lines(told):
                print_line(line)


def _told(context: Context, job: Job, spiders: Sequence[str]) -> dict[str, Any]:
    ledger, now = context.ledger(job), context.clock()
    running, last = context.running(job), ledger.last(job.name)
    due = context.due(job, note=False) if running is None else None
    upcoming = due or (job.scheduled.next(now) if job.scheduled else None)
    return {
        "name": job.name,
        "spider": job.spider,
        "known": job.spider in spiders,
        "enabled": job.enabled,
        "schedule": job.schedule.text if job.schedule else None,
        "timezone": job.schedule.zone_name if job.schedule else None,
        "when": job.schedule.words if job.schedule else "by hand",
        "archive": context.location(job),
        "due": due is not None,
        "next": _iso(upcoming),
        "running": running is not None,
        "process": running or None,
        "last": _run_told(last) if last else None,
    }


def _lines(told: dict[str, Any]) -> Iterator[str]:
    state = f"running (process {told['process'] or 'unknown'})" if told["running"] else ""
    state = state or ("" if told["enabled"] else "switched off")
    yield f"{told['name']}: {told['spider']}, {told['when']}" + (f"; {state}" if state else "")
    if not told["known"]:
        yield f"  there is no spider {told['spider']}; newswarc publishers lists them"
    if told["due"]:
        yield f"  due now, of {_shown(told['next'])}"
    elif told["next"]:
        yield f"  next {_shown(told['next'])}"
    if last := told["last"]:
        yield f"  last {_shown(last['started'] or last['moment'])}: {last['outcome']}, {_did(last)}"


@command.command("history")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--limit", type=click.IntRange(1), default=HISTORY, metavar="N", help="No more than N runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run.")
@common
def history(settings: Config, quiet: bool, name: str | None, limit: int, as_json: bool) -> None:
    """The runs there were, the newest first."""
    del quiet
    context, jobs = _loaded(settings)
    wanted: Mapping[str, Job] = {name: _named(jobs, name, context)} if name else jobs
    runs = [run for job in wanted.values() for run in context.ledger(job).history(job.name, limit)]
    for run in sorted(runs, key=lambda one: one.started or one.moment, reverse=True)[:limit]:
        told = _run_told(run)
        if as_json:
            print_json(told)
        else:
            shown = _shown(told["started"] or told["moment"])
            print_line(f"{shown}  {run.job}: {told['outcome']}, {_did(told)}")


def _run_told(run: Run) -> dict[str, Any]:
    from crawler.jobs.running import told

    outcome = run.outcome
    return {
        "job": run.job,
        "moment": _iso(run.moment),
        "cause": run.cause,
        "started": _iso(run.started),
        "ended": _iso(run.ended),
        "starts": run.starts,
        "exit_code": run.code,
        "outcome": told(run),
        "pages": dict(outcome.pages) if outcome else {},
        "pages_now": outcome.pages_now if outcome else 0,
        "articles": dict(outcome.articles) if outcome else {},
        "pending": outcome.pending if outcome else 0,
        "bytes": outcome.kept_bytes if outcome else 0,
        "drifts": list(outcome.drifts) if outcome else [],
        "error": outcome.error if outcome else "",
        "options": list(run.options),
    }


def _did(told: dict[str, Any]) -> str:
    parts = [f"{told['pages_now']:,} {'page' if told['pages_now'] == 1 else 'pages'}"]
    if read := told["articles"].get("extracted"):
        parts.append(f"{read:,} articles read")
    if told["pending"]:
        parts.append(f"{told['pending']:,} still waiting")
    if told["started"] and told["ended"]:
        took = datetime.fromisoformat(told["ended"]) - datetime.fromisoformat(told["started"])
        parts.append(f"in {max(0.0, took.total_seconds()):,.0f} s")
    if told["starts"] > 1:
        parts.append(f"started {told['starts']} times")
    if told["error"]:
        parts.append(told["error"])
    return ", ".join(parts)


# ---- running


@command.command("run")
@click.argument("name", metavar="NAME")
@click.option("--dry-run", is_flag=True, help="Only say what would be run.")
@common
def run(settings: Config, quiet: bool, name: str, dry_run: bool) -> int:
    """Run one job now; its exit code is the crawl's."""
    from crawler.jobs.running import take_up

    context, jobs = _loaded(settings)
    job = _named(jobs, name, context)
    _require_spiders([job])
    if dry_run:
        _say_what_would_be(context, job, "asked for")
        return ExitCode.DONE
    work = take_up(context, job, by_hand=True)
    assert work is not None  # by hand there is always something to do
    if work.run.starts:
        log.warning("job %s: %s", job.name, work.why)
    with _telling(context) as alerter, _handing_on([work]):
        done = work.perform(logged=False, quiet=quiet)
        alerter.tell(work.ledger, done, job.alerts)
    return ExitCode.INTERRUPTED if done.code is None else done.code


@command.command("due")
@click.argument("names", metavar="[NAME]…", nargs=-1)
@click.option("--at-once", type=click.IntRange(1), default=1, metavar="N", help="Run up to N jobs beside each other.")
@click.option("--dry-run", is_flag=True, help="Only say what would be run, and why.")
@common
def due(settings: Config, quiet: bool, names: tuple[str, ...], at_once: int, dry_run: bool) -> int:
    """Run once what is due, and end: for cron and timers."""
    del quiet
    context, jobs = _loaded(settings)
    wanted = [_named(jobs, name, context) for name in names] if names else list(jobs.values())
    if dry_run:
        for job in wanted:
            _say_whether_due(context, job)
        return ExitCode.DONE
    waiting = [(moment, job) for job in wanted if (moment := context.due(job))]
    if not waiting:
        return ExitCode.DONE
    ordered = [job for _, job in sorted(waiting, key=lambda one: (one[0], one[1].name))]
    running: list[Work] = []
    with _telling(context) as alerter, _handing_on(running) as stopped, ThreadPoolExecutor(at_once) as pool:
        for job in ordered:
            _tell_what_waits(context, job, alerter)
        codes = list(pool.map(lambda job: _run_due(context, job, running, stopped, alerter), ordered))
    if stopped():
        return ExitCode.INTERRUPTED
    return next((code for code in codes if code), ExitCode.DONE)


def _run_due(context: Context, job: Job, running: list[Work], stopped: Callable[[], bool], alerter: Alerter) -> int:
    from archive.errors import ArchiveError
    from crawler.cli import code_of
    from crawler.jobs.running import JobBusy, take_up, told

    if stopped():
        return ExitCode.DONE
    try:
        work = take_up(context, job)
        if work is None:
            return ExitCode.DONE
        log.info("job %s: %s; its log: %s", job.name, work.why, work.log_path)
        running.append(work)
        if stopped():
            work.stop()
        done = work.perform(logged=True)
        alerter.tell(work.ledger, done, job.alerts)
        if done.code not in (ExitCode.DONE, None):
            log.warning("job %s: %s; its log: %s", job.name, told(done), work.log_path)
    except JobBusy as busy:
        log.info("%s", busy)
        return ExitCode.DONE  # whoever runs it tells how it ends
    except ArchiveError as error:
        log.error("job %s: %s", job.name, error)
        return code_of(error)
    return done.code or ExitCode.DONE


@command.command("serve")
@click.option("--at-once", type=click.IntRange(1), default=4, metavar="N", help="Run up to N jobs beside each other.")
@click.option("--metrics", metavar="HOST:PORT", help="Figures for Prometheus there; a port alone is on loopback.")
@common
def serve(settings: Config, quiet: bool, at_once: int, metrics: str | None) -> int:
    """Stay and run jobs on time, until SIGTERM or Ctrl-C; SIGHUP has the configuration read again."""
    del settings, quiet  # it is read again when told so
    from crawler.jobs.serving import Server

    read_again = _reader()

    def load() -> tuple[Context, Mapping[str, Job]]:
        return _loaded(read_again())

    server = Server(load, at_once=at_once)
    if metrics:
        from crawler.jobs.metrics import serve as serve_metrics

        where, end = serve_metrics(metrics, lambda: (server.context, server.jobs))
        log.warning("metrics at %s", where)
    else:
        end = None
    log.warning("%d jobs; the first %s", len(server.jobs), _soonest(server.context, server.jobs))
    try:
        server.run()
    finally:
        if end is not None:
            end()
    return ExitCode.DONE


def _reader() -> Callable[[], Config]:
    """Return what reads the configuration again as this command was told to."""
    given = click.get_current_context().params
    chosen: dict[str, Any] = {}
    if given["archive"] is not None:
        chosen["archive"] = given["archive"]
    if given["allow_private"] or (click.get_current_context().obj or {}).get("allow_private"):
        chosen["allow_private"] = True
    return lambda: config.load(given["config_file"], chosen)


def _soonest(context: Context, jobs: Mapping[str, Job]) -> str:
    now = context.clock()
    moments = [upcoming for job in jobs.values() if job.scheduled and (upcoming := job.scheduled.next(now))]
    return f"at {_shown(_iso(min(moments)))}" if moments else "has no schedule"


@command.command("units")
@click.option("--systemd", "kind", flag_value="systemd", default="systemd", help="A service for newswarc jobs serve.")
@click.option("--timers", "kind", flag_value="timers", help="A service and a timer for each job.")
@click.option("--cron", "kind", flag_value="cron", help="A line for a crontab.")
@click.option("--metrics", metavar="HOST:PORT", help="What the service tells Prometheus, and where.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Write the files there instead of printing them.",
)
@common
def units(settings: Config, quiet: bool, kind: str, metrics: str | None, into: Path | None) -> None:
    """Unit files for systemd, or a line for cron, that run the jobs."""
    del quiet
    from crawler.jobs import units as made

    context, jobs = _loaded(settings)
    if kind == "cron":
        files = {"newswarc.cron": made.crontab(context)}
    elif kind == "timers":
        files = made.timers(context, jobs)
    else:
        files = {"newswarc-jobs.service": made.service(context, jobs, metrics=metrics)}
    for name, text in files.items():
        if into is None:
            sys.stdout.write(text + ("\n" if len(files) > 1 else ""))
        else:
            into.mkdir(parents=True, exist_ok=True)
            (into / name).write_text(text, encoding="utf-8")
            print_line(str(into / name))


# ---- parts of these


def _loaded(settings: Config) -> tuple[Context, Mapping[str, Job]]:
    from crawler.jobs.definition import load_jobs
    from crawler.jobs.running import Context

    defined = load_jobs(click.get_current_context().params["config_file"])
    return Context(settings, defined.path), defined.jobs


def _named(jobs: Mapping[str, Job], name: str, context: Context) -> Job:
    from crawler.jobs.definition import Defined

    assert context.file is not None
    return Defined(context.file, jobs).named(name)


def _require_spiders(jobs: Sequence[Job]) -> None:
    from crawler.run import spider_names

    known = spider_names()
    for job in jobs:
        if job.spider not in known:
            raise ConfigError(f"job {job.name}: there is no spider {job.spider}; there are {', '.join(known)}")


def _say_what_would_be(context: Context, job: Job, why: str) -> None:
    options = job.crawl_options(context.clock())
    print_line(f"{job.name}: {why}: {shlex.join(context.command(job, options))}")


def _say_whether_due(context: Context, job: Job) -> None:
    running, now = context.running(job), context.clock()
    if running is not None:
        print_line(f"{job.name}: not run: it is running already (process {running or 'unknown'})")
        return
    moment = context.due(job, note=False)
    if moment is None:
        upcoming = job.scheduled.next(now) if job.scheduled else None
        off = "switched off" if not job.enabled else "it has no schedule"
        print_line(f"{job.name}: not due: {f'next {_shown(_iso(upcoming))}' if upcoming else off}")
        return
    for left in context.ledger(job).open_runs(job.name):
        command = shlex.join(context.command(job, left.options))
        print_line(f"{job.name}: goes on with the run of {_shown(_iso(left.moment))}, which was cut off: {command}")
        return
    _say_what_would_be(context, job, f"due since {_shown(_iso(moment))}")


@contextmanager
def _telling(context: Context) -> Iterator[Alerter]:
    from crawler.jobs.alerts import Alerter

    alerter = Alerter(context.settings)
    try:
        yield alerter
    finally:
        alerter.close(ALERTS_S)


def _tell_what_waits(context: Context, job: Job, alerter: Alerter) -> None:
    ledger = context.ledger(job)
    for run in ledger.untold():
        if run.job == job.name:
            alerter.tell(ledger, run, job.alerts)


@contextmanager
def _handing_on(running: list[Work]) -> Iterator[Callable[[], bool]]:
    """Hand signals on to the crawls of *running*, which end cleanly; what is given tells whether one came."""
    came: list[int] = []

    def received(number: int, _: object) -> None:
        came.append(number)
        for work in list(running):
            work.stop(number)

    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, received)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _shown(iso: str | None) -> str:
    return datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M UTC") if iso else "never"
