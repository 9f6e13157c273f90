"""robots.txt read as RFC 9309 says: what an answer to it means, and what its rules say about a URL.

Groups are read here, because Protego matches agents more loosely than the standard: it takes a group for ``news`` as
meant for ``newswarc``, overlooks one for ``newswarc/1.0``, and lets ``Crawl-delay`` part a group. Paths are matched
by Protego.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from urllib.parse import quote, urljoin, urlsplit

from protego import Protego

AGENT = "newswarc"  # our product token (RFC 9309, 2.2.1)
PARSED_BYTES = 500 * 1024  # RFC 9309, 2.5: at least 500 KiB are parsed; what follows is ignored
KEPT_FOR = timedelta(hours=24)  # RFC 9309, 2.4: no copy is used longer, unless robots.txt has become unreachable
UNREACHABLE_FOR = timedelta(minutes=10)  # a server in trouble forbids its site no longer than it must
REDIRECTS = 5  # RFC 9309, 2.3.1.2
_CHEAP_RULES = 1000  # decided in milliseconds; honest files rarely hold more
_BUNCH = 64  # rules tried together: hostile files hold 40,000, and a look at the URL each would take seconds

Outcome = Literal["parsed", "unavailable", "unreachable"]  # the standard's words (2.3.1)

# Misspellings that the large crawlers understand, and so site owners never notice.
_DISALLOW = ("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw")
_FIELDS = dict.fromkeys(_DISALLOW, "disallow") | {
    "allow": "allow",
    "user-agent": "user-agent",
    "useragent": "user-agent",
    "user agent": "user-agent",
    "crawl-delay": "crawl-delay",
    "request-rate": "request-rate",
    "request rate": "request-rate",
    "sitemap": "sitemap",
    "site-map": "sitemap",
}
# What counts of a User-agent value: "newswarc" of "newswarc/1.0". The standard has no letters beyond ASCII, but who is
# called "nüws" is not "n".
_TOKEN = re.compile(r"\*(?=\s|$)|[\w-]+")
_BYTE_ORDER_MARK = re.compile(rb"\A\xef(?:\xbb\xbf|\xbb?(?=[A-Za-z#]))")  # also when it is cut, as Google has it
_DELAY = re.compile(r"\d{1,6}(\.\d*)?|\.\d+", re.ASCII)
_RATE = re.compile(r"(\d{1,6})\s*/\s*(\d{1,6})([smhd]?)(?:\s.*)?", re.ASCII | re.IGNORECASE)  # pages/time, hours
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_LINE = 2083 * 8 - 1  # characters that count, as Google has it: eight times the longest address that browsers took
_OTHER_LINE_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")  # Protego parts lines at these, RFC 9309 does not


@dataclass(frozen=True, slots=True)
class RobotsDecision:
    """What robots.txt says about one URL. *rule* is the line that decides, None when no line does."""

    allowed: bool
    rule: str | None
    reason: str
    robots_url: str
    fetched_at: datetime
    status: int | None


Kind = Literal["allow", "disallow"]


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    pattern: str

    def __str__(self) -> str:
        return f"{self.kind.capitalize()}: {self.pattern}"


class _Bunch:
    """Some rules, tried together: whether any of them matches costs one look at the URL, not one a rule."""

    def __init__(self, rules: list[_Rule]) -> None:
        self.rules = rules
        self._matcher: Protego | None = None
        self._single: list[_Bunch] | None = None

    def match(self, url: str) -> bool:
        self._matcher = self._matcher or _matcher(f"Disallow: {rule.pattern}" for rule in self.rules)
        return not self._matcher.can_fetch(url, AGENT)

    def first(self, url: str) -> _Rule | None:
        """Return the first rule that matches."""
        if not self.match(url):
            return None
        if len(self.rules) == 1:
            return self.rules[0]
        self._single = self._single or [_Bunch([rule]) for rule in self.rules]
        return next((single.rules[0] for single in self._single if single.match(url)), None)


def _matcher(lines: Iterable[str]) -> Protego:
    return Protego.parse("\n".join(["User-agent: *", *lines]))


class _Group:
    """The rules for one agent, each once, in the order of the file.

    What finds the rule that decides is made at the first question. Two threads may make it twice, and it is the same:
    a lock, as of ``cached_property``, would let the event loop wait for another site's file.
    """

    def __init__(self) -> None:
        self.rules: dict[tuple[Kind, str], _Rule] = {}
        self.crawl_delay_s: float | None = None
        self._matchers: tuple[Protego, dict[Kind, list[_Bunch]]] | None = None

    def add(self, kind: Kind, pattern: str) -> None:
        self.rules.setdefault((kind, pattern), _Rule(kind, pattern))

    def decide(self, url: str) -> tuple[bool, str | None]:
        """Return whether *url* is allowed, and the line that says so: of those that match, the longest (2.2.2)."""
        every, longest_first = self._matchers = self._matchers or self._make_matchers()
        allowed = every.can_fetch(url, AGENT)
        for bunch in longest_first["allow" if allowed else "disallow"]:
            if rule := bunch.first(url):
                return allowed, str(rule)
        return allowed, None

    def _make_matchers(self) -> tuple[Protego, dict[Kind, list[_Bunch]]]:
        ordered = sorted(self.rules.values(), key=lambda rule: len(rule.pattern), reverse=True)
        bunches: dict[Kind, list[_Bunch]] = {}
        for kind in get_args(Kind):
            rules = [rule for rule in ordered if rule.kind == kind]
            bunches[kind] = [_Bunch(rules[n : n + _BUNCH]) for n in range(0, len(rules), _BUNCH)]
        return _matcher(map(str, self.rules.values())), bunches


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """One site's rules, or why there are none."""

    outcome: Outcome
    reason: str
    robots_url: str
    fetched_at: datetime
    expires_at: datetime
    status: int | None = None
    sitemaps: tuple[str, ...] = ()  # absolute URLs
    record: str | None = None  # id of the response record of the robots.txt, once it is archived
    groups: dict[str, _Group] = field(default_factory=dict, repr=False)  # by product token, lower case

    @property
    def costly(self) -> bool:
        """Whether deciding may take so long, up to seconds, that it does not belong on an event loop."""
        return any(len(group.rules) > _CHEAP_RULES for group in self.groups.values())

    def decide(self, url: str, agent: str = AGENT) -> RobotsDecision:
        """Say whether *agent*, a product token, may fetch *url*."""
        allowed, rule, reason = True, None, self.reason
        if self.outcome == "unreachable":
            allowed = False
        elif self.outcome == "parsed" and (group := self._group(agent)):
            allowed, rule = group.decide(url)
            if rule:
                reason = f"robots.txt {'allows' if allowed else 'forbids'} it: {rule}"
        return RobotsDecision(allowed, rule, reason, self.robots_url, self.fetched_at, self.status)

    def crawl_delay_s(self, agent: str = AGENT) -> float | None:
        """Return the seconds between two fetches that the site asks *agent* for, None when it asks for nothing."""
        group = self._group(agent)
        return group.crawl_delay_s if group else None

    def _group(self, agent: str) -> _Group | None:
        return self.groups.get(agent.lower()) or self.groups.get("*")


