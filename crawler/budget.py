"""What one run of a crawl may use up: bytes and time. What is left then waits for the next run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

NO_BYTES: Callable[[], int] = lambda: 0  # noqa: E731 - a default


@dataclass(frozen=True, slots=True)
class Budget:
    """Knows whether a run has used up what it may. *received* gives the bytes that answers had so far.

    What is under way then is still kept, so that a little more than *max_bytes* may come. Times are seconds of *clock*,
    which only goes forward.
    """

    max_bytes: int | None = None
    max_s: float | None = None
    received: Callable[[], int] = NO_BYTES
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "began", self.clock())

    @property
    def left_s(self) -> float | None:
        """How many seconds are left, None when there is no end to them."""
        return None if self.max_s is None else max(0.0, self.began + self.max_s - self.clock())

    def used_up(self) -> str | None:
        """Return what is used up, in words; None while nothing is."""
        if self.max_bytes is not None and self.received() >= self.max_bytes:
            return f"the {self.max_bytes:,} bytes of --max-bytes"
        if self.left_s == 0:
            return f"the {self.max_s:g} s of --max-time"
        return None
