"""Measures of extraction: how near a field, or a text, comes to the gold."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

# Scripts without spaces between words are compared by the character.
WORD = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+"
)
SHINGLE = 4  # tokens; the ScrapingHub benchmark's


def token_f1(found: str, gold: str) -> float:
    """Return the F1 of two texts as bags of words, 0 to 1."""
    ours, theirs = Counter(WORD.findall(found.casefold())), Counter(WORD.findall(gold.casefold()))
    common = (ours & theirs).total()
    return 2 * common / (ours.total() + theirs.total()) if ours or theirs else 1.0


def shingles(found: str, gold: str) -> tuple[float, float, float]:
    """Return true positives, false positives and false negatives of four-word shingles, adding up to 1."""
    ours, theirs = Counter(_shingles(found)), Counter(_shingles(gold))
    common, extra, missing = (ours & theirs).total(), (ours - theirs).total(), (theirs - ours).total()
    total = common + extra + missing
    return (common / total, extra / total, missing / total) if total else (0.0, 0.0, 0.0)


def shingle_f1(pages: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Return F1, precision and recall over pages, each the mean over the pages it is defined for."""
    precision = _mean(1.0 if fp == fn == 0 else tp / (tp + fp) for tp, fp, fn in pages if tp + fp > 0)
    recall = _mean(1.0 if fp == fn == 0 else tp / (tp + fn) for tp, fp, fn in pages if tp + fn > 0)
    both = precision + recall
    return (2 * precision * recall / both if both else 0.0), precision, recall


def same_text(found: str, gold: str) -> bool:
    """Tell whether two texts are the same words in the same order."""
    return re.findall(r"\w+", found) == re.findall(r"\w+", gold)


def same_title(found: str | None, gold: str) -> bool:
    """Tell whether two titles are the same but for white space and the style of quotation marks and dashes."""
    return _plain(found or "") == _plain(gold)


def same_people(found: Iterable[str], gold: Iterable[str]) -> bool:
    """Tell whether two lists name the same authors, in any order and case."""
    return {_plain(name).casefold() for name in found} == {_plain(name).casefold() for name in gold}


def topics_f1(found: Iterable[str], gold: Iterable[str]) -> float:
    """Return the F1 of two sets of topics, compared without case."""
    ours, theirs = {_plain(t).casefold() for t in found}, {_plain(t).casefold() for t in gold}
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours or theirs else 1.0


def same_day(found: str | None, gold: str) -> bool:
    """Tell whether a time is on the gold's day, by either's own clock."""
    if not found:
        return False
    ours, theirs = _moment(found), _moment(gold)
    if ours.date() == theirs.date():
        return True
    both_placed = ours.tzinfo is not None and theirs.tzinfo is not None
    return both_placed and (ours.astimezone(UTC).date() == theirs.astimezone(UTC).date())


def same_minute(found: str | None, gold: str) -> bool:
    """Tell whether a time is the gold's to the minute; where only one has an offset, their clocks are compared."""
    if not found or len(found) <= len("2026-11-21"):
        return False
    ours, theirs = _moment(found), _moment(gold)
    if ours.tzinfo is None or theirs.tzinfo is None:
        ours, theirs = ours.replace(tzinfo=None), theirs.replace(tzinfo=None)
    return ours.replace(second=0, microsecond=0) == theirs.replace(second=0, microsecond=0)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _plain(text: str) -> str:
    text = re.sub("[\u00ad\u200b-\u200f\u2060\ufeff]", "", unicodedata.normalize("NFKC", text))
    text = re.sub("[\u2018\u2019\u201a\u201b\u00b4`]", "'", text)
    text = re.sub("[\u201c\u201d\u201e\u201f\u00ab\u00bb]", '"', text)
    return " ".join(re.sub("[\u2010-\u2015]", "-", text).split())


def _shingles(text: str) -> list[tuple[str, ...]]:
    tokens = re.findall(r"\w+", text)
    return [tuple(tokens[at : at + SHINGLE]) for at in range(max(1, len(tokens) - SHINGLE + 1)) if tokens]


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0
