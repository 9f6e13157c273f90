"""The configuration: file, environment, command line, and what is said when one of them is wrong."""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from archive.storage.options import S3Options
from crawler.config import SETTINGS, Config, ConfigError, load
from crawler.exit_codes import ExitCode


def write(folder: Path, text: str) -> Path:
    path = folder / "newswarc.toml"
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_given_gives_the_defaults():
    assert replace(load(environment={}), state_dir=None) == Config()
    assert load(environment={}).archive == "./newswarc-archive"


def test_local_state_lies_where_the_platform_keeps_it(tmp_path: Path):
    assert load(environment={}).state_dir == Path("~/.local/state/newswarc").expanduser()
    assert load(environment={"XDG_STATE_HOME": "/state"}).state_dir == Path("/state/newswarc")
    assert load(environment={"XDG_STATE_HOME": "/state", "NEWSWARC_STATE_DIR": "/own"}).state_dir == Path("/own")
    path = write(tmp_path, 'state_dir = "/from/file"')
    assert load(path, environment={"XDG_STATE_HOME": "/state"}).state_dir == Path("/from/file")


def test_the_command_line_outranks_the_environment_which_outranks_the_file(tmp_path: Path):
    path = write(tmp_path, 'archive = "file"\nconcurrency = 3\nworkers = 5\n')
    environment = {"NEWSWARC_ARCHIVE": "environment", "NEWSWARC_CONCURRENCY": "4"}
    config = load(path, {"archive": "given"}, environment=environment)
    assert (config.archive, config.concurrency, config.workers) == ("given", 4, 5)


def test_the_file_is_looked_for_where_it_is_said_to_be(tmp_path: Path):
    write(tmp_path, 'archive = "here"')
    (tmp_path / "folder").mkdir()
    named = write(tmp_path / "folder", 'archive = "there"')
    assert load(environment={}).archive == "here"
    assert load(environment={"NEWSWARC_CONFIG": str(named)}).archive == "there"
    assert load(tmp_path / "newswarc.toml", environment={"NEWSWARC_CONFIG": str(named)}).archive == "here"


def test_every_setting_is_a_field_with_the_same_default():
    config = Config()
    for setting in SETTINGS:
        table, _, name = setting.key.rpartition(".")
        owner = getattr(config, table) if table else config
        assert getattr(owner, name) == setting.default, setting.key
    known = {setting.key for setting in SETTINGS}
    assert {field.name for field in fields(Config)} - {"s3", "replay", "environment_proxies"} <= known


def test_every_setting_says_what_it_is_for_and_the_variables_follow_one_pattern():
    for setting in SETTINGS:
        assert setting.meaning
        if setting.environment:
            assert setting.environment == "NEWSWARC_" + setting.key.upper().replace(".", "_")
    assert len({setting.key for setting in SETTINGS}) == len(SETTINGS)


def test_the_s3_table_becomes_the_storage_options(tmp_path: Path):
    path = write(tmp_path, '[s3]\nendpoint_url = "http://127.0.0.1:9000"\nregion = "r"\naddressing_style = "path"\n')
    options = load(path, environment={}).s3
    assert isinstance(options, S3Options)
    assert (options.endpoint_url, options.region, options.addressing_style) == ("http://127.0.0.1:9000", "r", "path")


