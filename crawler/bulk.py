"""One run of ``newswarc extract``: pages of many files into one output, what is told of them, and drift."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, BinaryIO

from archive.bulk import Journal, PartFile, Stream, Written
from archive.bulk.journal import Done
from archive.bulk.run import NO_PAGE, UNREADABLE, Result, results
from archive.drift import Drift, drifts, fact_of
from archive.extraction.learned import LeftOut
from archive.formats import ending, piece
from archive.learning import Learning
from archive.pages import Passed, StoredPage, Unreadable, all_pages
from archive.version import VERSION
from archive.workers import Workers

log = logging.getLogger(__name__)

EXTRA = ("source", "problem")  # what stands in a result beside the article
WITHOUT_FIELDS = frozenset({"md", "txt"})  # forms that can only show an article


class Bulk:
    """Reads *inputs*, paths each with the address of a page that does not tell its own, and writes them in *form*.

    They are read with what *learning* knows, and with *learn* add to it; with *explain* each says what was left out.
    """

    def __init__(
        self,
        inputs: Sequence[tuple[str, str | None]],
        form: str,
        workers: Workers,
        part: PartFile | None = None,
        *,
        learning: Learning | None = None,
        learn: bool = False,
        explain: bool = False,
    ) -> None:
        self.inputs, self.form, self.workers = inputs, form, workers
        self.learning, self.learn, self.explain = learning, learn, explain
        self.journal = part.journal if part is not None else Journal()
        self.passed = Passed()
        self._unreadable = 0  # files, and damaged places in them

    # ---- where to

    def to_stream(self, stream: BinaryIO) -> None:
        """Write everything to *stream*, each result as it comes."""
        if self.form == "parquet":
            from archive.parquet import write_parquet  # noqa: PLC0415 - pyarrow is optional

            write_parquet(self._journaled(), stream)
            return
        out = Stream(stream)
        self._write(out, 0)
        stream.write(ending(self.form, empty=not out.size, columns=EXTRA).encode())
        stream.flush()

    def to_part(self, part: PartFile) -> None:
        """Write to *part* what an earlier run has not. Raises ``NotResumable`` when it was another kind of run."""
        self.journal.begin(
            {
                "newswarc": VERSION,
                "format": self.form,
                "addresses": repr(sorted({url for _, url in self.inputs if url})),
            },
            [(path, _state(path)) for path, _ in self.inputs],
        )
        self._write(part, part.recover(), part)
        if self.form == "parquet":
            from archive.parquet import lines_to_parquet  # noqa: PLC0415 - as above

            part.end(b"", lines_to_parquet)
        else:
            part.end(ending(self.form, empty=not part.size, columns=EXTRA).encode())

    def _write(self, out: Written, done: int, part: PartFile | None = None) -> None:
        form = "jsonl" if self.form == "parquet" else self.form  # which is made of lines, once all are there
        for n, result in enumerate(self._results(skip=done), done + 1):
            shown = b""
            if not (form in WITHOUT_FIELDS and result.article.page_kind in {UNREADABLE, NO_PAGE}):
                shown = piece(result.article, self._extra(result), form, first=not out.size).encode()
            ends, crc = out.write(shown)
            self._note(Done(n, ends, crc), result)
            if part is not None:
                part.sync_when_due()

    def _results(self, *, skip: int) -> Iterator[Result]:
        pages = self._pages(skip=skip)
        return results(pages, self.workers, self.learning, learn=self.learn, explain=self.explain)

    def _journaled(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        for n, result in enumerate(self._results(skip=0), 1):
            self._note(Done(n, 0, 0), result)
            yield result.article, self._extra(result)

    def _note(self, done: Done, result: Result) -> None:
        if result.failed:
            log.error("%s: %s", _named(result.page), result.problem)
        elif result.problem:
            log.warning("%s: %s", _named(result.page), result.problem)
        self.journal.add(done, fact_of(result.article), failed=result.failed)

    def _pages(self, *, skip: int) -> Iterator[StoredPage]:
        for page in all_pages(self.inputs, self.passed, stdin=sys.stdin.buffer):
            if isinstance(page, Unreadable):
                self._unreadable += 1
                log.error("%s", page)
            elif skip:
                skip -= 1
            else:
                yield page

    def _extra(self, result: Result) -> dict[str, Any]:
        source = {"path": result.page.path, "record_id": result.page.record_id}
        told: dict[str, Any] = {"source": source, "problem": result.problem}
        if self.explain:
            told["left_out"] = [self._explained(out, result.page.url) for out in result.left_out]
        return told

    def _explained(self, out: LeftOut, url: str | None) -> dict[str, Any]:
        pages = self.learning.pages(url, out.line) if self.learning and url and out.line is not None else ()
        return {"text": out.text, "why": out.why, **({"pages": list(pages)} if pages else {})}

    # ---- what is told

    @property
    def failed(self) -> int:
        """How many pages were given up, and files or places in them that cannot be read; of earlier runs, too."""
        return self._unreadable + self.journal.kinds().get("", 0)

    def summary(self) -> str:
        """Return in one line what became of how many pages."""
        kinds = dict(self.journal.kinds())
        kinds.pop("", None)
        articles = kinds.pop("article", 0)
        parts = [f"{articles:,} {'article' if articles == 1 else 'articles'}"]
        if kinds:
            others = sum(kinds.values())
            parts.append(f"{others:,} other {'page' if others == 1 else 'pages'} ({_listed(kinds)})")
        if self.passed.skipped:
            parts.append(
                f"skipped {sum(self.passed.skipped.values()):,} ({_listed(dict(self.passed.skipped.most_common()))})"
            )
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        return "; ".join(parts)

    def drifts(self) -> list[Drift]:
        """Return what has changed in how the pages of each host are read, in the order of their capture."""
        by_host = groupby(self.journal.facts(), attrgetter("host"))
        return [drift for host, facts in by_host for drift in drifts(host, facts)]


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _named(page: StoredPage) -> str:
    return f"{page.path} {page.record_id}" if page.record_id else page.path


def _state(path: str) -> str:
    """Return what changes when the file does: its size, and when it was last written."""
    if path == "-":
        return "standard input"
    try:
        found = os.stat(path)
    except OSError as error:
        return error.strerror or "cannot be read"
    return f"{found.st_size} bytes, written {found.st_mtime_ns / 1e9:.6f}"
