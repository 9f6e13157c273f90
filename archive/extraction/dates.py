"""Times as pages write them, in ISO 8601: with the offset only when the page gives one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

EARLIEST_YEAR = 1900  # before it stand epochs and placeholders (0001, 1601), not news
CLOCK_SKEW = timedelta(minutes=10)  # a publisher's clock may run ahead of ours by that much
EASTERNMOST = timedelta(hours=14)  # UTC+14: a local time or day without offset may be that far ahead of UTC

ISO = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"(?:[T\s]+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<o>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d))?)?",
    re.IGNORECASE,
)
COMPACT = re.compile(
    r"^\s*(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*$", re.IGNORECASE
)
SLASHED_YEAR_FIRST = re.compile(r"^\s*(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?:\D+(\d{1,2}):(\d{2}))?")
DOTTED_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?:\D{1,12}(\d{1,2})[:.](\d{2}))?")
EAST_ASIAN = re.compile(
    r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일](?:\D{0,8}(\d{1,2})[:\uff1a](\d{2}))?"
)
MONTH_FIRST = re.compile(r"(?<!\w)([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|º|\.)?\s+(?:de\s+)?([^\W\d_]{3,10})\.?,?\s+(?:de\s+)?(\d{4})(?!\d)"
)
RFC_2822 = re.compile(
    r"(\d{1,2})\s+([A-Za-z]{3})[a-z]*\s+(\d{4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(Z|UT|GMT|UTC|[+-]\d{4})?"
)
URL_DATE = re.compile(r"/((?:19|20)\d{2})[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?=[/-]|$)")

# Month names and their abbreviations: English, Russian, German, French, Spanish, Italian, Portuguese, Dutch, Nordic.
MONTHS = tuple(
    re.compile(names, re.IGNORECASE)
    for names in (
        r"jan(?:uary|uar|uari|vier|v|eiro)?|jän(?:ner)?|ene(?:ro)?|gen(?:naio)?|янв(?:ар[ья])?",  # noqa: RUF001
        r"feb(?:ruary|ruar|ruari|rero|braio)?|fév(?:rier|r)?|fev(?:ereiro)?|фев(?:р|рал[ья])?",  # noqa: RUF001
        r"mar(?:ch|s|zo|ço|t)?|mär(?:z)?|maart|mrt|мар(?:та?)?",
        r"apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|апр(?:ел[ья])?",
        r"may(?:o)?|mai|mag(?:gio)?|maio|mei|maj|ма[йя]",
        r"june?|jun[ij]|juin|junio|giu(?:gno)?|junho|июн[ья]?",
        r"july?|jul[ij]|juil(?:let)?|julio|lug(?:lio)?|julho|июл[ья]?",
        r"aug(?:ust|ustus|usti)?|août|aout|ago(?:sto)?|авг(?:уста?)?",
        r"sept?(?:ember|embre|tiembre|iembre)?|set(?:tembre|embro|iembre)?|сен(?:т|тябр[ья])?",
        r"oct(?:ober|obre|ubre)?|okt(?:ober)?|ott(?:obre)?|out(?:ubro)?|окт(?:ябр[ья])?",
        r"nov(?:ember|embre|iembre|embro)?|ноя(?:б|бр[ья])?",  # noqa: RUF001
        r"dec(?:ember)?|dez(?:ember|embro)?|déc(?:embre)?|dic(?:iembre|embre)?|des(?:ember)?|дек(?:абр[ья])?",  # noqa: RUF001
    )
)


def iso(text: str | None) -> str | None:
    """Return the date or time written in *text* in ISO 8601, or ``None`` when none can be read with certainty.

    Ambiguous forms (03/04/2024) are not guessed.
    """
    if not text:
        return None
    text = " ".join(text.split())[:200]
    for read in (_iso, _compact, _rfc, _east_asian, _year_first, _dotted, _named):
        found = read(text)
        if found:
            return found
    return None


def from_url(url: str) -> str | None:
    """Return the day an address carries in its path (``/2013/05/15/``), or ``None``."""
    match = URL_DATE.search(url.split("?", 1)[0])
    return _built(match[1], match[2], match[3]) if match else None


def plausible(written: str | None, captured_at: datetime) -> str | None:
    """Return *written* unless it lies after the capture: then it is wrong, and unknown."""
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return written if moment.replace(tzinfo=UTC) <= captured_at + EASTERNMOST else None
    return written if moment <= captured_at + CLOCK_SKEW else None


def day(written: str | None) -> str | None:
    """Return the calendar day of an ISO date or time, as the publisher's clock had it."""
    return written[:10] if written else None


def is_midnight(written: str) -> bool:
    """Tell whether a time is 00:00:00: often a day to which a program has added a time."""
    return "T00:00:00" in written


def _built(  # one signature for every way of writing
    year: str,
    month: str | int,
    day_: str,
    hour: str | None = None,
    minute: str | None = None,
    second: str | None = None,
    fraction: str | None = None,
    offset: str | None = None,
) -> str | None:
    try:
        calendar_day = date(int(year), int(month), int(day_))
        if calendar_day.year < EARLIEST_YEAR:
            return None
        if hour is None or minute is None:
            return calendar_day.isoformat()
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        time = f"{int(hour):02}:{int(minute):02}:{int(second or 0):02}" + (f".{micro:06}" if micro else "")
        return datetime.fromisoformat(f"{calendar_day.isoformat()}T{time}{_offset(offset)}").isoformat()
    except ValueError:
        return None


def _offset(written: str | None) -> str:
    if not written:
        return ""
    if written.upper() in {"Z", "UT", "UTC", "GMT"}:
        return "+00:00"
    digits = written[1:].replace(":", "").ljust(4, "0")
    return f"{written[0]}{digits[:2]}:{digits[2:]}"


def _iso(text: str) -> str | None:
    match = ISO.search(text)
    if not match:
        return None
    g = match.groupdict()
    return _built(g["y"], g["m"], g["d"], g["H"], g["M"], g["S"], g["f"], g["o"])


def _compact(text: str) -> str | None:
    match = COMPACT.match(text)
    if match:
        return _built(match[1], match[2], match[3], match[4], match[5], match[6], None, match[7])
    if re.fullmatch(r"1\d{9}(\d{3})?", text):  # seconds or milliseconds since 1970
        return datetime.fromtimestamp(int(text[:10]), UTC).isoformat()
    return None


def _rfc(text: str) -> str | None:
    match = RFC_2822.search(text)
    month = _month(match[2]) if match else None
    if not match or month is None:
        return None
    return _built(match[3], month, match[1], match[4], match[5], match[6], None, match[7])


def _east_asian(text: str) -> str | None:
    match = EAST_ASIAN.search(text)
    return _built(match[1], match[2], match[3], match[4], match[5]) if match else None


def _year_first(text: str) -> str | None:
    match = SLASHED_YEAR_FIRST.match(text)
    return _built(match[1], match[2], match[3], match[4], match[5]) if match else None


def _dotted(text: str) -> str | None:
    match = DOTTED_DAY_FIRST.search(text)
    return _built(match[3], match[2], match[1], match[4], match[5]) if match else None


def _named(text: str) -> str | None:
    for pattern, month_at, day_at in ((MONTH_FIRST, 1, 2), (DAY_FIRST, 2, 1)):
        for match in pattern.finditer(text):
            month = _month(match[month_at])
            if month is not None:
                return _built(match[3], month, match[day_at])
    return None


def _month(name: str) -> int | None:
    return next((number for number, names in enumerate(MONTHS, 1) if names.fullmatch(name)), None)
