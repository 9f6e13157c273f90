"""Jobs as ``newswarc.toml`` defines them: each ``[jobs.NAME]``, checked whole before any of it is used.

[jobs.example-news]
spider = "generic"
arguments.start = "https://news.example/"
schedule = "@hourly"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler import units
from crawler.config import JOBS, ConfigError, path_of, read_toml
from crawler.exit_codes import ExitCode
from crawler.jobs.schedule import Schedule

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # it names files and a prefix in the archive
NAMES = "a letter or digit, then letters, digits, - _ . ; 64 at most"
EVENTS = ("failure", "drift", "recovery")
# 1 is not among them: of a large site some pages always fail. A run that got nothing at all is a failure all the same.
FAILURES = tuple(
    code
    for code in ExitCode
    if code not in (ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.DRIFTED, ExitCode.INTERRUPTED)
)


@dataclass(frozen=True, slots=True)
class Alerts:
    """Whom to tell, and of what. *codes* are the exit codes that are failures."""

    command: tuple[str, ...] = ()
    webhook: str | None = field(default=None, repr=False)  # whoever knows it may write there
    on: tuple[str, ...] = EVENTS
    codes: tuple[int, ...] = FAILURES


@dataclass(frozen=True, slots=True)
class Job:
    """One job. *since* is a day, or how far a run looks back from its moment."""

    name: str
    spider: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    schedule: Schedule | None = None  # None: only by hand
    max_pages: int | None = None
    max_time: timedelta | None = None
    max_bytes: int | None = None
    since: date | timedelta | None = None
    ladder: str | None = None
    order: str | None = None
    noarchive: str | None = None
    requisites: bool = False
    archive: str | None = None
    enabled: bool = True
    alerts: Alerts = Alerts()

    @property
    def scheduled(self) -> Schedule | None:
        """The schedule, unless the job is switched off."""
        return self.schedule if self.enabled else None

    def crawl_options(self, moment: datetime) -> list[str]:
        """Return what ``newswarc crawl`` is told, but for archive and configuration, in a run of *moment*."""
        options = [self.spider, "--job", self.name]
        for name, value in self.arguments.items():
            options += ["-a", f"{name}={value}"]
        for name, value in self.settings.items():
            options += ["-s", f"{name}={value}"]
        if self.since is not None:
            day = self.since if isinstance(self.since, date) else (moment.astimezone(UTC) - self.since).date()
            options += ["--since", day.isoformat()]
        if self.max_pages is not None:
            options += ["--max-pages", str(self.max_pages)]
        if self.max_time is not None:
            options += ["--max-time", f"{self.max_time.total_seconds():g}s"]
        if self.max_bytes is not None:
            options += ["--max-bytes", str(self.max_bytes)]
        for option, word in (("--ladder", self.ladder), ("--order", self.order), ("--noarchive", self.noarchive)):
            if word is not None:
                options += [option, word]
        if self.requisites:
            options.append("--requisites")
        return options


@dataclass(frozen=True, slots=True)
class Defined:
    """What a file defines. *path* is the file as it was named."""

    path: Path
    jobs: Mapping[str, Job]

    def named(self, name: str) -> Job:
        """Return the job *name*. Raises ``ConfigError`` when there is none."""
        if name not in self.jobs:
            raise ConfigError(f"{self.path}: there is no job {name}{_hint(name, self.jobs) or _all(self.jobs)}")
        return self.jobs[name]


def load_jobs(file: Path | None = None) -> Defined:
    """Read the jobs of the file that :func:`crawler.config.load` reads.

    Raises ``ConfigError``, also when there are none.
    """
    path, remedy = path_of(file), "write a table [jobs.NAME] with at least a spider"
    try:
        tables = read_toml(path).get(JOBS)
    except ConfigError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(f"{error}, so no jobs are defined; make it, and {remedy}") from error
        raise
    if tables is None:
        raise ConfigError(f"{path}: defines no jobs; {remedy}")
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}: jobs is {tables!r}; expected tables [jobs.NAME]")
    return Defined(path, {name: _job(path, name, table) for name, table in tables.items()})


def _job(path: Path, name: str, table: Any) -> Job:
    where = f"{path}: job {name}"
    if not NAME.fullmatch(name):
        raise ConfigError(f"{path}: job {name!r} has a name that cannot be used; expected {NAMES}")
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is {table!r}; expected a table [jobs.{name}]")
    found = _read(where, table, _KEYS)
    if "spider" not in found:
        raise ConfigError(f'{where}: spider is missing; expected the name of one, as in spider = "generic"')
    zone = found.pop("timezone", None)
    if "schedule" in found:
        found["schedule"] = _schedule(where, found["schedule"], zone or "UTC")
    elif zone:
        raise ConfigError(f"{where}: timezone is {zone!r}, but there is no schedule to read in it")
    if found.get("spider", "").startswith("-"):
        raise ConfigError(f"{where}: spider is {found['spider']!r}; expected the name of a spider")
    return Job(name=name, **found)


def _schedule(where: str, text: str, zone: str) -> Schedule:
    try:
        return Schedule.parse(text, zone)
    except LookupError as error:
        raise ConfigError(f"{where}: timezone is {error.args[0]}") from error
    except ValueError as error:
        raise ConfigError(f"{where}: schedule is {error}") from error


def _read(where: str, table: Mapping[str, Any], keys: Mapping[str, _Check]) -> dict[str, Any]:
    found = {}
    for key, value in table.items():
        if key not in keys:
            raise ConfigError(f"{where}: unknown key {key}{_hint(key, keys) or _all(keys)}")
        try:
            found[key] = keys[key](value)
        except _Wrong as wrong:
            raise ConfigError(f"{where}: {key}{wrong.within} is {wrong.shown}; expected {wrong.expected}") from wrong
    return found


def _hint(word: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _all(known: Mapping[str, Any]) -> str:
    return f"; there are {', '.join(known)}" if known else ""


# ---- what a key may hold

_Check = Callable[[Any], Any]


class _Wrong(Exception):
    """A value is not what its key holds. *within* says where in it, *shown* what was found."""

    def __init__(self, value: Any, expected: str, within: str = "", *, secret: bool = False) -> None:
        super().__init__(expected)
        self.shown, self.expected, self.within = "a secret" if secret else repr(value), expected, within


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _Wrong(value, "text on one line")
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(value, "true or false")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Wrong(value, "a whole number, 1 or more")
    return value


def _duration(value: Any) -> timedelta:
    try:
        return units.duration(value if isinstance(value, str) else "")
    except ValueError:
        raise _Wrong(value, units.DURATIONS) from None


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    try:
        return units.size(value if isinstance(value, str) else "")
    except ValueError:
        raise _Wrong(value, f"{units.SIZES}, or a number of bytes") from None


def _since(value: Any) -> date | timedelta:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            try:
                return units.duration(value)
            except ValueError:
                pass
    raise _Wrong(value, 'a day like "2026-11-21", or how far to look back, like "7d"')


def _ladder(value: Any) -> str:
    """A list of durations, or the same as one text; empty for none. What it means is told by the crawl."""
    steps = value.split(",") if isinstance(value, str) else value
    if steps in ([""], []):
        return ""
    try:
        for step in steps:
            units.duration(step)
    except (TypeError, ValueError):
        raise _Wrong(value, 'durations in a list or parted by commas, such as "1h, 6h, 1d", or "" for none') from None
    return ", ".join(step.strip() for step in steps)


def _one_of(*words: str) -> _Check:
    def check(value: Any) -> str:
        if value not in words:
            raise _Wrong(value, " or ".join(f'"{word}"' for word in words))
        return str(value)

    return check


def _pairs(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _Wrong(value, "a table of names and values")
    return {name: _scalar(name, inner) for name, inner in value.items()}


def _scalar(name: str, value: Any) -> str:
    if not name or "=" in name or not name.isprintable():
        raise _Wrong(name, "names without = in them")
    if isinstance(value, list):
        return ",".join(_scalar(name, inner) for inner in value)  # as Scrapy reads lists
    if isinstance(value, str) and value.isprintable():
        return value
    if isinstance(value, (bool, int, float)):
        return str(value)
    raise _Wrong(value, "text on one line, a number, true or false, or a list of these", f".{name}")


def _alerts(value: Any) -> Alerts:
    if not isinstance(value, dict):
        raise _Wrong(value, "a table with command or webhook")
    found = {}
    for key, inner in value.items():
        if key not in _ALERT_KEYS:
            raise _Wrong(inner, f"no such key{_hint(key, _ALERT_KEYS) or _all(_ALERT_KEYS)}", f".{key}", secret=True)
        try:
            found[key] = _ALERT_KEYS[key](inner)
        except _Wrong as wrong:
            wrong.within = f".{key}{wrong.within}"
            raise
    if not found.get("command") and not found.get("webhook"):
        raise _Wrong(value, "a command or a webhook in it, or nobody is told", secret=bool(value.get("webhook")))
    return Alerts(**found)


def _command(value: Any) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(word, str) and "\0" not in word for word in value)
    ):
        raise _Wrong(value, 'a list of words, such as ["notify-send", "newswarc"]; no shell reads it')
    return tuple(value)


def _webhook(value: Any) -> str:
    expected = "an address that starts with https:// or http://"
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _Wrong(value, expected, secret=True)
    if parts.username is not None:
        raise _Wrong(value, f"{expected}, without a user name in it", secret=True)
    return str(value)


def _events(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(event in EVENTS for event in value):
        raise _Wrong(value, f"a list of any of {', '.join(EVENTS)}")
    return tuple(value)


def _codes(value: Any) -> tuple[int, ...]:
    known = {int(code) for code in ExitCode} - {ExitCode.DONE}
    if not isinstance(value, list) or not all(type(code) is int and code in known for code in value):
        raise _Wrong(value, f"a list of exit codes: {', '.join(map(str, sorted(known)))}")
    return tuple(value)


_ALERT_KEYS: Mapping[str, _Check] = {"command": _command, "webhook": _webhook, "on": _events, "codes": _codes}
_KEYS: Mapping[str, _Check] = {
    "spider": _text,
    "arguments": _pairs,
    "settings": _pairs,
    "schedule": _text,
    "timezone": _text,
    "max_pages": _count,
    "max_time": _duration,
    "max_bytes": _size,
    "since": _since,
    "ladder": _ladder,
    "order": _one_of("newest", "oldest"),
    "noarchive": _one_of("record", "obey"),
    "requisites": _switch,
    "archive": _text,
    "enabled": _switch,
    "alerts": _alerts,
}
KEYS = tuple(_KEYS)  # docs/jobs.md is held against them
