"""Whatever is typed, configured, or answered by a server: one plain line, the documented exit code, a sound archive."""

from __future__ import annotations

import gzip
import json
import shlex
import signal
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from crawler.exit_codes import ExitCode
from tests.acceptance.conftest import s3_variables
from tests.acceptance.news import answer, article_html, publication
from tests.acceptance.records import Seen, all_records
from tests.command import Command, Ran, heeded
from tests.mounts import mounted
from tests.servers.authority import Authority
from tests.servers.raw_site import RawSite, Script, running, script
from tests.servers.weed import Weed

ABSENT_ROBOTS = script(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def told(ran: Ran) -> list[str]:
    """Return what was said on standard error, without the account at the end; never a traceback."""
    assert "Traceback" not in ran.err
    return [line.removeprefix("newswarc: ") for line in ran.err.splitlines() if line.startswith("newswarc: ")]


def only(ran: Ran, *words: str) -> str:
    """Return the one line that was said, having checked that each of *words* is in it."""
    (line,) = told(ran)
    for word in words:
        assert word in line, line
    return line


@pytest.fixture
def here(tmp_path: Path) -> Command:
    return Command(tmp_path)


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port that refuses connections: bound, so that nobody else takes it, but not listened on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# ---- what is typed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["archive", "nonsense"], ["'nonsense' is not a URL", "https://host/path"]),
        (["archive", "ftp://news.example/a"], ["ftp://news.example/a", "only http and https"]),
        (["archive", "file:///etc/passwd"], ["file is not archived"]),
        (["archive", "news.example/path"], ["did you mean https://news.example/path ?"]),
        (["archive", "http://"], ["names no host"]),
        (["archive", "http://[::1/"], ["is not a URL"]),
        (["archive", "http://a b/"], ["blanks in the host"]),
        (["archive", "http://news.example:99999/"], ["Port out of range"]),
        (["archive"], ["no URL given", "--from FILE"]),
        (["archive", "--from", "missing.txt"], ["missing.txt", "No such file"]),
        (["archive", "--archive", "", "http://news.example/"], ["no archive location", "s3://bucket/prefix"]),
        (["archive", "--archive", "gs://bucket", "http://news.example/"], ["gs://bucket", "s3://bucket/prefix"]),
        (["show", "--at", "yesterday", "http://news.example/"], ["'yesterday' is not a time", "2026-11-21"]),
        (["articles", "--since", "soon"], ["'soon' is not a time"]),
        (["articles", "--limit", "0"], ["--limit"]),
        (["articles"], ["there is no archive", "--archive"]),
        (["verify"], ["there is no archive"]),
        (["verify", "missing.warc"], ["missing.warc", "No such file"]),
        (["archive", "--robots", "sometimes", "http://news.example/"], ["--robots", "obey"]),
        (["archvie", "http://news.example/"], ["archvie"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value[0] in ("archive", "show") else None,
)
def test_wrong_use_is_named_in_one_line(here: Command, arguments: list[str], words: list[str]) -> None:
    ran = here.run(*arguments, code=ExitCode.USAGE)
    only(ran, *words)
    assert not ran.out
    assert not here.path.exists()  # nothing was begun


CONFIGURATIONS = {
    "unknown key": ("timeout = 5", "unknown setting timeout; did you mean timeout_s?"),
    "wrong type": ("timeout_s = 'long'", "timeout_s is 'long'; expected a number"),
    "bad TOML": ("timeout_s = = 5", "not valid TOML"),
    "wrong table": ("[s3]\ntimeout = 5", "unknown setting s3.timeout; did you mean s3.timeout_s?"),
    "outside its table": ("region = 'x'", "unknown setting region; did you mean s3.region?"),
    "a line break": ("user_agent = 'a\\nb'".replace("'", '"'), "expected text on one line"),
    "no such authorities": ("ca_file = 'gone.pem'", "gone.pem: cannot be read"),
    "a foreign proxy": ("proxy = 'socks5://127.0.0.1:1'", "only http:// proxies"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_wrong_configuration_is_named(here: Command, name: str) -> None:
    text, words = CONFIGURATIONS[name]
    (here.folder / "newswarc.toml").write_text(text)
    only(here.run("articles", code=ExitCode.USAGE), words)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("NEWSWARC_TIMEOUT_S", "long", "a number"),
        ("NEWSWARC_MAX_BYTES", "1.5", "a whole number"),
        ("NEWSWARC_ALLOW_PRIVATE", "maybe", "true or false"),
        ("NEWSWARC_ROBOTS", "no", "obey, warn, ignore"),
    ],
)
def test_a_wrong_variable_is_named(here: Command, variable: str, value: str, expected: str) -> None:
    here.variables[variable] = value
    only(here.run("articles", code=ExitCode.USAGE), f"{variable} is '{value}'", expected)


def test_a_list_of_urls_may_have_gaps_and_a_bad_line_costs_only_itself(here: Command) -> None:
    with running(publication(2)) as site:
        lines = ["", f"  {site.url('/2026/0')}  ", "# a comment", "not a url", "", site.url("/2026/1"), ""]
        (here.folder / "urls.txt").write_text("\r\n".join(lines))
        ran = here.run("archive", "--json", "--no-requisites", "--from", "urls.txt", code=ExitCode.SOME_FAILED)
    # Pages are told as they are done, in whatever order.
    assert {row["url"]: row["outcome"] for row in ran.rows} == {
        "not a url": "failed",
        site.url("/2026/0"): "saved",
        site.url("/2026/1"): "saved",
    }
    only(ran, "'not a url' is not a URL")
    assert here.run("archive", "--from", "-", code=ExitCode.USAGE, stdin=b"\n# nothing\n").err.count("\n") == 1


def test_what_is_not_there_is_said_to_be_so(here: Command) -> None:
    with running(publication(1)) as site:
        here.run("archive", "--no-requisites", site.url("/2026/0"))
    url = "http://news.example/never"
    for form in ("md", "raw"):
        ran = here.run("show", url, "--format", form, code=ExitCode.SOME_FAILED)
        only(ran, url, "newswarc archive")
        assert not ran.out
    only(here.run("articles", 'AND OR "', code=ExitCode.USAGE), "cannot search for", "at character 1")
    only(here.run("articles", "(*", code=ExitCode.USAGE), "cannot search for")
    assert here.run("articles", "zzzzz").err == "no article found\n"
    for odd in ("x" * 10_000 + "\u202e", "'; DROP TABLE articles; -- title: a* NEAR"):
        assert here.run("articles", "--", odd, code=None).code in (ExitCode.DONE, ExitCode.USAGE)


# ---- what does not answer, or should not be trusted


class _Greeter(socketserver.BaseRequestHandler):
    """Speaks first, and not HTTP."""

    def handle(self) -> None:
        self.request.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
        self.request.recv(4096)


@contextmanager
def ssh_server() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Greeter) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_who_cannot_be_reached_is_named_with_the_reason(here: Command, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    here.variables["NEWSWARC_CA_FILE"] = str(authority.ca_file)
    contexts = {
        "self-signed": authority.server_context("localhost", self_signed=True),
        "expired": authority.server_context("localhost", expired=True),
        "wrong host": authority.server_context("other.example"),
    }
    with ExitStack() as stack:
        sites = {name: stack.enter_context(running(RawSite(context=context))) for name, context in contexts.items()}
        ssh = stack.enter_context(ssh_server())
        port = stack.enter_context(closed_port())
        expected = {
            "http://nosuch.invalid/": "cannot resolve 'nosuch.invalid'",
            f"http://127.0.0.1:{port}/": "Connection refused",
            sites["self-signed"].url("/", "localhost"): "certificate is not accepted: self-signed",
            sites["expired"].url("/", "localhost"): "certificate is not accepted: certificate has expired",
            sites["wrong host"].url("/", "localhost"): "certificate is not accepted: Hostname mismatch",
            f"http://127.0.0.1:{ssh}/": "not an HTTP response",
            f"https://127.0.0.1:{ssh}/": "TLS with",
        }
        ran = here.run("archive", "--json", *expected, code=ExitCode.SOME_FAILED)
    lines = told(ran)
    assert len(lines) == len(expected)
    for row in ran.rows:
        assert row["outcome"] == "failed"
        (line,) = [line for line in lines if line.startswith(f"{row['url']}: ")]
        assert expected[row["url"]] in line
        assert line == f"{row['url']}: {row['error']}"
    assert not any(site.requests for site in sites.values())
    here.run("verify")


# ---- what is answered


TEXT = "The council voted on Tuesday to keep the winter ferry, after a long night of talks. " * 5


def _page(body: str) -> bytes:
    return f"<!doctype html><html><head><title>Odd</title></head><body>{body}</body></html>".encode()


def _head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])