def rules_from(
    status: int | None, body: bytes | None, error: str | None, *, robots_url: str, fetched_at: datetime
) -> RobotsRules:
    """Return the rules that an answer to *robots_url* means (RFC 9309, 2.3.1).

    *body* has no transfer or content coding left. *error* is set when there is no whole answer.
    """

    def rules(outcome: Outcome, reason: str, **more: Any) -> RobotsRules:
        expires_at = fetched_at + (UNREACHABLE_FOR if outcome == "unreachable" else KEPT_FOR)
        return RobotsRules(outcome, reason, robots_url, fetched_at, expires_at, status, **more)

    # A robots.txt that cannot be reached forbids everything (2.3.1.4); one that is absent allows it (2.3.1.3).
    if error or status is None:
        return rules("unreachable", f"robots.txt is unreachable, which forbids every page: {error or 'no answer'}")
    if 200 <= status < 300:
        groups, sitemaps, reason = _parse(body or b"", robots_url)
        return rules("parsed", reason, groups=groups, sitemaps=sitemaps)
    if status == 429:
        # Not an answer about robots.txt but a request to slow down: Google treats it like a server error.
        return rules("unreachable", "robots.txt is unreachable, which forbids every page: too many requests (429)")
    if 300 <= status < 400:
        return rules("unavailable", f"there is no robots.txt: more than {REDIRECTS} redirects, a loop, or no target")
    if 400 <= status < 500:
        return rules("unavailable", f"there is no robots.txt ({status})")
    return rules("unreachable", f"robots.txt is unreachable, which forbids every page: the server said {status}")


