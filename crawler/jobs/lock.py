"""One instance of a job: a lock of the kernel's that the crawl inherits.

``flock`` belongs to the open file that every process shares to which it was handed down. So the lock ends with the last
of them, whoever that is, and however it ends: none is left behind, and none given up while the crawl goes on.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from archive.files import make_directory, storage_errors

_AGAIN_S = 0.05


class JobLock:
    """A lock that is held. *descriptor* is to be handed to the crawl; :meth:`release` gives up this process's share."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor

    @classmethod
    def take(cls, path: Path, *, wait_s: float = 0.0) -> JobLock | None:
        """Return the lock at *path*, or None when somebody has it and does not give it up within *wait_s*.

        Raises ``DiskFull`` or ``StorageError`` when there can be no such file.
        """
        with storage_errors(path, "locking the job"):
            make_directory(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(descriptor)
                    return None
                time.sleep(_AGAIN_S)
            except BaseException:
                os.close(descriptor)
                raise
            else:
                return cls(path, descriptor)

    def note(self, process: int) -> None:
        """Write into the file which *process* does the job, for :func:`holder`."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, str(process).encode(), 0)

    def release(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def holder(path: Path) -> int | None:
    """Return the process that does the job whose lock is at *path*, 0 when it is not known, None when there is none.

    To ask, the lock is taken for a moment; whoever wants it then has to try again, as :meth:`JobLock.take` does.
    """
    if not path.exists():
        return None
    lock = JobLock.take(path)
    if lock is not None:
        lock.release()
        return None
    try:
        return int(path.read_text() or 0)
    except (OSError, ValueError):
        return 0