ODD_PAGES = {
    "/attributes": _page(f"<div {' '.join(f'a{n}={n}' for n in range(100_000))}><p>{TEXT}</p></div>"),
    "/nested": _page("<div>" * 253 + f"<p>{TEXT}</p>" + "</div>" * 253),
    "/bottomless": _page("<div>" * 100_000 + f"<p>{TEXT}</p>"),
    "/nul": _page(f"<p>{TEXT}</p>").replace(b"council", b"coun\0cil"),
    "/empty": b"",
}
BOMB = gzip.compress(bytes(150_000_000), 9, mtime=0)  # more than is ever unpacked, from 145 KB
FILLER = b"X-Filler: " + b"a" * 1000 + b"\r\n"
READ_LIMIT_S = "5"  # the tag with many attributes takes a parser longer than the default of 20 s


def responses(command: Command) -> dict[str, list[Seen]]:
    """Return the response records by the path of their URL."""
    found: dict[str, list[Seen]] = {}
    for record in all_records(command.path):
        if record.type == "response":
            found.setdefault("/" + (record.get("WARC-Target-URI") or "").split("/", 3)[3], []).append(record)
    return found


def _redirect(location: str) -> Script:
    return script(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())


def test_hostile_answers_are_kept_as_they_came_and_what_could_not_be_read_is_said(here: Command) -> None:
    here.variables["NEWSWARC_WORKER_TIME_LIMIT_S"] = READ_LIMIT_S
    site = RawSite({path: answer(body) for path, body in ODD_PAGES.items()})
    bomb = _head(b"Content-Type: text/html", b"Content-Encoding: gzip", b"Content-Length: %d" % len(BOMB)) + BOMB
    headers = b"HTTP/1.1 200 OK\r\n" + FILLER * 10_000  # 10 MB
    site.scripts |= {
        "/bomb": script(bomb),
        "/headers": script(headers, "close"),
        "/loop": _redirect("/loop?"),
        "/loop?": _redirect("/loop"),
        "/to-ftp": _redirect("ftp://127.0.0.1/x"),
        "/robots.txt": ABSENT_ROBOTS,
    }
    paths = [path for path in site.scripts if path not in ("/robots.txt", "/loop?")]
    with running(site):
        ran = here.run("archive", "--json", *map(site.url, paths), code=ExitCode.SOME_FAILED)

    rows = {"/" + row["url"].split("/", 3)[3]: row for row in ran.rows}
    failed = {"/headers": "head is longer than", "/loop": "max redirections"}
    unread = {
        "/bomb": "unpacks to more than",
        "/attributes": f"longer than {READ_LIMIT_S} s",
        "/bottomless": "could not be read",
        "/to-ftp": "redirects to ftp://127.0.0.1/x",
    }
    assert rows.keys() == set(paths)
    for path, row in rows.items():
        assert row["outcome"] == ("failed" if path in failed else "saved"), path
        said = [line for line in told(ran) if line.startswith(f"{site.url(path)}: ")]
        assert len(said) == (path in failed or path in unread), path
        if said:
            assert {**failed, **unread}[path] in said[0]
        assert (row["title"] == "Odd") == (path in ("/nested", "/nul")), path

    kept = responses(here)
    for path in paths:
        if path != "/loop":
            sent = headers if path == "/headers" else site.scripts[path].bytes
            (record,) = kept[path]
            assert sent.startswith(record.block), path
            assert (len(record.block) == len(sent)) == (path != "/headers"), path
            assert record.get("WARC-Truncated") == ("length" if path == "/headers" else None), path
    assert len(kept["/loop"]) > 5
    here.run("verify", "--deep")


