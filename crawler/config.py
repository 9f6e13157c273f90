"""The configuration: one frozen, typed value out of ``newswarc.toml``, the environment and the command line.

Nothing else reads the environment (but boto3, which knows the AWS variables). The command line outranks the
environment, which outranks the file. :data:`SETTINGS` is the one table of all there is; the README is held against it.
"""

from __future__ import annotations

import difflib
import math
import os
import tomllib
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from archive.errors import LocationError
from archive.storage.options import S3Options
from archive.version import VERSION
from crawler.revisiting.ladder import DEFAULT_LADDER, Ladder

FILE_NAME = "newswarc.toml"
JOBS = "jobs"  # the table of tables that crawler.jobs.definition reads
DEFAULT_ARCHIVE = "./newswarc-archive"
DEFAULT_USER_AGENT = f"newswarc/{VERSION} (news archiver)"

RobotsPolicy = Literal["obey", "warn", "ignore"]
NoarchivePolicy = Literal["record", "obey"]


class ConfigError(Exception):
    """The configuration is wrong. The message names file and key, what was found, and what is expected."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where it stands, what it may be, and what it is for."""

    key: str  # "archive", "s3.region"
    kind: type
    default: Any
    meaning: str
    environment: str | None = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    secret: bool = False


SETTINGS = (
    Setting("archive", str, DEFAULT_ARCHIVE, "a directory or s3://bucket/prefix", "NEWSWARC_ARCHIVE"),
    Setting(
        "state_dir",
        Path,
        None,
        "local state of an archive in a bucket; default ~/.local/state/newswarc",
        "NEWSWARC_STATE_DIR",
    ),
    Setting(
        "operator", str, None, "who archives, with a way to reach them; stands in every WARC file", "NEWSWARC_OPERATOR"
    ),
    Setting("user_agent", str, DEFAULT_USER_AGENT, "what we call ourselves to servers", "NEWSWARC_USER_AGENT"),
    Setting("allow_private", bool, False, "connect to loopback and private addresses", "NEWSWARC_ALLOW_PRIVATE"),
    Setting(
        "robots",
        str,
        "warn",
        "what robots.txt means to one-off archiving",
        "NEWSWARC_ROBOTS",
        ("obey", "warn", "ignore"),
    ),
    Setting(
        "noarchive",
        str,
        "record",
        "what it means that a page asks not to be archived: it is recorded, or obeyed",
        "NEWSWARC_NOARCHIVE",
        ("record", "obey"),
    ),
    Setting(
        "proxy",
        str,
        None,
        "an http:// proxy; default from http_proxy, https_proxy and no_proxy",
        "NEWSWARC_PROXY",
        secret=True,
    ),
    Setting(
        "trust_proxy",
        bool,
        False,
        "the proxy is ours: it may have a private address and look up names itself",
        "NEWSWARC_TRUST_PROXY",
    ),
    Setting("ca_file", Path, None, "certificates to trust beside the system's", "NEWSWARC_CA_FILE"),
    Setting(
        "timeout_s", float, 120.0, "the longest one exchange may take, in seconds", "NEWSWARC_TIMEOUT_S", least=0.1
    ),
    Setting(
        "max_bytes",
        int,
        1 << 30,
        "the longest response kept, in bytes; the rest is cut and marked",
        "NEWSWARC_MAX_BYTES",
        least=1,
    ),
    Setting("concurrency", int, 16, "exchanges under way at once", "NEWSWARC_CONCURRENCY", least=1),
    Setting("concurrency_per_host", int, 6, "of these, with one host", "NEWSWARC_CONCURRENCY_PER_HOST", least=1),
    Setting(
        "delay_s",
        float,
        1.0,
        "between two requests of a crawl to one public site, in seconds; robots.txt may ask for more",
        "NEWSWARC_DELAY_S",
        least=0,
    ),
    Setting(
        "rest_s",
        float,
        1.0,
        "how long a crawl first lets a busy site rest, in seconds; each time twice as long",
        "NEWSWARC_REST_S",
        least=0.01,
    ),
    Setting(
        "ladder",
        str,
        DEFAULT_LADDER,
        "how long after its publication an article is asked for again; empty for never",
        "NEWSWARC_LADDER",
    ),
    Setting(
        "rotate_at_bytes", int, 1_000_000_000, "a WARC file is closed at this size", "NEWSWARC_ROTATE_AT_BYTES", least=1
    ),
    Setting("rotate_after_s", float, 3600.0, "or at this age, in seconds", "NEWSWARC_ROTATE_AFTER_S", least=1),
    Setting("workers", int, 2, "processes that parse pages", "NEWSWARC_WORKERS", least=1),
    Setting(
        "worker_memory_bytes",
        int,
        1 << 30,
        "address space of each of them, in bytes",
        "NEWSWARC_WORKER_MEMORY_BYTES",
        least=1 << 28,
    ),
    Setting(
        "worker_time_limit_s",
        float,
        20.0,
        "processor time that one page may take to be parsed, in seconds; by the clock, 30 times as long",
        "NEWSWARC_WORKER_TIME_LIMIT_S",
        least=0.1,
    ),
    Setting("replay.public_url", str, None, "the origin at which others reach the library, behind a proxy"),
    Setting("replay.pages_url", str, None, "the same of replayed pages: another host name"),
    Setting("s3.endpoint_url", str, None, "an S3-compatible service other than Amazon's"),
    Setting("s3.region", str, None, "its region"),
    Setting("s3.access_key_id", str, None, "credentials, when not in the AWS variables or files", secret=True),
    Setting("s3.secret_access_key", str, None, "the same", secret=True),
    Setting("s3.session_token", str, None, "the same, for temporary ones", secret=True),
    Setting("s3.addressing_style", str, None, "how the bucket stands in addresses", None, ("auto", "virtual", "path")),
    Setting("s3.ca_file", Path, None, "certificates to trust in place of the usual ones"),
    Setting("s3.part_bytes", int, 32 << 20, "larger objects go up in parts of this size", least=5 << 20),
    Setting("s3.timeout_s", float, 60.0, "for one connection, and for each silence on it, in seconds", least=0.1),
    Setting("s3.patience_s", float, 300.0, "how long one call is tried again, in seconds", least=0),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}