def absolute(base: str, reference: str) -> str | None:
    """Return the HTTP URL that *reference* means on the page *base*, without its fragment, or None if it means none."""
    try:
        url = urljoin(base, reference).partition("#")[0]
        parts = urlsplit(url)
        return url if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 else None
    except ValueError:  # brackets that hold no IPv6 address, a port that is no number
        return None


def _parse(body: bytes, robots_url: str) -> tuple[dict[str, _Group], tuple[str, ...], str]:
    text = _decode(body)
    if text.lstrip().startswith("<"):
        return {}, (), "robots.txt is a page of markup and holds no rules"
    groups: dict[str, _Group] = {}
    sitemaps: list[str] = []
    current: list[_Group] = []
    naming = False  # between the first User-agent line of a group and its first rule
    for name, value in _fields(text):
        if name == "user-agent":
            if not naming:
                current = []
            naming = True
            if token := _TOKEN.match(value):
                # Groups that name the same agent are one (2.2.1).
                group = groups.setdefault(token.group().lower(), _Group())
                current.append(group)
        elif name == "sitemap":
            if target := absolute(robots_url, value):
                sitemaps.append(target)
        elif name in ("crawl-delay", "request-rate"):
            # Another record never parts a group (2.2.4). The longest of several delays counts: it satisfies all.
            if (delay_s := _delay_s(name, value)) is not None:
                for group in current:
                    group.crawl_delay_s = max(delay_s, group.crawl_delay_s or 0.0)
        else:
            naming = False
            if value:
                for group in current:
                    group.add("allow" if name == "allow" else "disallow", value)
    return groups, tuple(dict.fromkeys(sitemaps)), "no rule of robots.txt forbids it"


def _delay_s(name: str, value: str) -> float | None:
    """Return the seconds between two pages that ``Crawl-delay: 10`` or ``Request-rate: 1/10s 0600-0845`` asks for.

    A rate is kept at all hours, which is no less polite.
    """
    if name == "crawl-delay":
        return float(value) if _DELAY.fullmatch(value) else None
    rate = _RATE.fullmatch(value)
    return int(rate[2]) * _SECONDS[rate[3].lower()] / int(rate[1]) if rate and int(rate[1]) else None


def _decode(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, against the standard, but plainly meant
        return body[: PARSED_BYTES * 2].decode("utf-16", "ignore")
    if len(body) > PARSED_BYTES:
        kept = body[:PARSED_BYTES]
        body = kept[: max(kept.rfind(b"\n"), kept.rfind(b"\r")) + 1]  # a rule cut short could forbid far too much
    text = _BYTE_ORDER_MARK.sub(b"", body).replace(b"\0", b"").decode("utf-8", "surrogateescape")
    # A byte that is not UTF-8 stands for itself, as it would percent-encoded in a URL.
    return re.sub("[\udc80-\udcff]", lambda byte: f"%{ord(byte.group()) - 0xDC00:02X}", text)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of each line that means something, also when its colon was forgotten."""
    for line in re.split(r"\r\n?|\n", text):
        content = line[:MAX_LINE].partition("#")[0].strip()
        name, _, value = content.partition(":")
        words = content.split(maxsplit=2)
        spellings = [(name, value), *((" ".join(words[:n]), " ".join(words[n:])) for n in (1, 2))]
        for spelling, rest in spellings:
            if known := _FIELDS.get(spelling.strip().lower()):
                yield known, _OTHER_LINE_ENDS.sub(lambda end: quote(end.group()), rest.strip())
                break
