"""What Prometheus is told, by the address it asks at."""

from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crawler.config import Config, ConfigError
from crawler.jobs.definition import Job
from crawler.jobs.metrics import COUNTERS, GAUGES, parse_address, serve
from crawler.jobs.running import Context
from crawler.jobs.schedule import Schedule
from crawler.outcome import Outcome
from tests.jobs.test_definition import DOCS

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize("address", ["", "x", ":9", "a:b", "127.0.0.1:99999", "9464 ", "-1"])
def test_what_is_no_address_is_refused(address: str):
    with pytest.raises(ConfigError, match=r"expected HOST:PORT, or a port to listen on 127\.0\.0\.1 alone"):
        parse_address(address)


def test_an_address_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--metrics {port}: cannot be listened on"):
            serve(str(port), lambda: (Context(Config(), None), {}))


@pytest.mark.parametrize(("address", "read"), [("9464", ("127.0.0.1", 9464)), ("[::1]:1", ("::1", 1))])
def test_a_port_alone_is_on_loopback(address: str, read: tuple[str, int]):
    assert parse_address(address) == read


def test_figures_are_of_all_runs_whoever_made_them(tmp_path: Path):
    context = Context(Config(archive=str(tmp_path)), None, clock=lambda: NOON + timedelta(minutes=30))
    jobs = {"x": Job("x", "generic", schedule=Schedule.parse("@hourly")), "never": Job("never", "generic")}
    ledger = context.ledger()
    for hour, outcome in enumerate(
        [
            Outcome(0, {"saved": 5}, 5, {"extracted": 4}, kept_bytes=100),
            Outcome(4),
            Outcome(8, {"saved": 7}, 7, {"extracted": 3}, 2, 50, ["a.example: one", "a.example: two"]),
        ]
    ):
        begun = ledger.begin("x", NOON + timedelta(hours=hour - 3), "schedule", [])
        assert begun is not None
        started = ledger.starting(begun, begun.moment)
        ledger.end(started, begun.moment + timedelta(minutes=2), outcome)
    address, end = serve("0", lambda: (context, jobs))
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", address)
        with urllib.request.urlopen(address, timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
    finally:
        end()
    told = {
        (sample.name.removeprefix("newswarc_job_"), sample.labels.pop("job"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }
    assert told.items() >= {
        ("runs_total", "x", "0"): 1, ("runs_total", "x", "4"): 1, ("runs_total", "x", "8"): 1,
        ("pages_total", "x"): 12, ("bytes_total", "x"): 150, ("articles_total", "x"): 7,
        ("running", "x"): 0, ("running", "never"): 0, ("pages_total", "never"): 0,
        ("last_exit_code", "x"): 8, ("last_duration_seconds", "x"): 120, ("last_pages", "x", "saved"): 7,
        ("last_articles", "x", "extracted"): 3, ("pending", "x"): 2, ("drifted", "x"): 1,
        ("last_success_timestamp_seconds", "x"): (NOON - timedelta(minutes=58)).timestamp(),
        ("next_run_timestamp_seconds", "x"): (NOON + timedelta(hours=1)).timestamp(),
    }.items()  # fmt: skip
    assert ("last_exit_code", "never") not in told


def test_the_documentation_tells_every_metric():
    names = re.findall(r"^\| `(newswarc_job_\w+)` \|", DOCS, re.MULTILINE)
    assert names == [*(f"{name}_total" for name in COUNTERS), *GAUGES]
