"""Unit files and crontab lines: what is odd in a path stays one word, and what reads them takes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.config import Config, ConfigError
from crawler.jobs import units
from crawler.jobs.definition import Job
from crawler.jobs.running import Context
from crawler.jobs.schedule import Schedule

ODD = 'odd 100% $HOME "quoted" \\back'


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / ODD
    folder.mkdir()
    (folder / "newswarc.toml").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def context(odd: Path) -> Context:
    return Context(Config(archive=str(odd / "archive")), Path("newswarc.toml"))


def job(name: str = "x", schedule: str = "30 3 1 * 1", **more: str) -> Job:
    return Job(name, "generic", schedule=Schedule.parse(schedule, "Europe/Berlin"))


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/plain/path-1_2.toml", "/plain/path-1_2.toml"),
        ("with blank", '"with blank"'),
        ("100%", "100%%"),
        ("$HOME", '"$$HOME"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("", '""'),
        ("é;'x", '"é;\'x"'),
    ],
)
def test_a_word_of_a_command_stays_one_word(word: str, quoted: str):
    assert units.quoted(word) == quoted


@pytest.mark.parametrize("made", [units.quoted, units.path_value, units.path_in_list])
def test_a_line_break_in_a_path_is_refused(made: object):
    with pytest.raises(ConfigError, match="holds a character that no unit file can"):
        made("a\nExecStart=/bin/false")  # type: ignore[operator]


def verified(files: dict[str, str], folder: Path) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    for name, text in files.items():
        (folder / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(folder / name) for name in files)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "\n".join(line for line in done.stderr.splitlines() if "newswarc" in line)


def test_systemd_takes_the_service(context: Context, tmp_path: Path):
    text = units.service(context, {"x": job()}, metrics="9464")
    assert verified({"newswarc-jobs.service": text}, tmp_path) == ""
    assert f"WorkingDirectory={tmp_path}/{ODD.replace('%', '%%')}\n" in text
    assert '"--metrics 9464"' not in text
    assert text.count("ReadWritePaths=") == 1


def test_systemd_takes_the_timers(context: Context, tmp_path: Path):
    jobs = {name: job(name, schedule) for name, schedule in [("a.b", "*/15 * * * *"), ("c-d", "0 6 1,15 1-6 0,6")]}
    files = units.timers(context, jobs | {"by-hand": Job("by-hand", "generic")})
    assert sorted(files) == [f"newswarc-job-{name}.{kind}" for name in ("a.b", "c-d") for kind in ("service", "timer")]
    assert verified(files, tmp_path) == ""


def test_a_unit_that_is_wrong_would_be_noticed(context: Context, tmp_path: Path):
    text = units.service(context, {"x": job()}).replace("ExecStart=", "ExecStart=relative ")
    assert verified({"newswarc-jobs.service": text}, tmp_path) != ""


def test_the_service_may_write_to_the_archives_alone(context: Context, odd: Path):
    jobs = {"x": job(), "y": Job("y", "generic", archive=str(odd / "other" / "deep"))}
    (odd / "archive").mkdir()
    (found,) = re.findall("ReadWritePaths=(.*)", units.service(context, jobs))
    inside = str(odd).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    assert found == f'"{inside}" "{inside}/archive"'  # of the other there is nothing yet


def test_cron_reads_the_line_as_one_command(context: Context, odd: Path):
    comment, line, _ = units.crontab(context).split("\n")
    assert comment.startswith("#")
    assert line.startswith("* * * * * ")
    command = re.sub(r"\\%", "%", line.removeprefix("* * * * * "))  # as cron does
    assert "%" not in re.sub(r"\\%", "", line)
    shown = subprocess.run(
        ["/bin/sh", "-c", command.replace("exec ", "pwd && printf '%s\\n' ")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert shown[0] == str(odd)
    assert shown[-5:] == ["jobs", "due", "--quiet", "--config", str(odd / "newswarc.toml")]


@pytest.mark.parametrize(
    ("schedule", "events"),
    [
        ("@hourly", ["*-*-* *:00:00 Europe/Berlin"]),
        ("30 3 * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* 03:30:00 Europe/Berlin"]),
        ("0 0 * * 7", ["Sun *-*-* 00:00:00 Europe/Berlin"]),
        ("0 0 1 * *", ["*-*-01 00:00:00 Europe/Berlin"]),
        ("0 0 1 * 1", ["*-*-01 00:00:00 Europe/Berlin", "Mon *-*-* 00:00:00 Europe/Berlin"]),
    ],
)
def test_calendar_events(schedule: str, events: list[str]):
    assert units.calendar_events("x", Schedule.parse(schedule, "Europe/Berlin")) == events


@pytest.mark.parametrize("schedule", ["*/20 6-8 * * *", "0 12 1 * 1", "15 4 * * 0,3", "0 0 31 * *"])
def test_systemd_reads_an_event_as_we_read_the_schedule(schedule: str):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    read = Schedule.parse(schedule, "Europe/Berlin")
    base = datetime(2026, 11, 28, 12, tzinfo=UTC)
    found: set[datetime] = set()
    for event in units.calendar_events("x", read):
        told = subprocess.run(
            ["systemd-analyze", "calendar", "--iterations=6", f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC", event],
            capture_output=True,
            text=True,
            check=True,
            env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        ).stdout
        times = re.findall(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)):\s+\w+ (\S+ \S+) UTC", told)
        found |= {datetime.strptime(f"{time} +0000", "%Y-%m-%d %H:%M:%S %z") for time in times}
    ours, moment = [], base - timedelta(seconds=1)
    while len(ours) < 5:
        moment = read.next(moment) or moment
        ours.append(moment)
    assert sorted(found)[:5] == ours


def test_what_no_timer_can_say_is_told():
    with pytest.raises(ConfigError, match="job x: no timer can say '0 0 L"):
        units.calendar_events("x", Schedule.parse("0 0 L * *"))
