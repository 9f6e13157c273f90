"""How a command ended, for scripts. The README's table is held against this."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """An exit code and what it means."""

    DONE = 0, "all done"
    SOME_FAILED = (
        1,
        "some pages failed: no answer, a cut one, an error page, or an article that could not be read; or some wait",
    )
    USAGE = 2, "wrong use: a bad argument or configuration, a spider that cannot be loaded, no processes for parsers"
    BUG = 3, "a surprise, which is a bug"
    STORAGE = 4, "storage failed; what was captured is kept locally, the next run ships it"
    DAMAGE = 5, "verification found damage"
    REFUSED = 6, "refused: robots.txt or a private address"
    DISK_FULL = 7, "out of disk"
    DRIFTED = 8, "extraction has drifted: a site may have been redesigned; all that was captured is kept"
    INTERRUPTED = 130, "interrupted; state kept"

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member
