"""Generated articles through full-text search: time to build, size, and how long searches take.

    python benchmarks/search/million.py [--articles 1000000] [--searches 1000] [--keep FOLDER]

Texts have some 450 words of 30,000, as unevenly used as in a language, so that the commonest word is in nearly every
article. Searches are of one to three words as they come in texts, of two words that stand together, of beginnings, of
one field, and with other conditions. Figures go to ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from archive.article import Article
from archive.catalog import Catalog, Hit
from archive.place import Place

AT_ONCE = 500  # as a rebuild enters them
WORDS = [f"{a}{b}{c}" for a, b, c in itertools.product("bcdfghjklmnprstvz", "aeiou", "bdfklmnprst")]
VOCABULARY = [f"{a}{b}" for a, b in itertools.islice(itertools.product(WORDS, WORDS), 0, 30_000 * 29, 29)]
CUMULATED = list(itertools.accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))
FIRST_DAY = datetime(2016, 1, 1, tzinfo=UTC)
PUBLISHERS, SECTIONS, AUTHORS = 40, 12, 2_000


def word(rng: random.Random) -> str:
    """Return a word, the commonest most often."""
    return VOCABULARY[min(bisect.bisect(CUMULATED, rng.random() * CUMULATED[-1]), len(VOCABULARY) - 1)]


def prose(rng: random.Random, length: int) -> str:
    return " ".join(word(rng) for _ in range(length))


def articles(count: int) -> Iterator[tuple[str, Article, Place]]:
    """Yield *count* articles of ten years, in the order of their days."""
    for number in range(count):
        rng = random.Random(number)
        at = FIRST_DAY + timedelta(seconds=number * 315_000_000 / count)
        publisher = rng.randrange(PUBLISHERS)
        article = Article(
            f"https://site-{publisher}.example/{number}",
            title=prose(rng, 8),
            authors=[f"Author {rng.randrange(AUTHORS)}"],
            published=at.isoformat(),
            publisher=f"Publisher {publisher}",
            section=f"Section {rng.randrange(SECTIONS)}",
            text="\n\n".join(prose(rng, rng.randint(20, 70)) for _ in range(10)),
            captured_at=f"{at:%Y-%m-%dT%H:%M:%S}.000000Z",
        )
        yield f"urn:uuid:{number}", article, Place(f"articles/{number // 50_000}.warc.gz", number, 1)


def searches(catalog: Catalog, rng: random.Random) -> dict[str, Callable[[], list[Hit]]]:
    """Return one search of each kind."""
    one, two, three = word(rng), word(rng), word(rng)
    since = FIRST_DAY + timedelta(days=rng.randrange(3_000))
    return {
        "one_word": lambda: catalog.articles(one),
        "two_words": lambda: catalog.articles(f"{one} {two}"),
        "three_words": lambda: catalog.articles(f"{one} {two} {three}"),
        "phrase": lambda: catalog.articles(f'"{one} {two}"'),
        "beginning": lambda: catalog.articles(f"{one[:4]}*"),
        "title": lambda: catalog.articles(f"title:{one}"),
        "either": lambda: catalog.articles(f"{one} OR {two}"),
        "without": lambda: catalog.articles(f"{one} -{two}"),
        "of_a_month": lambda: catalog.articles(one, since=since, until=since + timedelta(days=30)),
        "of_a_publisher": lambda: catalog.articles(one, publisher=f"Publisher {rng.randrange(PUBLISHERS)}"),
        "newest": lambda: catalog.articles(None),
        "newest_of_an_author": lambda: catalog.articles(None, author=f"Author {rng.randrange(AUTHORS)}"),
    }


def main() -> None:
    """Fill a catalogue and search it as the command line asks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=100, help="of each kind")
    parser.add_argument("--keep", type=Path, help="a folder to make the catalogue in, or to find it in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (options.keep or Path(folder)) / "catalog.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Catalog(path) as catalog:
            if catalog.is_empty():
                fill(catalog, options.articles)
            size = sum(file.stat().st_size for file in path.parent.glob("catalog.sqlite*"))
            print(
                f"{options.articles:,} articles: {size / 1e6:,.0f} MB, {size / options.articles:,.0f} bytes an article"
            )
            measure(catalog, options.searches)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"most memory {peak:,.0f} MB")


def fill(catalog: Catalog, count: int) -> None:
    made = articles(count)
    spent = 0.0
    while some := list(itertools.islice(made, AT_ONCE)):
        began = time.perf_counter()
        catalog.add([], some)
        spent += time.perf_counter() - began
    print(f"entered in {spent:,.0f} s, {count / spent:,.0f} articles a second")


def measure(catalog: Catalog, count: int) -> None:
    rng = random.Random(7)
    spent: dict[str, list[float]] = {}
    for _ in range(count):
        for name, search in searches(catalog, rng).items():
            began = time.perf_counter()
            search()
            spent.setdefault(name, []).append(time.perf_counter() - began)
    spent["all"] = [seconds for each in list(spent.values()) for seconds in each]
    for name, seconds in spent.items():
        ordered = sorted(seconds)
        p50, p99 = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.5, 0.99))
        print(f"  {name:20} p50 {p50:8.1f} ms   p99 {p99:8.1f} ms   most {ordered[-1] * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
