# ruff: noqa: RUF001 - characters that look like others are what is tested
from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import Sequence

import pytest

from crawler.addresses import CACHE_S, AddressRefused, Guard, ResolveFailed, canonical_host, why_refused
from tests.hosts import HOSTILE, PUBLIC


def answering(*answers: Sequence[str]):
    """A resolver that gives one answer after the other, then the last one for ever."""
    given = list(answers)

    async def resolve(_name: str) -> Sequence[str]:
        return given.pop(0) if len(given) > 1 else given[0]

    return resolve


def resolved(guard: Guard, host: str, port: int = 80) -> list[str]:
    return [str(sockaddr[0]) for _family, sockaddr in asyncio.run(guard.resolve(host, port))]


async def from_hosts_file(name: str) -> list[str]:
    return ["127.0.0.1"] if name == "localhost" else ["8.8.8.8"]


def test_there_are_well_over_sixty_hostile_hosts():
    assert len(set(HOSTILE)) > 100


@pytest.mark.parametrize("host", HOSTILE)
def test_a_host_that_is_not_public_is_refused(host):
    with pytest.raises(AddressRefused):
        asyncio.run(Guard(False, from_hosts_file).resolve(host, 80))


@pytest.mark.parametrize("host", HOSTILE)
def test_the_message_is_one_line_that_names_host_and_way_out(host):
    with pytest.raises(AddressRefused) as refused:
        asyncio.run(Guard(False, from_hosts_file).resolve(host, 80))
    message = str(refused.value)
    assert "\n" not in message
    assert refused.value.address in message
    assert refused.value.reason in message
    assert refused.value.host == host
    assert "--allow-private" in message


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address):
    assert why_refused(ipaddress.ip_address(address)) is None
    guard = Guard(False)
    guard.check(address)
    host = f"[{address}]" if ":" in address else address
    assert resolved(guard, host, 443) == [str(ipaddress.ip_address(address))]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("10.1.2.3", "private"),
        ("169.254.169.254", "metadata"),
        ("169.254.1.1", "link-local"),
        ("100.100.100.200", "metadata"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("255.255.255.255", "broadcast"),
        ("0.0.0.0", "unspecified"),
        ("64:ff9b::a00:1", "NAT64 address of 10.0.0.1, a private"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("2001::1", "Teredo"),
        ("2001:db8::1", "documentation"),
        ("2606:4700::5efe:808:808", "ISATAP"),
        ("fd00:ec2::254", "metadata"),
    ],
)
def test_the_reason_names_the_kind(address, kind):
    assert kind in str(why_refused(ipaddress.ip_address(address)))


def test_nothing_that_the_standard_library_calls_private_passes():
    seed = 20261121
    rng = random.Random(seed)
    for _ in range(20_000):
        number = rng.getrandbits(32)
        v4 = ipaddress.IPv4Address(number)
        assert v4.is_global or why_refused(v4), v4
        v6 = ipaddress.IPv6Address(rng.getrandbits(128) >> rng.randrange(0, 128))
        assert v6.is_global or why_refused(v6), v6
        assert why_refused(ipaddress.IPv6Address((0x64FF9B << 96) | number)) is None or why_refused(v4), v4


@pytest.mark.parametrize("host", HOSTILE)
def test_allow_private_lets_every_one_of_them_pass(host):
    guard = Guard(True, from_hosts_file)
    if "%" in host:
        with pytest.raises(ResolveFailed, match="no network interface nosuch-eth0"):
            asyncio.run(guard.resolve(host.replace("eth0", "nosuch-eth0"), 80))
        return
    endpoints = asyncio.run(guard.resolve(host, 8080))
    assert [sockaddr[1] for _family, sockaddr in endpoints] == [8080]


def test_a_zone_becomes_the_index_of_its_interface():
    name = socket.if_nameindex()[0][1]
    [(family, sockaddr)] = asyncio.run(Guard(True).resolve(f"[fe80::1%25{name}]", 80))
    assert (family, sockaddr) == (socket.AF_INET6, ("fe80::1", 80, 0, socket.if_nametoindex(name)))


def test_both_families_come_back_in_the_order_of_the_resolver():
    endpoints = asyncio.run(
        Guard(False, answering(["2606:4700::1111", "1.1.1.1", "1.1.1.1"])).resolve("news.test", 443)
    )
    assert endpoints == [
        (socket.AF_INET6, ("2606:4700::1111", 443, 0, 0)),
        (socket.AF_INET, ("1.1.1.1", 443)),
    ]


