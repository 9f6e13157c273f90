"""The pool's processes as the parent sees them: the server that forks workers, and one worker."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

from archive.errors import WorkersUnavailable
from archive.workers import messages
from archive.workers.server import END, FAILED_TO_FORK, MAX_ANSWER_BYTES, START, STARTED, Answer, Ready, Settings

log = logging.getLogger(__name__)

_START_LIMIT_S = 600.0  # the imports take half a second on an idle machine
_CONTROL_LIMIT_S = 30.0  # fork and kill take milliseconds
_KEPT_VARIABLES = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG", "TZ", "TMPDIR")


class VanishedError(Exception):
    """The worker was gone before it began the task: not the page's doing."""


class Worker:
    """One worker process, as seen from here."""

    def __init__(self, pid: int, channel: socket.socket, server: Server) -> None:
        self.pid, self.channel, self.server = pid, channel, server

    def run(self, request: bytes) -> Answer:
        """Return its answer.

        Raises ``VanishedError``, ``TimeoutError``, ``EOFError`` or ``OSError`` when it ended in the middle,
        ``messages.MessageTooLarge``, and whatever unpickling raises.
        """
        try:
            messages.send(self.channel, request)
            begun = messages.some(self.channel)
        except TimeoutError:
            raise
        except (EOFError, OSError) as error:
            raise VanishedError from error
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


class Server:
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
            ready: Ready = pickle.loads(messages.receive(self._control))  # noqa: S301 - from our own server
            problem = ready.problem
            for warning in ready.warnings:
                log.error("%s", warning)
        except TimeoutError:
            problem = f"not ready after {_START_LIMIT_S:g} s"
        except (EOFError, OSError):
            problem = f"ended at once (status {self._process.wait()})"
        if problem:
            self.close()
            raise WorkersUnavailable(f"the parser processes cannot be started: {problem}")
        messages.limit(self._control, _CONTROL_LIMIT_S)

    def start_worker(self) -> Worker:
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
        return Worker(pid, channel, self)

    def end_worker(self, pid: int) -> int:
        """Kill that worker if it still lives; return its exit status, or minus the signal that ended it."""
        self._control.sendall(END + messages.NUMBER.pack(pid))
        return messages.receive_number(self._control)

    def kill(self) -> None:
        """End the server at once, whatever it is at; its workers die with it. Any thread may."""
        self._process.kill()

    def close(self) -> None:
        """End the server, and with it whatever workers are left."""
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
