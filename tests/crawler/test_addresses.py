# ruff: noqa: RUF001 - characters that look like others are what is tested
from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import Sequence

import pytest

from crawler.addresses import CACHE_S, AddressRefused, Guard, ResolveFailed, canonical_host, why_refused


def words(text: str) -> list[str]:
    return text.split()


# Hosts as they stand in URLs, each of which leads somewhere that is not the public internet.
HOSTILE = words("""
    127.0.0.1 127.255.255.254 127.1 127.0.1 2130706433 017700000001 0177.0.0.1 0177.0.0.01 0x7f.1 0x7f000001
    0x7F.0x0.0x0.0x1 0x7f.0.0.1 127.0.0.1. １２７.０.０.１ 127。0。0。1 127．0．0．1 127｡0｡0｡1 ①②⑦.⓪.⓪.① ０x７f.1
    1²7.0.0.1 127.0.0.\u00ad1 0 0.0.0.0 0.1.2.3 0x 00000000 10.0.0.1 10.255.255.255 167772161 012.0.0.1 172.16.0.1
    172.31.255.255 192.168.0.1 192.168.257 0xc0a80001 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376
    169.254.43518 169.254.170.2 169.254.0.1 100.64.0.1 100.127.255.255 100.100.100.200 168.63.129.16 192.0.0.192
    192.0.0.8 192.0.0.9 192.0.0.170 192.0.2.1 198.51.100.7 203.0.113.9 198.18.0.1 198.19.255.255 192.88.99.1
    192.31.196.1 192.52.193.1 192.175.48.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.254 255.255.255.255
    4294967295 [::] [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::127.0.0.1] [::7f00:1] [::8.8.8.8] [::ffff:127.0.0.1]
    [::ffff:7f00:1] [::ffff:169.254.169.254] [::ffff:8.8.8.8] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1]
    [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b::10.0.0.1] [64:ff9b:1::8.8.8.8] [2002:7f00:1::]
    [2002:a9fe:a9fe::1] [2002:808:808::1] [2001:0:4136:e378:8000:63bf:3fff:fdd2] [2001::1] [2606:4700::5efe:10.0.0.1]
    [2606:4700::200:5efe:127.0.0.1] [2606:4700::5efe:8.8.8.8] [fe80::1] [fe80::1%25eth0] [fe80::1%eth0] [febf::1]
    [fec0::1] [feff::1] [fc00::1] [fd00:ec2::254] [fd20:ce::254] [fdff:ffff::1] [ff02::1] [ff0e::1] [100::1]
    [100:0:0:1::1] [2001:2::1] [2001:10::1] [2001:20::1] [2001:30::1] [2001:1::1] [2001:3::1] [2001:4:112::1]
    [2001:db8::1] [3fff::1] [5f00::1] [2620:4f:8000::1] [4000::1] [200::1] [1::1] [8000::1] [2606:4700::1111%25eth0]
    localhost LOCALHOST localhost. ⓛocalhost
""")
PUBLIC = words("""
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
    169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
    223.255.255.255 2606:4700:4700::1111 2001:4860:4860::8888 2001:200::1 2a00:1450:4001::1 2620:fe::fe 3ffe::1
    64:ff9b::808:808 2a02:26f0:6c00::5eff
""")


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
