"""Rules of access, and what they say of one capture.

The rule whose address is the most specific decides: an exact URL before a prefix, a longer prefix before a shorter one;
of two equal ones the first in the file whose dates fit. What no rule names is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from archive.surt import surt

Kind = Literal["allow", "block", "exclude", "embargo"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. *key* is what the SURT keys it holds for begin with, empty for all; the times are those of capture.

    *since* is the first moment it holds for, *until* the first it no longer holds for. *days* is how old a capture must
    be under an embargo before it is shown. *reason* is told to whoever asks for what is blocked.
    """

    kind: Kind
    key: str
    exact: bool = False
    bordered: bool = True  # a prefix ends where a part of the URL ends: /news is not above /newsroom
    since: datetime | None = None
    until: datetime | None = None
    days: float = 0
    reason: str = ""

    def holds_for(self, key: str, captured_at: datetime) -> bool:
        return (
            (
                key == self.key
                if self.exact
                else key.startswith(self.key) and (not self.bordered or _ends(key, self.key))
            )
            and (self.since is None or captured_at >= self.since)
            and (self.until is None or captured_at < self.until)
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for one capture: *kind*, the rule's *reason*, and of an embargo *until* when it lasts."""

    kind: Kind
    reason: str = ""
    until: datetime | None = None

    @property
    def shown(self) -> bool:
        """Whether the capture may be replayed, exported, and found by its words."""
        return self.kind == "allow"

    @property
    def listed(self) -> bool:
        """Whether it may be told that there is a capture: a blocked one has a tombstone, an excluded one is not there.

        What is under an embargo is not there yet.
        """
        return self.kind in {"allow", "block"}


_ALLOWED = Verdict("allow")


@dataclass(frozen=True)
class Access:
    """All rules of an archive."""

    rules: tuple[Rule, ...] = ()
    _sorted: tuple[Rule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # sorted() is stable: of equally specific rules the first in the file stays the first.
        object.__setattr__(
            self, "_sorted", tuple(sorted(self.rules, key=lambda rule: (-len(rule.key), not rule.exact)))
        )

    def __bool__(self) -> bool:
        return bool(self.rules)

    def verdict(
        self, url: str, captured_at: datetime, now: datetime | None = None, *, key: str | None = None
    ) -> Verdict:
        """Return what holds for the capture of *url* at *captured_at*; *key* is its SURT key, where it is known."""
        if not self._sorted:
            return _ALLOWED
        key = surt(url) if key is None else key
        for rule in self._sorted:
            if rule.holds_for(key, captured_at):
                return _verdict(rule, captured_at, now or datetime.now(UTC))
        return _ALLOWED

    def shown(self, captures: Iterable[tuple[str, datetime]]) -> list[bool]:
        """Tell of each (URL, time of capture) whether it may be shown, for search and export."""
        now = datetime.now(UTC)
        return [self.verdict(url, at, now).shown for url, at in captures]


OPEN = Access()


def _verdict(rule: Rule, captured_at: datetime, now: datetime) -> Verdict:
    if rule.kind == "embargo":
        ends = captured_at + timedelta(days=rule.days)
        return _ALLOWED if ends <= now else Verdict("embargo", rule.reason, ends)
    return _ALLOWED if rule.kind == "allow" else Verdict(rule.kind, rule.reason)


def _ends(key: str, prefix: str) -> bool:
    """Tell whether *prefix*, which *key* begins with, is whole parts of it."""
    return not prefix or len(key) == len(prefix) or prefix[-1] in "/,)?=&" or key[len(prefix)] in "/,)?&:"