def test_a_body_without_end_is_cut_and_marked(here: Command) -> None:
    here.variables |= {"NEWSWARC_MAX_BYTES": "300000", "NEWSWARC_TIMEOUT_S": "3"}
    head = _head(b"Content-Type: text/html")
    site = RawSite(
        {
            "/long": Script([head, _page(TEXT) + b" " * 20_000], "forever", pause_s=0.001),
            "/slow": Script([head, _page(TEXT), b" "], "forever", pause_s=0.05),
            "/silent": Script([b""], "hang"),
            "/robots.txt": ABSENT_ROBOTS,
        }
    )
    with running(site):
        ran = here.run("archive", "--json", *map(site.url, ["/long", "/slow", "/silent"]), code=ExitCode.SOME_FAILED)
    rows = {row["url"].rpartition("/")[2]: row for row in ran.rows}
    outcomes = {name: (row["outcome"], row["truncated"]) for name, row in rows.items()}
    assert outcomes == {"long": ("saved", "length"), "slow": ("saved", "time"), "silent": ("failed", None)}
    for name, words in {"long": "longer than the limit", "slow": "not finished in time", "silent": "ran out"}.items():
        (line,) = [line for line in told(ran) if line.startswith(site.url(f"/{name}: "))]
        assert words in line
    kept = responses(here)
    assert [len(record.block) for record in kept["/long"]] == [300_000]
    for path, why in {"/long": "length", "/slow": "time"}.items():
        for record in kept[path]:
            assert record.get("WARC-Truncated") == why
            assert record.block.startswith(head + _page(TEXT))
    assert "/silent" not in kept
    here.run("verify")


