"""A thread that does work in groups and makes each group durable at once.

While one group is being made durable the next one gathers: so what is done is acknowledged as soon as the disk allows,
and never before.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.future.done():  # whoever waited was cancelled
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)

    def fail(self, error: Exception) -> None:
        """Let it fail with *error*, unless it has failed already."""
        if self.error is None:
            self.error = error
            if isinstance(error, StopIteration):  # no coroutine raises it (PEP 479), so no future takes it
                self.error = RuntimeError("a job raised StopIteration")
                self.error.__cause__ = error


class Committer:
    """A thread that runs jobs in groups, in the order in which they came, and *commit* after each group.

    A job that fails fails alone; a commit that fails, fails all it covers.
    """

    def __init__(self, commit: Callable[[], object], *, name: str) -> None:
        self._commit = commit
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[], T]) -> T:
        """Have *work* done, and return its result once the commit that covers it has returned.

        It is done even if the caller is cancelled. Raises ``RuntimeError`` once closed.
        """
        job = _Job(work, asyncio.get_running_loop().create_future())
        with self._wake:
            if self._closing:
                raise RuntimeError(f"{self._thread.name} is closed")
            self._jobs.append(job)
            self._wake.notify()
        result: T = await job.future
        return result

    def close(self) -> None:
        """Finish every job given so far and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._closing:
                    self._wake.wait()
                group, self._jobs = self._jobs, deque()
            if not group:
                return
            self._do(group)

    def _do(self, group: Sequence[_Job]) -> None:
        for job in group:
            try:
                job.result = job.work()
            except Exception as error:  # noqa: BLE001 - it reaches whoever waits for this job
                job.fail(error)
        try:
            self._commit()
        except Exception as error:  # noqa: BLE001 - it reaches everyone this commit covers
            for job in group:
                job.fail(error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            group[0].future.get_loop().call_soon_threadsafe(_tell_all, group)  # one wake a group, not one a job


def _tell_all(group: Sequence[_Job]) -> None:
    for job in group:
        job.tell()
