"""What is done in groups: in order, durable before it is acknowledged, each job alone with its own failure."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.committing import Committer

TIME_LIMIT_S = 30  # what hangs fails its test


class Disk:
    """What jobs write to; of each commit it notes how much it covers."""

    def __init__(self) -> None:
        self.written: list[object] = []
        self.commits: list[int] = []
        self.failures: list[Exception] = []  # of the next commits
        self._reached, self._free = threading.Event(), threading.Event()
        self._free.set()

    def commit(self) -> None:
        failure = self.failures.pop(0) if self.failures else None
        self._reached.set()
        assert self._free.wait(TIME_LIMIT_S)
        if failure is not None:
            raise failure
        self.commits.append(len(self.written))

    def job(self, value: object) -> Callable[[], object]:
        """Return a job that writes *value* and gives it back, or, when it is an exception, fails with it then."""

        def work() -> object:
            self.written.append(value)
            if isinstance(value, Exception):
                raise value
            return value

        return work

    @asynccontextmanager
    async def busy(self, committer: Committer) -> AsyncIterator[None]:
        """Have a commit under way: all that is given meanwhile makes the next group."""
        self._reached.clear()
        self._free.clear()
        first = given_to(committer, lambda: None)
        await asyncio.to_thread(self._reached.wait, TIME_LIMIT_S)
        try:
            yield
            await asyncio.sleep(0)  # what was just given is taken
        finally:
            self._free.set()
        await first


def given_to(committer: Committer, work: Callable[[], object]) -> asyncio.Task[object]:
    return asyncio.get_running_loop().create_task(committer.do(work))


def run(test: Callable[[Disk, Committer], Coroutine[Any, Any, None]]) -> Disk:
    """Run *test* with a committer, which is closed afterwards; return the disk."""
    disk = Disk()
    committer = Committer(disk.commit, name="test-commit")

    async def within() -> None:
        async with asyncio.timeout(TIME_LIMIT_S):
            await test(disk, committer)

    try:
        asyncio.run(within())
    finally:
        committer.close()
    assert not committer._thread.is_alive()
    return disk


def test_a_job_gives_its_result_once_a_commit_covers_it():
    async def test(disk: Disk, committer: Committer) -> None:
        for number in range(5):
            assert await committer.do(disk.job(number)) == number
            assert disk.commits[-1] == number + 1

    run(test)


def test_nothing_is_acknowledged_before_its_commit_has_returned():
    async def test(disk: Disk, committer: Committer) -> None:
        async with disk.busy(committer):
            disk._reached.clear()
            waiting = given_to(committer, disk.job("a"))
            await asyncio.sleep(0.01)
            assert not waiting.done()
        assert await waiting == "a"

    run(test)


def test_what_gathers_during_a_commit_is_done_in_order_and_committed_at_once():
    async def test(disk: Disk, committer: Committer) -> None:
        async with disk.busy(committer):
            waiting = [given_to(committer, disk.job(number)) for number in range(50)]
        assert await asyncio.gather(*waiting) == list(range(50))

    disk = run(test)
    assert disk.written == list(range(50))
    assert disk.commits == [0, 50]


def test_waiters_go_on_in_the_order_in_which_they_came():
    gone_on: list[int] = []

    async def test(disk: Disk, committer: Committer) -> None:
        async def one(number: int) -> None:
            await committer.do(disk.job(number))
            gone_on.append(number)

        async with disk.busy(committer):
            waiting = [asyncio.create_task(one(number)) for number in range(20)]
        await asyncio.gather(*waiting)

    run(test)
    assert gone_on == list(range(20))


@pytest.mark.parametrize("failure", [ValueError("no"), OSError(28, "full"), StopIteration("at its end")], ids=repr)
def test_a_job_that_fails_fails_alone(failure: Exception):
    async def test(disk: Disk, committer: Committer) -> None:
        async with disk.busy(committer):
            waiting = [given_to(committer, disk.job(value)) for value in ("a", failure, "b")]
        before, failed, after = await asyncio.gather(*waiting, return_exceptions=True)
        assert (before, after) == ("a", "b")
        # No coroutine can raise StopIteration (PEP 479).
        assert failed is failure or (isinstance(failed, RuntimeError) and failed.__cause__ is failure)

    assert run(test).commits == [0, 3]


def test_a_commit_that_fails_fails_all_it_covers_and_the_next_group_works():
    full, own = OSError(28, "full"), ValueError("no")

    async def test(disk: Disk, committer: Committer) -> None:
        async with disk.busy(committer):
            waiting = [given_to(committer, disk.job(value)) for value in ("a", own, "b")]
            disk.failures = [full]
        assert await asyncio.gather(*waiting, return_exceptions=True) == [full, own, full]
        assert await committer.do(disk.job("c")) == "c"

    assert run(test).commits == [0, 4]


@pytest.mark.parametrize("taken", [False, True], ids=["while it waits", "while it is done"])
def test_a_waiter_that_is_cancelled_stops_neither_its_job_nor_those_beside_it(taken: bool):
    begun, go_on = threading.Event(), threading.Event()

    async def test(disk: Disk, committer: Committer) -> None:
        def work() -> None:
            begun.set()
            assert go_on.wait(TIME_LIMIT_S)
            disk.written.append("cancelled")

        async with disk.busy(committer):
            before, cancelled, after = (given_to(committer, one) for one in (disk.job("a"), work, disk.job("b")))
            await asyncio.sleep(0)
            if not taken:
                cancelled.cancel()
        if taken:
            await asyncio.to_thread(begun.wait, TIME_LIMIT_S)
            cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        go_on.set()
        assert await asyncio.gather(before, after) == ["a", "b"]

    disk = run(test)
    assert disk.written == ["a", "cancelled", "b"]
    assert disk.commits[-1] == 3


def test_closing_finishes_every_job_given_so_far_and_takes_no_more():
    async def test(disk: Disk, committer: Committer) -> None:
        async with disk.busy(committer):
            waiting = [given_to(committer, disk.job(number)) for number in range(10)]
            await asyncio.sleep(0)
            closing_ = asyncio.create_task(asyncio.to_thread(committer.close))
        await closing_
        assert (disk.written, disk.commits) == (list(range(10)), [0, 10])
        assert await asyncio.gather(*waiting) == list(range(10))
        with pytest.raises(RuntimeError, match="test-commit is closed"):
            await committer.do(disk.job("late"))
        committer.close()  # safe to call twice

    run(test)


def test_one_that_was_never_used_closes():
    assert run(lambda *_: asyncio.sleep(0)).commits == []


def test_jobs_whose_loop_is_closed_are_done_and_nothing_hangs():
    """As when a crawl is given up at once: the loop is gone before the disk has answered."""
    disk = Disk()
    committer = Committer(disk.commit, name="test-commit")
    let = threading.Event()

    async def leave() -> None:
        given_to(committer, lambda: let.wait(TIME_LIMIT_S))
        given_to(committer, disk.job("a"))
        await asyncio.sleep(0.01)

    asyncio.run(leave())
    let.set()
    committer.close()
    assert (disk.written, disk.commits[-1]) == (["a"], 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["well", "fails", "cancelled", "pause"]), max_size=30),
    st.lists(st.booleans(), max_size=8),
)
def test_whatever_happens_each_job_is_done_once_and_each_waiter_is_answered(jobs: list[str], commits: list[bool]):
    async def test(disk: Disk, committer: Committer) -> None:
        disk.failures = [OSError(28, "full") for fails in commits if fails]
        waiting = []
        for number, what in enumerate(jobs):
            if what == "pause":
                await asyncio.sleep(0.0005)
                continue
            task = given_to(committer, disk.job(ValueError(number) if what == "fails" else number))
            await asyncio.sleep(0)
            if what == "cancelled":
                task.cancel()
            waiting.append((what, task))
        results = await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
        for (what, _), result in zip(waiting, results, strict=True):
            if what == "well":
                assert isinstance(result, int | OSError)
            elif what == "fails":
                assert isinstance(result, ValueError)

    disk = run(test)
    numbers = [value.args[0] if isinstance(value, ValueError) else value for value in disk.written]
    assert numbers == [number for number, what in enumerate(jobs) if what != "pause"]


def test_what_was_acknowledged_is_in_the_file(tmp_path: Path):
    """With a real database, one that is read by another connection: what is not committed is not there."""
    path = tmp_path / "test.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as writer:
        writer.execute("CREATE TABLE jobs (number INTEGER)")

        def work(number: int) -> None:
            if not writer.in_transaction:
                writer.execute("BEGIN")
            writer.execute("INSERT INTO jobs VALUES (?)", (number,))

        def commit() -> None:
            if writer.in_transaction:
                writer.execute("COMMIT")

        async def test() -> None:
            committer = Committer(commit, name="test-commit")

            async def one(number: int) -> None:
                await committer.do(lambda: work(number))
                found = reader.execute("SELECT count(*) FROM jobs WHERE number = ?", (number,)).fetchone()
                assert found == (1,)

            try:
                await asyncio.gather(*map(one, range(100)))
            finally:
                committer.close()

        with closing(sqlite3.connect(path)) as reader:
            asyncio.run(test())
