"""Which addresses may be connected to: the public internet, and nothing behind it.

A name, a redirect, an image or a proxy may lead anywhere. So the guard does not judge URLs: it turns a host into
addresses once, judges *every* address, and hands back the very addresses that were judged, to be connected to as
literals. After connecting, :meth:`Guard.check` judges the peer's address again.

    AddressRefused   the host leads to a private or special address: not connected to
    ResolveFailed    the host is no host name, or no name server knows it
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import re
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import idna

Address = IPv4Address | IPv6Address
Resolver = Callable[[str], Awaitable[Sequence[str]]]  # a canonical name → addresses as text, most preferred first

CACHE_S = 60.0  # a name judged this recently is not asked for again; its judged addresses are used
_CACHE_NAMES = 4096

# The IANA special-purpose address registries (RFC 6890; www.iana.org/assignments/iana-ipv4-special-registry and
# …/iana-ipv6-special-registry, as of 2026), multicast, and the addresses at which cloud platforms hand out
# credentials. The first match names the kind, so a narrow network stands before the one that holds it.
# ``ipaddress.is_global`` is not used: on Python 3.11 it is true for 64:ff9b::7f00:1, 2002:7f00:1::, 224.0.0.1 and
# fec0::1. The globally reachable entries of the registries (AS112 192.31.196.0/24 and 192.175.48.0/24, AMT
# 192.52.193.0/24, and their IPv6 fellows) are infrastructure that serves no pages, and are refused as well.
_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("169.254.169.254/32", "a cloud metadata address"),  # AWS, Azure, Google Cloud, OpenStack, DigitalOcean
        ("169.254.170.2/32", "a cloud metadata address"),  # AWS ECS task credentials
        ("169.254.170.23/32", "a cloud metadata address"),  # AWS EKS pod identity
        ("100.100.100.200/32", "a cloud metadata address"),  # Alibaba Cloud
        ("192.0.0.192/32", "a cloud metadata address"),  # Oracle Cloud
        ("168.63.129.16/32", "a cloud metadata address"),  # Azure's wire server, in otherwise public space
        ("0.0.0.0/32", "the unspecified address"),
        ("0.0.0.0/8", "an address of 'this network'"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier-grade NAT address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "an IETF protocol address"),  # whole, with the anycast 192.0.0.9 and .10: no pages there
        ("192.0.2.0/24", "a documentation address"),
        ("192.31.196.0/24", "an AS112 address"),
        ("192.52.193.0/24", "an AMT relay address"),
        ("192.88.99.0/24", "a 6to4 relay address"),
        ("192.168.0.0/16", "a private address"),
        ("192.175.48.0/24", "an AS112 address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("fd00:ec2::/32", "a cloud metadata address"),  # AWS: fd00:ec2::254, ::23
        ("fd20:ce::254/128", "a cloud metadata address"),  # Google Cloud
        ("::/128", "the unspecified address"),
        ("::1/128", "a loopback address"),
        ("::ffff:0:0/96", "an IPv4-mapped address"),  # never on a wire: a host written so is a disguise
        ("::/96", "an IPv4-compatible address"),
        ("::ffff:0:0:0/96", "an IPv4-translated address"),  # RFC 2765, SIIT
        ("64:ff9b:1::/48", "a local NAT64 address"),  # RFC 8215: where the IPv4 address lies is the operator's choice
        ("100::/64", "a discard-only address"),
        ("100:0:0:1::/64", "a dummy address"),  # RFC 9780
        ("2001::/32", "a Teredo address"),
        ("2001:2::/48", "a benchmarking address"),
        ("2001:10::/28", "an ORCHID address"),
        ("2001:20::/28", "an ORCHID address"),
        ("2001:db8::/32", "a documentation address"),
        ("2001::/23", "an IETF protocol address"),  # AMT, AS112, PCP and TURN anycast, drone ids
        ("2002::/16", "a 6to4 address"),
        ("2620:4f:8000::/48", "an AS112 address"),
        ("3fff::/20", "a documentation address"),
        ("5f00::/16", "a segment-routing address"),
        ("fc00::/7", "a unique local address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")  # all that IANA has allocated for public use; the rest is reserved
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: bits 64 to 95, the IPv4 address follows

# WHATWG URL, "forbidden domain code point", in ASCII.
_FORBIDDEN_IN_NAMES = re.compile(r"[\x00-\x20\x7f\"#%/:<>?@\[\\\]^`{|}]")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


class AddressRefused(Exception):
    """The host leads to an address that is not public. Not connected to; *way_out* says what lets it pass."""

    def __init__(self, host: str, address: str, reason: str, *, way_out: str = "--allow-private") -> None:
        whose = address if host == address else f"{host} is {address}"
        super().__init__(f"refused: {whose}, {reason}; {way_out} lets it pass")
        self.host, self.address, self.reason = host, address, reason


class ResolveFailed(Exception):
    """The host is not a host name, or has no address. A name that no server knows may be known later."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"cannot resolve {host!r}: {reason}")
        self.host, self.reason = host, reason


