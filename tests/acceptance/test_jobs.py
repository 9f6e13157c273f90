"""Jobs as their users run them: from the README, killed, stopped, at once, and beside one-off archiving."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.archive import Archive
from crawler.exit_codes import ExitCode
from crawler.jobs.ledger import Ledger
from crawler.jobs.lock import holder
from tests.command import Command, heeded
from tests.crawler.crawls import page, reply
from tests.jobs.trial import ROOT, Trial
from tests.servers.raw_site import RawSite, Script, running
from tests.test_readme import README

WAIT_S = 60.0


def wait_until(holds: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < until, f"it did not come to that: {what}"
        time.sleep(0.02)


def today(number: int) -> str:
    return f"/{datetime.now(UTC):%Y/%m/%d}/what-happened-today-{number}"


def site_of(count: int, **more: Any) -> RawSite:
    pages = {today(number): page(title=f"What happened {number}") for number in range(count)}
    return RawSite({"/": page(pages), **pages}, **more)


def define(command: Command, site: RawSite, *, name: str = "x", schedule: str = "* * * * *") -> None:
    with (command.folder / "newswarc.toml").open("a") as file:
        file.write(f'[jobs.{name}]\nspider = "generic"\narguments.start = "{site.url("/")}"\nschedule = "{schedule}"\n')


@contextmanager
def serving(command: Command, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """``newswarc jobs serve`` of *command*, by a clock that makes each minute a second; killed in the end."""
    began = str(time.time())
    with heeded(signal.SIGTERM, signal.SIGHUP), (command.folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.jobs.hurried", began, "60", "--", "jobs", "serve", *more],
            cwd=command.folder,
            env=command.environment | {"PYTHONPATH": str(ROOT)},
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def told(command: Command) -> str:
    return (command.folder / "serve.log").read_text()


def ledger(command: Command) -> Ledger:
    return Ledger(command.path / ".newswarc" / "jobs")


def test_a_newcomer_sets_up_an_hourly_job_from_the_readme(tmp_path: Path):
    made = Command(tmp_path)
    (snippet,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert 'schedule = "@hourly"' in snippet
    assert len(snippet.splitlines()) <= 10
    with running(site_of(3)) as site:
        (tmp_path / "newswarc.toml").write_text(snippet.replace("https://news.example/", site.url("/")))
        ran = made.run("jobs", "run", "example-news")
        assert b"5 pages: 5 saved" in ran.out
        (job,) = made.run("jobs", "list", "--json").rows
    assert (job["name"], job["when"], job["running"]) == (
        "example-news",
        "at the start of every hour (Europe/Berlin)",
        False,
    )
    assert (job["last"]["exit_code"], job["last"]["pages"]) == (0, {"saved": 5})
    assert datetime.fromisoformat(job["next"]) > datetime.now(UTC)
    assert {target: len(site.received(target)) for target in site.scripts} == dict.fromkeys(site.scripts, 1)


def test_a_spider_that_is_not_there_is_told_and_refused(tmp_path: Path):
    made = Command(tmp_path)
    (tmp_path / "newswarc.toml").write_text('[jobs.x]\nspider = "genric"\nschedule = "@hourly"\n')
    assert b"there is no spider genric" in made.run("jobs", "list").out
    refused = made.run("jobs", "run", "x", code=ExitCode.USAGE)
    assert "job x: there is no spider genric; there are" in refused.err
    assert not made.path.exists()


def test_what_is_due_is_told_before_it_is_run(tmp_path: Path):
    made = Command(tmp_path)
    with running(site_of(1)) as site:
        define(made, site)
        due = made.run("jobs", "due", "--dry-run").out.decode()
    assert "x: not due: next" in due  # nobody has looked yet, so nothing was missed
    assert not made.path.exists()
    assert b"crawl generic --job x -a start=" in made.run("jobs", "run", "x", "--dry-run").out
    assert not site.requests


# ---- killed and stopped


def test_no_kill_loses_or_doubles_a_run(tmp_path: Path):
    seed = int.from_bytes(os.urandom(3))
    print("seed", seed)
    found = Trial(tmp_path, seed=seed, speed=20).run(5)
    assert found.runs
    assert found.sound, found


def test_a_trial_without_locks_would_be_noticed(tmp_path: Path):
    """Two servers without locks run a job beside itself: the trial must see it."""
    trial = Trial(tmp_path, seed=1, speed=20, locks=False)
    servers = [trial.server() for _ in range(2)]
    wait_until(trial.log.exists, "a crawl")
    time.sleep(0.05)
    servers[0].kill()  # whose crawl goes on
    third = trial.server()
    time.sleep(4)
    for server in [*servers, third]:
        server.kill()
        server.wait()
    begun = Counter(run for what, run, *_ in trial._lines() if what == "begin")
    assert begun.most_common(1)[0][1] > 1


def test_two_servers_run_each_moment_once(tmp_path: Path):
    trial = Trial(tmp_path, seed=1, speed=60)
    servers = [trial.server() for _ in range(2)]
    wait_until(lambda: sum(run.ended is not None for run in trial.ledger.history("x")) >= 3, "three runs")
    for server in servers:
        server.send_signal(signal.SIGTERM)
    assert [server.wait(WAIT_S) for server in servers] == [0, 0]
    found = trial.run(0)
    assert found.sound, found


def test_a_server_that_is_stopped_ends_its_crawl_and_the_next_goes_on_with_the_run(tmp_path: Path):
    made = Command(tmp_path)
    slow = Script([b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n", b"<html>"], pause_s=3.0)
    with running(site_of(3)) as site:
        site.scripts["/"] = page([*(today(number) for number in range(3)), "/slow"])
        site.scripts["/slow"] = slow
        define(made, site)
        with serving(made) as server:
            wait_until(lambda: site.received("/slow"), "the crawl is under way")
            busy = made.run("jobs", "run", "x", code=ExitCode.USAGE)
            assert re.search(r"job x is running already \(process \d+\)", busy.err)
            server.send_signal(signal.SIGTERM)
            assert server.wait(WAIT_S) == 0
        assert "ending: waiting for 1 crawl" in told(made)
        before = ledger(made).history("x")[0]
        assert holder(made.path / ".newswarc" / "jobs" / "x.lock") is None
        del site.scripts["/slow"]
        made.run("jobs", "due")
    after = next(run for run in ledger(made).history("x") if run.id == before.id)
    assert after.code == 0
    assert after.ended is not None
    assert max(len(site.received(today(number))) for number in range(3)) == 1


def test_a_crawl_whose_server_was_killed_goes_on_and_its_end_is_taken_down(tmp_path: Path):
    made = Command(tmp_path)
    slow = Script([b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n", b"<html>"], pause_s=3.0)
    with running(site_of(2)) as site:
        site.scripts["/"] = page([today(0), today(1), "/slow"])
        site.scripts["/slow"] = slow
        define(made, site)
        with serving(made) as server:
            wait_until(lambda: site.received("/slow"), "the crawl is under way")
            server.kill()
            server.wait()
            assert holder(made.path / ".newswarc" / "jobs" / "x.lock")
            (job,) = made.run("jobs", "list", "--json").rows
            assert job["running"]
        wait_until(lambda: holder(made.path / ".newswarc" / "jobs" / "x.lock") is None, "the crawl ends")
        (run,) = ledger(made).open_runs("x")
        assert len(site.received("/slow")) == 1
        made.run("jobs", "due")
    after = next(one for one in ledger(made).history("x") if one.id == run.id)
    assert (after.starts, after.code) == (1, 0)
    assert after.outcome is not None
    assert after.outcome.pages["saved"] == 5


def test_a_configuration_is_read_again_and_a_broken_one_is_told(tmp_path: Path):
    made = Command(tmp_path)
    (tmp_path / "newswarc.toml").write_text('[jobs.x]\nspider = "generic"\n')
    with serving(made) as server:
        wait_until(lambda: "1 jobs; the first has no schedule" in told(made), "it serves")
        (tmp_path / "newswarc.toml").write_text('[jobs.x]\nspidr = "generic"\n')
        server.send_signal(signal.SIGHUP)
        wait_until(lambda: "unknown key spidr; did you mean spider?; what was read before" in told(made), "it says so")
        (tmp_path / "newswarc.toml").write_text('[jobs.x]\nspider = "a"\n[jobs.y]\nspider = "b"\n')
        server.send_signal(signal.SIGHUP)
        wait_until(lambda: "read again: 2 jobs" in told(made), "it reads it again")
        server.send_signal(signal.SIGTERM)
        assert server.wait(WAIT_S) == 0


# ---- at once


def test_jobs_and_one_off_archiving_at_once_lose_and_tear_nothing(tmp_path: Path):
    made = Command(tmp_path)
    with running(site_of(25)) as one, running(site_of(25)) as two:
        define(made, one, name="one")
        define(made, two, name="two")
        alone = [one.url(f"/alone-{number}") for number in range(6)]
        for number in range(6):
            one.scripts[f"/alone-{number}"] = reply(f"<html>{number} {'x' * 5000}")
        commands = [("jobs", "run", "one"), ("jobs", "run", "two"), *(("archive", *alone[n::3]) for n in range(3))]
        threads = [threading.Thread(target=made.run, args=command) for command in commands]
        failed: list[Any] = []
        before, threading.excepthook = threading.excepthook, failed.append
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            threading.excepthook = before
        assert not failed
        made.run("verify", "--deep")
        with Archive.open(str(made.path)) as archive:
            for site in (one, two):
                for target, times in Counter(request.target for request in site.requests).items():
                    kept = [capture for capture in archive.captures(site.url(target)) if capture.status]
                    assert len(kept) == times, target
        assert {run.code for run in ledger(made).history()} == {0}
        assert all(len(site.received(today(number))) == 1 for site in (one, two) for number in range(25))
