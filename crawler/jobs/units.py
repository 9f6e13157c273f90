"""Unit files for systemd and lines for cron, to be looked at and installed by hand."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cronsim import CronSim

from crawler.config import ConfigError
from crawler.jobs.definition import Job
from crawler.jobs.ledger import utc_now
from crawler.jobs.running import NEWSWARC, Context
from crawler.jobs.schedule import Schedule

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
STOP_S = 90  # what is under way gets 10 s, publishing 30 s, telling 15 s

_HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
{writable}
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
UMask=0027"""


def command_line() -> list[str]:
    """Return how newswarc is called on this machine, by its whole path."""
    beside = Path(sys.executable).with_name("newswarc")
    found = str(beside) if beside.exists() else shutil.which("newswarc")
    return [found] if found else list(NEWSWARC)


def quoted(word: str) -> str:
    """Return *word* as one argument in a command line of a unit (systemd.service, "Command lines"; systemd.unit,
    "Specifiers"). Raises ``ConfigError`` when it has a line break in it."""
    _one_line(word)
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    safe = plain and all(char.isalnum() or char in "/._-=:,+@%" for char in plain)
    return plain if safe else f'"{plain}"'


def path_value(path: str) -> str:
    """Return *path* as the whole value of a setting that is one path: it is not quoted, but has specifiers."""
    _one_line(path)
    return path.replace("%", "%%")


def path_in_list(path: str) -> str:
    """Return *path* as one of a setting's several paths."""
    _one_line(path)
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def in_crontab(line: str) -> str:
    """Return *line*, a command of the shell's, for a crontab, in which a percent sign would be a line break."""
    return line.replace("%", "\\%")


def _one_line(text: str) -> None:
    if not text.isprintable():
        raise ConfigError(f"{text!r} holds a character that no unit file can; choose another name")


def service(context: Context, jobs: Mapping[str, Job], *, metrics: str | None = None) -> str:
    """Return ``newswarc-jobs.service``, which runs ``newswarc jobs serve``."""
    command = [*command_line(), "jobs", "serve", *_options(context)]
    if metrics:
        command += ["--metrics", metrics]
    lines = [
        "# /etc/systemd/system/newswarc-jobs.service",
        "[Unit]",
        "Description=newswarc: crawls on their schedules",
        "Wants=network-online.target",
        "After=network-online.target time-sync.target",
        "",
        "[Service]",
        "Type=exec",
        *_who(),
        f"ExecStart={' '.join(map(quoted, command))}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=on-failure",
        "RestartSec=10",
        "KillMode=mixed",  # the crawls are told by the server, which waits for them
        f"TimeoutStopSec={STOP_S}",
        _hardened(context, jobs),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def timers(context: Context, jobs: Mapping[str, Job]) -> dict[str, str]:
    """Return a service and a timer for each job that has a schedule, by file name.

    Raises ``ConfigError`` when a timer cannot say what a schedule does.
    """
    files = {}
    for job in jobs.values():
        if job.scheduled is None:
            continue
        command = [*command_line(), "jobs", "due", job.name, *_options(context)]
        name = f"newswarc-job-{job.name}"
        files[f"{name}.service"] = (
            "\n".join(
                [
                    f"# /etc/systemd/system/{name}.service",
                    "[Unit]",
                    f"Description=newswarc: job {job.name}",
                    "Wants=network-online.target",
                    "After=network-online.target time-sync.target",
                    "",
                    "[Service]",
                    "Type=oneshot",
                    *_who(),
                    f"ExecStart={' '.join(map(quoted, command))}",
                    "SuccessExitStatus=1 8",  # some pages always fail, and drift is told by itself
                    "KillMode=mixed",
                    f"TimeoutStopSec={STOP_S}",
                    _hardened(context, {job.name: job}),
                ]
            )
            + "\n"
        )
        files[f"{name}.timer"] = (
            "\n".join(
                [
                    f"# /etc/systemd/system/{name}.timer",
                    "[Unit]",
                    f"Description=newswarc: job {job.name}, {path_value(job.scheduled.words)}",
                    "",
                    "[Timer]",
                    *(f"OnCalendar={event}" for event in calendar_events(job.name, job.scheduled)),
                    "AccuracySec=1s",
                    "Persistent=yes",
                    "",
                    "[Install]",
                    "WantedBy=timers.target",
                ]
            )
            + "\n"
        )
    return files


def crontab(context: Context) -> str:
    """Return the line of a crontab that runs what is due; schedules and time zones are read by newswarc itself."""
    words = [*command_line(), "jobs", "due", "--quiet", *_options(context)]
    for word in [*words, os.getcwd()]:
        _one_line(word)
    line = f"cd {_shell(os.getcwd())} && exec {' '.join(map(_shell, words))}"
    return f"# newswarc: runs what is due; schedules stand in {path_of(context)}\n* * * * * {in_crontab(line)}\n"


def path_of(context: Context) -> str:
    return str(context.file.absolute()) if context.file else "newswarc.toml"


def _shell(word: str) -> str:
    import shlex  # noqa: PLC0415 - one word of it is used, here

    return shlex.quote(word)


def calendar_events(name: str, schedule: Schedule) -> list[str]:
    """Return what systemd calls calendar events; two where cron takes either the day of the month or of the week."""
    read = CronSim(schedule.expression, utc_now())
    if not all(isinstance(value, int) and value >= 0 for field in (read.days, read.weekdays) for value in field):
        raise ConfigError(f"job {name}: no timer can say {schedule.text!r}; let newswarc jobs serve run it")
    months, days = _numbers(read.months, 12), _numbers(read.days, 31)
    at = f"{_numbers(read.hours, 24)}:{_numbers(read.minutes, 60)}:00"
    weekdays = sorted({int(day) % 7 for day in read.weekdays if isinstance(day, int)})
    week = "" if len(weekdays) == 7 else ",".join(_DAYS[day] for day in weekdays) + " "
    zone = f" {schedule.zone_name}"
    if read.day_and or not week or days == "*":
        return [f"{week}*-{months}-{days} {at}{zone}"]
    return [f"*-{months}-{days} {at}{zone}", f"{week}*-{months}-* {at}{zone}"]


def _numbers(values: set[int], all_of_them: int) -> str:
    return "*" if len(values) == all_of_them else ",".join(f"{value:02d}" for value in sorted(values))


def _options(context: Context) -> list[str]:
    options = ["--config", str(context.file.absolute())] if context.file else []
    return [*options, "--allow-private"] if context.settings.allow_private else options


def _who() -> Sequence[str]:
    return [f"User={getpass.getuser()}", f"WorkingDirectory={path_value(os.getcwd())}"]


def _hardened(context: Context, jobs: Mapping[str, Job]) -> str:
    places = {_writable(context.directory(job).parent.absolute(), context.location(job)) for job in jobs.values()}
    paths = " ".join(path_in_list(str(place)) for place in sorted(places))
    return _HARDENED.format(writable=f"ReadWritePaths={paths}")


def _writable(state_dir: Path, location: str) -> Path:
    """Return what has to be writable for an archive: itself, or for one in a bucket its state; what is there of it."""
    place = state_dir if location.lower().startswith("s3:") else state_dir.parent
    while not place.exists():
        place = place.parent
    return place