@pytest.mark.parametrize("answer", [["1.1.1.1", "10.0.0.1"], ["10.0.0.1", "1.1.1.1"], ["1.1.1.1", "::1"]])
def test_one_refused_address_refuses_the_whole_name(answer):
    with pytest.raises(AddressRefused, match=r"mixed\.test is "):
        asyncio.run(Guard(False, answering(answer)).resolve("mixed.test", 80))


def test_a_name_that_answers_differently_the_second_time_is_refused_then():
    now = 0.0
    guard = Guard(False, answering(["1.1.1.1"], ["127.0.0.1"]), clock=lambda: now)
    assert resolved(guard, "rebind.test") == ["1.1.1.1"]
    assert resolved(guard, "REBIND.test.") == ["1.1.1.1"]  # remembered: the judged address, not a new answer
    now = CACHE_S
    with pytest.raises(AddressRefused):
        asyncio.run(guard.resolve("rebind.test", 80))
    with pytest.raises(AddressRefused):  # and what was refused is not remembered as good
        asyncio.run(guard.resolve("rebind.test", 80))


def test_an_exempt_address_passes_and_no_other():
    guard = Guard(False, answering(["127.0.0.9"], ["127.0.0.9", "127.0.0.1"]), exempt=frozenset({"127.0.0.9"}))
    assert resolved(guard, "public.test") == ["127.0.0.9"]
    guard.check("127.0.0.9")
    with pytest.raises(AddressRefused):
        asyncio.run(guard.resolve("mixed.test", 80))
    for other in ("127.0.0.1", "127.0.0.10", "::ffff:127.0.0.9"):
        with pytest.raises(AddressRefused):
            guard.check(other)


def test_the_connected_peer_is_judged_again():
    guard = Guard(False)
    guard.check("93.184.216.34")
    for peer in ("127.0.0.1", "::1", "fe80::1%2", "/run/app.sock", ""):
        with pytest.raises(AddressRefused):
            guard.check(peer, "news.test")
    Guard(True).check("127.0.0.1")


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("www。example。com", "www.example.com"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("XN--E1AFMKFD.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
        ("faß.de", "xn--fa-hia.de"),  # IDNA 2008, not the fass.de of IDNA 2003
        ("under_score.example", "under_score.example"),
        ("0x7f.1", "127.0.0.1"),
        ("1.1", "1.0.0.1"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[fe80::1%25en0]", "fe80::1%en0"),
        ("1.example", "1.example"),
        ("127.0.0.1.example", "127.0.0.1.example"),
    ],
)
def test_a_host_has_one_canonical_spelling(spelled, meant):
    assert canonical_host(spelled) == meant
    assert canonical_host(meant) == meant


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "127.0.0.1..",
        "127%2e0%2e0%2e1",
        "%31%32%37.0.0.1",
        "a b",
        "a\tb",
        "a\n127.0.0.1",
        "a\0b",
        "a/b",
        "a\\b",
        "a@b",
        "a／b",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.256.1",
        "4294967296",
        "08.1.1.1",
        "0xg.0x1",
        "news.0x4",
        "9" * 5000,
        "[::1",
        "::1]",
        "[1.2.3.4]",
        "[v1.fe80]",
        "[::g]",
        "a:b",
        "a" * 64 + ".com",
        ".".join(["a" * 60] * 5),
        "\u0378.com",
        "١٢٧.٠.٠.١",
    ],
)
def test_what_is_no_host_is_never_resolved(host):
    async def must_not_be_asked(name: str) -> list[str]:
        raise AssertionError(name)

    with pytest.raises(ResolveFailed) as failed:
        asyncio.run(Guard(True, must_not_be_asked).resolve(host, 80))
    assert "\n" not in str(failed.value)


def test_an_unknown_name_says_so():
    async def nobody_knows(_name: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(ResolveFailed, match=r"'nosuch\.test': Name or service not known"):
        asyncio.run(Guard(False, nobody_knows).resolve("nosuch.test", 80))


@pytest.mark.parametrize("answer", [[], ["not an address"]])
def test_an_answer_without_an_address_is_a_failure(answer):
    with pytest.raises(ResolveFailed):
        asyncio.run(Guard(False, answering(answer)).resolve("news.test", 80))


def test_the_operating_system_is_asked_by_default():
    with pytest.raises(AddressRefused, match="loopback"):
        asyncio.run(Guard(False).resolve("localhost", 80))
    assert resolved(Guard(True), "localhost")