# ---- where it is to be kept


def test_a_place_that_cannot_be_written_is_named_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "readonly").mkdir()
    with running(publication(1)) as site:
        for place in ("file/archive", "/sys/archive"):
            command = Command(tmp_path, place)
            only(command.run("archive", site.url("/2026/0"), code=ExitCode.STORAGE), place, "choose another archive")
        only(Command(tmp_path, "file").run("archive", site.url("/2026/0"), code=ExitCode.USAGE), "file")
        with mounted(tmp_path / "readonly", "-o", "ro") as namespace:
            inside = namespace.command(tmp_path)
            inside.archive = "readonly/archive"
            only(
                inside.run("archive", site.url("/2026/0"), code=ExitCode.STORAGE),
                "readonly/archive",
                "Read-only file system",
            )
            inside.archive = "readonly"
            inside.run("verify")
            only(
                inside.run("show", site.url("/2026/0"), "--format", "raw", code=ExitCode.SOME_FAILED),
                "newswarc archive",
            )
        assert not site.requests


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("newswarc-*.warc.gz*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("size", ["32k", "600k"])
def test_nothing_is_lost_when_the_disk_fills_up(tmp_path: Path, size: str) -> None:
    (tmp_path / "archive").mkdir()
    site = publication(0)
    site.scripts |= {f"/2026/{number}": answer(article_html(number, 200)) for number in range(24)}
    with running(site), mounted(tmp_path / "archive", "-o", f"size={size}") as namespace:
        command = namespace.command(tmp_path)
        arguments = ["archive", "--json", *(site.url(f"/2026/{number}") for number in range(24))]
        first = command.run(*arguments, code=ExitCode.DISK_FULL)
        only(first, "no room")
        before = files_in(namespace.path(tmp_path / "archive"))
        command.run("verify", code=None if size == "32k" else ExitCode.DONE)

        namespace.run("mount", "-o", "remount,size=64m", str(tmp_path / "archive"))
        second = command.run(*arguments)
        assert len(second.rows) == 24
        command.run("verify", "--deep")
        command.archive = str(namespace.path(tmp_path / "archive"))
        after = files_in(command.path)
        ids = {record.get("WARC-Record-ID") for record in all_records(command.path)}
    for name, data in before.items():
        kept = after.get(name.removesuffix(".open"), b"")
        assert data.startswith(kept), name  # what is cut off is a torn record at most: every whole one is accounted for
    acknowledged = {row["record_id"] for row in first.rows if row["outcome"] == "saved"}
    assert acknowledged <= ids
    assert size == "32k" or acknowledged


S3_IN_CONFIGURATION = """
[s3]
endpoint_url = "http://127.0.0.1:{port}"
region = "us-east-1"
access_key_id = "newswarc-test"
secret_access_key = "newswarc-test-secret"
patience_s = 0.5
timeout_s = 1.0
"""


def test_a_store_that_refuses_is_named_before_anything_is_fetched(here: Command, weed: Weed) -> None:
    bucket = weed.make_bucket("bad-input-refused")
    variables = {**here.variables, **s3_variables(weed.endpoint)}
    with running(publication(1)) as site:
        for archive, more in {
            f"s3://{bucket}/news": {"AWS_SECRET_ACCESS_KEY": "wrong-secret"},
            f"s3://{bucket}/mail": {"AWS_ACCESS_KEY_ID": "nobody"},
            "s3://no-such-bucket/news": {},
        }.items():
            here.archive, here.variables = archive, variables | more
            ran = here.run("archive", site.url("/2026/0"), code=ExitCode.STORAGE)
            only(ran, archive)
            assert not ran.out
            assert "wrong-secret" not in ran.err
        assert not site.requests


def test_what_a_store_out_of_reach_does_not_take_is_shipped_by_the_next_run(here: Command, weed: Weed) -> None:
    bucket = weed.make_bucket("bad-input-away")
    here.archive = f"s3://{bucket}/news"
    with running(publication(3)) as site:
        urls = [site.url(f"/2026/{number}") for number in range(3)]
        with closed_port() as port:
            (here.folder / "newswarc.toml").write_text(S3_IN_CONFIGURATION.format(port=port))
            first = here.run("archive", "--json", *urls, code=ExitCode.STORAGE)
        assert [row["outcome"] for row in first.rows] == ["saved"] * 3
        assert all("kept" in line for line in told(first))
        (here.folder / "newswarc.toml").write_text(S3_IN_CONFIGURATION.format(port=weed.port))
        assert here.run("articles", "--json", "--limit", "5").rows  # read from what is here
        here.run("archive", "--no-requisites", urls[0])
        report = here.run("verify", "--json").rows
    client = weed.client()
    try:
        stored = {item["Key"] for item in client.list_objects_v2(Bucket=bucket)["Contents"]}
    finally:
        client.close()
    assert {f"news/{row['warc']}" for row in first.rows} <= stored
    assert report
    assert not list((here.folder / "state").rglob("*.warc.gz*"))


# ---- when it is stopped


def interrupted(here: Command, site: RawSite, *numbers: int) -> tuple[Ran, list[dict[str, Any]]]:
    """Archive the pages of *site*, and send the signals once the first outcome is told."""
    with running(site):
        urls = [site.url(path) for path in site.scripts if path.startswith("/2026/")]
        (here.folder / "urls.txt").write_text("\n".join(urls))
        process = here.start("archive", "--json", "--no-requisites", "--from", "urls.txt")
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline()]
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.3)  # two equal signals that wait together count as one
        lines += process.stdout.readlines()
        error = process.stderr.read().decode()
        ran = Ran(process.wait(60), b"", error)
        process.stdout.close()
        process.stderr.close()
    return ran, [json.loads(line) for line in lines if line]


