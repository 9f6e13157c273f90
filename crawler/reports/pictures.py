"""Pictures of a report, as SVG of our own: calm, readable in print and without colour, each with words in its place.

What a colour says, a length, a size or a word says as well. Numbers go in, markup comes out; what strangers wrote goes
through :func:`text`, which escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from html import escape

from markupsafe import Markup

WEEKS = 54
CELL, GAP = 11, 2
STEP = CELL + GAP
SHARES = (0.4, 0.7, 0.9, 1.0)  # of the days, up to each level
LEVELS = len(SHARES)
INSET = 1.1  # the more, the larger, for eyes and printers without colour
MOST_YEARS = 40  # rows; of a longer history the latest
BY_DAY = 6  # years: of more, a cell is a week
WIDTH = 760
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named} text-anchor="{anchor}">{escape(words)}</text>'


def svg(width: float, height: float, title: str, description: str, parts: Iterable[str], kind: str = "") -> Markup:
    """Return a picture with its name and its words for who cannot see it."""
    name = "".join(char if char.isalnum() else "-" for char in title.lower())
    return Markup(  # noqa: S704 - made of numbers, names of ours, and what text() escaped
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img"'
        f' aria-labelledby="{name}-name {name}-words"><title id="{name}-name">{escape(title)}</title>'
        f'<desc id="{name}-words">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


# ---- a calendar


def calendar(days: Mapping[str, int]) -> Markup | None:
    """Return articles by day of publication: a row of weeks a year. None when there is no day."""
    counted = {day: number for text, number in days.items() if (day := _day(text)) is not None}
    if not counted:
        return None
    years = sorted({day.year for day in counted})
    years = list(range(max(years[0], years[-1] - MOST_YEARS + 1), years[-1] + 1))
    by_day = len(years) <= BY_DAY
    shown = {day: number for day, number in counted.items() if day.year >= years[0]}
    cells: dict[tuple[int, int, int], int] = {}
    for day, number in shown.items():
        at = (day.year, _week(day), day.weekday() if by_day else 0)
        cells[at] = cells.get(at, 0) + number
    bounds = levels(cells.values())
    rows = 7 if by_day else 1
    pitch = rows * STEP + (14 if by_day else 3)
    left, top = 46, 22
    parts = [
        text(left + _week(date(years[-1], month, 1)) * STEP, 13, name, "quiet") for month, name in enumerate(MONTHS, 1)
    ]
    for row, year in enumerate(years):
        y = top + row * pitch
        parts.append(text(left - 8, y + rows * STEP / 2 + 4, str(year), "quiet", "end"))
        parts.append(f'<path class="none" d="{_empty(year, left, y, by_day=by_day)}"/>')
        for level in range(1, LEVELS + 1):
            inset = (LEVELS - level) * INSET
            side = CELL - 2 * inset
            path = "".join(
                f"M{left + week * STEP + inset:g} {y + weekday * STEP + inset:g}h{side:g}v{side:g}h-{side:g}z"
                for (of_year, week, weekday), number in sorted(cells.items())
                if of_year == year and level_of(number, bounds) == level
            )
            if path:
                parts.append(f'<path class="level{level}" d="{path}"/>')
    bottom = top + len(years) * pitch + 6
    parts += _calendar_key(left, bottom, bounds)
    total, unit = sum(shown.values()), "day" if by_day else "week"
    busiest = max(shown, key=lambda day: (shown[day], day))
    told = (
        f"{total:,} articles published from {min(shown)} to {max(shown)}, on {len(shown):,} different days; most on"
        f" {busiest}: {shown[busiest]:,}. Each square is a {unit}."
    )
    return svg(left + WEEKS * STEP, bottom + 24, "Articles by day of publication", told, parts, "calendar")


def levels(numbers: Iterable[int]) -> list[int]:
    """Return the greatest number of each level: of the days, most are in the first ones, and a tenth in the last."""
    ranked = sorted(numbers)
    return sorted({ranked[math.ceil(len(ranked) * share) - 1] for share in SHARES})


def level_of(number: int, bounds: Sequence[int]) -> int:
    """Return the level, from 1, that *number* has; the last has the deepest colour, however many there are."""
    at = next(at for at, bound in enumerate(bounds) if number <= bound)
    return LEVELS - len(bounds) + at + 1


def _calendar_key(x: float, y: float, bounds: Sequence[int]) -> list[str]:
    parts, below = [], 0
    for bound in bounds:
        level = level_of(bound, bounds)
        inset = (LEVELS - level) * INSET
        side = CELL - 2 * inset
        words = f"{bound:,}" if bound == below + 1 else f"{below + 1:,} to {bound:,}"
        parts.append(f'<rect class="none" x="{x:g}" y="{y:g}" width="{CELL}" height="{CELL}"/>')
        parts.append(
            f'<rect class="level{level}" x="{x + inset:g}" y="{y + inset:g}" width="{side:g}" height="{side:g}"/>'
        )
        parts.append(text(x + STEP + 4, y + 10, words, "quiet"))
        x += STEP + 22 + 7 * len(words)
        below = bound
    return parts


def _empty(year: int, left: float, y: float, *, by_day: bool) -> str:
    if not by_day:
        return "".join(f"M{left + week * STEP} {y}h{CELL}v{CELL}h-{CELL}z" for week in range(WEEKS - 1))
    first = date(year, 1, 1)
    days = (first + timedelta(days=number) for number in range(366 if _is_leap(year) else 365))
    return "".join(f"M{left + _week(day) * STEP} {y + day.weekday() * STEP}h{CELL}v{CELL}h-{CELL}z" for day in days)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _week(day: date) -> int:
    """Return the column of *day*: weeks from Monday, the first that of New Year's Day."""
    return (day.timetuple().tm_yday - 1 + date(day.year, 1, 1).weekday()) // 7


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# ---- parts of a whole, bars


