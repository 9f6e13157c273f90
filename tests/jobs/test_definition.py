"""Jobs as they are written in newswarc.toml, and what is said when one is wrong."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from crawler import config
from crawler.config import ConfigError
from crawler.jobs.definition import KEYS, Job, load_jobs
from tests.test_readme import README

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DOCS = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text(encoding="utf-8")
GOOD = 'spider = "generic"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "newswarc.toml"
    path.write_text(text, encoding="utf-8")
    return path


def one(folder: Path, table: str) -> Job:
    return load_jobs(written(folder, f"[jobs.x]\n{table}")).jobs["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", r"newswarc\.toml: defines no jobs; write a table \[jobs\.NAME\]"),
        ("jobs = 5", r"newswarc\.toml: jobs is 5; expected tables \[jobs\.NAME\]"),
        ("[jobs]\nx = 5", r"newswarc\.toml: job x is 5; expected a table \[jobs\.x\]"),
        ('[jobs."../x"]\nspider = "a"', r"job '\.\./x' has a name that cannot be used; expected a letter or digit"),
        ('[jobs.""]\nspider = "a"', "job '' has a name that cannot be used"),
        ("[jobs.x]", "job x: spider is missing; expected the name of one"),
        ("[jobs.x]\nspider = 5", "job x: spider is 5; expected text on one line"),
        ('[jobs.x]\nspider = "-a"', "job x: spider is '-a'; expected the name of a spider"),
        ('[jobs.x]\nspidr = "a"', r"job x: unknown key spidr; did you mean spider\?"),
        ('[jobs.x]\nzzz = "a"', "job x: unknown key zzz; there are spider, arguments"),
    ],
)
def test_a_wrong_table_is_refused_in_one_plain_line(tmp_path: Path, text: str, expected: str):
    with pytest.raises(ConfigError, match=expected) as caught:
        load_jobs(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('schedule = "hourly"', "schedule is 'hourly'; expected five fields as in cron"),
        ('schedule = "@reboot"', "schedule is '@reboot'; expected five fields"),
        ('schedule = "60 * * * *"', r"schedule is '60 \* \* \* \*' \(bad minute\); expected five fields"),
        ('schedule = "* * * * * *"', "expected five fields"),
        ('schedule = "0 0 30 2 *"', r"schedule is '0 0 30 2 \*'"),
        ('schedule = "* * * * 5-1"', "bad day-of-week"),
        ('schedule = "@daily"\ntimezone = "Mars/Olympus"', "timezone is 'Mars/Olympus'; expected a name of the IANA"),
        ('schedule = "@daily"\ntimezone = "../../etc/passwd"', "timezone is '../../etc/passwd'; expected a name"),
        ('schedule = "@daily"\ntimezone = "Europe"', "timezone is 'Europe'; expected a name"),
        ('timezone = "Europe/Berlin"', "timezone is 'Europe/Berlin', but there is no schedule"),
        ("max_pages = 0", "max_pages is 0; expected a whole number, 1 or more"),
        ("max_pages = true", "max_pages is True; expected a whole number"),
        ('max_time = "5"', "max_time is '5'; expected a duration such as 90s"),
        ("max_time = 5", "max_time is 5; expected a duration"),
        ('max_bytes = "lots"', "max_bytes is 'lots'; expected a size such as 500MB or 2GB, or a number of bytes"),
        ('since = "yesterday"', "since is 'yesterday'; expected a day like"),
        ("since = 2026-11-01T00:00:00Z", r"since is datetime\.datetime.*; expected a day like"),
        ('ladder = "1h, soon"', "ladder is '1h, soon'; expected durations in a list or parted by commas"),
        ('order = "best"', 'order is \'best\'; expected "newest" or "oldest"'),
        ("ladder = [1]", r"ladder is \[1\]; expected durations"),
        ('requisites = "yes"', "requisites is 'yes'; expected true or false"),
        ("enabled = 1", "enabled is 1; expected true or false"),
        ("arguments = 5", "arguments is 5; expected a table"),
        ('arguments."a=b" = "c"', "arguments is 'a=b'; expected names without ="),
        ("arguments.a = {b = 1}", r"arguments\.a is \{'b': 1\}; expected text on one line, a number"),
        ('arguments.a = "b\\nc"', r"arguments\.a is 'b\\nc'; expected text on one line"),
        ("alerts = 5", "alerts is 5; expected a table with command or webhook"),
        ("alerts = {}", r"alerts is \{\}; expected a command or a webhook in it"),
        ('alerts = {comand = ["a"]}', r"alerts\.comand is a secret; expected no such key; did you mean command\?"),
        ('alerts.command = "tell me"', r"alerts\.command is 'tell me'; expected a list of words"),
        ('alerts.command = ["a", 1]', r"alerts\.command is \['a', 1\]; expected a list of words"),
        ('alerts.webhook = "ftp://canary"', r"alerts\.webhook is a secret; expected an address"),
        ('alerts.webhook = "https://me:canary@hooks.example/"', "is a secret; expected an address .* without a user"),
        ('alerts = {command = ["a"], on = ["success"]}', r"alerts\.on is \['success'\]; expected a list of any of"),
        ('alerts = {command = ["a"], codes = [0]}', r"alerts\.codes is \[0\]; expected a list of exit codes: 1, 2"),
        ('alerts = {command = ["a"], codes = [true]}', r"alerts\.codes is \[True\]; expected"),
    ],
)
def test_a_wrong_key_is_refused_with_file_job_key_and_what_is_expected(tmp_path: Path, line: str, expected: str):
    with pytest.raises(ConfigError, match=expected) as caught:
        one(tmp_path, GOOD + line)
    assert str(caught.value).startswith(f"{tmp_path}/newswarc.toml: job x: ")
    assert "\n" not in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_wrong_job_stops_no_other_command(tmp_path: Path):
    assert config.load(written(tmp_path, 'archive = "here"\n[jobs.x]\nspidr = 1'), environment={}).archive == "here"


def test_a_job_that_is_not_there_is_told_with_those_that_are(tmp_path: Path):
    defined = load_jobs(written(tmp_path, f"[jobs.daily]\n{GOOD}"))
    with pytest.raises(ConfigError, match=r"there is no job dialy; did you mean daily\?"):
        defined.named("dialy")
    with pytest.raises(ConfigError, match="there is no job x; there are daily"):
        defined.named("x")


def test_the_least_job_is_a_spider(tmp_path: Path):
    assert one(tmp_path, GOOD) == Job("x", "generic")


def test_the_crawl_is_told_all_of_it(tmp_path: Path):
    job = one(
        tmp_path,
        GOOD
        + """
        arguments = {start = "https://a.example/ https://b.example/", deep = true}
        settings = {DEPTH_LIMIT = 3, NAMES = ["a", "b"]}
        max_pages = 7
        max_time = "1.5h"
        max_bytes = "2GB"
        since = "7d"
        ladder = ["1h", "6h"]
        order = "oldest"
        noarchive = "obey"
        requisites = true
        """,
    )
    assert job.crawl_options(NOW) == [
        "generic", "--job", "x", "-a", "start=https://a.example/ https://b.example/", "-a", "deep=True",
        "-s", "DEPTH_LIMIT=3", "-s", "NAMES=a,b", "--since", "2026-11-21", "--max-pages", "7", "--max-time", "5400s",
        "--max-bytes", "2000000000", "--ladder", "1h, 6h", "--order", "oldest",
        "--noarchive", "obey", "--requisites",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "since"),
    [
        ('since = "2026-11-01"', date(2026, 11, 1)),
        ("since = 2026-11-01", date(2026, 11, 1)),
        ('since = "2w"', timedelta(14)),
    ],
)
def test_since_is_a_day_or_how_far_to_look_back(tmp_path: Path, line: str, since: object):
    assert one(tmp_path, GOOD + line).since == since


@pytest.mark.parametrize(("line", "ladder"), [('ladder = ""', ""), ("ladder = []", ""), ('ladder = "1h,6h"', "1h, 6h")])
def test_no_ladder_is_not_the_same_as_none_given(tmp_path: Path, line: str, ladder: str):
    assert one(tmp_path, GOOD + line).ladder == ladder
    assert "--ladder" in one(tmp_path, GOOD + line).crawl_options(NOW)


def test_a_webhook_does_not_show(tmp_path: Path):
    assert "canary" not in repr(one(tmp_path, GOOD + 'alerts.webhook = "https://hooks.example/canary"'))


def test_the_documentation_tells_every_key():
    table = DOCS.split("## What a job may have", 1)[1].split("\n## ", 1)[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == KEYS


@pytest.mark.parametrize("text", [README, DOCS])
def test_what_the_documents_show_is_ten_lines_and_right(tmp_path: Path, text: str):
    snippet = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]
    assert len(snippet.splitlines()) <= 10
    assert load_jobs(written(tmp_path, snippet)).jobs["example-news"].spider == "generic"
    assert config.load(tmp_path / "newswarc.toml", environment={}).operator


def test_without_a_file_it_is_said_what_to_write(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"gone\.toml: no such file, so no jobs are defined; make it, and write a"):
        load_jobs(tmp_path / "gone.toml")