def why_refused(ip: Address) -> str | None:
    """Return what kind of special address *ip* is ("a loopback address"), or None when it is public.

    An address of the well-known NAT64 prefix 64:ff9b::/96 is what its embedded IPv4 address is: behind DNS64 it is
    the only way to public IPv4 sites, and translators must not use that prefix for private addresses (RFC 6052,
    3.1). Every other form that embeds an IPv4 address (mapped, compatible, 6to4, Teredo, ISATAP) is refused,
    whatever it embeds: no public site needs one. A NAT64 prefix of the operator's own cannot be told from others.
    """
    if isinstance(ip, IPv4Address):
        return next((kind for network, kind in _REFUSED_V4 if ip in network), None)
    if ip.scope_id is not None:
        return f"an address bound to the interface {ip.scope_id}"
    if ip in _NAT64:
        embedded = IPv4Address(int(ip) & 0xFFFFFFFF)
        kind = why_refused(embedded)
        return kind and f"a NAT64 address of {embedded}, {kind}"
    for network, kind in _REFUSED_V6:
        if ip in network:
            return kind
    if ip not in _GLOBAL_UNICAST_V6:
        return "a reserved address"
    if int(ip) >> 32 & 0xFFFFFFFF in _ISATAP:
        return "an ISATAP address"
    return None


@functools.lru_cache(maxsize=4096)  # asked several times a request, mostly for the same few
def canonical_host(host: str) -> str:
    """Return *host* as every part of newswarc compares it: lower case, ASCII, without brackets or a trailing dot.

    Names go through UTS #46 and IDNA 2008; addresses in any spelling a browser or ``inet_aton`` understands
    (``2130706433``, ``0177.0.0.1``, ``0x7f.1``, ``127.1``, full-width digits and dots) become dotted decimal, IPv6
    its RFC 5952 form, with its zone when it has one.
    Raises ``ResolveFailed`` for what is no host: empty, percent-encoded, with forbidden characters, too long.
    """
    if host.startswith("[") != host.endswith("]"):
        raise ResolveFailed(host, "half a pair of brackets")
    if host.startswith("[") or ":" in host:
        return _canonical_v6(host)
    try:
        mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
        name = ".".join(_ascii_label(label) for label in mapped.removesuffix(".").split("."))
    except idna.IDNAError as exc:
        raise ResolveFailed(host, f"not an internationalised host name: {exc}") from exc
    if found := _FORBIDDEN_IN_NAMES.search(name):
        raise ResolveFailed(host, f"not a host name: {found.group()!r} in it")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(_number_form_v4(host, labels))
    if not all(0 < len(label) <= 63 for label in labels) or len(name) > 253:  # RFC 1035, 2.3.4
        raise ResolveFailed(host, "not a host name: an empty or overlong label" if name else "no host")
    return name


def _ascii_label(label: str) -> str:
    return label if label.isascii() else idna.alabel(label).decode("ascii")


def _canonical_v6(host: str) -> str:
    inside = host.strip("[]")
    address, percent, zone = inside.partition("%")
    if percent and zone.startswith("25"):  # RFC 6874: the percent sign of a zone is itself percent-encoded in a URL
        zone = zone[2:]
    try:
        return str(IPv6Address(f"{address}%{zone}" if percent else address))
    except ValueError as exc:
        raise ResolveFailed(host, "not an IPv6 address") from exc