def test_paths_may_start_in_the_home_folder(tmp_path: Path):
    path = write(tmp_path, 'state_dir = "~/state"')
    assert load(path, environment={}).state_dir == Path("~/state").expanduser()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("concurency = 3", r"newswarc\.toml: unknown setting concurency; did you mean concurrency\?"),
        ("[s3]\nregoin = 'x'", r"unknown setting s3\.regoin; did you mean s3\.region\?"),
        ("zzz = 1", r"newswarc\.toml: unknown setting zzz$"),
        ("concurrency = 'three'", r"newswarc\.toml: concurrency is 'three'; expected a whole number"),
        ("concurrency = true", "concurrency is True; expected a whole number"),
        ("concurrency = 2.5", r"concurrency is 2\.5; expected a whole number"),
        ("concurrency = 0", "concurrency is 0; expected 1 or more"),
        ("timeout_s = 'long'", "timeout_s is 'long'; expected a number"),
        ("timeout_s = nan", "timeout_s is nan; expected"),
        ("timeout_s = inf", "timeout_s is inf; expected"),
        ("allow_private = 1", "allow_private is 1; expected true or false"),
        ("archive = 5", "archive is 5; expected text"),
        ("archive = ['a']", r"archive is \['a'\]; expected text"),
        ("robots = 'obay'", "robots is 'obay'; expected one of obey, warn, ignore"),
        ("s3 = 5", r"newswarc\.toml: unknown setting s3; it is a table: \[s3\]"),
        ("[timeout_s]", r"timeout_s is \{\}; expected a number"),
        ("[unknown]", "unknown setting unknown"),
        ('user_agent = "a\\nX-Injected: b"', r"user_agent is 'a\\nX-Injected: b'; expected text on one line"),
        ("proxy = 'http://'", "proxy: not the address of a proxy; write http://host:port"),
        ("proxy = 'http://h:port'", "proxy: not the address of a proxy; write http://host:port"),
        ("ca_file = '/gone.pem'", r"ca_file /gone\.pem: cannot be read \(No such file or directory\)"),
        ("ca_file = 'newswarc.toml'", r"ca_file newswarc\.toml: holds no certificate in PEM form"),
        ("[archive]\nlocation = 'x'", r"unknown setting archive\.location"),
        ("archive = ", "not valid TOML"),
        ("proxy = 'socks5://127.0.0.1:1080'", "only http:// proxies"),
    ],
)
def test_a_wrong_file_is_refused_in_one_plain_line(tmp_path: Path, text: str, expected: str):
    with pytest.raises(ConfigError, match=expected) as caught:
        load(write(tmp_path, text), environment={})
    assert "\n" not in str(caught.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"gone\.toml: no such file"):
        load(tmp_path / "gone.toml", environment={})
    with pytest.raises(ConfigError, match=r"gone\.toml: no such file"):
        load(environment={"NEWSWARC_CONFIG": str(tmp_path / "gone.toml")})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, environment={})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml: not valid TOML"):
        load(tmp_path / "binary.toml", environment={})


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("true", True), ("YES", True), ("0", False), ("off", False), ("", False)]
)
def test_switches_in_the_environment(text: str, expected: bool):
    assert load(environment={"NEWSWARC_ALLOW_PRIVATE": text}).allow_private is expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("NEWSWARC_ALLOW_PRIVATE", "perhaps", "NEWSWARC_ALLOW_PRIVATE is 'perhaps'; expected true or false"),
        ("NEWSWARC_CONCURRENCY", "many", "NEWSWARC_CONCURRENCY is 'many'; expected a whole number"),
        ("NEWSWARC_TIMEOUT_S", "-1", r"NEWSWARC_TIMEOUT_S is -1\.0; expected 0\.1 or more"),
        ("NEWSWARC_ROBOTS", "no", "NEWSWARC_ROBOTS is 'no'; expected one of"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, expected: str):
    with pytest.raises(ConfigError, match=expected):
        load(environment={name: value})


SECRETS = """
proxy = "http://user:canary-1@proxy.example:3128"
[s3]
access_key_id = "canary-2"
secret_access_key = "canary-3"
session_token = "canary-4"
"""


def test_secrets_are_read_and_never_shown(tmp_path: Path):
    config = load(write(tmp_path, SECRETS), environment={})
    assert config.proxy == "http://user:canary-1@proxy.example:3128"
    assert (config.s3.secret_access_key, config.s3.session_token) == ("canary-3", "canary-4")
    assert "canary" not in repr(config)
    assert "canary" not in str(config)


@pytest.mark.parametrize(
    "text", ["proxy = ['canary']", "[s3]\nsecret_access_key = ['canary']", "proxy = 'ftp://canary'"]
)
def test_a_wrong_secret_is_not_shown_either(tmp_path: Path, text: str):
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), environment={})
    assert "canary" not in str(caught.value)


def test_the_usual_proxy_variables_are_heeded(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("http_proxy", "http://one.example:3128")
    monkeypatch.setenv("https_proxy", "two.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example,.corp.example")
    config = load()
    assert config.proxy_for("http://news.example/") == "http://one.example:3128"
    assert config.proxy_for("https://news.example/") == "http://two.example:3128"
    assert config.proxy_for("https://inside.example/") is None
    assert config.proxy_for("https://www.corp.example:8443/") is None
    monkeypatch.setenv("NEWSWARC_PROXY", "http://ours.example:3128")
    assert load().proxy_for("https://inside.example/") == "http://ours.example:3128"


def test_exit_codes_are_those_that_scripts_rely_on():
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "SOME_FAILED": 1,
        "USAGE": 2,
        "BUG": 3,
        "STORAGE": 4,
        "DAMAGE": 5,
        "REFUSED": 6,
        "DISK_FULL": 7,
        "DRIFTED": 8,
        "INTERRUPTED": 130,
    }
    assert all(re.fullmatch(r"[^\n]{5,}", code.meaning) for code in ExitCode)
