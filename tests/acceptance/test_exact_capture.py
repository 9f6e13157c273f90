"""What the command archives is what crossed the wire, whatever the server does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.http1 import payload_chunks, read_response_head
from tests.acceptance.records import all_records, by_fastwarc, by_warcio, warc_files
from tests.command import Command
from tests.servers.answers import ANSWERS
from tests.servers.authority import Authority
from tests.servers.raw_site import RawSite, running, script


@pytest.fixture(params=["plain", "tls"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RawSite, Command]]:
    """Every answer under its own path, in odd pieces, over plain TCP and over TLS with an authority of ours."""
    command = Command(tmp_path)
    raw = RawSite({f"/{name}": answer.script(997) for name, answer in ANSWERS.items()})
    if request.param == "tls":
        authority = Authority(tmp_path)
        raw.context = authority.server_context("localhost")
        command.variables["NEWSWARC_CA_FILE"] = str(authority.ca_file)
    with running(raw) as running_site:
        yield running_site, command


def payload_of(block: bytes) -> bytes:
    head = read_response_head(block)
    assert head is not None
    return b"".join(payload_chunks(head, [block[head.size :]]))


def test_every_block_is_what_crossed_the_wire(site: tuple[RawSite, Command]) -> None:
    raw, command = site
    urls = {name: raw.url(f"/{name}", "localhost") for name in ANSWERS}
    ran = command.run("archive", "--json", "--no-requisites", "--robots", "ignore", *urls.values(), code=1)
    assert {row["url"] for row in ran.rows} == set(urls.values())

    responses: dict[str, list[bytes]] = defaultdict(list)
    requests: dict[str, list[bytes]] = defaultdict(list)
    truncated: dict[str, set[str | None]] = defaultdict(set)
    records = all_records(command.path)
    by_id = {record.get("WARC-Record-ID"): record for record in records}
    for record in records:
        uri = record.get("WARC-Target-URI") or ""
        if record.type in ("response", "revisit"):
            block = record.block
            if record.type == "revisit":  # the same payload as another answer's: the head is here, the payload there
                answer = ANSWERS[uri.rpartition("/")[2]]
                assert payload_of(by_id[record.get("WARC-Refers-To")].block) == answer.payload, uri
                assert answer.archived.startswith(block), uri
                block = answer.archived
            responses[uri].append(block)
            truncated[uri].add(record.get("WARC-Truncated") if record.type == "response" else None)
        elif record.type == "request":
            requests[uri].append(record.block)
    for name, answer in ANSWERS.items():
        url = urls[name]
        assert sorted(requests[url]) == sorted(raw.received(f"/{name}")), name
        if answer.archived:
            assert responses[url], name
            assert set(responses[url]) == {answer.archived}, name
            assert truncated[url] == {answer.truncated}, name
        else:
            assert not responses[url], name

    command.run("verify")


def test_two_other_readers_see_the_same_records(site: tuple[RawSite, Command]) -> None:
    raw, command = site
    names = ["plain", "chunked", "gzip-in-chunks", "binary", "folded-header", "latin-1-reason"]
    command.run(
        "archive", "--no-requisites", "--robots", "ignore", *(raw.url(f"/{n}", "localhost") for n in names), code=None
    )
    paths = warc_files(command.path)
    assert paths
    for path in paths:
        assert list(by_warcio(path)) == list(by_fastwarc(path))


@pytest.mark.slow
def test_2000_concurrent_exchanges_on_reused_connections_are_each_kept_exactly(tmp_path: Path) -> None:
    command = Command(tmp_path)
    command.variables |= {"NEWSWARC_CONCURRENCY": "64", "NEWSWARC_CONCURRENCY_PER_HOST": "64"}
    scripts = {}
    for number in range(2000):
        body = b"%d " % number * (number % 700 + 1)
        framing = b"Content-Length: %d\r\n\r\n" % len(body) + body
        if number % 3 == 0:
            framing = b"Transfer-Encoding: chunked\r\n\r\n%X\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        scripts[f"/{number}"] = script(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-N: %d\r\n" % number + framing)
    with running(RawSite(scripts)) as raw:
        listed = tmp_path / "urls"
        listed.write_text("\n".join(raw.url(target) for target in scripts))
        command.run("archive", "--quiet", "--no-requisites", "--robots", "ignore", "--from", str(listed))
        assert raw.connections <= 64
        kept = {(r.get("WARC-Target-URI"), r.type): r.block for r in all_records(command.path) if r.type != "metadata"}
        for target, sent in scripts.items():
            assert kept[raw.url(target), "response"] == sent.bytes
            assert [kept[raw.url(target), "request"]] == raw.received(target)
