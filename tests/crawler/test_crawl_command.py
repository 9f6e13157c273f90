"""What ``newswarc crawl`` tells: while it runs, when it is stopped, and at the end."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner
from scrapy.http import Response
from scrapy.signalmanager import SignalManager

from archive.drift import Drift
from crawler.account import Account
from crawler.cli.crawl import LONGEST_TOLD, REASONS_TOLD, command, exit_code, summary
from crawler.cli.progress import CrawlProgress
from crawler.exit_codes import ExitCode
from crawler.frontier import Reason
from crawler.interruption import HURRY
from crawler.known import ARCHIVED
from crawler.outcome import Outcome
from crawler.politeness import Politeness
from crawler.run import Finished
from tests.command import Command, heeded
from tests.crawler.crawls import article, page, reply
from tests.servers.raw_site import RawSite, Script, running

DRIFTED = [Drift("a.example", "authors", "2026-03-01T00:00:00.000000Z", "https://a.example/1", 281, 300, 0, 20)]
NOTHING = Account({}, {}, 0, [], {})


def finished(**more: Any) -> Finished:
    return Finished(account=Account(**{**{name: getattr(NOTHING, name) for name in Account.__slots__}, **more}))


def test_the_summary_says_what_is_missing_and_how_to_go_on():
    reasons = [
        Reason("failed", "no answer", 2, "https://a.example/1"),
        Reason("saved", "the server answered 404", 1, "https://a.example/2"),
    ]
    done = finished(
        outcomes={"saved": 40, "failed": 2},
        articles={"extracted": 9, "waiting": 3},
        pending=7,
        reasons=reasons,
        down={"a.example": "it answered 429, 11 times in a row"},
        ended_now=12,
    )
    assert summary("daily", "a", done) == [
        "a: daily: 49 pages: 40 saved, 2 failed, 7 still waiting; in this run 12; articles: 9 read, 3 still to be read",
        "  2 failed: no answer; the first: https://a.example/1",
        "  1 saved: the server answered 404: https://a.example/2",
        "  a.example is left alone for now: it answered 429, 11 times in a row",
        "  run the same command again to go on",
    ]


def test_a_first_run_that_did_all_says_no_more_than_that():
    assert summary("daily", "a", finished(outcomes={"saved": 1})) == ["a: daily: 1 page: 1 saved"]


def test_strangers_addresses_and_reasons_do_not_fill_the_terminal():
    reasons = [Reason("skipped", "x" * 5000, 1, f"https://a.example/{number}{'y' * 5000}") for number in range(20)]
    lines = summary("daily", "a", finished(outcomes={"skipped": 20}, reasons=reasons))
    assert len(lines) == 1 + REASONS_TOLD + 1
    assert lines[-1] == f"  and {20 - REASONS_TOLD} other reasons"
    assert max(map(len, lines)) < 2 * LONGEST_TOLD + 50


@pytest.mark.parametrize(
    ("done", "code"),
    [
        (finished(outcomes={"saved": 1}), ExitCode.DONE),
        (finished(outcomes={"saved": 1, "failed": 1}), ExitCode.SOME_FAILED),
        (finished(outcomes={"saved": 1}, pending=1), ExitCode.SOME_FAILED),
        (finished(outcomes={"saved": 1}, articles={"unreadable": 1}), ExitCode.SOME_FAILED),
        (finished(outcomes={"refused": 1}), ExitCode.REFUSED),
        (replace(finished(outcomes={"saved": 1}), drifted=DRIFTED), ExitCode.DRIFTED),
        (replace(finished(outcomes={"saved": 1, "failed": 1}), drifted=DRIFTED), ExitCode.DRIFTED),
        (replace(finished(outcomes={"saved": 1}, pending=1), drifted=DRIFTED, interrupted=True), ExitCode.INTERRUPTED),
        (finished(outcomes={"refused": 1, "unchanged": 1}), ExitCode.DONE),
        (Finished(interrupted=True), ExitCode.INTERRUPTED),
        (replace(finished(outcomes={"saved": 1}, pending=1), interrupted=True), ExitCode.INTERRUPTED),
        (replace(finished(outcomes={"saved": 1}), interrupted=True), ExitCode.DONE),
        (Finished(stats={"finish_reason": "finished"}), ExitCode.DONE),
        (Finished(stats={"finish_reason": "shutdown"}), ExitCode.BUG),
    ],
)
def test_how_it_ended_is_told_to_scripts(done: Finished, code: ExitCode):
    assert exit_code(done) == code


def test_the_spider_of_single_pages_is_no_crawl():
    told = CliRunner().invoke(command, ["pages"])
    assert told.exit_code == 2
    assert "pages is what newswarc archive runs" in told.output


# --- while it runs


class Scheduler:
    unread = 3

    def __init__(self) -> None:
        self.turns = SimpleNamespace(under_way=4, waiting=1200)
        self.politeness = Politeness(delay_s=0, concurrency=1)


def watched(progress: CrawlProgress, scheduler: object) -> None:
    progress._opened(cast("Any", SimpleNamespace(crawler=SimpleNamespace(engine=SimpleNamespace(scheduler=scheduler)))))
    progress._began_s = time.monotonic() - 10


def answer(url: str = "https://a.example/1", length: int = 1500, **more: Any) -> Response:
    capture = SimpleNamespace(place=SimpleNamespace(length=length))
    response = Response(url, **more)
    response.request = cast("Any", SimpleNamespace(meta={"capture": capture}))
    return response


def test_progress_says_what_is_under_way_and_what_rests():
    progress, scheduler = CrawlProgress(shown=True), Scheduler()
    watched(progress, scheduler)
    progress._answered(answer())
    progress._answered(answer(flags=[ARCHIVED]))
    assert progress.describe().startswith("1 answers (0.1/s), 4 under way, 1,200 waiting, 3 articles to read, 2 kB, a.")
    progress._answered(answer(length=3_000_000))
    scheduler.politeness.troubled("b.example", 1, "it answered 429", at_once=True, rest_s=90)
    assert progress.describe().endswith("3.0 MB, a.example, b.example rests 90 s: it answered 429")


def test_progress_says_how_long_what_waits_will_take_once_a_rate_is_known():
    progress, scheduler = CrawlProgress(shown=True), Scheduler()
    watched(progress, scheduler)
    for _ in range(40):
        assert "left" not in progress.describe() or progress._answers >= 20
        progress._answered(answer())
    assert re.search(r"1,200 waiting, 5 min left at least, 3 articles to read", progress.describe())
    scheduler.turns.waiting = 0
    assert "left" not in progress.describe()


def test_before_there_is_a_scheduler_it_is_starting():
    assert CrawlProgress(shown=True).describe() == "starting"


def test_a_terminal_is_told_how_it_does(tmp_path: Path):
    made = Command(tmp_path)
    terminal, theirs = pty.openpty()
    slow = Script([b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n", b"<html>"], pause_s=1.0)
    with running(RawSite({"/": page([article(0)]), article(0): slow})) as site:
        process = subprocess.Popen(
            [*made.arguments, "crawl", "generic", "-a", f"start={site.url('/')}"],
            cwd=tmp_path,
            env=made.environment | {"TERM": "xterm", "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        told = bytearray()
        with suppress(OSError):  # the terminal is gone
            while piece := os.read(terminal, 1 << 16):
                told += piece
        os.close(terminal)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"starting" in told
    assert b"1 under way" in told
    assert f"127.0.0.1:{site.port}".encode() in told
    assert b"3 pages: 3 saved" in out


@pytest.mark.parametrize("shown", [True, False])
def test_that_it_is_stopping_is_said_unless_it_is_to_be_quiet(shown: bool, capsys: pytest.CaptureFixture[str]):
    progress, crawler = CrawlProgress(shown=shown), SimpleNamespace(signals=SignalManager(object()))
    progress.watch(cast("Any", crawler))
    crawler.signals.send_catch_log(HURRY, within_s=10.0)
    crawler.signals.send_catch_log(HURRY, within_s=0.0)
    told = capsys.readouterr().err
    wanted = "newswarc: stopping: what is under way gets 10 s; once more cuts it off\nnewswarc: stopping: cut off\n"
    assert told == (wanted if shown else "")


def test_an_interrupted_crawl_says_so_and_what_the_next_run_adds(tmp_path: Path):
    made = Command(tmp_path)
    busy = reply("", "text/plain", "429 Too Many Requests", "Retry-After: 2")
    pages = {article(number): page(title=str(number)) for number in range(3)}
    with running(RawSite({"/": page([*pages, "/busy"]), **pages})) as site:
        arguments = ("crawl", "generic", "-a", f"start={site.url('/')}")
        site.scripts["/busy"] = busy
        with heeded(signal.SIGINT):
            process = made.start(*arguments)
        try:
            deadline = time.monotonic() + 30
            while not site.received("/busy"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == ExitCode.INTERRUPTED
        assert b"newswarc: stopping: what is under way gets 10 s; once more cuts it off" in told
        (first,) = made.run("report", "--json").rows
        assert (first["run"]["ended_as"], first["run"]["exit_code"]) == ("interrupted", 130)
        assert first["outcomes"]["whole"]["pending"] == 1
        del site.scripts["/busy"]
        done = made.run(*arguments)
    assert b"; in this run 1" in done.out
    (second,) = made.run("report", "--json").rows
    assert (second["run"]["ended_as"], second["run"]["number"]) == ("finished", 2)
    assert second["outcomes"]["run"]["total"] == 1
    assert second["outcomes"]["whole"]["total"] == first["outcomes"]["whole"]["total"]


# --- of a job


def test_a_job_has_a_frontier_of_its_own_and_a_spent_budget_is_gone_on_with(tmp_path: Path):
    made = Command(tmp_path)
    pages = {article(number): page(title=str(number)) for number in range(12)}
    with running(RawSite({"/": page(pages), **pages})) as site:
        arguments = ("crawl", "generic", "-a", f"start={site.url('/')}", "--outcome", "told.json")
        made.run(*arguments, "--job", "one", "--max-bytes", "1")
        spent = Outcome.read(tmp_path / "told.json")
        assert spent is not None
        assert (spent.code, spent.error) == (ExitCode.DONE, "")
        assert spent.pending > 0
        assert 0 < spent.kept_bytes < 5000
        # Another job of the same spider begins for itself, and in as little time as this comes to nothing.
        none = made.run(*arguments, "--job", "two", "--max-time", "0.001s")
        assert b"the 0.001 s of --max-time" in none.out
        # The days that a job is bound to move on; what waits is still gone on with.
        made.run(*arguments, "--job", "one", "--since", "2026-01-01")
    done = Outcome.read(tmp_path / "told.json")
    assert done is not None
    assert (done.code, done.pending) == (ExitCode.DONE, 0)
    assert spent.pages_now + done.pages_now == sum(done.pages.values())
    assert {target: len(site.received(target)) for target in pages} == dict.fromkeys(pages, 1)
    names = sorted(path.name for path in (made.path / ".newswarc" / "crawls").glob("*.sqlite"))
    assert [name.rpartition("-")[0] for name in names] == ["job-one-generic", "job-two-generic"]


@pytest.mark.parametrize("name", ["", "../x", ".x", "a b", "a" * 65, "é"])
def test_what_cannot_be_a_path_cannot_be_the_name_of_a_job(name: str):
    told = CliRunner().invoke(command, ["generic", "--job", name])
    assert told.exit_code == 2
    assert "cannot be the name of a job" in told.output


def test_how_it_ended_is_written_when_it_could_not_begin_too(tmp_path: Path):
    made = Command(tmp_path)
    made.path.write_text("no directory")
    made.run("crawl", "generic", "-a", "start=http://127.0.0.1:9/", "--outcome", "told.json", code=ExitCode.USAGE)
    told = Outcome.read(tmp_path / "told.json")
    assert told is not None
    assert told.code == ExitCode.USAGE
    assert "archive" in told.error
