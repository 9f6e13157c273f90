"""A thread that does work in groups and makes each group durable at once.

While one group is being made durable the next one gathers: so what is done is acknowledged as soon as the disk allows,
and never before.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Committer:
    """A thread that runs jobs in groups, in the order in which they came, and *commit* after each group.

    A job's future is resolved once the commit that covers it has returned. A job that fails fails alone; a commit that
    fails, fails all it covers.
    """

    def __init__(self, commit: Callable[[], object], *, name: str) -> None:
        self._commit = commit
        self._jobs: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Have *job* run. Raises ``RuntimeError`` once closed."""
        future: Future[T] = Future()
        with self._wake:
            if self._closing:
                raise RuntimeError(f"{self._thread.name} is closed")
            self._jobs.append((job, future))
            self._wake.notify()
        return future

    def close(self) -> None:
        """Finish every job submitted so far and end the thread."""
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

    def _do(self, group: Sequence[tuple[Callable[[], Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        for job, future in group:
            try:
                done.append((future, job()))
            except Exception as error:  # noqa: BLE001 - it reaches whoever waits for this job
                future.set_exception(error)
        try:
            self._commit()
        except Exception as error:  # noqa: BLE001 - it reaches everyone this commit covers
            for future, _ in done:
                future.set_exception(error)
        else:
            for future, result in done:
                future.set_result(result)
