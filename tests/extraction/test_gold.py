"""Real pages of many publications against what people found in them, by the general path alone."""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from archive.article import Article
from archive.extraction import Page, extract

ROOT = Path(__file__).parents[2]
SHELF = ROOT / "../shared/data/extraction"

pytestmark = pytest.mark.skipif(not SHELF.is_dir(), reason="../shared/data/extraction is not there")


@pytest.fixture(scope="module")
def scores(monkeypatch_module: pytest.MonkeyPatch) -> Any:
    monkeypatch_module.syspath_prepend(str(ROOT / "benchmarks/extraction"))
    import scores  # type: ignore[import-not-found]  # noqa: PLC0415 - the benchmark's own measures

    return scores


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    for name in ("scores", "sets"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def pages(scores: Any) -> list[tuple[Any, Article]]:
    from sets import load  # type: ignore[import-not-found]  # noqa: PLC0415 - found beside the scores

    return [(sample, extract(Page(sample.html, sample.url, "text/html", sample.captured_at))) for sample in load(SHELF)]


def share(outcomes: list[bool]) -> float:
    return sum(outcomes) / len(outcomes)


def test_the_text(pages: list[tuple[Any, Article]], scores: Any):
    body = [scores.token_f1(article.text, sample.text) for sample, article in pages]
    assert statistics.mean(body) >= 0.962
    assert statistics.median(body) >= 0.978


def test_the_text_in_every_language_with_five_pages(pages: list[tuple[Any, Article]], scores: Any):
    # What trafilatura 2.3.1 reaches on the same pages.
    least = {"de": 0.9477, "en": 0.9611, "es": 0.9700}
    by_language = defaultdict(list)
    for sample, article in pages:
        by_language[sample.language].append(scores.token_f1(article.text, sample.text))
    assert {language for language, values in by_language.items() if len(values) >= 5} == set(least)
    for language, floor in least.items():
        assert statistics.mean(by_language[language]) >= floor, language


def test_the_title(pages: list[tuple[Any, Article]], scores: Any):
    assert share([scores.same_title(article.title, sample.title) for sample, article in pages]) >= 0.84


def test_the_authors(pages: list[tuple[Any, Article]], scores: Any):
    told = [(sample, article) for sample, article in pages if sample.authors is not None]
    assert share([scores.same_people(article.authors, sample.authors) for sample, article in told]) >= 0.88
    several = [(sample, article) for sample, article in told if len(sample.authors) > 1]
    assert share([scores.same_people(article.authors, sample.authors) for sample, article in several]) >= 0.75


def test_the_time(pages: list[tuple[Any, Article]], scores: Any):
    dated = [(sample, article) for sample, article in pages if sample.published]
    assert share([scores.same_day(article.published, sample.published) for sample, article in dated]) >= 0.985
    timed = [(sample, article) for sample, article in dated if "00:00:00" not in sample.published]
    assert share([scores.same_minute(article.published, sample.published) for sample, article in timed]) >= 0.92


def test_the_topics(pages: list[tuple[Any, Article]], scores: Any):
    values = [scores.topics_f1(article.tags, sample.topics) for sample, article in pages if sample.topics]
    assert statistics.mean(values) >= 0.65
