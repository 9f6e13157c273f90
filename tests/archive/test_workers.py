"""The guarded pool, tried with tasks that hang, crash, exit, and eat memory; builtins, for they pickle by name."""

from __future__ import annotations

import asyncio
import ctypes
import operator
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.errors import ExtractionFailed, WorkersUnavailable
from archive.examine import Examination, examine
from archive.workers import Workers, client, messages
from archive.workers.server import MAX_ANSWER_BYTES

ROOT = Path(__file__).parents[2]
FREEZES_THE_PARSER = b"<html><body><p " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">text</p></body></html>"


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    with Workers(2) as workers:
        yield workers


def reason(workers: Workers, function: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(ExtractionFailed) as caught:
        workers.submit(function, *args).result()
    return caught.value.reason


def examined(workers: Workers, page: bytes) -> Any:
    return workers.submit(
        examine,
        page,
        url="http://news.example/1",
        content_type="text/html",
        content_encoding=None,
        captured_at=datetime(2026, 11, 21, tzinfo=UTC),
        want_article=True,
        want_requisites=True,
    )


def state(pid: int) -> str | None:
    """Return a process's state letter, "Z" for a zombie; ``None`` when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def children(pid: int) -> set[int]:
    return {int(child) for tasks in Path(f"/proc/{pid}/task").glob("*/children") for child in tasks.read_text().split()}


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def the_server(workers: Workers) -> int:
    """Return the pid of the process that forks the workers."""
    return workers.submit(os.getppid).result()


def test_no_process_is_started_before_the_first_task():
    before = children(os.getpid())
    with Workers(2) as workers:
        assert children(os.getpid()) == before
        assert workers.submit(os.getpid).result() != os.getpid()
        assert len(children(os.getpid()) - before) == 1
    assert children(os.getpid()) == before


def test_a_thousand_tasks_give_their_results_in_two_processes(pool: Workers):
    results = [pool.submit(operator.mul, number, 2) for number in range(1000)]
    assert [result.result() for result in results] == [number * 2 for number in range(1000)]
    assert len(pool.pids) <= 2


def test_an_examination_comes_back_whole(pool: Workers):
    page = b"<html><body><img src=/a.png><article><p>Parliament voted on Tuesday, after a long debate.</p></article>"
    found = examined(pool, page).result()
    assert isinstance(found, Examination)
    assert [needed.url for needed in found.requisites] == ["http://news.example/a.png"]
    assert found.article is not None
    assert found.article.url == "http://news.example/1"


def test_a_page_that_freezes_the_parser_is_killed_and_the_others_go_on():
    with Workers(2, time_limit_s=2) as workers:
        workers.submit(os.getpid).result()
        frozen = examined(workers, FREEZES_THE_PARSER)
        others = [workers.submit(operator.mul, number, 2) for number in range(200)]
        assert [other.result() for other in others] == [number * 2 for number in range(200)]
        with pytest.raises(ExtractionFailed) as caught:
            frozen.result()
        assert str(caught.value) == "http://news.example/1: took longer than 2 s"
        assert workers.submit(operator.mul, 2, 3).result() == 6


def test_a_task_that_takes_long_keeps_no_other_waiting():
    with Workers(2, time_limit_s=600) as workers:
        nap = workers.submit(time.sleep, 600)
        others = [workers.submit(operator.mul, number, 2) for number in range(200)]
        assert [other.result() for other in others] == [number * 2 for number in range(200)]
        assert not nap.done()
        workers.kill()


def test_waiting_in_the_queue_is_not_held_against_a_task():
    with Workers(1, time_limit_s=1.5) as workers:
        for nap in [workers.submit(time.sleep, 0.5) for _ in range(5)]:
            assert nap.result() is None


def test_the_event_loop_runs_on_while_a_page_freezes_the_parser():
    async def both() -> int:
        frozen = asyncio.ensure_future(asyncio.wrap_future(examined(workers, FREEZES_THE_PARSER)))
        ticks = 0
        while not frozen.done():
            await asyncio.sleep(0.05)
            ticks += 1
        with pytest.raises(ExtractionFailed, match="took longer"):
            await frozen
        return ticks

    with Workers(1, time_limit_s=1) as workers:
        assert asyncio.run(both()) > 3


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (bytes, (2 << 30,), "needed more than 1024 MB"),
        (ctypes.string_at, (0,), "crashed the parser (signal 11)"),
        (os.abort, (), "crashed the parser (signal 6)"),
        (os._exit, (3,), "ended the parser (exit status 3)"),
        (sys.exit, (3,), "SystemExit: 3"),
        (int, ("many\nlines",), "ValueError: invalid literal for int() with base 10: 'many\\nlines'"),
        (bytes, (MAX_ANSWER_BYTES + 1,), f"gave a result of {MAX_ANSWER_BYTES >> 20} MB"),
    ],
)
def test_a_task_that_fails_says_how_and_the_next_one_runs(pool, function, args, expected):
    assert reason(pool, function, *args) == expected
    assert pool.submit(operator.mul, 2, 3).result() == 6


def test_a_result_that_does_not_pickle_is_a_failure_of_its_task(pool: Workers):
    assert "cannot be handed over" in reason(pool, threading.Lock)


class Odd(Exception):
    """Pickles, and does not unpickle: it is made again with one argument of the two it needs."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


class Quits:
    """Ends whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, (3,)


def odd(url: str) -> Odd:
    return Odd(url, url)


def quits(url: str) -> Quits:
    return Quits()


@pytest.mark.parametrize(
    ("function", "why"), [(odd, "TypeError: .* missing 1 required positional argument"), (quits, "SystemExit: 3")]
)
def test_a_result_that_does_not_unpickle_is_a_failure_of_its_task(function: Callable[[str], Any], why: str):
    with Workers(1) as workers:
        results = [workers.submit(function, url=f"http://news.example/{number}") for number in range(3)]
        for number, result in enumerate(results):
            with pytest.raises(ExtractionFailed, match=f"/{number}: gave a result that cannot be read: {why}"):
                result.result(60)
        assert workers.submit(operator.mul, 2, 3).result(60) == 6


def test_an_answer_announced_as_too_large_is_not_waited_for():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack("!Q", 1 << 62))
        with pytest.raises(messages.MessageTooLarge):
            messages.receive(ours, limit_bytes=MAX_ANSWER_BYTES)


def test_a_result_over_the_limit_of_this_side_is_a_failure_of_its_task(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("archive.workers.client.MAX_ANSWER_BYTES", 1 << 20)
    with Workers(1) as workers:
        assert reason(workers, bytes, 2 << 20) == "gave a result of 2 MB"
        assert workers.submit(operator.mul, 2, 3).result() == 6


def test_a_task_that_does_not_pickle_is_refused_at_once(pool: Workers):
    with pytest.raises((AttributeError, TypeError)):
        pool.submit(threading.Lock().acquire)


def test_the_traceback_in_the_worker_is_kept_as_the_cause(pool: Workers):
    with pytest.raises(ExtractionFailed) as caught:
        pool.submit(int, "x").result()
    assert "ValueError" in str(caught.value.__cause__)


def test_large_tasks_and_results_pass(pool: Workers):
    payload = os.urandom(40 << 20)
    assert pool.submit(operator.concat, payload, b"!").result() == payload + b"!"


def test_a_worker_killed_while_idle_is_replaced():
    with Workers(1) as workers:
        first = workers.submit(os.getpid).result()
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: state(first) is None), "it stays behind as a zombie"
        assert workers.submit(os.getpid).result() != first


def test_a_task_whose_worker_is_killed_is_tried_once_more_and_no_other_is_hurt():
    with Workers(2) as workers:
        nap = workers.submit(time.sleep, 60)
        assert eventually(nap.running)
        idle = workers.submit(os.getpid).result()
        seen: set[int] = set()
        for _ in range(2):
            assert eventually(lambda: bool(set(workers.pids) - {idle} - seen))
            (busy,) = set(workers.pids) - {idle} - seen
            seen.add(busy)
            assert not nap.done()
            os.kill(busy, signal.SIGKILL)
        with pytest.raises(ExtractionFailed, match="killed from outside"):
            nap.result()
        assert workers.submit(operator.mul, 2, 3).result() == 6


def test_a_task_whose_worker_is_killed_once_is_done_all_the_same(tmp_path: Path):
    with Workers(1) as workers:
        made = workers.submit(_killed_the_first_time, tmp_path / "been")
        assert made.result() == "done"


def _killed_the_first_time(been: Path) -> str:
    if not been.exists():
        been.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def _busy(seconds: float) -> float:
    """Use the processor for so long; return how long that took by the clock."""
    began = time.monotonic()
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return time.monotonic() - began


def test_it_is_the_processor_whose_time_is_limited_and_anew_for_each_task():
    with Workers(1, time_limit_s=0.5) as workers:
        assert workers.submit(time.sleep, 1.0).result() is None, "who waits for the processor uses none"
        for _ in range(3):
            assert workers.submit(_busy, 0.3).result() >= 0.3
        with pytest.raises(ExtractionFailed, match=r"took longer than 0\.5 s"):
            workers.submit(_busy, 60).result()
        with pytest.raises(ExtractionFailed, match=r"took longer than 0\.5 s"):
            examined(workers, FREEZES_THE_PARSER).result()


def test_what_neither_ends_nor_uses_the_processor_is_ended_by_the_clock():
    with Workers(1, clock_limit_s=0.5) as workers:
        with pytest.raises(ExtractionFailed, match=r"not done after 0\.5 s"):
            workers.submit(time.sleep, 60).result()
        assert workers.submit(operator.mul, 2, 3).result() == 6


def test_a_server_that_answers_no_more_is_replaced_and_no_answer_is_taken_for_another(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(client, "_CONTROL_LIMIT_S", 0.5)
    with Workers(1, tasks_per_worker=1) as workers:
        server = the_server(workers)
        os.kill(server, signal.SIGSTOP)
        assert [workers.submit(operator.mul, number, 2).result() for number in range(3)] == [0, 2, 4]
        assert the_server(workers) != server
        assert eventually(lambda: state(server) is None)


def test_a_killed_server_takes_its_workers_along_and_is_replaced():
    with Workers(1) as workers:
        worker, server = workers.submit(os.getpid).result(), the_server(workers)
        os.kill(server, signal.SIGKILL)
        assert eventually(lambda: state(worker) is None)
        assert workers.submit(os.getpid).result() != worker


def test_a_worker_is_replaced_after_its_share_of_tasks():
    with Workers(1, tasks_per_worker=3) as workers:
        pids = [workers.submit(os.getpid).result() for _ in range(9)]
    assert pids == [pids[0]] * 3 + [pids[3]] * 3 + [pids[6]] * 3
    assert len(set(pids)) == 3


def test_a_worker_that_has_grown_is_replaced():
    with Workers(1, memory_bytes=400 << 20) as workers:
        before = workers.submit(os.getpid).result()
        assert len(workers.submit(operator.mul, b"x", 120 << 20).result()) == 120 << 20
        assert workers.submit(os.getpid).result() != before


def test_no_zombie_is_left_by_any_end():
    with Workers(2, clock_limit_s=0.5) as workers:
        server = the_server(workers)
        for function, args in [(os._exit, (0,)), (os.abort, ()), (time.sleep, (60,)), (sys.exit, (1,))]:
            reason(workers, function, *args)
        assert eventually(lambda: all(state(pid) != "Z" for pid in children(server)))


def test_a_worker_inherits_nothing(pool: Workers, tmp_path: Path):
    with (tmp_path / "open").open("w"):
        descriptors = pool.submit(os.listdir, "/proc/self/fd").result()
        targets = []
        for descriptor in descriptors:
            try:
                targets.append(pool.submit(os.readlink, f"/proc/{pool.pids[0]}/fd/{descriptor}").result())
            except ExtractionFailed:  # the one that listed the others
                continue
    assert targets[:3] == ["/dev/null"] * 3
    assert len(targets) == 4
    assert targets[3].startswith("socket:")


def test_secrets_in_the_environment_do_not_reach_the_parsers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    with Workers(1) as workers:
        assert workers.submit(os.getenv, "AWS_SECRET_ACCESS_KEY").result() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_meant_for_the_parent_do_not_end_the_workers(number: signal.Signals):
    with Workers(1) as workers:
        worker, server = workers.submit(os.getpid).result(), the_server(workers)
        nap = workers.submit(time.sleep, 0.5)
        assert eventually(nap.running)
        os.kill(worker, number)
        os.kill(server, number)
        assert nap.result() is None
        assert (workers.submit(os.getpid).result(), the_server(workers)) == (worker, server)


def test_closing_finishes_what_was_submitted():
    workers = Workers(1)
    naps = [workers.submit(time.sleep, 0.1) for _ in range(3)]
    workers.close()
    assert all(nap.done() and nap.result() is None for nap in naps)
    workers.close()
    with pytest.raises(RuntimeError, match="closed"):
        workers.submit(os.getpid)


def test_killing_fails_what_runs_and_cancels_what_waits():
    workers = Workers(1)
    worker = workers.submit(os.getpid).result()
    running, waiting = workers.submit(time.sleep, 60), workers.submit(time.sleep, 60)
    assert eventually(running.running)
    workers.kill()
    with pytest.raises(ExtractionFailed, match="stopped before it was done"):
        running.result()
    with pytest.raises(CancelledError):
        waiting.result()
    assert eventually(lambda: state(worker) is None)


def test_a_cancelled_task_is_not_run(tmp_path: Path):
    with Workers(1) as workers:
        nap = workers.submit(time.sleep, 0.3)
        assert eventually(nap.running)
        waiting = workers.submit(os.mkdir, str(tmp_path / "made"))
        assert waiting.cancel()
    assert not (tmp_path / "made").exists()


def test_a_publisher_that_cannot_be_imported_is_named_and_the_others_pages_are_read(caplog: pytest.LogCaptureFixture):
    with Workers(1, publishers=["spiders.no_such_paper", "spiders.moscow_times"]) as workers:
        assert examined(workers, b"<html><p>Parliament voted on Tuesday.").result().problem is None
    assert "spiders.no_such_paper cannot be loaded, and its rules are not used: ModuleNotFoundError" in caplog.text


def test_what_cannot_be_prepared_is_named():
    with (
        Workers(1, prepare="archive.no_such_module.prepare") as workers,
        pytest.raises(WorkersUnavailable, match=r"cannot be started: ModuleNotFoundError: .*archive\.no_such_module"),
    ):
        workers.submit(os.getpid).result()


def test_a_pool_of_no_workers_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        Workers(0)


SCRIPT = """
import os, signal, time
from archive.workers import Workers
workers = Workers(2)
pids = [workers.submit(os.getppid).result(), workers.submit(os.getpid).result()]
workers.submit(time.sleep, 600)
workers.submit(time.sleep, 600)
while len(workers.pids) < 2:
    time.sleep(0.01)
print(*pids, *workers.pids, flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)", "raise SystemExit(1)"])
def test_the_workers_die_with_their_parent_however_it_ends(tmp_path: Path, end: str):
    # A script without a main guard, in a folder of its own, with a module there that must not be imported.
    (tmp_path / "selectolax.py").write_text("raise ImportError('not this one')")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", SCRIPT.format(end=end)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr == ""
    pids = {int(pid) for pid in done.stdout.split()}
    assert len(pids) >= 3
    assert eventually(lambda: all(state(pid) is None for pid in pids))
