"""The wire client: what is kept is what crossed the socket, over plain connections, TLS and proxies."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import DiskFull
from archive.exchange import Exchange
from archive.http1 import MAX_HEAD_BYTES, payload_chunks, read_response_head
from archive.spool import Spool
from crawler import wire
from crawler.addresses import AddressRefused, Guard, ResolveFailed
from crawler.wire.proxy import Proxy
from crawler.wire.reception import MAX_INTERIM, Reception
from crawler.wire.request import prepare
from crawler.wire.tls import client_context, iana_cipher_name
from tests.limits import files_of_at_most
from tests.servers.answers import ANSWERS, TEXT, Answer, scripts
from tests.servers.authority import Authority
from tests.servers.raw_site import RawSite, Script, in_pieces, running, script
from tests.servers.tunnel import TunnelProxy, tunnelling

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"
HEADERS = [(b"User-Agent", b"newswarc tests"), (b"x-ODD", b"1"), (b"Accept-Encoding", b"gzip"), (b"X-Odd", b"2")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module", params=["http", "https"])
def context(request: pytest.FixtureRequest, authority: Authority) -> ssl.SSLContext | None:
    return authority.server_context("127.0.0.1", "localhost") if request.param == "https" else None


@pytest.fixture(scope="module")
def site(context: ssl.SSLContext | None) -> Iterator[RawSite]:
    """A site with every answer; shared, so a test looks only at targets or connections of its own."""
    with running(RawSite({**scripts(), "/after": script(PLAIN)}, context=context)) as site:
        yield site


@pytest.fixture
def fetching(authority: Authority) -> Callable[..., Exchange]:
    """Return a function that makes one exchange with a client of its own."""

    def fetch(url: str, *, method: str = "GET", body: bytes = b"", options: dict[str, Any] | None = None, **more: Any):
        async def once() -> Exchange:
            async with client(authority, **(options or {})) as wire_client:
                more.setdefault("timeout_s", 20)
                more.setdefault("max_bytes", None)
                return await wire_client.fetch(method, url, HEADERS, body, **more)

        return asyncio.run(once())

    return fetch


@contextlib.asynccontextmanager
async def client(authority: Authority, **options: Any) -> AsyncIterator[wire.WireClient]:
    options.setdefault("guard", Guard(allow_private=True))
    options.setdefault("ca_file", authority.ca_file)
    wire_client = wire.WireClient(wire.WireOptions(**options))
    try:
        yield wire_client
    finally:
        await wire_client.close()


def kept(exchange: Exchange) -> bytes:
    """Return the response's bytes and close it."""
    data = exchange.response.read()
    exchange.close()
    return data


async def outcome(fetched: Awaitable[Exchange]) -> tuple[Exchange, str | None]:
    """Return the exchange, and the name of the error that carried it."""
    try:
        return await fetched, None
    except wire.WireError as error:
        return error.exchange, type(error).__name__


def named(names: dict[str, str]) -> Guard:
    async def resolve(name: str) -> list[str]:
        return [names[name]] if name in names else []

    return Guard(True, resolve)


# --- exactness


def check_exchange(exchange: Exchange, failure: str | None, answer: Answer, received: bytes, scheme: str) -> None:
    assert exchange.request == received
    assert kept(exchange) == answer.archived
    assert failure == answer.failure
    assert exchange.truncated == answer.truncated
    assert exchange.interim == answer.interim
    assert exchange.protocol == answer.protocol
    assert exchange.peer == "127.0.0.1"
    assert exchange.proxy is None
    assert exchange.started.tzinfo is UTC
    assert exchange.started <= exchange.ended
    assert (exchange.tls is not None) == (scheme == "https")


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_kept_as_sent_and_the_next_one_too(name: str, site: RawSite, authority: Authority):
    answer = ANSWERS[name]
    target = f"/{name}"
    before = len(site.received(target))

    async def both() -> None:
        async with client(authority) as wire_client:
            exchange, failure = await outcome(
                wire_client.fetch("GET", site.url(target), HEADERS, timeout_s=20, max_bytes=None)
            )
            check_exchange(exchange, failure, answer, site.received(target)[before], site.scheme)
            opened = site.connections
            after = await wire_client.fetch("GET", site.url("/after"), HEADERS, timeout_s=20, max_bytes=None)
            assert kept(after) == PLAIN
            assert site.connections == opened + (0 if answer.reusable else 1)
            assert ("connect" in after.timings_ms) == (not answer.reusable)
            assert {"first_byte", "total"} <= after.timings_ms.keys()

    asyncio.run(both())


