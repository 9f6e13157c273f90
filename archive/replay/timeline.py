"""The captures of one URL in order of time, out of its index lines, of which only those needed are parsed."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from archive import cdxj
from archive.access import Access, Verdict
from archive.capture import Capture
from archive.errors import IndexDamaged
from archive.index import Index
from archive.surt import plain, surt

_URL = re.compile(rb'\{"url": ("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Found:
    """One capture in its timeline: *position* counts from 0, *verdict* is what the rules of access say of it."""

    capture: Capture
    position: int
    verdict: Verdict


class Timeline:
    """What the index holds of *url*, oldest first, without what the rules of access exclude.

    Captures of the URL itself are taken (scheme, ``www`` and a last slash make no difference), those of other URLs
    under the same key only when it has none. Raises ``IndexDamaged`` and ``StorageError`` when it is made or read.
    """

    def __init__(self, index: Index, url: str, access: Access, *, now: datetime | None = None) -> None:
        self.url, self.key = url, surt(url)
        self._name = f"index of {index.storage.location}"
        key = self.key.encode()
        lines = list(index.lines(key + b" ", key + b"!"))
        self._lines = _of_url(lines, url) if len(lines) > 1 else lines
        self._access, self._now = access, now or datetime.now(UTC)
        self._verdicts: list[Verdict] | None = None
        if access and self._lines:
            self._exclude()
        self._times = [line.split(b" ", 2)[1].decode() for line in self._lines]
        self._parsed: dict[int, Capture] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def capture(self, position: int) -> Capture:
        found = self._parsed.get(position)
        if found is None:
            found = self._parsed[position] = self._parse(self._lines[position])
        return found

    def found(self, position: int) -> Found:
        verdict = self._verdicts[position] if self._verdicts else Verdict("allow")
        return Found(self.capture(position), position, verdict)

    def captures(self, start: int = 0, end: int | None = None) -> Iterator[Capture]:
        """Yield the captures from *start* on and before *end*, oldest first."""
        for position in range(start, len(self) if end is None else min(end, len(self))):
            yield self.capture(position)

    def verdict(self, position: int) -> Verdict:
        return self._verdicts[position] if self._verdicts else Verdict("allow")

    def shown(self) -> list[int]:
        """Return the positions of what may be shown; blocked captures have a tombstone and are no mementos."""
        return [n for n in range(len(self)) if not self._verdicts or self._verdicts[n].shown]

    def by_distance(self, at: datetime) -> Iterator[int]:
        """Yield all positions, nearest to *at* first, of two equally near the earlier; equal times in their order."""
        wanted = at.strftime("%Y%m%d%H%M%S").rjust(14, "0")
        right = bisect.bisect_left(self._times, wanted)
        left = right - 1
        count = len(self._times)
        while left >= 0 or right < count:
            if right >= count or (left >= 0 and self._gap(left, at) <= self._gap(right, at)):
                first = left  # the first of those taken in the same second
                while first and self._times[first - 1] == self._times[left]:
                    first -= 1
                yield from range(first, left + 1)
                left = first - 1
            else:
                yield right
                right += 1

    def closest(self, at: datetime, *, as_it_is: bool = False) -> Found | None:
        """Return the capture nearest to *at* that is not merely a redirect to the same page; None when there is none.

        Of those of one second the first of exactly the URL asked for, of others the first. With *as_it_is* a redirect
        to the same page is a capture as any other.

        ``http://news.example/`` redirects to ``https://news.example/``, and both are one page here: its replay would
        redirect for ever. Where a page has nothing but such redirects, one is given.
        """
        if len(self._lines) == 1:
            return self.found(0)
        first = None
        best: int | None = None
        for position in self.by_distance(at):
            first = position if first is None else first
            if best is not None and self._times[position] != self._times[best]:
                break
            capture = self.capture(position)
            if as_it_is or capture.redirect is None or surt(capture.redirect) != self.key or _tells_apart(capture):
                if capture.url == self.url:
                    return self.found(position)
                best = position if best is None else best
        best = first if best is None else best
        return None if best is None else self.found(best)

    def neighbours(self, position: int) -> tuple[int | None, int | None]:
        """Return the positions of the capture before and after that may be shown."""
        shown = self.shown() if self._verdicts else range(len(self))
        at = bisect.bisect_left(shown, position)
        before = shown[at - 1] if at > 0 else None
        after = at + (at < len(shown) and shown[at] == position)
        return before, shown[after] if after < len(shown) else None

    def line(self, position: int) -> bytes:
        """Return the index line of the capture, line break included."""
        return self._lines[position]

    def timestamp(self, position: int) -> str:
        return self._times[position]

    def _gap(self, position: int, at: datetime) -> float:
        return abs((_time(self._times[position]) - at.replace(microsecond=0)).total_seconds())

    def _parse(self, line: bytes) -> Capture:
        try:
            return cdxj.parse(line)
        except ValueError as error:
            raise IndexDamaged(self._name, str(error)) from error

    def _exclude(self) -> None:
        kept, verdicts = [], []
        for line in self._lines:
            capture = self._parse(line)
            verdict = self._access.verdict(capture.url, capture.captured_at, self._now)
            if verdict.listed:
                kept.append(line)
                verdicts.append(verdict)
        self._lines, self._verdicts = kept, verdicts


def _tells_apart(capture: Capture) -> bool:
    """Tell whether the redirect leads to a page that the index tells apart from the one it was asked for."""
    return capture.redirect is not None and plain(capture.redirect) != plain(capture.url)


def _of_url(lines: list[bytes], url: str) -> list[bytes]:
    """Return those of *lines* that are captures of *url* itself; all when none is."""
    wanted = plain(url)
    known: dict[bytes, bool] = {}
    exact = []
    for line in lines:
        match = _URL.search(line)
        text = match[1] if match else b""
        same = known.get(text)
        if same is None:
            same = known[text] = _plain(text) == wanted
        if same:
            exact.append(line)
    return exact or lines


def _plain(text: bytes) -> str:
    try:
        return plain(json.loads(text))
    except ValueError:
        return ""


def _time(timestamp14: str) -> datetime:
    try:
        return datetime(
            int(timestamp14[:4]),
            int(timestamp14[4:6]),
            int(timestamp14[6:8]),
            int(timestamp14[8:10]),
            int(timestamp14[10:12]),
            int(timestamp14[12:14]),
            tzinfo=UTC,
        )
    except ValueError as error:
        raise IndexDamaged("index", f"no time: {timestamp14!r}") from error
