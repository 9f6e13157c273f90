"""Our side of the pool: tasks in, futures out."""

from __future__ import annotations

import pickle
import queue
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from archive.errors import ExtractionFailed, WorkersUnavailable
from archive.workers import messages
from archive.workers.client import Server, VanishedError, Worker
from archive.workers.server import Settings, one_line

MEMORY_BYTES = 1 << 30  # address space; a worker at rest has 56 MB, 29 of them resident and mostly shared
TIME_LIMIT_S = 20.0  # of the processor; the slowest of real news pages takes under one second
_BY_THE_CLOCK = 30  # times as long: who lets others have the processor first may wait for it
PREPARE = "archive.examine.prepare"
TASKS_PER_WORKER = 500  # what parsers leak stays small

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class _Task:
    subject: str  # the URL, for the error's message
    request: bytes
    future: Future[Any] = field(default_factory=Future)


class Workers:
    """*count* worker processes for parsing; no process is started before the first task.

    *prepare* is the dotted name of a function that loads what all tasks need; it is called once, with *publishers*,
    dotted module names (``spiders.moscow_times``), and the lines that it returns, if any, are logged here as errors.
    *memory_bytes* limits a worker's address space, *time_limit_s* the processor time of one task; by the clock it may
    take *clock_limit_s* from the start of its execution, thirty times as long if not given. *nice*, from 0 to 19, lets
    others have the processor first. A task whose worker is killed from outside is tried once more. Safe to use from
    any thread; with asyncio, await ``asyncio.wrap_future(workers.submit(…))``.
    """

    def __init__(
        self,
        count: int,
        *,
        memory_bytes: int = MEMORY_BYTES,
        time_limit_s: float = TIME_LIMIT_S,
        clock_limit_s: float | None = None,
        prepare: str = PREPARE,
        publishers: Sequence[str] = (),
        tasks_per_worker: int = TASKS_PER_WORKER,
        nice: int = 0,
    ) -> None:
        if count < 1:
            raise ValueError(f"a pool needs at least one worker, not {count}")
        self.count, self.memory_bytes, self.time_limit_s = count, memory_bytes, time_limit_s
        self.clock_limit_s = _BY_THE_CLOCK * time_limit_s if clock_limit_s is None else clock_limit_s
        self._settings = Settings(prepare, tuple(publishers), memory_bytes, time_limit_s, tasks_per_worker, nice)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._server_lock = threading.Lock()
        self._server: Server | None = None
        self._threads: list[threading.Thread] = []
        self._workers: dict[threading.Thread, Worker] = {}
        self._closed = self._killed = False

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have *function* called in a worker; it, its arguments and its result must pickle.

        The future gives the result, or raises ``ExtractionFailed`` with the keyword argument ``url`` as its URL and
        a plain reason, or ``WorkersUnavailable`` when no worker can be started. Raises ``RuntimeError`` once closed.
        """
        request = pickle.dumps((function, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        task = _Task(str(kwargs.get("url") or getattr(function, "__qualname__", function)), request)
        with self._lock:
            if self._closed:
                raise RuntimeError("the worker pool is closed")
            self._tasks.put(task)
            if len(self._threads) < self.count:
                thread = threading.Thread(target=self._serve, name=f"worker-{len(self._threads) + 1}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return task.future

    @property
    def pids(self) -> list[int]:
        """The worker processes that live now."""
        with self._lock:
            return [worker.pid for worker in self._workers.values()]

    def was_killed(self) -> bool:
        """Whether it was ended before its tasks were."""
        return self._killed

    def close(self) -> None:
        """Take no more tasks, finish those taken, end the workers. Safe to call twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._tasks.put(None)
        for thread in self._threads:
            thread.join()
        with self._server_lock:
            if self._server is not None:
                self._server.close()
                self._server = None

    def kill(self) -> None:
        """Take no more tasks, cancel those waiting, fail those running, end the workers at once."""
        with self._lock:
            self._killed = True
            waiting = []
            while not self._tasks.empty():
                waiting.append(self._tasks.get())
            self._closed = True
            for worker in self._workers.values():
                worker.hang_up()
            for _ in self._threads:
                self._tasks.put(None)
        if (server := self._server) is not None:  # without its lock, which somebody may hold who waits for it
            server.kill()
        for task in waiting:
            if task is not None:
                task.future.cancel()
        self.close()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.kill()

    def _serve(self) -> None:
        """Run tasks, one at a time, in a worker of this thread's own."""
        while (task := self._tasks.get()) is not None:
            if not task.future.set_running_or_notify_cancel():
                continue
            try:
                value = self._run(task)
            except (ExtractionFailed, WorkersUnavailable) as error:
                task.future.set_exception(error)
            except BaseException as error:  # noqa: BLE001 - an answer that does not unpickle may raise anything
                self._dismiss()
                reason = f"gave a result that cannot be read: {one_line(error)}"
                failed = ExtractionFailed(task.subject, reason)
                failed.__cause__ = error
                task.future.set_exception(failed)
            else:
                task.future.set_result(value)
            del task
        self._dismiss()

    def _run(self, task: _Task) -> Any:
        for again in (True, False):
            try:
                answer = self._worker().run(task.request)
                break
            except TimeoutError:
                self._dismiss()
                raise ExtractionFailed(task.subject, f"not done after {self.clock_limit_s:g} s") from None
            except messages.MessageTooLarge as error:
                self._dismiss()
                raise ExtractionFailed(task.subject, f"gave a result of {error.size >> 20} MB") from None
            except (VanishedError, EOFError, OSError) as error:
                code = self._dismiss()
                # It was idle, or the server died, or somebody killed it: not the page's doing, as far as is known.
                spared = isinstance(error, VanishedError) or code == -signal.SIGKILL
                if not again or not spared or self._killed:
                    raise ExtractionFailed(task.subject, self._ended(code)) from None
        if answer.retires:
            self._dismiss()
        if answer.reason is not None:
            reason = self._needed_memory() if answer.reason == "memory" else answer.reason
            cause = RuntimeError(f"in the worker:\n{answer.traceback}") if answer.traceback else None
            raise ExtractionFailed(task.subject, reason) from cause
        return answer.value

    def _needed_memory(self) -> str:
        return f"needed more than {self.memory_bytes >> 20} MB"

    def _ended(self, code: int) -> str:
        if self._killed:
            return "stopped before it was done"
        if code == -signal.SIGKILL:
            return "its worker was killed from outside (signal 9), perhaps for want of memory"
        if code == -signal.SIGPROF:
            return f"took longer than {self.time_limit_s:g} s"
        return f"crashed the parser (signal {-code})" if code < 0 else f"ended the parser (exit status {code})"

    def _worker(self) -> Worker:
        """Return this thread's worker, a new one if it has none."""
        thread = threading.current_thread()
        worker = self._workers.get(thread)
        if worker is None:
            worker = self._start_worker()
            messages.limit(worker.channel, self.clock_limit_s)
            with self._lock:
                self._workers[thread] = worker
                if self._killed:
                    worker.hang_up()
        return worker

    def _start_worker(self) -> Worker:
        with self._server_lock:
            if self._server is not None:
                try:
                    return self._server.start_worker()
                except (EOFError, OSError):  # the server was killed: its workers died with it
                    self._server.close()
            self._server = None  # stays so if a new one cannot be started
            self._server = Server(self._settings)
            try:
                return self._server.start_worker()
            except (EOFError, OSError) as error:
                raise WorkersUnavailable(f"the parser processes cannot be started: {error}") from error

    def _dismiss(self) -> int:
        """End this thread's worker and return how it ended: exit status, or minus the signal."""
        with self._lock:
            worker = self._workers.pop(threading.current_thread(), None)
        if worker is None:
            return 0
        worker.channel.close()
        with self._server_lock:
            try:
                return worker.server.end_worker(worker.pid)
            except (EOFError, OSError):
                # It is gone, or so slow that its next answer would be taken for another's: its workers die with it.
                worker.server.close()
                return -signal.SIGKILL