@pytest.mark.parametrize("piece_bytes", [1, 2, 7, 4093])
def test_answers_in_small_pieces_are_kept_as_sent(
    piece_bytes: int, context: ssl.SSLContext | None, authority: Authority
):
    answers = {
        name: answer for name, answer in ANSWERS.items() if len(answer.sent) < 2000 * piece_bytes and not answer.faulty
    }
    assert answers

    async def all_of_them(split_site: RawSite) -> None:
        async with client(authority, concurrent=8, concurrent_per_route=8) as wire_client:
            fetched = await asyncio.gather(
                *(
                    outcome(wire_client.fetch("GET", split_site.url(f"/{name}"), timeout_s=30, max_bytes=None))
                    for name in answers
                )
            )
        for (name, answer), (exchange, failure) in zip(answers.items(), fetched, strict=True):
            check_exchange(exchange, failure, answer, split_site.received(f"/{name}")[0], split_site.scheme)

    with running(RawSite(scripts(piece_bytes), context=context)) as split_site:
        asyncio.run(all_of_them(split_site))


def numbered(request: bytes) -> Script:
    """Answer ``/<n>`` with a body and a framing that depend on *n* alone."""
    number = int(request.split(b" ")[1][1:])
    chance = random.Random(number)
    body = b"%d " % number + chance.randbytes(chance.randrange(8000))
    extra = b"X-Number: %d\r\n" % number
    if number % 3 == 0:
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in in_pieces(body, 1 + chance.randrange(3000)))
        return script(b"HTTP/1.1 200 OK\r\n" + extra + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    if number % 101 == 0:
        return script(b"HTTP/1.1 200 OK\r\n" + extra + b"\r\n" + body, "close")
    return script(b"HTTP/1.1 200 OK\r\n" + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def test_two_thousand_concurrent_exchanges_on_few_connections_are_all_exact(
    context: ssl.SSLContext | None, authority: Authority
):
    count, concurrent = 2000, 40

    async def crowd(crowded: RawSite) -> list[Exchange]:
        async with client(authority, concurrent=concurrent, concurrent_per_route=concurrent) as wire_client:
            return await asyncio.gather(
                *(
                    wire_client.fetch(
                        "GET", crowded.url(f"/{n}"), [(b"X-Request", b"%d" % n)], timeout_s=120, max_bytes=None
                    )
                    for n in range(count)
                )
            )

    with running(RawSite(answer=numbered, context=context)) as crowded:
        exchanges = asyncio.run(crowd(crowded))
        received = {request.target: request.data for request in crowded.requests}
        assert len(crowded.requests) == count
        assert crowded.connections < 4 * concurrent
    for number, exchange in enumerate(exchanges):
        assert exchange.request == received[f"/{number}"]
        assert f"X-Request: {number}\r\n".encode() in exchange.request
        assert kept(exchange) == numbered(exchange.request).bytes
        assert exchange.truncated is None


# --- receiving, without sockets

MUTATED = st.sampled_from(sorted(ANSWERS)).flatmap(
    lambda name: st.lists(
        st.tuples(st.integers(0, min(len(ANSWERS[name].sent), 400)), st.binary(max_size=3)), max_size=3
    ).map(lambda edits: mutate(ANSWERS[name].sent[:9000], edits))
)


def mutate(data: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    for place, replacement in edits:
        data = data[:place] + replacement + data[place + len(replacement) :]
    return data


def receive(pieces: list[bytes], *, cleanly: bool, max_bytes: int | None) -> tuple[Any, bytes]:
    with Spool() as spool:
        reception = Reception("GET", max_bytes, spool)
        for piece in pieces:
            if not reception.done:
                reception.feed(piece)
        if not reception.done:
            reception.end(cleanly=cleanly)
        facts = (reception.head, reception.truncated, reception.failure, reception.interim)
        return facts, spool.read()


@given(
    MUTATED,
    st.lists(st.integers(0, 9000), max_size=10),
    st.booleans(),
    st.one_of(st.none(), st.integers(1, 9000)),
)
def test_a_response_is_received_alike_however_it_is_split(
    data: bytes, places: list[int], cleanly: bool, max_bytes: int | None
):
    cuts = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    pieces = [data[start:end] for start, end in pairwise(cuts) if start < end]
    facts, whole = receive([data] if data else [], cleanly=cleanly, max_bytes=max_bytes)
    facts_split, parts = receive(pieces, cleanly=cleanly, max_bytes=max_bytes)
    assert facts == facts_split
    head = facts[0]
    if facts[2] == "malformed" or (head and facts[1] == "disconnect"):
        # Receiving stops at a fault: how much had come by then depends on the pieces.
        assert whole.startswith(parts)
    else:
        assert whole == parts
    if head:
        payloads = [b"".join(payload_chunks(head, [data[head.size :]])) for data in (whole, parts)]
        assert payloads[0].startswith(payloads[1])


def test_a_head_without_end_stops_at_its_limit(fetching: Callable[..., Exchange]):
    endless = Script([b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"], "forever")
    with running(RawSite({"/": endless})) as site, pytest.raises(wire.HeadTooLarge, match="than 262144 b") as caught:
        fetching(site.url("/"))
    assert caught.value.exchange.truncated == "length"
    assert len(kept(caught.value.exchange)) == MAX_HEAD_BYTES


def test_ten_megabytes_of_fields_end_at_the_limit_too(fetching: Callable[..., Exchange]):
    head = b"HTTP/1.1 200 OK\r\n" + b"X-Field: value\r\n" * 655_360 + b"\r\n"
    with running(RawSite({"/": script(head, "close")})) as site, pytest.raises(wire.HeadTooLarge) as caught:
        fetching(site.url("/"))
    assert kept(caught.value.exchange) == head[:MAX_HEAD_BYTES]


def test_interim_responses_without_end_are_refused(fetching: Callable[..., Exchange]):
    endless = Script([b"HTTP/1.1 103 Early Hints\r\n\r\n"], "forever")
    too_many = pytest.raises(wire.MalformedResponse, match=f"more than {MAX_INTERIM} interim")
    with running(RawSite({"/": endless})) as site, too_many as caught:
        fetching(site.url("/"))
    caught.value.exchange.close()


# --- sizes and times


def test_an_endless_body_is_kept_up_to_the_limit(fetching: Callable[..., Exchange], context: ssl.SSLContext | None):
    with running(
        RawSite({"/": Script([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 50_000], "forever")}, context=context)
    ) as site:
        exchange = fetching(site.url("/"), max_bytes=2_000_000)
    assert exchange.truncated == "length"
    assert kept(exchange) == b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2_000_000 - 19)


@pytest.mark.parametrize("name", ["plain", "chunked", "close-delimited"])
def test_a_response_of_exactly_the_limit_is_whole_and_one_byte_more_is_not(
    name: str, fetching: Callable[..., Exchange]
):
    sent = ANSWERS[name].sent
    with running(RawSite(scripts())) as site:
        whole = fetching(site.url(f"/{name}"), max_bytes=len(sent))
        cut = fetching(site.url(f"/{name}"), max_bytes=len(sent) - 1)
    assert (kept(whole), whole.truncated) == (sent, None)
    assert (kept(cut), cut.truncated) == (sent[:-1], "length")


def test_a_limit_within_the_head_is_an_error_with_its_bytes(fetching: Callable[..., Exchange]):
    with running(RawSite(scripts())) as site, pytest.raises(wire.HeadTooLarge) as caught:
        fetching(site.url("/plain"), max_bytes=10)
    assert kept(caught.value.exchange) == b"HTTP/1.1 2"


@pytest.mark.parametrize(
    ("sent", "has_head"),
    [(b"", False), (b"HTTP/1.1 200 OK\r\nX", False), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun", True)],
)
def test_what_came_before_the_time_ran_out_is_kept(
    sent: bytes, has_head: bool, context: ssl.SSLContext | None, authority: Authority
):
    async def once(url: str) -> tuple[Exchange, str | None]:
        async with client(authority) as wire_client:
            return await outcome(wire_client.fetch("GET", url, timeout_s=0.7, max_bytes=None))

    with running(RawSite({"/": script(sent, "hang")}, context=context)) as site:
        exchange, failure = asyncio.run(once(site.url("/")))
        assert exchange.request == site.received("/")[0]
    assert failure == (None if has_head else "TimedOut")
    assert exchange.truncated == "time"
    assert kept(exchange) == sent


def test_a_server_that_drips_bytes_does_not_outlast_the_time(fetching: Callable[..., Exchange]):
    dripping = Script([b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 1000], "hang", pause_s=0.01)
    with running(RawSite({"/": dripping})) as site:
        exchange = fetching(site.url("/"), timeout_s=0.5)
    assert exchange.truncated == "time"
    assert kept(exchange).startswith(b"HTTP/1.1 200 OK\r\n\r\nx")


def test_a_handshake_that_never_ends_is_cut_by_the_time(fetching: Callable[..., Exchange]):
    in_vain = pytest.raises(wire.TimedOut, match="while connecting")
    with socket.create_server(("127.0.0.1", 0)) as silent, in_vain as caught:
        fetching(f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.3)
    assert caught.value.exchange.request == b""
    assert kept(caught.value.exchange) == b""


def test_a_connection_cut_by_time_or_size_is_not_used_again(authority: Authority):
    stuck = {"/stuck": script(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxy", "hang"), "/after": script(PLAIN)}

    async def both(url: Callable[[str], str]) -> None:
        async with client(authority) as wire_client:
            first = await wire_client.fetch("GET", url("/stuck"), timeout_s=0.3, max_bytes=None)
            assert first.truncated == "time"
            first.close()
            assert kept(await wire_client.fetch("GET", url("/after"), timeout_s=20, max_bytes=None)) == PLAIN

    with running(RawSite(stuck)) as site:
        asyncio.run(both(site.url))
        assert site.connections == 2


# --- connections


def test_a_kept_connection_found_dead_is_replaced_once(authority: Authority):
    seen: list[bytes] = []

    def answer(request: bytes) -> Script:
        seen.append(request)
        return script(b"", "close") if len(seen) == 2 else script(PLAIN)

    async def two(url: str) -> None:
        async with client(authority) as wire_client:
            first = await wire_client.fetch("GET", url, timeout_s=20, max_bytes=None)
            second = await wire_client.fetch("GET", url, timeout_s=20, max_bytes=None)
        assert first.forerunner is None
        assert second.forerunner is not None
        assert (second.forerunner.request, second.forerunner.truncated) == (seen[1], "disconnect")
        assert second.request == seen[2]
        assert second.forerunner.started <= second.started
        assert "connect" not in second.forerunner.timings_ms
        assert kept(first) == kept(second) == PLAIN

    with running(RawSite(answer=answer)) as site:
        asyncio.run(two(site.url("/")))
        assert len(seen) == 3
        assert site.connections == 2


@pytest.mark.parametrize(("method", "dies_at"), [("POST", {2}), ("GET", {2, 3})])
def test_a_request_is_not_repeated_when_unsafe_or_tried_before(method: str, dies_at: set[int], authority: Authority):
    seen: list[bytes] = []

    def answer(request: bytes) -> Script:
        seen.append(request)
        return script(b"", "close") if len(seen) in dies_at else script(PLAIN)

    async def two(url: str) -> None:
        async with client(authority) as wire_client:
            assert kept(await wire_client.fetch("GET", url, timeout_s=20, max_bytes=None)) == PLAIN
            with pytest.raises(wire.ConnectionLost, match="no answer came") as caught:
                await wire_client.fetch(
                    method, url, body=b"x" if method == "POST" else b"", timeout_s=20, max_bytes=None
                )
            assert caught.value.exchange.request == seen[-1]
            assert caught.value.exchange.truncated == "disconnect"
            caught.value.exchange.close()

    with running(RawSite(answer=answer)) as site:
        asyncio.run(two(site.url("/")))
        assert len(seen) == max(dies_at)


def test_bytes_nobody_asked_for_end_an_idle_connection(authority: Authority):
    late = Script([PLAIN, b"HTTP/1.1 200 Evil\r\nContent-Length: 4\r\n\r\nevil"], pause_s=0.05)

    async def two(site: RawSite) -> None:
        async with client(authority) as wire_client:
            assert kept(await wire_client.fetch("GET", site.url("/late"), timeout_s=20, max_bytes=None)) == PLAIN
            await site.until(lambda site: site.ended == 1)
            after = await wire_client.fetch("GET", site.url("/plain"), timeout_s=20, max_bytes=None)
            assert kept(after) == ANSWERS["plain"].sent

    with running(RawSite({"/late": late, **scripts()})) as site:
        asyncio.run(two(site))
        assert site.connections == 2


def test_idle_connections_are_closed_after_their_time(authority: Authority):
    async def two(site: RawSite) -> None:
        async with client(authority, idle_s=0.05) as wire_client:
            for count in (1, 2):
                kept(await wire_client.fetch("GET", site.url("/"), timeout_s=20, max_bytes=None))
                await site.until(lambda site, count=count: site.ended == count)

    with running(RawSite({"/": script(PLAIN)})) as site:
        asyncio.run(two(site))
        assert site.connections == 2


def test_no_more_exchanges_run_at_a_time_than_allowed(authority: Authority):
    async def many(url: str) -> None:
        async with client(authority, concurrent_per_route=3) as wire_client:
            for exchange in await asyncio.gather(
                *(wire_client.fetch("GET", url, timeout_s=20, max_bytes=None) for _ in range(30))
            ):
                assert kept(exchange) == PLAIN

    with running(RawSite({"/": script(PLAIN)})) as site:
        asyncio.run(many(site.url("/")))
        assert site.connections == 3


def test_a_request_that_asks_to_close_is_the_last_on_its_connection(authority: Authority):
    async def two(url: str) -> None:
        async with client(authority) as wire_client:
            for _ in range(2):
                kept(await wire_client.fetch("GET", url, [(b"Connection", b"close")], timeout_s=20, max_bytes=None))

    with running(RawSite({"/": script(PLAIN)})) as site:
        asyncio.run(two(site.url("/")))
        assert site.connections == 2


def test_closing_the_client_cuts_what_is_under_way(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    feed = Reception.feed

    async def close_in_the_middle(url: str) -> None:
        fed = asyncio.Event()
        monkeypatch.setattr(Reception, "feed", lambda self, data: (feed(self, data), fed.set()))
        async with client(authority) as wire_client:
            task = asyncio.create_task(wire_client.fetch("GET", url, timeout_s=20, max_bytes=None))
            await fed.wait()
            await wire_client.close()
            exchange = await task
            assert exchange.truncated == "disconnect"
            assert kept(exchange) == b"HTTP/1.1 200 OK\r\n\r\nbegun"

    with running(RawSite({"/": script(b"HTTP/1.1 200 OK\r\n\r\nbegun", "hang")})) as site:
        asyncio.run(close_in_the_middle(site.url("/")))


def test_a_cancelled_fetch_leaves_nothing_behind(authority: Authority):
    async def cancel(site: RawSite) -> None:
        async with client(authority, concurrent_per_route=1) as wire_client:
            task = asyncio.create_task(wire_client.fetch("GET", site.url("/hang"), timeout_s=20, max_bytes=None))
            await site.until(lambda site: bool(site.requests))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            after = await wire_client.fetch("GET", site.url("/after"), timeout_s=20, max_bytes=None)
            assert kept(after) == PLAIN

    with running(RawSite({"/hang": script(b"HTTP/1.1 200 OK\r\n\r\nbegun", "hang"), "/after": script(PLAIN)})) as site:
        asyncio.run(cancel(site))


def test_a_machine_without_ipv6_takes_the_next_address(
    fetching: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
):
    async def resolve(_: str) -> list[str]:
        return ["::1", "127.0.0.1"]

    create = socket.socket

    def without_ipv6(family: int = -1, *rest: Any, **more: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return create(family, *rest, **more)

    with running(RawSite({"/": script(PLAIN)})) as site:
        url = f"http://both.test:{site.port}/"
        monkeypatch.setattr("crawler.wire.dialing.socket.socket", without_ipv6)
        assert kept(fetching(url, options={"guard": Guard(True, resolve)})) == PLAIN


def test_a_refused_connection_says_so(fetching: Callable[..., Exchange]):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(wire.ConnectFailed, match=f"127.0.0.1:{port}.*refused") as caught:
        fetching(f"http://127.0.0.1:{port}/")
    assert caught.value.refused
    assert caught.value.exchange.request == b""
    assert caught.value.exchange.truncated is None
    caught.value.exchange.close()


def test_the_next_address_is_tried_when_one_refuses(fetching: Callable[..., Exchange]):
    async def two_addresses(name: str) -> list[str]:
        assert name == "site.test"
        return ["127.0.0.9", "127.0.0.1"]

    with running(RawSite({"/": script(PLAIN)})) as site:
        exchange = fetching(site.url("/", "site.test"), options={"guard": Guard(True, two_addresses)})
    assert exchange.peer == "127.0.0.1"
    assert kept(exchange) == PLAIN


# --- addresses


def test_a_private_address_is_refused_before_anything_is_sent(fetching: Callable[..., Exchange]):
    with running(RawSite({"/": script(PLAIN)})) as site:
        with pytest.raises(wire.AddressRefused, match="loopback") as caught:
            fetching(site.url("/"), options={"guard": Guard(False)})
        assert site.connections == 0
    assert isinstance(caught.value.__cause__, AddressRefused)
    assert kept(caught.value.exchange) == b""


def test_the_peer_is_judged_again_after_connecting(fetching: Callable[..., Exchange]):
    class Rebound(Guard):
        async def resolve(self, host: str, port: int) -> list[tuple[int, tuple[str | int, ...]]]:
            return [(socket.AF_INET, ("127.0.0.1", port))]

    with running(RawSite({"/": script(PLAIN)})) as site:
        with pytest.raises(wire.AddressRefused) as caught:
            fetching(site.url("/", "public.test"), options={"guard": Rebound(False)})
        caught.value.exchange.close()
        assert site.requests == []


@pytest.mark.parametrize("url", ["http://nobody.test/", "http://256.256.256.256/", "http://a..b/", "http://exa mple/"])
def test_a_host_without_address_cannot_be_resolved(url: str, fetching: Callable[..., Exchange]):
    with pytest.raises(wire.ResolveFailed, match="cannot resolve") as caught:
        fetching(url, options={"guard": named({})})
    assert isinstance(caught.value.__cause__, ResolveFailed)
    assert caught.value.exchange.url == url
    caught.value.exchange.close()


# --- TLS


def test_the_handshake_is_described_as_warc_spells_it(fetching: Callable[..., Exchange], authority: Authority):
    for newest, protocol, suite in (
        (ssl.TLSVersion.TLSv1_3, "tls/1.3", "TLS_AES_256_GCM_SHA384"),
        (ssl.TLSVersion.TLSv1_2, "tls/1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ):
        context = authority.server_context("site.test", newest=newest)
        with running(RawSite({"/": script(PLAIN)}, context=context)) as site:
            exchange = fetching(site.url("/", "site.test"), options={"guard": named({"site.test": "127.0.0.1"})})
        assert exchange.tls is not None
        assert (exchange.tls.protocol, exchange.tls.cipher_suite) == (protocol, suite)
        assert exchange.tls.certificate is not None
        assert b"site.test" in exchange.tls.certificate
        assert {"dns", "connect", "tls", "first_byte", "total"} == exchange.timings_ms.keys()
        assert kept(exchange) == PLAIN


def test_every_suite_we_offer_has_an_iana_name():
    names = [iana_cipher_name(suite["name"]) for suite in client_context().get_ciphers()]
    assert names
    assert all(name.startswith("TLS_") for name in names)


@pytest.mark.parametrize(
    ("hosts", "flaws", "reason"),
    [
        (["127.0.0.1"], {"expired": True}, "certificate has expired"),
        (["127.0.0.1"], {"self_signed": True}, "self-signed certificate"),
        (["127.0.0.2"], {}, "IP address mismatch"),
        (["other.test"], {}, "not valid for '127.0.0.1'"),
    ],
)
def test_a_bad_certificate_is_refused_and_named(
    hosts: list[str], flaws: dict[str, bool], reason: str, authority: Authority, fetching: Callable[..., Exchange]
):
    with running(RawSite({"/": script(PLAIN)}, context=authority.server_context(*hosts, **flaws))) as site:
        with pytest.raises(wire.TlsFailed, match=reason) as caught:
            fetching(site.url("/"))
        assert site.requests == []
    assert caught.value.certificate
    caught.value.exchange.close()


def test_an_authority_that_is_not_ours_is_refused(site: RawSite, fetching: Callable[..., Exchange]):
    if site.context is None:
        pytest.skip("TLS only")
    with pytest.raises(wire.TlsFailed, match="unable to get local issuer") as caught:
        fetching(site.url("/plain"), options={"ca_file": None})
    assert caught.value.certificate
    caught.value.exchange.close()


def test_a_server_without_tls_is_told_from_a_bad_certificate(fetching: Callable[..., Exchange]):
    def answer_hello(plain: socket.socket) -> None:
        connection, _ = plain.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(PLAIN)

    with socket.create_server(("127.0.0.1", 0)) as plain:
        thread = threading.Thread(target=answer_hello, args=(plain,))
        thread.start()
        with pytest.raises(wire.TlsFailed, match="wrong version number") as caught:
            fetching(f"https://127.0.0.1:{plain.getsockname()[1]}/")
        thread.join()
    assert not caught.value.certificate
    caught.value.exchange.close()


# --- proxies


def test_a_plain_request_goes_through_a_proxy_in_absolute_form(fetching: Callable[..., Exchange]):
    with running(RawSite({"http://site.test/a?b": script(PLAIN)})) as proxy:
        exchange = fetching(
            "http://site.test/a?b",
            proxy=f"http://user:p%40ss@127.0.0.1:{proxy.port}",
            options={"guard": named({"site.test": "127.0.0.1"})},
        )
        (received,) = proxy.received("http://site.test/a?b")
    credentials = b"Proxy-Authorization: Basic " + b64encode(b"user:p@ss") + b"\r\n"
    assert credentials in received
    assert exchange.request == received.replace(credentials, b"")
    assert exchange.request.startswith(b"GET http://site.test/a?b HTTP/1.1\r\nHost: site.test\r\n")
    assert (exchange.proxy, exchange.peer) == (f"127.0.0.1:{proxy.port}", None)
    assert kept(exchange) == PLAIN


def test_an_encrypted_request_goes_through_a_tunnel(authority: Authority, fetching: Callable[..., Exchange]):
    context = authority.server_context("site.test")
    with running(RawSite({"/a": script(PLAIN)}, context=context)) as site:
        with tunnelling(TunnelProxy(("127.0.0.1", site.port))) as proxy:
            exchange = fetching(
                "https://site.test/a",
                proxy=f"http://user:pass@127.0.0.1:{proxy.port}",
                options={"guard": named({"site.test": "127.0.0.1"})},
            )
        assert site.received("/a") == [exchange.request]
    assert proxy.requests == [
        b"CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\nProxy-Authorization: Basic "
        + b64encode(b"user:pass")
        + b"\r\n\r\n"
    ]
    assert b"Proxy-Authorization" not in exchange.request
    assert (exchange.proxy, exchange.peer) == (f"127.0.0.1:{proxy.port}", None)
    assert exchange.tls is not None
    assert kept(exchange) == PLAIN


def test_proxied_connections_are_used_again_but_not_for_other_credentials(authority: Authority):
    async def three(url: str) -> None:
        async with client(authority, guard=named({"site.test": "127.0.0.1"})) as wire_client:
            for user in ("a", "a", "b"):
                proxy = f"http://{user}:x@127.0.0.1:{port}"
                kept(await wire_client.fetch("GET", url, timeout_s=20, max_bytes=None, proxy=proxy))

    with running(RawSite({"http://site.test/": script(PLAIN)})) as site:
        port = site.port
        asyncio.run(three("http://site.test/"))
        assert site.connections == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno", "502 Bad Gateway"),
        (b"SSH-2.0\r\n", "not an HTTP response"),
        (b"", "did not answer"),
        (b"HTTP/1.1 200 OK\r\n\r\nsurprise", "8 bytes after its answer"),
    ],
)
def test_a_proxy_that_makes_no_tunnel_is_named(answer: bytes, reason: str, fetching: Callable[..., Exchange]):
    unwilling = TunnelProxy(("127.0.0.1", 1), answer, refuses=True)
    with tunnelling(unwilling) as proxy, pytest.raises(wire.ConnectFailed, match=reason) as caught:
        fetching("https://127.0.0.1:9/", proxy=f"127.0.0.1:{proxy.port}")
    caught.value.exchange.close()


def test_neither_a_private_proxy_nor_a_private_target_gets_past_the_guard(fetching: Callable[..., Exchange]):
    async def public(name: str) -> list[str]:
        return {"proxy.test": ["8.8.8.8"], "private.test": ["10.0.0.1"], "public.test": ["8.8.4.4"]}[name]

    with running(RawSite(answer=lambda _: script(PLAIN))) as proxy:
        for url, via in (
            ("http://public.test/", f"http://127.0.0.1:{proxy.port}"),
            ("http://private.test/", "http://proxy.test:1"),
            ("https://private.test/", "http://proxy.test:1"),
        ):
            with pytest.raises(wire.AddressRefused) as caught:
                fetching(url, proxy=via, options={"guard": Guard(False, public)})
            caught.value.exchange.close()
        assert proxy.requests == []


def test_a_trusted_proxy_may_be_private_and_resolves_itself(fetching: Callable[..., Exchange]):
    with running(RawSite({"http://known-to-the-proxy.test/": script(PLAIN)})) as proxy:
        exchange = fetching(
            "http://known-to-the-proxy.test/",
            proxy=f"http://127.0.0.1:{proxy.port}",
            options={"guard": Guard(False), "trust_proxy": True},
        )
    assert kept(exchange) == PLAIN


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "socks5://127.0.0.1:1", "http://", "http://h:99999"])
def test_other_kinds_of_proxy_are_refused(url: str):
    with pytest.raises(ValueError, match=r"proxy|[Pp]ort"):
        Proxy.from_url(url)


def test_a_proxys_password_is_in_no_text():
    proxy = Proxy.from_url("http://user:secret@proxy.test:8080")
    assert "secret" not in f"{proxy} {proxy!r}"
    assert b64encode(b"user:secret").decode() not in f"{proxy} {proxy!r}"


# --- requests


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        ("http://site.test", "/", "site.test"),
        ("http://SITE.test:80/a", "/a", "site.test"),
        ("https://site.test:443/", "/", "site.test"),
        ("http://site.test:8080/", "/", "site.test:8080"),
        ("https://site.test:80/?q#fragment", "/?q", "site.test:80"),
        ("http://site.test?q=1", "/?q=1", "site.test"),
        ("http://site.test/a/../b/./c//d", "/a/../b/./c//d", "site.test"),
        ("http://site.test/%7e%7E/%2f%2F", "/%7e%7E/%2f%2F", "site.test"),
        ("http://site.test/a b?c d", "/a%20b?c%20d", "site.test"),
        ("http://site.test/Москва", "/%D0%9C%D0%BE%D1%81%D0%BA%D0%B2%D0%B0", "site.test"),
        ("http://site.test/a|b\\c\"<>^`{}'", "/a|b\\c\"<>^`{}'", "site.test"),
        ("http://site.test/a\tb\x7f", "/a%09b%7F", "site.test"),
        ("http://site.test/100%", "/100%", "site.test"),
        ("http://Bücher.example/", "/", "xn--bcher-kva.example"),
        ("http://[::1]:8080/", "/", "[::1]:8080"),
        ("http://[2001:DB8::1]/", "/", "[2001:db8::1]"),
    ],
)
def test_the_url_goes_out_as_given(url: str, target: str, host: str):
    sent = prepare("GET", url, []).sent
    assert sent == f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def test_headers_go_out_in_their_order_and_case():
    headers = [(b"b", b"2"), (b"A", b""), (b"B", b"caf\xe9"), (b"host", b"other"), (b"Content-Length", b"99")]
    assert prepare("POST", "http://site.test/", headers, b"body").sent == (
        b"POST / HTTP/1.1\r\nHost: site.test\r\nb: 2\r\nA: \r\nB: caf\xe9\r\nContent-Length: 4\r\n\r\nbody"
    )


@pytest.mark.parametrize(("method", "announced"), [("GET", False), ("HEAD", False), ("POST", True), ("PUT", True)])
def test_an_empty_body_is_announced_where_one_is_expected(method: str, announced: bool):
    assert (b"Content-Length: 0" in prepare(method, "http://site.test/", []).sent) == announced


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("GET", "http://site.test/\r\nX: y", []),
        ("GET", "http://site.test/\0", []),
        ("GET", "http://site.test\n/", []),
        ("GET", "ftp://site.test/", []),
        ("GET", "site.test", []),
        ("GET", "http:///path", []),
        ("GET", "http://:80/", []),
        ("GET", "http://site.test:99999/", []),
        ("GET", "http://site.test:0/", []),
        ("GET", "http://user:secret@site.test/", []),
        ("GET", "http://site.test/\ud800", []),
        ("GET /", "http://site.test/", []),
        ("CONNECT", "http://site.test/", []),
        ("GET", "http://site.test/", [(b"A", b"b\r\nC: d")]),
        ("GET", "http://site.test/", [(b"A", b"b\nC: d")]),
        ("GET", "http://site.test/", [(b"A\r\nB", b"c")]),
        ("GET", "http://site.test/", [(b"A:", b"c")]),
        ("GET", "http://site.test/", [(b"", b"c")]),
        ("GET", "http://site.test/", [(b"A", b"\0")]),
        ("POST", "http://site.test/", [(b"Transfer-Encoding", b"chunked")]),
    ],
)
def test_what_cannot_be_sent_is_refused(method: str, url: str, headers: list[tuple[bytes, bytes]]):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - each has words of its own
        prepare(method, url, headers)
    assert "secret" not in str(caught.value)


@given(st.text(), st.binary(), st.binary())
def test_nothing_given_can_add_a_line_to_a_request(path: str, name: bytes, value: bytes):
    try:
        sent = prepare("GET", f"http://site.test/{path}", [(b"X-" + name, value)]).sent
    except ValueError:
        return
    assert sent.count(b"\r\n") == 4
    assert sent.count(b"\n") == 4
    assert b"\0" not in sent


def test_a_body_is_sent_and_kept(fetching: Callable[..., Exchange], site: RawSite):
    target = "/plain?posted"
    exchange = fetching(site.url(target), method="POST", body=TEXT)
    assert exchange.request.endswith(b"Content-Length: %d\r\n\r\n" % len(TEXT) + TEXT)
    assert site.received(target)[-1] == exchange.request
    exchange.close()


def test_a_head_request_ends_with_the_head(fetching: Callable[..., Exchange]):
    head = ANSWERS["plain"].sent[: -len(TEXT)]
    with running(RawSite({"/": script(head)})) as site:
        exchange = fetching(site.url("/"), method="HEAD", timeout_s=20)
    assert exchange.truncated is None
    assert kept(exchange) == head
    assert read_response_head(head) is not None


@pytest.mark.parametrize("then", ["keep", "close", "reset", "hang"])
@pytest.mark.parametrize("sent", [ANSWERS["binary"].sent, b"HTTP/1.1 200 OK\r\nX-Begun: " + b"x" * 500])
def test_no_room_for_what_comes_is_no_fault_of_the_servers(
    sent: bytes, then: str, fetching: Callable[..., Exchange], context: ssl.SSLContext | None
):
    with running(RawSite({"/": script(sent, then), "/plain": script(PLAIN)}, context=context)) as site:
        kept(fetching(site.url("/plain")))  # the authority's file is written by now
        with files_of_at_most(0), pytest.raises(DiskFull):
            fetching(site.url("/"), options={"spool_at_bytes": 100}, timeout_s=1)
        assert len(site.received("/")) == 1


def test_a_large_response_is_spooled_to_disk(fetching: Callable[..., Exchange], tmp_path: Path):
    with running(RawSite(scripts())) as site:
        exchange = fetching(site.url("/binary"), options={"spool_at_bytes": 10_000})
    assert kept(exchange) == ANSWERS["binary"].sent
