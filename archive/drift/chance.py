"""What may be chance.

Articles do not come independently of each other, so neither a binomial nor Fisher's test applies: a run of thirty
agency briefs is one event, not thirty. The number of articles with a field among *n* is taken to be beta-binomial
(Skellam 1948): binomial with a share that itself varies about the usual one, as much as stretches of the host's earlier
articles show. With the correlation rho of two articles of one stretch the variance of the number is (1 + (n - 1) rho)
times that of a binomial, which is how rho is estimated from earlier stretches (the method of moments), taken at the
upper end of what so few stretches allow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

STRETCH = 20  # articles
# The chance that is left at each comparison. Over 2,000 articles, with nine fields and three windows, there are 54,000
# comparisons, of which those of neighbouring articles share nearly all their data: less than a thousandth of an alarm
# in all, were the model exact. It is held to simulated hosts that are mixed, bursty, seasonal, of long tails
# (tests/archive/test_drift.py).
ALARM_CHANCE = 1e-8
UNHEARD_OF_CHANCE = 1e-12  # the same, of independent articles, where the past shows nothing like it
UNHEARD_OF = 3  # times what the worst stretch of the past lacked
LEAST_CORRELATION = 0.02  # no host's articles are independent, whatever a short past shows
MOST_CORRELATION = 0.95


def caution(stretches: int) -> float:
    """Return by how much a variance estimated from that many stretches is raised.

    Its standard error is sqrt(2 / (k - 1)) of it where values are normal; one and a half of them are added.
    """
    return 1 + 1.5 * math.sqrt(2 / (stretches - 1))


def is_chance(having: int, of: int, share: float, before: Sequence[tuple[float, float]]) -> bool:
    """Tell whether it may be chance that only *having* of *of* articles have a field of which a *share* is expected.

    *before* tells of earlier articles, each with 1 or 0 for having it, and in what share such articles have it.
    """
    if chance_of_at_most(having, of, share, correlation(before)) < ALARM_CHANCE:
        return False
    # Where nearly all articles have the field, a few in one stretch that have not make a large correlation.
    if UNHEARD_OF * _worst_stretch(before) > share * STRETCH - having * STRETCH / of:
        return True
    return sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(having + 1)) > UNHEARD_OF_CHANCE


def _worst_stretch(before: Sequence[tuple[float, float]]) -> float:
    """Return by how many articles the worst stretch of *before* fell short of what was expected."""
    short = worst = 0.0
    for at, (has, usual) in enumerate(before):
        short += usual - has
        if at >= STRETCH:
            has, usual = before[at - STRETCH]  # noqa: PLW2901 - the one that leaves the stretch
            short -= usual - has
        worst = max(worst, short)
    return worst


def correlation(before: Sequence[tuple[float, float]]) -> float:
    """Return how much articles of one stretch are alike, at most, by those *before*: with the field, and how usual."""
    starts = range(len(before) % STRETCH, len(before), STRETCH)
    if len(starts) < 2:
        return MOST_CORRELATION
    between = within = 0.0
    for start in starts:
        stretch = before[start : start + STRETCH]
        between += sum(has - usual for has, usual in stretch) ** 2
        within += sum(usual * (1 - usual) for _, usual in stretch)
    inflation = between / max(within, 0.1 * len(starts)) * caution(len(starts))
    return min(MOST_CORRELATION, max(LEAST_CORRELATION, (inflation - 1) / (STRETCH - 1)))


def chance_of_at_most(count: int, of: int, share: float, rho: float) -> float:
    """Return the chance that at most *count* of *of* articles have a field that a *share* of all has."""
    total = 1 / rho - 1
    alpha, beta = share * total, (1 - share) * total
    return min(1.0, sum(math.exp(_log_term(k, of, alpha, beta)) for k in range(count + 1)))


def _log_term(k: int, n: int, alpha: float, beta: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return ways + _log_beta(k + alpha, n - k + beta) - _log_beta(alpha, beta)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
