"""The interval of a front, feed, sitemap or listing: how often it is worth looking at, as its captures tell.

After news-crawl of Common Crawl: halved when a look brought something new, longer when it did not, between ten minutes
and two weeks. It never grows beyond a quarter of the time for which the page has rested, so that one night without
news does not cost the morning.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from archive.capture import Capture

SHORTEST, LONGEST = timedelta(minutes=10), timedelta(weeks=2)
DEEP = timedelta(days=1)  # the shortest of listings that only older ones are on: what is new stands on those before
GROWTH = 1.5
OF_REST = 4  # the interval is no longer than that part of the time since the last change
EARLY = 0.9  # of it passed is enough: what starts by the clock is never on time to the second


def interval(
    looks: Iterable[Capture], *, shortest: timedelta = SHORTEST, resting_since: datetime | None = None
) -> timedelta:
    """Return the interval that follows from *looks*, the captures of one URL, the oldest first.

    They are told apart by their payload digests. *resting_since* is from when on it cannot have changed, as a list of
    what was published on one day, if that is known.
    """
    seen = list(looks)
    current = shortest
    if not seen:
        return current
    changed_at = min(seen[0].captured_at, resting_since or seen[0].captured_at)
    if resting_since is not None:
        current = _bounded((seen[0].captured_at - changed_at) / OF_REST, shortest)
    for before, look in pairwise(seen):
        if look.payload_digest != before.payload_digest:
            current, changed_at = current / 2, look.captured_at
        else:
            current = min(current * GROWTH, max(current, (look.captured_at - changed_at) / OF_REST))
        current = _bounded(current, shortest)
    return current


def _bounded(wanted: timedelta, shortest: timedelta) -> timedelta:
    return max(shortest, min(wanted, LONGEST))


def told(span: timedelta) -> str:
    """Return *span* as people say it: ``4 minutes``, ``2 hours``, ``9 days``."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size * (2 if unit == "day" else 1):  # "24 hours" tells more than "1 day"
            count = round(minutes / size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("unreachable")
