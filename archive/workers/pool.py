"""Our side of the pool: tasks in, futures out."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from archive.errors import ExtractionFailed, WorkersUnavailable
from archive.workers import messages
from archive.workers.server import (
    END,
    FAILED_TO_FORK,
    MAX_ANSWER_BYTES,
    START,
    STARTED,
    Answer,
    Settings,
    one_line,
)

MEMORY_BYTES = 1 << 30  # address space; a worker at rest has 56 MB, 29 of them resident and mostly shared
TIME_LIMIT_S = 20.0  # the slowest of real news pages takes under one second
PREPARE = "archive.examine.prepare"
TASKS_PER_WORKER = 500  # what parsers leak stays small
_START_LIMIT_S = 120.0  # the imports take half a second on an idle machine
_CONTROL_LIMIT_S = 30.0  # fork and kill take milliseconds
_KEPT_VARIABLES = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG", "TZ", "TMPDIR")

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class _Task:
    subject: str  # the URL, for the error's message
    request: bytes
    future: Future[Any] = field(default_factory=Future)


class _VanishedError(Exception):
    """The worker was gone before it began the task: not the page's doing."""


class Workers:
    """*count* worker processes for parsing; no process is started before the first task.

    *prepare* is the dotted name of a function that loads what all tasks need; it is called once, with *publishers*,
    dotted module names (``spiders.moscow_times``). *memory_bytes* limits a worker's address space, *time_limit_s* one
    task, from the start of its execution. *nice*, from 0 to 19, lets others have the processor first. Safe to use from
    any thread; with asyncio, await ``asyncio.wrap_future(workers.submit(…))``.
    """

    def __init__(
        self,
        count: int,
        *,
        memory_bytes: int = MEMORY_BYTES,
        time_limit_s: float = TIME_LIMIT_S,
        prepare: str = PREPARE,
        publishers: Sequence[str] = (),
        tasks_per_worker: int = TASKS_PER_WORKER,
        nice: int = 0,
    ) -> None:
        if count < 1:
            raise ValueError(f"a pool needs at least one worker, not {count}")
        self.count, self.memory_bytes, self.time_limit_s = count, memory_bytes, time_limit_s
        self._settings = Settings(prepare, tuple(publishers), memory_bytes, tasks_per_worker, nice)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._server_lock = threading.Lock()
        self._server: _Server | None = None
        self._threads: list[threading.Thread] = []
        self._workers: dict[threading.Thread, _Worker] = {}
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
        try:
            try:
                answer = self._worker().run(task.request)
            except _VanishedError:  # killed while it was idle, or the server died: once more, in a new one
                self._dismiss()
                answer = self._worker().run(task.request)
        except _VanishedError:
            raise ExtractionFailed(task.subject, self._ended(self._dismiss())) from None
        except TimeoutError:
            self._dismiss()
            raise ExtractionFailed(task.subject, f"took longer than {self.time_limit_s:g} s") from None
        except messages.MessageTooLarge as error:
            self._dismiss()
            raise ExtractionFailed(task.subject, f"gave a result of {error.size >> 20} MB") from None
        except (EOFError, OSError):
            raise ExtractionFailed(task.subject, self._ended(self._dismiss())) from None
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
        return f"crashed the parser (signal {-code})" if code < 0 else f"ended the parser (exit status {code})"

    def _worker(self) -> _Worker:
        """Return this thread's worker, a new one if it has none."""
        thread = threading.current_thread()
        worker = self._workers.get(thread)
        if worker is None:
            worker = self._start_worker()
            messages.limit(worker.channel, self.time_limit_s)
            with self._lock:
                self._workers[thread] = worker
                if self._killed:
                    worker.hang_up()
        return worker

    def _start_worker(self) -> _Worker:
        with self._server_lock:
            if self._server is not None:
                try:
                    return self._server.start_worker()
                except (EOFError, OSError):  # the server was killed: its workers died with it
                    self._server.close()
            self._server = None  # stays so if a new one cannot be started
            self._server = _Server(self._settings)
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
                return -signal.SIGKILL  # the server is gone, and its workers with it


class _Worker:
    """One worker process, as seen from here."""

    def __init__(self, pid: int, channel: socket.socket, server: _Server) -> None:
        self.pid, self.channel, self.server = pid, channel, server

    def run(self, request: bytes) -> Answer:
        """Return its answer.

        Raises ``_VanishedError``, ``TimeoutError``, ``EOFError`` or ``OSError`` when it ended in the middle,
        ``messages.MessageTooLarge``, and whatever unpickling raises.
        """
        try:
            messages.send(self.channel, request)
            begun = messages.some(self.channel)
        except TimeoutError:
            raise
        except (EOFError, OSError) as error:
            raise _VanishedError from error
        message = messages.receive(self.channel, begun[len(STARTED) :], limit_bytes=MAX_ANSWER_BYTES)
        answer = pickle.loads(message)  # noqa: S301 - from our own worker
        if not isinstance(answer, Answer):
            raise TypeError(f"an answer of type {type(answer).__name__}")
        return answer

    def hang_up(self) -> None:
        """Make whoever waits for this worker see its end."""
        try:
            self.channel.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is gone already


def _environment() -> dict[str, str]:
    """What an interpreter needs to start as this one did; no secrets for those who parse strangers' pages."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT_VARIABLES)}
    return {**kept, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}


class _Server:
    """The server process, as seen from here. Not safe for threads: its user holds a lock."""

    def __init__(self, settings: Settings) -> None:
        """Raises ``WorkersUnavailable`` when it cannot start, a publisher's module that cannot be imported included."""
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter, arguments of our own
                    # -P: the working directory is no place to import from; the parent's own path is handed over.
                    [sys.executable, "-P", "-m", "archive.workers", str(theirs.fileno()), settings.to_json()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=_environment(),
                    process_group=0,  # Ctrl-C on the terminal is for the parent alone
                )
            except OSError as error:
                self._control.close()
                raise WorkersUnavailable(f"the parser processes cannot be started: {error}") from error
        try:
            messages.limit(self._control, _START_LIMIT_S)
            problem = messages.receive(self._control).decode()
        except TimeoutError:
            problem = f"not ready after {_START_LIMIT_S:g} s"
        except (EOFError, OSError):
            problem = f"ended at once (status {self._process.wait()})"
        if problem:
            self.close()
            raise WorkersUnavailable(f"the parser processes cannot be started: {problem}")
        messages.limit(self._control, _CONTROL_LIMIT_S)

    def start_worker(self) -> _Worker:
        """Raises ``EOFError`` or ``OSError`` when the server is gone or cannot fork."""
        channel, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [START], [theirs.fileno()])
                pid = messages.receive_number(self._control)
            if pid == FAILED_TO_FORK:
                raise OSError("no new process can be made; too many already?")
        except BaseException:
            channel.close()
            raise
        return _Worker(pid, channel, self)

    def end_worker(self, pid: int) -> int:
        """Kill that worker if it still lives; return its exit status, or minus the signal that ended it."""
        self._control.sendall(END + messages.NUMBER.pack(pid))
        return messages.receive_number(self._control)

    def close(self) -> None:
        """End the server, and with it whatever workers are left."""
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
