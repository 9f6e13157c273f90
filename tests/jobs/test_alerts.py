"""Who is told of what, by a real command and a real server; and that nothing waits for them."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.config import Config
from crawler.jobs import alerts
from crawler.jobs.alerts import Alerter, alert_of, post, run_command
from crawler.jobs.definition import Alerts, Job
from crawler.jobs.ledger import Ledger, Run
from crawler.outcome import Outcome
from tests.crawler.crawls import reply
from tests.servers.raw_site import RawSite, Script, running

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
JOB = Job("x", "generic", alerts=Alerts(("tell",)))
WELL = Outcome(0, {"saved": 5}, 5)
SOME_FAILED = Outcome(1, {"saved": 5, "failed": 1}, 6)
NOTHING_GOT = Outcome(1, {"failed": 3}, 3)
BROKEN = Outcome(4, error="the bucket is gone")
FULL = Outcome(7)
KILLED = Outcome(137, error="killed by SIGKILL")
STOPPED = Outcome(130, {"saved": 1})
DRIFTED = Outcome(8, {"saved": 5}, 5, drifts=["a.example: since 2026-11-20 (…) 0 of 20 articles have authors"])
DRIFTED_STILL = Outcome(8, {"saved": 5}, 5, drifts=["a.example: since 2026-11-20 (…) 0 of 25 articles have authors"])
DRIFTED_TOO = Outcome(
    8, {"saved": 5}, 5, drifts=[*DRIFTED.drifts, "b.example: since 2026-11-27 (…) 0 of 20 articles …"]
)


def run_of(outcome: Outcome | None = None, number: int = 2) -> Run:
    code = outcome.code if outcome else None
    return Run(number, "x", NOON, "schedule", [], 1, 0, NOON, NOON, NOON if outcome else None, code, outcome, None)


def event(before: Outcome | None, now: Outcome, job: Job = JOB) -> str | None:
    told = alert_of(job, "archive", run_of(), now, run_of(before, 1) if before else None, NOON)
    return told["event"] if told else None


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (None, WELL, None),
        (None, BROKEN, "failure"),
        (WELL, BROKEN, "failure"),
        (BROKEN, BROKEN, None),
        (BROKEN, FULL, "failure"),
        (BROKEN, WELL, "recovery"),
        (BROKEN, SOME_FAILED, "recovery"),
        (WELL, SOME_FAILED, None),
        (WELL, NOTHING_GOT, "failure"),
        (NOTHING_GOT, NOTHING_GOT, None),
        (NOTHING_GOT, SOME_FAILED, "recovery"),
        (WELL, KILLED, "failure"),
        (WELL, STOPPED, None),
        (WELL, DRIFTED, "drift"),
        (DRIFTED, DRIFTED_STILL, None),
        (DRIFTED, DRIFTED_TOO, "drift"),
        (DRIFTED_TOO, DRIFTED, None),
        (DRIFTED, BROKEN, "failure"),
        (BROKEN, DRIFTED, "drift"),
        (DRIFTED, WELL, "recovery"),
    ],
)
def test_each_is_told_when_it_comes_to_be_so(before: Outcome | None, now: Outcome, told: str | None):
    assert event(before, now) == told


def test_what_nobody_wants_to_know_is_not_told():
    assert event(WELL, BROKEN, replace(JOB, alerts=Alerts())) is None
    assert event(WELL, BROKEN, replace(JOB, alerts=Alerts(("tell",), on=("drift",)))) is None
    assert event(WELL, SOME_FAILED, replace(JOB, alerts=Alerts(("tell",), codes=(1,)))) == "failure"
    assert event(WELL, BROKEN, replace(JOB, alerts=Alerts(("tell",), codes=(1,)))) is None


def test_an_alert_says_which_job_and_what_befell_it():
    told = alert_of(JOB, "s3://b/news", run_of(), BROKEN, None, NOON)
    assert told is not None
    assert told["text"] == "newswarc: job x failed with 4: the bucket is gone"
    wanted = {"job": "x", "spider": "generic", "archive": "s3://b/news", "exit_code": 4, "error": "the bucket is gone"}
    assert wanted.items() <= told.items()
    assert json.loads(json.dumps(told)) == told


# ---- a command


def test_a_command_gets_the_alert_on_its_standard_input_and_no_shell(tmp_path: Path):
    to = tmp_path / "told; rm -rf $HOME"
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    assert run_command([sys.executable, "-c", script, str(to)], {"event": "drift"}) is None
    assert json.loads(to.read_text()) == {"event": "drift"}


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["/nowhere/tell"], "/nowhere/tell cannot be run: No such file or directory"),
        (["/bin/sh", "-c", "echo no >&2; exit 3"], "/bin/sh ended with 3: no"),
        (["/bin/true"], None),  # it does not read what it is given
    ],
)
def test_a_command_that_fails_is_told(command: list[str], problem: str | None):
    assert run_command(command, {"x": "y" * 100_000}) == problem


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(alerts, "COMMAND_S", 0.2)
    assert run_command(["/bin/sleep", "60"], {}) == "/bin/sleep did not end within 0.2 s"


# ---- a webhook


def test_a_webhook_gets_the_alert_by_post():
    with running(RawSite({"/hook?key=canary": reply("ok")})) as site:
        assert post(Config(allow_private=True), site.url("/hook?key=canary"), {"event": "drift"}) is None
    (request,) = site.received("/hook?key=canary")
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST ")
    assert b"application/json" in head
    assert json.loads(body) == {"event": "drift"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]"])
def test_a_private_address_gets_nothing_unless_it_is_allowed(host: str):
    with running(RawSite({"/": reply("ok")})) as site:
        problem = post(Config(), site.url("/", host), {})
    assert problem is not None
    assert "refused" in problem
    assert not site.requests


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (reply("", status="500 Oh"), "it answered 500"),
        (reply("", "text/plain", "302 Found", "Location: /elsewhere"), "it answered 302"),
        (Script([b"hello"], "close"), "its address"),
        (Script([b""], "close"), "its address"),
    ],
)
def test_a_webhook_that_does_not_take_it_is_told_without_its_address(answer: Script, problem: str):
    with running(RawSite({"/canary": answer})) as site:
        told = post(Config(allow_private=True), site.url("/canary"), {})
    assert told is not None
    assert problem in told
    assert "canary" not in told
    assert len(site.requests) == 1


def test_a_webhook_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(alerts, "WEBHOOK_S", 0.3)
    with running(RawSite({"/canary": Script([b""], "hang")})) as site:
        told = post(Config(allow_private=True), site.url("/canary"), {})
    assert told is not None
    assert "ran out" in told
    assert "canary" not in told


# ---- the thread


def ended(folder: Path, told: dict[str, Any]) -> tuple[Ledger, Run]:
    ledger = Ledger(folder / "jobs")
    begun = ledger.begin("x", NOON, "schedule", [])
    assert begun is not None
    return ledger, ledger.end(begun, NOON, BROKEN, told)


def told_by(alerter: Alerter, ledger: Ledger, run: Run, whom: Alerts, holds: Callable[[], bool]) -> None:
    alerter.tell(ledger, run, whom)
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_was_told_is_struck_out(tmp_path: Path):
    ledger, run = ended(tmp_path, {"job": "x", "event": "failure"})
    alerter = Alerter(Config(), tries_after_s=(0.0,))
    assert [one.alert for one in ledger.untold()] == [{"job": "x", "event": "failure"}]
    told_by(alerter, ledger, run, Alerts(("/bin/true",)), lambda: not ledger.untold())
    alerter.close(5)


def test_what_cannot_be_told_is_tried_again_and_then_said(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    ledger, run = ended(tmp_path, {"job": "x", "event": "failure"})
    tries = tmp_path / "tries"
    alerter = Alerter(Config(), tries_after_s=(0.0, 0.01, 0.01))
    whom = Alerts(("/bin/sh", "-c", f"echo x >> {tries}; exit 1"))
    with caplog.at_level(logging.ERROR):
        told_by(alerter, ledger, run, whom, lambda: not ledger.untold())
    alerter.close(5)
    assert tries.read_text() == "x\n" * 3
    assert "job x: its command was not told of the failure: /bin/sh ended with 1" in caplog.text


def test_nothing_waits_for_who_does_not_listen(tmp_path: Path):
    ledger, run = ended(tmp_path, {"job": "x", "event": "failure"})
    alerter = Alerter(Config())
    told_by(alerter, ledger, run, Alerts(("/bin/sleep", "3")), lambda: True)
    alerter.close(0.01)
    assert ledger.untold()  # the next process tells it
