"""The other side of the pool: the server that forks workers, and what a worker does.

The server answers one request at a time on its control socket: ``S`` with a socket attached forks a worker on it and
gives its pid; ``E`` and a pid kills that worker, if it still lives, and gives how it ended. It ends at end of file.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import logging
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from archive.errors import ExtractionFailed
from archive.workers import messages

START, END = b"S", b"E"
FAILED_TO_FORK = 0  # no process has this pid
STARTED = b"!"  # sent before the task runs: a worker that dies earlier has not been hurt by its page

MAX_ANSWER_BYTES = 128 << 20  # twice the largest page we decode; the parent has no memory limit

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_OOM_SCORE = b"500"  # short of memory, the kernel ends a parser before the crawl


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server is told when it starts."""

    prepare: str  # dotted name of what is called once, before the first worker is forked: it loads what is heavy
    publishers: Sequence[str]  # and is given these
    memory_bytes: int
    time_limit_s: float  # of the processor, for one task
    tasks_per_worker: int
    nice: int = 0  # what is added to the niceness of the server and its workers

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(slots=True)
class Ready:
    """What the server says first: the *problem* that ends it, or that it is ready, with *warnings*."""

    problem: str = ""
    warnings: Sequence[str] = ()


@dataclass(slots=True)
class Answer:
    """What became of one task: *value*, or the *reason* it failed with the traceback."""

    value: Any = None
    reason: str | None = None
    traceback: str = ""
    retires: bool = False  # the worker ends after this answer


def main() -> None:
    """Serve until the parent is gone. Arguments: the control socket's descriptor, the settings as JSON."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the parent decides when we end; a service manager signals us all
    logging.disable(
        logging.CRITICAL
    )  # what parsers complain of is the page's fault, and standard error is the parent's
    settings = Settings(**json.loads(sys.argv[2]))
    os.nice(settings.nice)  # the imports, too, have time
    with socket.socket(fileno=int(sys.argv[1])) as control:
        try:
            ready = Ready(warnings=_prepare(settings))
        except Exception as error:  # noqa: BLE001 - whatever an import raises is told to the parent, and ends us
            ready = Ready(problem=f"{type(error).__name__}: {error}")
        messages.send(control, pickle.dumps(ready))
        if ready.problem:
            return
        with contextlib.suppress(OSError):  # the parent is gone
            _Server(control, settings).serve()


def _prepare(settings: Settings) -> Sequence[str]:
    module, _, name = settings.prepare.rpartition(".")
    warnings: Sequence[str] | None = getattr(importlib.import_module(module), name)(settings.publishers)
    gc.collect()
    gc.freeze()  # workers share these pages; a collection would touch, and so copy, them all
    return list(warnings or ())


class _Server:
    def __init__(self, control: socket.socket, settings: Settings) -> None:
        self._control, self._settings = control, settings
        self._ended: dict[int, int] = {}  # pid → exit code, or minus the signal
        self._living: set[int] = set()
        signal.signal(signal.SIGCHLD, lambda *_: self._reap())

    def serve(self) -> None:
        while True:
            operation, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
            if operation == START:
                answer = self._start(descriptors[0])
            elif operation == END:
                answer = self._end(messages.receive_number(self._control))
            else:
                return
            self._control.sendall(messages.NUMBER.pack(answer))

    def _start(self, descriptor: int) -> int:
        server = os.getpid()
        with socket.socket(fileno=descriptor) as channel, _no_reaping():
            try:
                pid = os.fork()
            except OSError:
                return FAILED_TO_FORK
            if not pid:
                self._control.close()
                _be_a_worker(channel, server, self._settings)
            self._living.add(pid)
        return pid

    def _end(self, pid: int) -> int:
        with _no_reaping():
            if pid in self._living:
                os.kill(pid, signal.SIGKILL)
                self._note(*os.waitpid(pid, 0))
        return self._ended.pop(pid, 0)

    def _reap(self) -> None:
        """Note every worker that has ended by itself, so that none stays behind as a zombie."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                self._note(pid, status)

    def _note(self, pid: int, status: int) -> None:
        self._living.discard(pid)
        self._ended[pid] = os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def _no_reaping() -> Iterator[None]:
    """Hold back SIGCHLD: a pid reaped behind our back may already be another process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _be_a_worker(channel: socket.socket, server: int, settings: Settings) -> NoReturn:
    """Run tasks until the parent closes *channel* or the worker has had its share; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        _confine(server, settings.memory_bytes)
        for count in range(1, settings.tasks_per_worker + 1):
            task = messages.receive(channel)
            channel.sendall(STARTED)
            signal.setitimer(signal.ITIMER_PROF, settings.time_limit_s)  # SIGPROF ends us, whatever we are at
            answer = _run(task)
            signal.setitimer(signal.ITIMER_PROF, 0)
            # A page that took much leaves its heap behind: the next page gets a new worker.
            answer.retires |= count == settings.tasks_per_worker or _peak_bytes() > settings.memory_bytes // 4
            _send_answer(channel, answer)
            if answer.retires:
                break
            del task, answer
        code = 0
    except (EOFError, OSError):
        code = 0  # the parent is gone, or has done with us
    finally:
        os._exit(code)


def _confine(server: int, memory_bytes: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        with contextlib.suppress(OSError):
            descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
            os.write(descriptor, _OOM_SCORE)
            os.close(descriptor)
    if os.getppid() != server:
        os._exit(0)  # it died before we asked to die with it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        memory_bytes = min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # getrusage(2): kilobytes on Linux


def _run(task: bytearray) -> Answer:
    try:
        function: Callable[..., Any]
        function, args, kwargs = pickle.loads(task)  # noqa: S301 - comes from our own parent
        return Answer(value=function(*args, **kwargs))
    except ExtractionFailed as error:
        return Answer(reason=error.reason, traceback=traceback.format_exc())
    except MemoryError:
        return Answer(reason="memory", retires=True)
    except RecursionError:
        return Answer(reason="is nested too deeply", retires=True)
    except Exception as error:  # noqa: BLE001 - any failure is this page's alone, and is told with its traceback
        return Answer(reason=one_line(error), traceback=traceback.format_exc())
    except BaseException as error:  # noqa: BLE001 - SystemExit and its kin end this worker, not the pool
        return Answer(reason=one_line(error), traceback=traceback.format_exc(), retires=True)


def _send_answer(channel: socket.socket, answer: Answer) -> None:
    """Send *answer*; a worker that cannot give one retires, with all that it believes to have told."""
    try:
        message = pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        answer.value, answer.reason, answer.retires = None, "memory", True
        message = pickle.dumps(answer)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        answer.value, answer.retires = None, True
        answer.reason = f"gave a result that cannot be handed over: {one_line(error)}"
        message = pickle.dumps(answer)
    if len(message) > MAX_ANSWER_BYTES:
        answer.value, answer.reason, answer.retires = None, f"gave a result of {len(message) >> 20} MB", True
        message = pickle.dumps(answer)
    messages.send(channel, message)


def one_line(error: BaseException) -> str:
    """Return kind and message of *error*, on one line of bearable length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