def _number_form_v4(host: str, parts: Sequence[str]) -> IPv4Address:
    """Read *parts* as ``inet_aton`` and the WHATWG IPv4 parser do: one to four numbers, the last fills the rest."""
    try:
        numbers = [_number(part) for part in parts]
    except ValueError as exc:
        raise ResolveFailed(host, "ends in a number but is not an IPv4 address") from exc
    *leading, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in leading) or last >= 256 ** (5 - len(numbers)):
        raise ResolveFailed(host, "ends in a number but is not an IPv4 address")
    return IPv4Address(sum((number << 8 * (3 - i) for i, number in enumerate(leading)), last))


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    if text[:2] in ("0x", "0X"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if text.startswith("0") else int(text)


async def system_resolver(name: str) -> list[str]:
    """Ask the operating system, for both families, in its order of preference (RFC 6724)."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for _family, _type, _proto, _name, sockaddr in found]


class Guard:
    """Turns hosts into judged addresses.

    *resolver* finds the addresses of a name that is not itself an address; by default the operating system does.
    *exempt* addresses pass as if they were public: a test's own site needs one, no setting gives any.
    """

    def __init__(
        self,
        allow_private: bool,
        resolver: Resolver | None = None,
        *,
        exempt: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.allow_private = allow_private
        self._exempt = exempt
        self._resolver = resolver or system_resolver
        self._clock = clock
        self._judged: dict[str, tuple[float, list[Address]]] = {}  # name → (good until, addresses)

    async def resolve(self, host: str, port: int) -> list[tuple[int, tuple[str | int, ...]]]:
        """Return ``(socket family, sockaddr)`` for each address of *host*, most preferred first, never none.

        Each sockaddr holds a literal address: connect to that, and never resolve the name again.
        Raises ``AddressRefused`` when *any* address of the name is refused, for an answer that mixes public and
        private addresses is how a name is rebound; ``ResolveFailed`` when there is no address.
        """
        name = canonical_host(host)
        literal = _literal(name)
        addresses = [literal] if literal else self._remembered(name)
        if not addresses:
            addresses = await self._ask(name)
        for address in addresses:
            self._judge(host, address)
        if not literal and name not in self._judged:
            if len(self._judged) >= _CACHE_NAMES:
                self._judged.pop(next(iter(self._judged)))
            self._judged[name] = (self._clock() + CACHE_S, addresses)
        return [_endpoint(host, address, port) for address in addresses]

    def check(self, address: str, host: str | None = None) -> None:
        """Judge the *address* a socket says it is connected to; *host* is the name it was reached by.

        Raises ``AddressRefused``, also when *address* is not an address.
        """
        literal = _literal(address)
        if literal is None:
            raise AddressRefused(host or address, address, "not an IP address")
        self._judge(host or address, literal)

    def _judge(self, host: str, address: Address) -> None:
        if self.allow_private or str(address) in self._exempt:
            return
        if kind := why_refused(address):
            raise AddressRefused(host, str(address), kind)

    def _remembered(self, name: str) -> list[Address]:
        good_until, addresses = self._judged.get(name, (0.0, []))
        if self._clock() < good_until:
            return addresses
        self._judged.pop(name, None)
        return []

    async def _ask(self, name: str) -> list[Address]:
        try:
            answers = await self._resolver(name)
        except (OSError, UnicodeError) as exc:  # socket.gaierror is an OSError; a label may defeat the idna codec
            raise ResolveFailed(name, getattr(exc, "strerror", None) or str(exc)) from exc
        addresses: list[Address] = []
        for answer in answers:
            literal = _literal(answer)
            if literal is None:
                raise ResolveFailed(name, f"the name server's answer {answer!r} is not an address")
            if literal not in addresses:
                addresses.append(literal)
        if not addresses:
            raise ResolveFailed(name, "the name has no address")
        return addresses


def _literal(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _endpoint(host: str, address: Address, port: int) -> tuple[int, tuple[str | int, ...]]:
    if isinstance(address, IPv4Address):
        return socket.AF_INET, (str(address), port)
    if address.scope_id is None:
        return socket.AF_INET6, (str(address), port, 0, 0)
    try:
        index = int(address.scope_id) if address.scope_id.isdecimal() else socket.if_nametoindex(address.scope_id)
    except OSError as exc:
        raise ResolveFailed(host, f"no network interface {address.scope_id}") from exc
    return socket.AF_INET6, (str(address).partition("%")[0], port, 0, index)
