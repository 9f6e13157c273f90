"""SIGINT, SIGTERM and SIGHUP end a run; what was captured is kept.

The first lets what is under way finish, but not for long. The second cuts it off. The third gives up at once, and
leaves what is not sealed yet to be mended by the next run.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler

HURRY = object()  # a Scrapy signal; *within_s*: whatever is under way has that long to end
GRACE_S = 10.0  # what systemd and container runtimes wait for is 10 s and more

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Heeds signals for *crawler* while it is entered; :attr:`count` says how many came.

    Before the engine has started there is nothing to finish: ``KeyboardInterrupt`` is raised then. Does nothing outside
    the main thread, which alone gets signals.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._before: dict[signal.Signals, Any] = {}
        crawler.signals.connect(self._started, signal=signals.engine_started)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a job in the background
                    self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _started(self) -> None:
        self._loop = asyncio.get_running_loop()

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self._loop is None or self._loop.is_closed() or self.count > 2:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._act, self.count)

    def _act(self, count: int) -> None:
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self.crawler.stop_async())
        self._hurry(GRACE_S if count == 1 else 0.0)

    def _hurry(self, within_s: float) -> None:
        self.crawler.signals.send_catch_log(HURRY, within_s=within_s)