def parts_of(title: str, named: Sequence[tuple[str, int]]) -> Markup:
    """Return one bar in parts, each named with its number below; the patterns tell them apart without colour."""
    total = sum(number for _, number in named) or 1
    x, parts = 0.0, []
    for name, number in named:
        width = WIDTH * number / total
        if number:
            parts.append(
                f'<rect class="part {name}" x="{x:.2f}" y="0" width="{max(width - 1.5, 0.75):.2f}" height="26"/>'
            )
            if width > 8 * len(name):
                parts.append(text(x + 1, 42, name, "quiet"))
        x += width
    told = ", ".join(f"{number:,} {name}" for name, number in named)
    return svg(WIDTH, 46, title, f"{told}.", parts, "wide")


def swatch(name: str) -> Markup:
    """Return the sign of a part in a list of them."""
    return Markup(  # noqa: S704 - names of ours
        f'<svg class="swatch" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">'
        f'<rect class="part {escape(name)}" width="14" height="14"/></svg>'
    )


def columns(title: str, named: Sequence[tuple[str, int]]) -> Markup:
    """Return a histogram with its numbers on top."""
    height, base = 150, 172
    most = max((number for _, number in named), default=0) or 1
    pitch = WIDTH / max(1, len(named))
    parts = [f'<path class="axis" d="M0 {base - 0.5}H{WIDTH}"/>']
    for at, (name, number) in enumerate(named):
        tall = height * number / most
        middle = (at + 0.5) * pitch
        if number:
            tall = max(tall, 2)
            parts.append(
                f'<rect class="bar" x="{at * pitch + 6:.1f}" y="{base - tall:.1f}" width="{pitch - 12:.1f}"'
                f' height="{tall:.1f}" rx="1.5"/>'
            )
            parts.append(text(middle, base - tall - 6, f"{number:,}", "number", "middle"))
        parts.append(text(middle, base + 17, name, "quiet", "middle"))
    told = ", ".join(f"{name}: {number:,}" for name, number in named if number)
    return svg(WIDTH, base + 24, title, f"{told}.", parts, "histogram")


def bar(share: float) -> Markup:
    """Return a bar for a cell of a table, beside its number: *share* is of the greatest there is, from 0 to 1."""
    width = 120 * min(1.0, max(0.0, share))
    return Markup(  # noqa: S704 - a number
        '<svg class="cell" viewBox="0 0 120 10" width="120" height="10" aria-hidden="true">'
        f'<rect class="bar" width="{max(width, 1.0 if share else 0.0):.1f}" height="10" rx="1.5"/></svg>'
    )
