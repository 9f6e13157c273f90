"""What searches are narrowed by, as words of the full-text index: publication, section, language and day.

The index is as quick to ask for two conditions as for one, while to look at each article found takes time for each. So
an article has words like ``publisher:the_moscow_times`` and ``month:202611`` in a column of its own; no text has words
with a colon in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from archive.catalog.folding import fold

FIRST_YEAR, LAST_YEAR = 1500, 2999  # articles of other years have no word for it
LONGEST = 200  # characters of a name that count


def facets(publisher: str | None, section: str | None, language: str | None, sorted_at: str) -> str:
    """Return the words of an article, a space between them. *sorted_at* is its time as it sorts."""
    found = [named(name, value) for name, value in (("publisher", publisher), ("section", section)) if value]
    if language:
        found.append(named("language", language.partition("-")[0]))
    day = sorted_at[:10]
    if len(day) == 10 and day[:4].isdigit():
        year, month = day[:4], day[5:7]
        found += [f"year:{year}", f"month:{year}{month}", f"day:{year}{month}{day[8:]}"]
    return " ".join(found)


def named(facet: str, value: str) -> str:
    """Return the word that articles have whose *facet* is *value*; case and accents do not count."""
    return f"{facet}:{'_'.join((fold(value[:LONGEST]) or '').replace(chr(34), '').split())}"


def between(since: datetime | None, until: datetime | None) -> list[str]:
    """Return the words of which those articles have one whose days lie from *since* to *until*, and no others.

    Times are UTC-aware; either may be missing. The day of *until* is one of them. Empty when all days are.
    """
    if since is None and until is None:
        return []
    first = max(since.astimezone(UTC).date(), date(FIRST_YEAR, 1, 1)) if since else date(FIRST_YEAR, 1, 1)
    last = min(until.astimezone(UTC).date(), date(LAST_YEAR, 12, 31)) if until else date(LAST_YEAR, 12, 31)
    return list(_covering(first, last)) or ["day:none"]


def _covering(first: date, last: date) -> Iterator[str]:
    while first <= last:
        year_ends, month_ends = date(first.year, 12, 31), _month_end(first)
        if first.month == first.day == 1 and year_ends <= last:
            yield f"year:{first:%Y}"
            end = year_ends
        elif first.day == 1 and month_ends <= last:
            yield f"month:{first:%Y%m}"
            end = month_ends
        else:
            yield f"day:{first:%Y%m%d}"
            end = first
        first = end + timedelta(days=1)


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