_TABLES = {setting.key.partition(".")[0] for setting in SETTINGS if "." in setting.key}


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """Under which origins clients reach a replay server; None: where it listens."""

    public_url: str | None = None
    pages_url: str | None = None


@dataclass(frozen=True)
class Config:
    """Every setting, checked. Field names are the keys of :data:`SETTINGS`; secrets do not show in its ``repr``."""

    archive: str = DEFAULT_ARCHIVE
    state_dir: Path | None = None
    operator: str | None = None
    user_agent: str = DEFAULT_USER_AGENT
    allow_private: bool = False
    robots: RobotsPolicy = "warn"
    noarchive: NoarchivePolicy = "record"
    proxy: str | None = field(default=None, repr=False)
    trust_proxy: bool = False
    ca_file: Path | None = None
    timeout_s: float = 120.0
    max_bytes: int = 1 << 30
    concurrency: int = 16
    concurrency_per_host: int = 6
    delay_s: float = 1.0
    rest_s: float = 1.0
    ladder: str = DEFAULT_LADDER
    rotate_at_bytes: int = 1_000_000_000
    rotate_after_s: float = 3600.0
    workers: int = 2
    worker_memory_bytes: int = 1 << 30
    worker_time_limit_s: float = 20.0
    replay: ReplaySettings = field(default_factory=ReplaySettings)
    s3: S3Options = field(default_factory=S3Options)
    environment_proxies: Mapping[str, str] = field(default_factory=dict, repr=False)  # scheme → proxy; "no" → hosts

    @property
    def full_user_agent(self) -> str:
        """The user agent, with the operator when nobody said what it is to be: servers want to know whom to ask."""
        if self.user_agent != DEFAULT_USER_AGENT or not self.operator:
            return self.user_agent
        return f"{self.user_agent.removesuffix(')')}; {self.operator})"

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy that *url* is fetched through, or None.

        Raises ``ConfigError`` when the environment names one that cannot be used.
        """
        if self.proxy:
            return self.proxy
        parts = urlsplit(url)
        if not self.environment_proxies or _bypassed(parts.netloc.rpartition("@")[2], self.environment_proxies):
            return None
        for scheme in (parts.scheme, "all"):
            if address := self.environment_proxies.get(scheme):
                _check_proxy(f"{scheme}_proxy", address)
                return address
        return None


def _bypassed(host: str, proxies: Mapping[str, str]) -> bool:
    """Tell whether ``no_proxy`` names *host*, as Python's own client reads it."""
    bypass: Callable[[str, Mapping[str, str]], object] = vars(urllib.request)["proxy_bypass_environment"]
    return bool(bypass(host, proxies))


_current: Config | None = None


def use(config: Config) -> None:
    """Make *config* the one this process runs with."""
    global _current  # noqa: PLW0603 - Scrapy imports its settings module by name; there is no other way in
    _current = config


def current() -> Config:
    """Return the configuration of this process; read from file and environment when none was set."""
    if _current is None:
        use(load())
    assert _current is not None
    return _current


