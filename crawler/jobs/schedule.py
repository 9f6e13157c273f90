"""When a job runs: cron's five fields, read in a time zone.

Days of the week are counted from Sunday, 0 or 7; when neither the day of the month nor that of the week is ``*``,
either will do. Where clocks are changed it is done as Debian's cron does: what falls into the hour that is left out
runs right after it, what falls into the hour that comes twice runs once; but what runs every hour or every few minutes
goes on by the true hour.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim, CronSimError

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
EXPECTED = 'five fields as in cron, such as "0 * * * *", or one of ' + ", ".join(NICKNAMES)
_CHANGE = timedelta(hours=3)  # clocks are changed by no more; Lord Howe Island's by half an hour


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments at which a job runs. Times are UTC-aware. :meth:`parse` makes one."""

    text: str
    expression: str
    zone_name: str
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone_name: str = "UTC") -> Schedule:
        """Read cron's fields or a nickname.

        Raises ``ValueError``, or ``LookupError`` for the zone, whose text says what is wrong and what is expected.
        """
        expression = NICKNAMES.get(text.strip().lower(), text)
        if len(expression.split()) != 5:  # the parser would take six as well, the first for seconds
            raise ValueError(f"{text!r}; expected {EXPECTED}")
        schedule = cls(text, expression, zone_name, _zone(zone_name))
        try:
            never = schedule.next(datetime(2026, 1, 1, tzinfo=UTC)) is None
        except CronSimError as error:
            raise ValueError(f"{text!r} ({str(error).lower()}); expected {EXPECTED}") from error
        if never:
            raise ValueError(f"{text!r}, which never comes; expected {EXPECTED}")
        return schedule

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment later than *after*, or None when none ever comes."""
        for moment in CronSim(self.expression, after.astimezone(self.zone)):
            if (at := moment.astimezone(UTC)) > after:  # in the second of two equal hours it begins with the first
                return at
        return None

    def latest(self, by: datetime) -> datetime | None:
        """Return the last moment not later than *by*, or None when there was none."""
        # Backwards the parser does not step over changed clocks as it does forwards, so it only says where to begin.
        near = next(CronSim(self.expression, _later(by).astimezone(self.zone), reverse=True), None)
        if near is None:
            return None
        found = None
        for moment in CronSim(self.expression, (near.astimezone(UTC) - _CHANGE).astimezone(self.zone)):
            at = moment.astimezone(UTC)
            if at > by:
                break
            found = at if found is None else max(found, at)
        if found is None and (earlier := near.astimezone(UTC) - _CHANGE) < by:
            return self.latest(earlier)
        return found

    @property
    def words(self) -> str:
        """The schedule in English."""
        words = CronSim(self.expression, datetime(2026, 1, 1, tzinfo=UTC)).explain()
        return f"{words[:1].lower()}{words[1:]}" + ("" if self.zone_name == "UTC" else f" ({self.zone_name})")


def _later(by: datetime) -> datetime:
    """The parser looks for what is earlier than what it is given: *by* itself may be a moment."""
    return by.replace(microsecond=0) + timedelta(seconds=1)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: it names a directory of zones
        if not zoneinfo.available_timezones():
            raise LookupError("this machine knows no time zones; install tzdata (pip install tzdata)") from error
        raise LookupError(f"{name!r}; expected a name of the IANA time zones, such as Europe/Berlin") from error