def with_a_page_that_never_comes(site: RawSite) -> RawSite:
    site.scripts["/2026/20"] = Script([b""], "hang")
    return site


@pytest.mark.parametrize(
    ("pages", "hangs", "numbers"),
    [
        (3000, False, [signal.SIGINT]),  # what is under way is finished
        (40, True, [signal.SIGINT, signal.SIGINT]),  # or cut off
        (40, True, [signal.SIGTERM, signal.SIGTERM]),
        (3000, False, [signal.SIGHUP]),
    ],
    ids=["one-SIGINT", "two-SIGINT", "two-SIGTERM", "one-SIGHUP"],
)
def test_a_signal_ends_the_run_with_everything_kept_and_published(
    here: Command, pages: int, hangs: bool, numbers: list[signal.Signals]
) -> None:
    site = publication(pages)
    with heeded(*numbers):
        ran, rows = interrupted(here, with_a_page_that_never_comes(site) if hangs else site, *numbers)
    assert ran.code == ExitCode.INTERRUPTED
    assert told(ran)[-1] == "interrupted; what was captured is kept, run the same command again to go on"
    assert "not done" in ran.err
    assert rows
    assert {row["outcome"] for row in rows} == {"saved"}
    ids = {record.get("WARC-Record-ID") for record in all_records(here.path)}
    assert {row["record_id"] for row in rows} <= ids
    assert not list((here.path / ".newswarc" / "sessions").iterdir())
    here.run("verify", "--deep")


def test_a_reader_that_leaves_early_is_no_error(here: Command) -> None:
    with running(publication(100)) as site:
        urls = [site.url(f"/2026/{number}") for number in range(100)]
        process = here.start("archive", "--json", "--no-requisites", *urls)
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["outcome"] == "saved"
        process.stdout.close()
        error = process.stderr.read().decode()
        assert process.wait(60) == ExitCode.INTERRUPTED  # not all is done, and nobody to tell
        only(Ran(process.returncode, b"", error), "run the same command again")
        process.stderr.close()
        here.run("archive", "--no-requisites", urls[0])
    for arguments in (["articles", "--json"], ["verify"], ["show", urls[0]], ["--help"]):
        process = here.start(*arguments)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == ExitCode.DONE
        process.stderr.close()


def test_closed_and_full_output_streams_cost_no_page(here: Command) -> None:
    shell = shlex.join(here.arguments)
    with running(publication(3)) as site:
        url = site.url("/2026/0")
        for command, code in {
            f"{shell} archive --no-requisites {url} 2>&-": ExitCode.DONE,
            f"{shell} archive --no-requisites {url} <&- >&- 2>&-": ExitCode.DONE,
            f"{shell} archive --no-requisites {url} >/dev/full": ExitCode.DISK_FULL,
            f"{shell} articles >/dev/full": ExitCode.DISK_FULL,
        }.items():
            done = subprocess.run(
                ["sh", "-c", command], cwd=here.folder, env=here.environment, capture_output=True, check=False
            )
            assert done.returncode == code, command
            assert b"Traceback" not in done.stderr
            if code is ExitCode.DISK_FULL:
                only(Ran(done.returncode, b"", done.stderr.decode()), "standard output", "No space left")
    assert len([record for record in all_records(here.path) if record.type in ("response", "revisit")]) == 6
    here.run("verify")
