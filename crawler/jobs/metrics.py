"""Figures of jobs for Prometheus, out of their ledgers: they outlive the server that tells them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from archive.errors import ArchiveError
from crawler.config import ConfigError
from crawler.jobs.definition import Job
from crawler.jobs.running import Context

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
Jobs = Callable[[], tuple[Context, Mapping[str, Job]]]

COUNTERS = {
    "newswarc_job_runs": "Runs that ended, by exit code",
    "newswarc_job_pages": "Pages that got an outcome",
    "newswarc_job_bytes": "Bytes that captures take in the archive",
    "newswarc_job_articles": "Articles read",
}
GAUGES = {
    "newswarc_job_running": "1 while the job is being run, by whomever",
    "newswarc_job_last_success_timestamp_seconds": "When a run last ended with exit code 0, 1 or 8",
    "newswarc_job_last_run_timestamp_seconds": "When the last run ended",
    "newswarc_job_last_exit_code": "Exit code of the last run",
    "newswarc_job_last_duration_seconds": "How long the last run took, from its first start to its end",
    "newswarc_job_last_pages": "Pages of the crawl by outcome, at the end of the last run",
    "newswarc_job_last_articles": "Articles of the crawl by what became of them, at the end of the last run",
    "newswarc_job_pending": "Pages that the last run left for the next",
    "newswarc_job_drifted": "Sites that the last run found to be read no longer as before",
    "newswarc_job_next_run_timestamp_seconds": "When the job is to be run next",
}
_LABELS = {
    "newswarc_job_runs": ["job", "code"],
    "newswarc_job_last_pages": ["job", "outcome"],
    "newswarc_job_last_articles": ["job", "state"],
}


class JobsCollector(Collector):
    """What ``/metrics`` tells, read anew each time it is asked for. *jobs* gives the jobs as they are now."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def describe(self) -> list[Metric]:
        return []  # nothing is read before somebody asks

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Any] = {
            name: CounterMetricFamily(name, text, labels=_LABELS.get(name, ["job"])) for name, text in COUNTERS.items()
        } | {name: GaugeMetricFamily(name, text, labels=_LABELS.get(name, ["job"])) for name, text in GAUGES.items()}
        context, jobs = self._jobs()
        for job in jobs.values():
            try:
                _add(families, context, job)
            except ArchiveError as error:
                log.warning("job %s: no figures: %s", job.name, error)
        yield from families.values()


def _add(families: Mapping[str, Any], context: Context, job: Job) -> None:
    def add(name: str, value: float, *labels: str) -> None:
        families[f"newswarc_job_{name}"].add_metric([job.name, *labels], value)

    ledger, now = context.ledger(job), context.clock()
    totals = ledger.totals(job.name)
    for code, count in totals.runs.items():
        add("runs", count, str(code))
    add("pages", totals.pages)
    add("bytes", totals.bytes)
    add("articles", totals.articles)
    add("running", float(context.running(job) is not None))
    if totals.succeeded:
        add("last_success_timestamp_seconds", totals.succeeded.timestamp())
    if (last := ledger.last(job.name)) and last.ended and last.outcome:
        add("last_run_timestamp_seconds", last.ended.timestamp())
        add("last_exit_code", last.code or 0)
        if last.started:
            add("last_duration_seconds", max(0.0, (last.ended - last.started).total_seconds()))
        for outcome, count in last.outcome.pages.items():
            add("last_pages", count, outcome)
        for state, count in last.outcome.articles.items():
            add("last_articles", count, state)
        add("pending", last.outcome.pending)
        add("drifted", len({drift.partition(": ")[0] for drift in last.outcome.drifts}))
    if job.scheduled:
        upcoming = context.due(job, note=False) or job.scheduled.next(now)
        if upcoming:
            add("next_run_timestamp_seconds", upcoming.timestamp())


def serve(address: str, jobs: Jobs) -> tuple[str, Callable[[], None]]:
    """Serve ``/metrics`` at *address*, ``HOST:PORT`` or a port on loopback alone; return where, and what ends it.

    Raises ``ConfigError`` when the address is none or is taken.
    """
    host, port = parse_address(address)
    registry = CollectorRegistry()
    registry.register(JobsCollector(jobs))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise ConfigError(f"--metrics {address}: cannot be listened on ({error.strerror or error})") from error

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{server.server_port}/metrics", end


def parse_address(address: str) -> tuple[str, int]:
    """Read ``HOST:PORT``, ``[HOST]:PORT`` or ``PORT``. Raises ``ConfigError``."""
    host, colon, port = address.rpartition(":")
    host = host.strip("[]") if colon else LOOPBACK
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigError(f"--metrics {address}: expected HOST:PORT, or a port to listen on {LOOPBACK} alone")
    return host, int(port)
