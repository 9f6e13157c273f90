"""A progress bar on standard error, when that is a terminal; nothing otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class FileProgress:
    """Bytes read of all there are, and the file being read. ``with`` it, and call it as work goes on."""

    def __init__(self, doing: str, *, shown: bool) -> None:
        self._bar: Bar | None = None
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (
                TextColumn(doing),
                BarColumn(),
                DownloadColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.description}"),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=None)

    def __call__(self, file: str, done_bytes: int, total_bytes: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=file, completed=done_bytes, total=total_bytes)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


class Progress:
    """Pages done of *total*, responses so far, time. ``with`` it; :meth:`aside` prints beside the bar."""

    def __init__(self, *, total: int, shown: bool) -> None:
        self._responses = 0
        self._bar: Bar | None = None
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("archiving"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("pages, {task.fields[responses]} responses"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._bar.add_task("pages", total=total, responses=0)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def page_done(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._task)

    def response(self) -> None:
        self._responses += 1
        if self._bar is not None:
            self._bar.update(self._task, responses=self._responses)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something is printed on the same terminal."""
        if self._bar is None:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()