def load(
    file: Path | None = None,
    given: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Read the configuration: *file* (default ``NEWSWARC_CONFIG``, then ``./newswarc.toml``), environment, *given*.

    *given* holds checked values from the command line. Raises ``ConfigError``.
    """
    environment = os.environ if environment is None else environment
    named = file is not None or bool(environment.get("NEWSWARC_CONFIG"))
    values: dict[str, Any] = {}
    values.update(_from_file(path_of(file, environment=environment), must_exist=named))
    values.update(_from_environment(environment))
    values.update(given or {})
    state_home = environment.get("XDG_STATE_HOME") or "~/.local/state"  # XDG base directory specification
    values.setdefault("state_dir", Path(state_home).expanduser() / "newswarc")
    s3 = {key.removeprefix("s3."): values.pop(key) for key in list(values) if key.startswith("s3.")}
    replay = {key.removeprefix("replay."): values.pop(key) for key in list(values) if key.startswith("replay.")}
    proxies: Mapping[str, str] = {}
    if environment is os.environ:
        proxies = {
            # Many tools take "proxy.example:3128" there, and so many people write it.
            scheme: address if scheme == "no" or "://" in address else f"http://{address}"
            for scheme, address in urllib.request.getproxies_environment().items()
        }
    if values.get("ladder"):
        _check_ladder(values["ladder"])
    if values.get("proxy"):
        _check_proxy("proxy", values["proxy"])
    if values.get("ca_file"):
        _check_authorities(values["ca_file"])
    try:
        return Config(**values, replay=ReplaySettings(**replay), s3=S3Options(**s3), environment_proxies=proxies)
    except LocationError as error:
        raise ConfigError(str(error)) from error


def _check_ladder(text: str) -> None:
    try:
        Ladder.parsed(text)
    except ValueError as error:
        raise ConfigError(f"ladder: {error}") from error


def _check_proxy(name: str, address: str) -> None:
    """Refuse a proxy that is none. The message does not repeat the address, which may hold a password."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"{name}: not the address of a proxy; write http://host:port")
    if parts.scheme != "http":
        raise ConfigError(f"{name}: only http:// proxies can be used; the traffic of https pages is tunnelled")


def _check_authorities(path: Path) -> None:
    """Refuse a file of certificates that TLS could not use: each page would fail by it."""
    import ssl  # noqa: PLC0415 - loading it takes a while, and few have such a file

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ConfigError(f"ca_file {path}: holds no certificate in PEM form") from error
    except OSError as error:
        raise ConfigError(f"ca_file {path}: cannot be read ({error.strerror})") from error


def path_of(file: Path | None, *, environment: Mapping[str, str] | None = None) -> Path:
    """Return the file that :func:`load` reads when it is given *file*. It need not exist."""
    environment = os.environ if environment is None else environment
    return file or Path(environment.get("NEWSWARC_CONFIG") or FILE_NAME)


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the file at *path* holds. Raises ``ConfigError``, from ``FileNotFoundError`` when there is none."""
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _from_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        table = read_toml(path)
    except ConfigError as error:
        if must_exist or not isinstance(error.__cause__, FileNotFoundError):
            raise
        return {}
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if key == JOBS:  # a job that is wrong stops no other command
            continue
        if isinstance(value, dict) and (value or key in _TABLES):
            flat.update({f"{key}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[key] = value
    return {key: _checked(f"{path}: {key}", _known(path, key), value) for key, value in flat.items()}


def _known(path: Path, key: str) -> Setting:
    if key not in _BY_KEY:
        close = difflib.get_close_matches(key, _BY_KEY, 1)
        hint = f"; it is a table: [{key}]" if key in _TABLES else f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(f"{path}: unknown setting {key}{hint}")
    return _BY_KEY[key]


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for setting in SETTINGS:
        text = environment.get(setting.environment, "") if setting.environment else ""
        if text and setting.environment:
            found[setting.key] = _checked(setting.environment, setting, _parsed(setting, text))
    return found


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _parsed(setting: Setting, text: str) -> Any:
    """Read an environment variable's text as its setting's type; text that is none is left for the check to refuse."""
    if setting.kind is bool:
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
    if setting.kind in (int, float):
        convert = cast("Callable[[str], Any]", setting.kind)
        try:
            return convert(text)
        except ValueError:
            return text
    return text


_NAMED = {str: "text", Path: "a path", bool: "true or false", int: "a whole number", float: "a number"}


def _checked(where: str, setting: Setting, value: Any) -> Any:
    shown = "a secret" if setting.secret else repr(value)
    kind = setting.kind
    fits = isinstance(value, str if kind is Path else (int, float) if kind is float else kind)
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"{where} is {shown}; expected {_NAMED[kind]}")
    if isinstance(value, float) and not math.isfinite(value):  # TOML has nan and inf, and no limit can be either
        raise ConfigError(f"{where} is {shown}; expected {_NAMED[kind]}")
    if kind is str and not value.isprintable():  # it would break the line it is written on: a header, a WARC field
        raise ConfigError(f"{where} is {shown}; expected text on one line")
    if setting.choices and value not in setting.choices:
        raise ConfigError(f"{where} is {shown}; expected one of {', '.join(setting.choices)}")
    if setting.least is not None and value < setting.least:
        raise ConfigError(f"{where} is {shown}; expected {setting.least:g} or more")
    if kind is Path:
        return Path(value).expanduser()
    return kind(value)
